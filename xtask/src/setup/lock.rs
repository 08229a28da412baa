//! One set-up at a time on a machine: apt, rustup and the sysroot are shared by all checkouts.

use std::fs::{self, File, TryLockError};

use anyhow::{Context, Result};

use super::step;
use crate::workspace;

/// Waits for the machine-wide lock, which is held until the answer is dropped.
///
/// The system gives it back when this program ends in whatever way, so no stale lock can remain.
///
/// # Errors
/// When the lock file in cargo's folder cannot be made or locked.
pub fn take() -> Result<File> {
    let folder = workspace::cargo_home()?;
    fs::create_dir_all(&folder)
        .with_context(|| format!("make cargo's folder {}", folder.display()))?;
    let path = folder.join(".molen-setup.lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .with_context(|| format!("open the set-up's lock file {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => {
            step("waiting for another `cargo xtask` that sets this machine up")
        }
        Err(TryLockError::Error(error)) => {
            return Err(error).with_context(|| format!("lock {}", path.display()));
        }
    }
    file.lock().with_context(|| format!("lock {}", path.display()))?;
    Ok(file)
}
