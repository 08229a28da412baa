//! The operating system's errors in the core's words.

use molen_core::Unsupported;
use molen_core::io::source::SourceError;
use std::io::{self, ErrorKind};

/// What an operation on an open source failed with.
pub(crate) fn source_error(error: &io::Error) -> SourceError {
    match error.kind() {
        ErrorKind::WouldBlock => SourceError::WouldBlock,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => {
            SourceError::ConnectionReset
        }
        ErrorKind::TimedOut => SourceError::TimedOut,
        ErrorKind::ConnectionRefused => SourceError::ConnectionRefused,
        ErrorKind::AddrInUse => SourceError::AddressInUse,
        ErrorKind::AddrNotAvailable => SourceError::AddressNotAvailable,
        _ => SourceError::Os(error.raw_os_error().unwrap_or(0)),
    }
}

/// What making a descriptor failed with: that there is none left is told apart.
pub(crate) fn creation_error(error: &io::Error) -> SourceError {
    match error.raw_os_error() {
        Some(code) if means_no_descriptors(code) => SourceError::NoDescriptors,
        Some(NO_FAMILY) => SourceError::Unsupported(Unsupported {
            operation: "opening a socket of this family",
            platform: std::env::consts::OS,
            reason: "this machine has no addresses of it",
        }),
        _ => source_error(error),
    }
}

#[cfg(unix)]
const NO_FAMILY: i32 = libc::EAFNOSUPPORT;

/// `WSAEAFNOSUPPORT`.
#[cfg(windows)]
const NO_FAMILY: i32 = 10047;

#[cfg(unix)]
fn means_no_descriptors(code: i32) -> bool {
    matches!(code, libc::EMFILE | libc::ENFILE | libc::ENOBUFS | libc::ENOMEM)
}

#[cfg(windows)]
fn means_no_descriptors(code: i32) -> bool {
    const WSAEMFILE: i32 = 10024;
    const WSAENOBUFS: i32 = 10055;
    matches!(code, WSAEMFILE | WSAENOBUFS)
}
