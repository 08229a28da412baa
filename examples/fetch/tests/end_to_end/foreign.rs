//! Programs that others wrote.

use std::process::Command;

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
