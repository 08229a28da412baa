//! The GNU tools for Windows (MinGW-w64), which link its programs and libraries.
//!
//! rustc brings neither the linker nor `dlltool`, which makes the import libraries of system DLLs
//! while a crate is compiled; so they are wanted before the target's standard library is built.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, anyhow};

use super::{debian, step};
use crate::process;
use crate::workspace::QUESTION_LIMIT;

/// The linker driver by the name under which rustc looks for it.
const GCC: &str = "x86_64-w64-mingw32-gcc";

/// rustc looks for this one too.
const DLLTOOL: &str = "x86_64-w64-mingw32-dlltool";

/// Debian's package. The variant with Windows' own threads: with POSIX threads a program would
/// want another DLL beside it.
const PACKAGES: [&str; 1] = ["gcc-mingw-w64-x86-64-win32"];

/// The C compiler and linker driver, if both tools are in `PATH`.
pub fn find() -> Option<PathBuf> {
    [DLLTOOL, GCC].iter().all(|program| answers(program)).then(|| PathBuf::from(GCC))
}

fn answers(program: &str) -> bool {
    process::capture(Command::new(program).arg("--version"), QUESTION_LIMIT)
        .and_then(process::Captured::require_success)
        .is_ok()
}

/// Installs them.
///
/// # Errors
/// When they cannot be had; says how to get them by hand.
pub fn get() -> Result<PathBuf> {
    step("installing MinGW-w64, which links programs for Windows");
    debian::install(&PACKAGES)
        .and_then(|()| {
            find().ok_or_else(|| {
                anyhow!("{GCC} or {DLLTOOL} does not answer after the package was installed")
            })
        })
        .with_context(|| {
            format!(
                "get MinGW-w64; by hand: `apt-get install {}` on Debian and its kin, `brew install mingw-w64` \
                 on macOS, so that {GCC} and {DLLTOOL} are in PATH",
                PACKAGES.join(" ")
            )
        })
}
