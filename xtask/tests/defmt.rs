//! What a loop on a microcontroller tells `defmt`, read as a computer reads it.

use object::{Object, ObjectSection, ObjectSymbol};
use serde_json::Value;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds the example `traced` with all that it can tell; where the program is.
fn build() -> PathBuf {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/bare");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("defmt");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--release", "--target", "thumbv7em-none-eabihf"])
        .args(["--features", "defmt", "--bin", "traced", "--target-dir"])
        .arg(&target)
        .env("DEFMT_LOG", "trace")
        .current_dir(directory)
        .status()
        .expect("cargo runs");
    assert!(built.success(), "the example was not built");
    target.join("thumbv7em-none-eabihf/release/traced")
}

/// A table from the numbers in frames to texts: the symbols of the section `.defmt`, whose names
/// say in JSON what they are.
struct Texts {
    of: HashMap<u64, String>,
    timestamp: String,
}

impl Texts {
    fn read(program: &[u8]) -> Texts {
        let program = object::File::parse(program).expect("a program");
        let section = program.section_by_name(".defmt").expect("a program with defmt").index();
        let mut texts = Texts { of: HashMap::new(), timestamp: String::new() };
        for symbol in program.symbols().filter(|symbol| symbol.section_index() == Some(section)) {
            let name = symbol.name().expect("its name");
            let Ok(json) = serde_json::from_str::<Value>(name) else { continue };
            let text = json["data"].as_str().expect("its text").to_owned();
            match json["tag"].as_str() {
                Some("defmt_timestamp") => texts.timestamp = text,
                _ => drop(texts.of.insert(symbol.address(), text)),
            }
        }
        texts
    }

    /// The text of a frame: its number, the time, the arguments.
    fn show(&self, frame: &[u8]) -> String {
        let mut rest = frame;
        let number = u64::from(u16::from_le_bytes(take(&mut rest)));
        fill(&self.timestamp, &mut rest);
        fill(self.of.get(&number).expect("a number that has a text"), &mut rest)
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> [u8; N] {
    let (taken, left) = rest.split_first_chunk().expect("the frame is long enough");
    *rest = left;
    *taken
}

/// Puts arguments in the places `{=type:how}` of a text.
fn fill(text: &str, rest: &mut &[u8]) -> String {
    let mut filled = String::new();
    let mut pieces = text.split('{');
    filled.push_str(pieces.next().unwrap_or(""));
    for piece in pieces {
        let (place, after) = piece.split_once('}').expect("a closed brace");
        match place.split(':').next() {
            Some("=u64") => filled.push_str(&u64::from_le_bytes(take(rest)).to_string()),
            // An address, which is another in each build.
            Some("=usize") => drop(take::<4>(rest)),
            Some("=str") => {
                let length = u32::from_le_bytes(take(rest)) as usize;
                let (text, left) = rest.split_at(length);
                filled.push_str(std::str::from_utf8(text).expect("text"));
                *rest = left;
            }
            other => panic!("the reader does not know {other:?} in {text:?}"),
        }
        filled.push_str(after);
    }
    filled
}

/// A frame as it was before it was made free of zeros, by reverse zero-compressing COBS: read from
/// its end, each code tells which of the bytes before it are there and which are zeros.
fn unstuff(frame: &[u8]) -> Vec<u8> {
    let mut bytes = frame.iter().rev().copied();
    let mut found = Vec::new();
    while let Some(code) = bytes.next() {
        match code {
            0 => panic!("a zero within a frame"),
            1..=0x7f => {
                for bit in (0..7).rev() {
                    let zero = code >> bit & 1 == 1;
                    found.extend(if zero { Some(0) } else { bytes.next() });
                }
            }
            0x80..=0xfe => {
                found.push(0);
                found.extend(bytes.by_ref().take(usize::from(code & 0x7f) + 7));
            }
            0xff => found.extend(bytes.by_ref().take(134)),
        }
    }
    found.reverse();
    found
}

fn decode(program: &[u8], frames: &[u8]) -> Vec<String> {
    let texts = Texts::read(program);
    let frames = frames.split(|byte| *byte == 0).filter(|frame| !frame.is_empty());
    frames.map(|frame| texts.show(&unstuff(frame))).collect()
}

#[test]
#[ignore = "needs QEMU and the target thumbv7em-none-eabihf; `cargo xtask test` runs it"]
fn a_computer_reads_what_the_loop_does() {
    let program = build();
    let qemu = std::env::var("QEMU_SYSTEM_ARM").unwrap_or_else(|_| "qemu-system-arm".to_owned());
    let output = Command::new(qemu)
        .args(["-M", "mps2-an386", "-icount", "shift=0", "-display", "none", "-monitor", "none"])
        .args(["-serial", "none", "-semihosting-config", "enable=on,target=native", "-kernel"])
        .arg(&program)
        .output()
        .expect("QEMU runs");
    assert!(output.status.success(), "the program failed");
    let texts = decode(&std::fs::read(&program).expect("the program"), &output.stdout);

    let ends = [
        "turn end: ran 4, fired 0, polls 1, wakes 3, redundant 0, ",
        "turn end: ran 1, fired 1, polls 1, wakes 2, redundant 0, ",
        "turn end: ran 1, fired 0, polls 0, wakes 1, redundant 0, ",
        "turn end: ran 1, fired 0, polls 0, wakes 0, redundant 0, ",
    ];
    let found = texts.iter().filter(|text| text.starts_with("turn end"));
    assert!(found.zip(ends).all(|(found, end)| found.starts_with(end)), "{texts:#?}");
    let begins = |start: &str| texts.iter().filter(|text| text.starts_with(start)).count();
    assert_eq!(begins("turn begin"), begins("turn end"), "{texts:#?}");
    assert_eq!(begins("step begin"), begins("step end"), "{texts:#?}");
    assert_eq!(begins("sleep begin"), begins("sleep end"), "{texts:#?}");
    // How long it took exactly depends on the compiler.
    let told: Vec<&str> = texts
        .iter()
        .map(|text| match text.split_once(" took 3") {
            Some((text, _)) => text,
            None => text,
        })
        .filter(|text| !text.starts_with("turn end") && !text.starts_with("timer set"))
        .collect();
    let expected = [
        "task created:  traced::fetch",
        "task woken: ",
        "task created:  traced::serve",
        "task woken: ",
        "task created:  run_until_complete",
        "task woken: ",
        "turn begin",
        "step begin: task  traced::fetch",
        "step end: task ",
        "step begin: task  traced::serve",
        "step end: task ",
        "step begin: callback  traced::slow_callback",
        "step end: callback ",
        "slow: callback traced::slow_callback",
        "step begin: task  run_until_complete",
        "step end: task ",
        "turn begin",
        "sleep begin",
        "sleep end",
        "timer fired: ",
        "task woken: ",
        "step begin: task  traced::fetch",
        "task ended: ",
        "task woken: ",
        "step end: task ",
        "turn begin",
        "step begin: task  traced::serve",
        "task ended: ",
        "task woken: ",
        "step end: task ",
        "turn begin",
        "step begin: task  run_until_complete",
        "task ended: ",
        "step end: task ",
        "loop closed",
    ];
    assert_eq!(told, expected, "{texts:#?}");
}
