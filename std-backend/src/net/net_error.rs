//! Why there is no socket.

use core::fmt;
use molen_core::io::source::SourceError;
use std::io;
use std::net::SocketAddr;

/// Why a socket was not opened: what was being done, to which address, and
/// what refused it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NetError {
    /// What was being done, such as "connect to".
    pub operation: &'static str,
    /// The address it was being done to.
    pub address: SocketAddr,
    /// Why it failed.
    pub cause: SourceError,
}

impl NetError {
    /// What kind of error it is, in the standard library's words.
    pub fn kind(&self) -> io::ErrorKind {
        match self.cause {
            SourceError::ConnectionRefused => io::ErrorKind::ConnectionRefused,
            SourceError::ConnectionReset => io::ErrorKind::ConnectionReset,
            SourceError::Unsupported(_) => io::ErrorKind::Unsupported,
            SourceError::Os(code) => io::Error::from_raw_os_error(code).kind(),
            _ => io::ErrorKind::Other,
        }
    }
}

impl fmt::Display for NetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} {}: ", self.operation, self.address)?;
        match self.cause {
            SourceError::Os(code) => io::Error::from_raw_os_error(code).fmt(f),
            cause => cause.fmt(f),
        }
    }
}

impl core::error::Error for NetError {}

impl From<NetError> for io::Error {
    fn from(error: NetError) -> io::Error {
        io::Error::new(error.kind(), error)
    }
}
