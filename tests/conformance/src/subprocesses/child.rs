//! What cases start: this program, told to be one of these.
//!
//! Not a shell's: there are several shells, and on some machines none.

use crate::case::{Failure, Outcome};
use crate::real::ok;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::Duration;
use std::vec;

/// The program `words` of these, with our standard streams.
pub(crate) fn program(words: &[&str]) -> Result<molen::subprocess::Command, Failure> {
    let mut command = molen::subprocess::Command::new(ok(std::env::current_exe())?);
    command.arg("child").args(words);
    Ok(command)
}

/// The same, where Ctrl-C reaches nobody else.
pub(crate) fn in_console(words: &[&str]) -> Result<molen::subprocess::Command, Failure> {
    let mut command = program(words)?;
    #[cfg(windows)]
    {
        use std::os::windows::process::CommandExt;
        /// A console of its own, of which nothing is seen.
        const CREATE_NO_WINDOW: u32 = 0x0800_0000;
        command.as_std_mut().creation_flags(CREATE_NO_WINDOW);
    }
    #[cfg(unix)]
    command.process_group();
    Ok(command)
}

/// Runs the program `name` with its number; its exit code, or `None` if there is none.
pub fn run(name: &str, number: Option<u16>) -> Option<u8> {
    if let Some(outcome) = crate::interrupts::programs::run(name) {
        return Some(exit_code(outcome));
    }
    #[cfg(windows)]
    if name == "case" {
        let case = crate::signals::there(number?)?;
        crate::fixture::reset();
        return Some(exit_code(case()));
    }
    #[cfg(windows)]
    if name == "group" {
        return Some(exit_code(super::ending::in_its_group()));
    }
    let number = u8::try_from(number.unwrap_or(0)).unwrap_or(u8::MAX);
    let done = match name {
        // Its input to its output.
        "cat" => copy(&mut std::io::stdout()),
        // Its input to both outputs.
        "tee" => tee(),
        // Nothing, but with this code.
        "exit" => Ok(()),
        // Nothing for longer than a case takes.
        "sleep" => {
            std::thread::sleep(Duration::from_secs(90));
            Ok(())
        }
        // Ends when its input does.
        "wait" => copy(&mut std::io::sink()),
        // Its input to its output, with a last word.
        "echo" => copy(&mut std::io::stdout()).and_then(|()| say("end")),
        // More than a pipe holds, and then a word on the other output.
        "much" => much(),
        // Both outputs in turns.
        "both" => both(),
        // A word, and nothing more.
        "word" => say("left behind"),
        // Its input to its output, as sources of a loop.
        "streams" => return Some(exit_code(crate::real::run(streams()))),
        // Each line of its input to its output, as soon as it comes.
        "lines" => return Some(exit_code(crate::real::run(lines()))),
        // Leaves its input and output to a child of its own, and ends.
        "orphan" => orphan(),
        // The same, and stays.
        "family" => orphan().map(|()| std::thread::sleep(Duration::from_secs(90))),
        _ => return None,
    };
    // Whoever reads it may be gone: that is no news for a case.
    Some(if done.is_ok() { number } else { 98 })
}

/// Of a case that ran in a process of its own.
fn exit_code(outcome: Outcome) -> u8 {
    match outcome {
        Ok(()) => 0,
        Err(Failure::Unsupported(_)) => 77,
        Err(failure) => {
            std::eprintln!("{failure}");
            1
        }
    }
}

fn say(word: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout();
    out.write_all(word.as_bytes())?;
    out.flush()
}

fn copy(to: &mut dyn Write) -> std::io::Result<()> {
    std::io::copy(&mut std::io::stdin().lock(), to)?;
    to.flush()
}

fn tee() -> std::io::Result<()> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let length = std::io::stdin().read(&mut buffer)?;
        if length == 0 {
            return std::io::stdout().flush();
        }
        std::io::stdout().write_all(&buffer[..length])?;
        std::io::stderr().write_all(&buffer[..length])?;
    }
}

fn much() -> std::io::Result<()> {
    std::io::stdout().write_all(&vec![0; 1_000_000])?;
    std::io::stdout().flush()?;
    std::io::stderr().write_all(b"done")
}

fn both() -> std::io::Result<()> {
    say("one ")?;
    std::io::stderr().write_all(b"two ")?;
    say("three")
}

async fn streams() -> Outcome {
    // They can be had again, and at the same time.
    drop(ok(molen::pipe::stdin())?);
    let (_other, _errors) = (ok(molen::pipe::stdout())?, ok(molen::pipe::stderr())?);
    let (input, output) = (ok(molen::pipe::stdin())?, ok(molen::pipe::stdout())?);
    let mut bytes = std::vec::Vec::new();
    ok(input.read_to_end(&mut bytes).await)?;
    ok(output.write_all(&bytes).await)?;
    Ok(())
}

async fn lines() -> Outcome {
    // A half that is dropped closes.
    let (mut reader, _no_writer) =
        ok(molen::net::open_streams(ok(molen::pipe::stdin())?, molen::net::DEFAULT_LIMIT).await)?;
    let (_no_reader, writer) =
        ok(molen::net::open_streams(ok(molen::pipe::stdout())?, molen::net::DEFAULT_LIMIT).await)?;
    loop {
        let line = ok(reader.readline().await)?;
        if line.is_empty() {
            return Ok(());
        }
        ok(writer.writelines(&[b"> ", &line]))?;
        ok(writer.drain().await)?;
    }
}

fn orphan() -> std::io::Result<()> {
    let program = std::env::current_exe()?;
    // Not waited for: it outlives its parent.
    #[allow(clippy::zombie_processes, reason = "that is what it is for")]
    Command::new(program).args(["child", "cat"]).stderr(Stdio::null()).spawn().map(drop)
}

/// How many files this process has open, where that can be counted.
pub(super) fn open_files() -> Option<usize> {
    std::fs::read_dir("/proc/self/fd").map(Iterator::count).ok().filter(|_| cfg!(unix))
}
