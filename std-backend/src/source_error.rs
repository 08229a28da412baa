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

/// What accepting failed with: that the listener is no more is told apart.
pub(crate) fn accept_error(error: &io::Error) -> SourceError {
    match error.raw_os_error() {
        Some(code) if LISTENER_GONE.contains(&code) => SourceError::Closed,
        _ => creation_error(error),
    }
}

/// There is no such descriptor, it is no socket, or one that does not listen:
/// somebody has closed it or shut it down under our hands.
#[cfg(unix)]
const LISTENER_GONE: &[i32] = &[libc::EBADF, libc::ENOTSOCK, libc::EINVAL];

/// `ERROR_INVALID_HANDLE`, `WSAEBADF`, `WSAENOTSOCK`, `WSAEINVAL`.
#[cfg(windows)]
const LISTENER_GONE: &[i32] = &[6, 10009, 10038, 10022];

/// Whether what accepting failed with is over with the connection that would
/// have been accepted: the listener is as good as before.
///
/// accept(2): Linux hands on what is already known to be wrong with the new
/// connection, and that is to be treated as if there were none. Of its list
/// `EPERM` and `EOPNOTSUPP` are left out: they may as well be the listener's,
/// and would come again at once. So they are reported and tried again later, as
/// whatever is not known. Windows, and Wine, tell of a peer that has left
/// meanwhile by numbers of their own.
pub(crate) fn is_of_one_connection(error: &io::Error) -> bool {
    error.kind() == ErrorKind::ConnectionAborted
        || error.raw_os_error().is_some_and(|code| OF_ONE_CONNECTION.contains(&code))
}

#[cfg(any(target_os = "linux", target_os = "android"))]
const OF_ONE_CONNECTION: &[i32] = &[
    libc::ENETDOWN,
    libc::EPROTO,
    libc::ENOPROTOOPT,
    libc::EHOSTDOWN,
    libc::ENONET,
    libc::EHOSTUNREACH,
    libc::ENETUNREACH,
];

#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
const OF_ONE_CONNECTION: &[i32] = &[libc::EPROTO, libc::ECONNRESET];

/// `WSAECONNRESET`, `WSAENOTCONN`.
#[cfg(windows)]
const OF_ONE_CONNECTION: &[i32] = &[10054, 10057];

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
