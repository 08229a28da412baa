//! wasmtime, which runs WASI modules and components.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::step;
use crate::process;
use crate::workspace::{self, QUESTION_LIMIT};

/// The oldest major version that the WASI backend was measured with.
const OLDEST: u32 = 48;

/// What is installed: the newest that this project's oldest compiler can build.
const VERSION: &str = "48.0.8";

/// What `wasmtime run` needs and no more: with the default features it takes twice as long.
const FEATURES: &str = "run,compile,cache,component-model,component-model-async";

/// A new enough wasmtime: the one that `WASMTIME` names, else the one in `PATH`, else cargo's.
pub fn find() -> Option<PathBuf> {
    let named = env::var_os("WASMTIME").filter(|name| !name.is_empty()).map(PathBuf::from);
    let installed = |root: PathBuf| root.join("bin").join("wasmtime");
    let candidates = [
        named,
        Some(PathBuf::from("wasmtime")),
        env::var_os("CARGO_INSTALL_ROOT").map(PathBuf::from).map(installed),
        workspace::cargo_home().ok().map(installed),
    ];
    candidates
        .into_iter()
        .flatten()
        .find(|program| major_version(program).is_some_and(|major| major >= OLDEST))
}

fn major_version(program: &Path) -> Option<u32> {
    let mut command = Command::new(program);
    command.arg("--version");
    let said = process::capture(&mut command, QUESTION_LIMIT).ok()?.require_success().ok()?;
    parse_major(&said)
}

/// `wasmtime 48.0.8 (…)` or `wasmtime-cli 48.0.8` → 48.
fn parse_major(said: &str) -> Option<u32> {
    said.split_whitespace().nth(1)?.split('.').next()?.parse().ok()
}

/// Builds it with cargo.
///
/// # Errors
/// When cargo cannot; says how to get it by hand.
pub fn get() -> Result<PathBuf> {
    step(&format!(
        "building wasmtime {VERSION}, which runs the WASI modules (about 10 CPU-minutes): \
         there is none of version {OLDEST} or newer in $WASMTIME, PATH or cargo's folder"
    ));
    let mut cargo = Command::new("cargo");
    cargo
        .args([
            "install",
            "--locked",
            "wasmtime-cli",
            "--version",
            VERSION,
            "--no-default-features",
            "--features",
        ])
        .arg(FEATURES)
        // The checkout's own configuration and target folder are not for this build.
        .current_dir(workspace::cargo_home()?)
        .env_remove("CARGO_TARGET_DIR");
    process::run_streamed(&mut cargo, "build wasmtime")
        .and_then(|()| find().context("no new enough wasmtime is found after cargo installed one"))
        .with_context(|| {
            format!(
                "get wasmtime {OLDEST} or newer; by hand: `cargo install --locked wasmtime-cli --version {VERSION}`, \
                 or a release from wasmtime.dev, in PATH or named by WASMTIME"
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(parse_major("wasmtime 48.0.8 (abc 2026-01-01)\n"), Some(48));
        assert_eq!(parse_major("wasmtime-cli 9.0.0"), Some(9));
        assert_eq!(parse_major(""), None);
    }
}
