//! The host's error numbers as the errors of sources.

use molen_core::io::source::SourceError;
use wasi::Errno;

/// What `errno` means to who reads, writes or accepts.
pub(super) fn source_error(errno: Errno) -> SourceError {
    match errno {
        wasi::ERRNO_AGAIN => SourceError::WouldBlock,
        wasi::ERRNO_CONNRESET | wasi::ERRNO_CONNABORTED | wasi::ERRNO_PIPE => {
            SourceError::ConnectionReset
        }
        wasi::ERRNO_CONNREFUSED => SourceError::ConnectionRefused,
        wasi::ERRNO_MFILE | wasi::ERRNO_NFILE | wasi::ERRNO_NOBUFS | wasi::ERRNO_NOMEM => {
            SourceError::NoDescriptors
        }
        other => SourceError::Os(i32::from(other.raw())),
    }
}
