//! A real Rust program for wasm32-wasip1, compiled here. Skipped, with a message, where that target is not installed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use molen_wasi_host::{Ending, Host, Input, Lie, Listener, Peer};

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Compiles a fixture, or gives `None` if the compiler has no standard library for the target.
fn compile(fixture: &str) -> Option<Vec<u8>> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let sysroot = Command::new(&rustc).args(["--print", "sysroot"]).output().unwrap().stdout;
    let sysroot = String::from_utf8(sysroot).unwrap();
    let target = Path::new(sysroot.trim()).join("lib/rustlib/wasm32-wasip1/lib");
    if !target.is_dir() {
        eprintln!("skipped: no standard library for wasm32-wasip1 at {}", target.display());
        return None;
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(fixture);
    let wasm = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(fixture).with_extension("wasm");
    let compiled = Command::new(&rustc)
        .args(["--edition=2024", "--target=wasm32-wasip1", "-Copt-level=s", "-o"])
        .args([&wasm, &source])
        .output()
        .unwrap();
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    Some(std::fs::read(wasm).unwrap())
}

#[test]
fn a_program_on_the_standard_library() {
    let Some(wasm) = compile("std_command.rs") else {
        return;
    };
    let listener = Listener::new().connects(ms(110), Peer::named("client").sends(ms(120), "echo"));
    let honest = Host::new()
        .argument("program")
        .argument("-v")
        .variable("HOME", "/")
        .realtime(Duration::from_secs(1_000_000))
        .stdin(Input::silent().bytes(ms(50), "typed ").bytes(ms(105), "text").eof(ms(107)))
        .listener(listener);
    let outcome = honest.run(&wasm).unwrap();
    assert_eq!(outcome.ending, Ending::Exited(3), "{outcome}");
    let expected = "arguments [\"program\", \"-v\"], HOME Ok(\"/\")\n\
        slept 100ms\n\
        epoch Ok(1000000.1s)\n\
        map {1: 2}\n\
        first accept Err(WouldBlock)\n";
    assert_eq!(outcome.stdout.text(), expected, "{outcome}");
    assert_eq!(outcome.stderr.text(), "stdin Ok(10) \"typed text\"\n");
    let client = outcome.peer("client").unwrap();
    assert_eq!(client.received.text(), "echo");
    assert_eq!((client.accepted_at, client.write_shut_at), (Some(ms(112)), Some(ms(120))));
    assert_eq!(outcome.polls, 101, "one per sleep");

    // A host with preview-1 sockets, lies and all, gives the same.
    let again = honest.lies(Lie::wasi_common_46()).run(&wasm).unwrap();
    assert_eq!(again.stdout.text(), expected, "{again}");
}
