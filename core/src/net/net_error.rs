//! Why there is no socket.

use crate::io::source::SourceError;
use core::fmt;
use core::net::SocketAddr;

/// Why one socket was not opened: what was being done, to which address, and
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

impl fmt::Display for NetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} {}: {}", self.operation, self.address, self.cause)
    }
}

impl core::error::Error for NetError {}

#[cfg(feature = "std")]
impl NetError {
    /// What kind of error it is, in the standard library's words.
    pub fn kind(&self) -> std::io::ErrorKind {
        self.cause.kind()
    }
}

#[cfg(feature = "std")]
impl From<NetError> for std::io::Error {
    fn from(error: NetError) -> std::io::Error {
        std::io::Error::new(error.kind(), error)
    }
}
