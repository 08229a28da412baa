//! Builds the modules of `examples/wasi`.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The file that `cargo build --release --target TARGET -p PACKAGE` makes.
///
/// It fails, saying what is missing, where the target is not installed.
pub fn build(package: &str, target: &str) -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/wasi/Cargo.toml");
    let output = Path::new(env!("CARGO_TARGET_TMPDIR")).join("modules");
    let built = Command::new(cargo)
        .args(["build", "--quiet", "--release", "--target", target, "-p", package])
        .arg("--manifest-path")
        .arg(&workspace)
        .arg("--target-dir")
        .arg(&output)
        .output()
        .unwrap_or_else(|error| panic!("cannot run cargo to build {package}: {error}"));
    assert!(
        built.status.success(),
        "cannot build {package} for {target}; if its standard library is missing, run \
         `cargo xtask setup --target {target}` or `rustup target add {target}`:\n{}",
        String::from_utf8_lossy(&built.stderr)
    );
    output.join(target).join("release").join(package.replace('-', "_")).with_extension("wasm")
}
