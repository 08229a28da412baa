//! A terminal, by Python's `pty`.

use crate::running::Server;
use molen_foreign::python;

#[test]
fn progress_is_one_line_that_is_gone_at_the_end() {
    let server = Server::misbehaving();
    let mut python = python("import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)");
    python.arg(env!("CARGO_BIN_EXE_fetch"));
    python.args(["/slowly/1.5", "/size/20000", "/size/1"].map(|path| server.url(path)));
    let output = python.output().expect("it starts");
    let shown = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success(), "{shown}");
    assert!(shown.contains("\r\x1b[K0 of 3 URLs, "), "{shown:?}");
    assert!(shown.contains("\r\x1b[K2 of 3 URLs, 1 under way, 20.0 kB"), "{shown:?}");
    // What is left is the table.
    let (_, last) = shown.rsplit_once("\r\x1b[K").expect("a line that was cleared");
    assert!(last.starts_with("status "), "{shown:?}");
    assert!(last.contains("\r\n3 of 3 URLs, 20.0 kB in 1."), "{shown:?}");
}
