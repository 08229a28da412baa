//! `#[molen::main]` and `#[molen::test]` on a target without `std`: what is taken, and what is said
//! to what is not. (On this machine `tests/entry_macros.rs` does it.)

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

/// The smallest target: no `std`, and not even compare-and-swap.
const TARGET: &str = "thumbv6m-none-eabi";

/// A name, a program, and what the compiler says against it; nothing if it takes it.
const PROGRAMS: &[(&str, &str, &[&str])] = &[
    (
        "taken",
        "#[molen::main(backend = board())]
         #[inline(never)]
         async fn main() {
             molen::sleep(molen::Duration::from_millis(1)).await;
         }
         #[molen::main(backend = board())]
         async fn never() -> ! {
             loop { molen::yield_now().await; }
         }
         #[molen::test(clock = \"manual\", harness = inline)]
         async fn manual(backend: &'static molen::testing::TestBackend) -> usize {
             backend.selects()
         }
         #[molen::test(backend = board(), harness = inline)]
         async fn real() -> u8 { 3 }",
        &[],
    ),
    (
        "no_backend",
        "#[molen::main]
         async fn main() {}",
        &["on a microcontroller `#[molen::main]` must be told the loop's backend"],
    ),
    (
        "output",
        "#[molen::main(backend = board())]
         async fn main() -> Result<(), molen::RunError> { Ok(()) }",
        &["the main function of a microcontroller returns `()` or `!`, not `Result<(), RunError>`"],
    ),
    (
        "no_harness",
        "#[molen::test(clock = \"manual\")]
         async fn test() {}",
        &["bare metal has no test harness of its own"],
    ),
    (
        "no_clock",
        "#[molen::test(harness = inline)]
         async fn test() {}",
        &["on a microcontroller the real clock is the board's"],
    ),
];

/// Before each program. The backend is never run.
const PRELUDE: &str = "#![no_std]
    #![allow(dead_code)]
    fn board() -> &'static dyn molen::io::Backend { loop {} }
    ";

fn check(name: &str, program: &str, refusals: &[&str]) -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the checkout's root")?;
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("entry").join(name);
    fs::create_dir_all(&folder).context("make a scratch package")?;
    let manifest = format!(
        "[package]\nname = \"entry\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
         [lib]\npath = \"lib.rs\"\n[dependencies]\nmolen = {{ path = {:?} }}\n[workspace]\n",
        root.display().to_string()
    );
    fs::write(folder.join("Cargo.toml"), manifest).context("write a scratch package")?;
    fs::write(folder.join("lib.rs"), format!("{PRELUDE}{program}")).context("write a program")?;
    // The same versions as everywhere else in the checkout.
    fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).context("copy Cargo.lock")?;
    let output = Command::new(env!("CARGO"))
        .current_dir(&folder)
        .args(["check", "--target", TARGET, "--target-dir"])
        .arg(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("entry-target"))
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTFLAGS")
        .output()
        .context("start cargo")?;
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("target may not be installed") {
        bail!("{TARGET} is not on this machine: run `cargo xtask setup --target {TARGET}` first");
    }
    ensure!(output.status.success() == refusals.is_empty(), "{name}: {said}");
    for refusal in refusals {
        ensure!(said.contains(refusal), "{name}: the compiler does not say {refusal:?}: {said}");
    }
    Ok(())
}

#[test]
fn what_is_taken_and_what_is_said() -> Result<()> {
    PROGRAMS.iter().try_for_each(|(name, program, refusals)| check(name, program, refusals))
}
