//! Programs that others wrote.

use std::process::{Command, Output};

/// `program`, or a failure that says how to get it.
pub fn foreign(program: &str) -> Command {
    // `openssl` knows no `--version`.
    let asked = if program == "openssl" { "version" } else { "--version" };
    if let Err(error) = Command::new(program).arg(asked).output() {
        panic!(
            "{program} does not start ({error}), and this test is a conversation with it; get it \
             with `cargo xtask setup`, or `apt-get install curl python3 openssl` on Debian"
        );
    }
    Command::new(program)
}

/// What `command` printed, which must succeed.
pub fn output_of(command: &mut Command) -> Vec<u8> {
    let Output { status, stdout, stderr } = command.output().expect("it starts");
    assert!(
        status.success(),
        "{command:?} ended with {status}:\n{}{}",
        String::from_utf8_lossy(&stdout),
        String::from_utf8_lossy(&stderr),
    );
    stdout
}

/// As [`output_of`], as text.
pub fn text_of(command: &mut Command) -> String {
    String::from_utf8(output_of(command)).expect("text")
}
