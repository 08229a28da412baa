//! What foreign programs print.

use std::process::{Command, Output};

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
