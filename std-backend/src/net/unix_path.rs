//! The file that stands for a Unix socket: whose it is, and when it goes.
//!
//! ```text
//!  bind:  a socket is there ──▶ removed, whoever listens on it (as asyncio does)
//!  close: our socket is there ──▶ removed
//!         another one, or none ──▶ left alone
//! ```
//!
//! A socket stays in its directory when its process ends, and keeps the next
//! one from binding. So it is taken away before; a server that still listens
//! there keeps its connections and gets no new ones, which is how servers are
//! replaced without refusing anybody.

use super::unix_error::UnixError;
use crate::source_error::source_error;
use molen_core::get_running_loop;
use molen_core::net::UnixAddress;
use molen_core::schedule::ExceptionContext;
use std::fs::Metadata;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Removes the socket that is at `address`, if one is.
pub(super) fn remove_stale(address: &UnixAddress) {
    let Some(path) = address.as_pathname() else { return };
    let remove = || match std::fs::metadata(path) {
        Ok(file) if file.file_type().is_socket() => std::fs::remove_file(path),
        Ok(_something_else) => Ok(()),
        Err(error) => Err(error),
    };
    // What comes next fails if this was needed, but does not know why.
    tell("remove the stale Unix socket", path, remove());
}

/// The path of a socket that is ours, removed when this is dropped, unless
/// another one is there by then.
pub(super) struct OwnPath {
    /// None: it stays.
    file: Option<Bound>,
}

/// The file that a socket was bound to.
struct Bound {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl OwnPath {
    /// Of the socket that was just bound to `address`; nothing for abstract
    /// names, or if it is gone already.
    pub(super) fn of(address: &UnixAddress) -> OwnPath {
        let bound = |path: &Path| {
            let file = std::fs::metadata(path).ok()?;
            Some(Bound { path: path.to_owned(), device: file.dev(), inode: file.ino() })
        };
        OwnPath { file: address.as_pathname().and_then(bound) }
    }

    /// Nobody's, which stays.
    pub(super) const STAYS: OwnPath = OwnPath { file: None };

    /// It stays.
    pub(super) fn leave(&mut self) {
        self.file = None;
    }
}

impl Bound {
    fn is(&self, file: &Metadata) -> bool {
        (file.dev(), file.ino()) == (self.device, self.inode)
    }
}

impl Drop for OwnPath {
    fn drop(&mut self) {
        let Some(ours) = self.file.take() else { return };
        let remove = || match std::fs::metadata(&ours.path) {
            Ok(file) if ours.is(&file) => std::fs::remove_file(&ours.path),
            Ok(_replaced) => Ok(()),
            Err(error) => Err(error),
        };
        tell("clean up the listening Unix socket", &ours.path, remove());
    }
}

/// Reports a failure that has no caller; that nothing is there is none.
fn tell(operation: &'static str, path: &Path, result: io::Result<()>) {
    let Err(error) = result else { return };
    if error.kind() == ErrorKind::NotFound {
        return;
    }
    if let Ok(event_loop) = get_running_loop() {
        let cause = source_error(&error).into();
        let error = UnixError { operation, path: path.to_owned(), cause };
        event_loop.call_exception_handler(&ExceptionContext::new(
            "the file of a Unix socket is left where it is",
            Some(&error),
        ));
    }
}
