//! The C library that WASI programs with Rust's `std` are linked with.
//!
//! rustc looks for `crt1-command.o`, `crt1-reactor.o` and `libc.a` in the folder `self-contained`
//! beside a WASI target's libraries. rustup's libraries bring them; for those built from sources
//! they come from an archive or from Debian's `wasi-libc`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};

use super::{archive, debian, step};

/// Names an archive to use.
const VARIABLE: &str = "MOLEN_WASI_LIBC";

/// The oldest that will do: with 2024's, libtest fails on `env::pthread_join`.
const OLDEST: u32 = 20_260_129;

/// Debian's suite that has a new enough one.
const SUITE: &str = "trixie-backports";

/// What rustc looks for.
const FILES: [&str; 3] = ["crt1-command.o", "crt1-reactor.o", "libc.a"];

/// An unpacked wasi-libc; its files are gone when this is dropped.
pub struct WasiLibc {
    folder: tempfile::TempDir,
}

impl WasiLibc {
    /// Unpacks the archive that the environment names, or one beside the checkout, or Debian's.
    ///
    /// # Errors
    /// When none of these can be had; says how to get it by hand.
    pub fn get() -> Result<Self> {
        let found = match archive::from_environment(VARIABLE)? {
            Some(archive) => Some(archive),
            None => archive::beside_checkout(|name| {
                date_of_archive(name).is_some_and(|date| date >= OLDEST)
            }),
        };
        if let Some(archive) = found {
            step(&format!("taking wasi-libc from {}", archive.display()));
            let folder = tempfile::tempdir().context("make a scratch folder")?;
            archive::unpack(&archive, folder.path())
                .with_context(|| format!("unpack wasi-libc from {}", archive.display()))?;
            return Ok(Self { folder });
        }
        step(&format!(
            "taking wasi-libc from Debian ({SUITE}): there is no archive of it beside the checkout"
        ));
        let folder = debian::unpack("wasi-libc", SUITE, |version| date_of_version(version) >= Some(OLDEST))
            .with_context(|| {
                format!(
                    "get wasi-libc {OLDEST} or newer; by hand: put wasi-libc-<date>.tar.xz (with the folders \
                     wasm32-wasi and wasm32-wasip2) into `offline/` beside the checkout, or name it in {VARIABLE}"
                )
            })?;
        Ok(Self { folder })
    }

    /// Copies what rustc looks for to `place`.
    ///
    /// # Errors
    /// When this wasi-libc has nothing for `target`, or a copy fails.
    pub fn install(&self, target: &str, place: &Path) -> Result<()> {
        let doing = || format!("put wasi-libc for {target} into {}", place.display());
        let source = self
            .library_of(target)
            .ok_or_else(|| anyhow!("it has no libc.a for {target}"))
            .with_context(doing)?;
        fs::create_dir_all(place).with_context(doing)?;
        for file in FILES {
            fs::copy(source.join(file), place.join(file))
                .with_context(|| format!("copy {file}"))
                .with_context(doing)?;
        }
        Ok(())
    }

    /// An archive has the folders under `wasi-libc/`, Debian's package under `usr/lib/`; and what
    /// is called wasm32-wasip1 now was wasm32-wasi before there was a second.
    fn library_of(&self, target: &str) -> Option<PathBuf> {
        let names: &[&str] =
            if target == "wasm32-wasip1" { &["wasm32-wasip1", "wasm32-wasi"] } else { &[target] };
        let folders = ["wasi-libc", "usr/lib", ""].map(|folder| self.folder.path().join(folder));
        folders
            .iter()
            .flat_map(|folder| names.iter().map(move |name| folder.join(name)))
            .find(|folder| FILES.iter().all(|file| folder.join(file).is_file()))
    }
}

/// `wasi-libc-20260129.tar.xz` → 20260129.
fn date_of_archive(name: &str) -> Option<u32> {
    name.strip_prefix("wasi-libc-")?.split_once('.')?.0.parse().ok()
}

/// `0.0~git20260129.9886d3d-2` or `20260129-1` → 20260129.
fn date_of_version(version: &str) -> Option<u32> {
    version.split(|c: char| !c.is_ascii_digit()).find(|digits| digits.len() == 8)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_from_archive_names_and_package_versions() {
        assert_eq!(date_of_archive("wasi-libc-20260129.tar.xz"), Some(20_260_129));
        assert_eq!(date_of_archive("wasi-libc.tar.xz"), None);
        assert_eq!(date_of_version("0.0~git20220510.9886d3d-2"), Some(20_220_510));
        assert_eq!(date_of_version("1:20260129-1~bpo13+1"), Some(20_260_129));
        assert_eq!(date_of_version("1.2-3"), None);
    }
}
