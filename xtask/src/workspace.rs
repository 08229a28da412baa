//! Where things are: the checkout, and the compiler that builds it.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::process;

/// How long a program may take to say its version or where it lives.
pub const QUESTION_LIMIT: Duration = Duration::from_secs(60);

/// The root of the checkout that this program was built from.
pub fn root() -> &'static Path {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest)
}

/// The cargo that started us, else the one in `PATH`.
pub fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Cargo takes a relative target directory from where it runs, and we run it in several places.
    if let Some(folder) = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from)
        && folder.is_relative()
        && let Ok(here) = env::current_dir()
    {
        command.env("CARGO_TARGET_DIR", here.join(folder));
    }
    command
}

/// Cargo's own folder: `CARGO_HOME`, else `.cargo` in the home directory.
///
/// # Errors
/// When neither `CARGO_HOME` nor a home directory is known.
pub fn cargo_home() -> Result<PathBuf> {
    if let Some(folder) = env::var_os("CARGO_HOME") {
        return Ok(folder.into());
    }
    let home = env::home_dir()
        .context("find cargo's folder: neither CARGO_HOME nor a home directory is set")?;
    Ok(home.join(".cargo"))
}

/// The compiler: its exact version and where its libraries are.
#[derive(Debug, Clone)]
pub struct Compiler {
    /// Release, as in `1.95.0`.
    pub release: String,
    /// The folder that holds `lib/rustlib`.
    pub sysroot: PathBuf,
}

impl Compiler {
    /// Asks the `rustc` that cargo uses for the checkout.
    ///
    /// # Errors
    /// When rustc cannot be started or does not answer as expected.
    pub fn ask() -> Result<Self> {
        let said = |arguments: &[&str]| -> Result<String> {
            let mut command = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
            command.args(arguments).current_dir(root());
            process::capture(&mut command, QUESTION_LIMIT)
                .and_then(process::Captured::require_success)
                .context("ask rustc about itself")
        };
        let version = said(&["-vV"])?;
        let Some(release) = version.lines().find_map(|line| line.strip_prefix("release: ")) else {
            bail!("ask rustc for its version: no line `release: …` in its answer {version:?}");
        };
        let sysroot = PathBuf::from(said(&["--print", "sysroot"])?.trim_end());
        Ok(Self { release: release.to_owned(), sysroot })
    }

    /// Where the libraries of `target` belong.
    pub fn target_folder(&self, target: &str) -> PathBuf {
        self.sysroot.join("lib/rustlib").join(target)
    }

    /// Where cargo's `-Zbuild-std` looks for the sources of the standard library.
    pub fn library_sources(&self) -> PathBuf {
        self.sysroot.join("lib/rustlib/src/rust/library")
    }
}

/// The target folder of the checkout, where cargo puts what it builds.
///
/// # Errors
/// When `cargo metadata` fails.
pub fn target_directory() -> Result<PathBuf> {
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .context("ask cargo where the checkout's target folder is")?;
    Ok(metadata.target_directory.into())
}
