//! Source archives that a person or an offline machine provides.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::{process, workspace};

/// Unpacking a few megabytes must not take longer than this.
const UNPACK_LIMIT: Duration = Duration::from_secs(300);

/// Where archives are looked for, relative to each folder above the checkout.
const CONVENTIONAL: [&str; 2] = ["shared/offline", "offline"];

/// The archive that the environment variable `variable` names.
///
/// # Errors
/// When it names something that is not a file: a wish that cannot be met is not passed over.
pub fn from_environment(variable: &str) -> Result<Option<PathBuf>> {
    let Some(path) = env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from)
    else {
        return Ok(None);
    };
    if !path.is_file() {
        bail!("{variable} names {}, which is not a file", path.display());
    }
    Ok(Some(path))
}

/// The newest archive whose name fulfils `fits` in `offline/` or `shared/offline/` beside the
/// checkout or beside any folder above it.
pub fn beside_checkout(fits: impl Fn(&str) -> bool) -> Option<PathBuf> {
    workspace::root().ancestors().skip(1).find_map(|above| {
        CONVENTIONAL.iter().find_map(|folder| {
            let mut names: Vec<PathBuf> = above
                .join(folder)
                .read_dir()
                .ok()?
                .flatten()
                .filter(|entry| entry.file_name().to_str().is_some_and(&fits))
                .map(|entry| entry.path())
                .collect();
            names.sort();
            names.pop()
        })
    })
}

/// Unpacks `archive` into the folder `into`.
///
/// # Errors
/// When `tar` is not there or cannot read the archive.
pub fn unpack(archive: &Path, into: &Path) -> Result<()> {
    let mut tar = Command::new("tar");
    tar.arg("-xf").arg(archive).arg("-C").arg(into);
    process::capture(&mut tar, UNPACK_LIMIT)?.require_success()?;
    Ok(())
}
