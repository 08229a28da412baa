//! molen-core, with its default features, needs neither `std` nor an allocator.
//!
//! Compiling it for a target without `std` shows the first, but not the second: that target has
//! the crate `alloc`, and a library may name it. Only a final artifact without a
//! `#[global_allocator]` refuses a graph with `alloc` in it, so one is built.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use cargo_metadata::MetadataCommand;

/// The smallest target: no `std`, and not even compare-and-swap.
const TARGET: &str = "thumbv6m-none-eabi";

/// What rustc says to a graph that needs an allocator and has none.
const NO_ALLOCATOR: &str = "no global memory allocator found";

fn root() -> &'static Path {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest)
}

/// Builds a static library without an allocator on top of core with `features`; `Err` is what the
/// compiler says against it.
fn build_without_allocator(name: &str, features: &str) -> Result<Result<(), String>> {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).context("make a scratch package")?;
    let core = root().join("core");
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
         [lib]\npath = \"lib.rs\"\ncrate-type = [\"staticlib\"]\n\
         [dependencies]\nmolen-core = {{ path = {:?}, features = [{features}] }}\n\
         [profile.dev]\npanic = \"abort\"\n[workspace]\n",
        core.display().to_string()
    );
    fs::write(folder.join("Cargo.toml"), manifest).context("write a scratch package")?;
    fs::write(
        folder.join("lib.rs"),
        "#![no_std]\nuse molen_core as _;\n\
         #[panic_handler]\nfn panic(_: &core::panic::PanicInfo) -> ! { loop {} }\n",
    )
    .context("write a scratch package")?;
    // The same versions as everywhere else in the checkout.
    fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).context("copy Cargo.lock")?;
    let output = Command::new(env!("CARGO"))
        .current_dir(&folder)
        .args(["build", "--target", TARGET, "--target-dir"])
        .arg(folder.join("target"))
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTFLAGS")
        .output()
        .context("start cargo")?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if said.contains("target may not be installed") {
        bail!("{TARGET} is not on this machine: run `cargo xtask setup --target {TARGET}` first");
    }
    Ok(if output.status.success() { Ok(()) } else { Err(said) })
}

#[test]
fn core_links_into_a_program_without_std_and_without_an_allocator() -> Result<()> {
    let built = build_without_allocator("core-alone", "")?;
    assert!(built.is_ok(), "core by default does not stand alone on {TARGET}: {built:#?}");
    Ok(())
}

#[test]
fn with_alloc_it_does_not_so_the_check_can_fail() -> Result<()> {
    match build_without_allocator("core-with-alloc", "\"alloc\"")? {
        Ok(()) => bail!("core with the feature alloc was linked without an allocator"),
        Err(said) => assert!(said.contains(NO_ALLOCATOR), "{said}"),
    }
    Ok(())
}

#[test]
fn core_has_no_default_feature_and_says_no_std() -> Result<()> {
    let metadata = MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .context("ask cargo for the workspace")?;
    let core = metadata
        .packages
        .iter()
        .find(|package| *package.name == "molen-core")
        .context("the workspace has no molen-core")?;
    let default = core.features.get("default").map_or(&[][..], Vec::as_slice);
    assert!(default.is_empty(), "core's default features are {default:?}");
    let text = fs::read_to_string(root().join("core/src/lib.rs")).context("read core's lib.rs")?;
    assert!(
        text.lines().any(|line| line.trim() == "#![no_std]"),
        "core/src/lib.rs does not say #![no_std] unconditionally"
    );
    Ok(())
}
