//! Why there is no Unix socket.

use core::fmt;
use molen_core::io::source::SourceError;
use molen_core::net::UnixAddressError;
use std::io;
use std::path::PathBuf;

/// Why a Unix socket was not opened: what was being done, to which path, and
/// what refused it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnixError {
    /// What was being done, such as "connect to".
    pub operation: &'static str,
    /// The path it was being done to; an abstract name begins with a zero.
    pub path: PathBuf,
    /// Why it failed.
    pub cause: UnixRefused,
}

/// Why a Unix socket was not opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum UnixRefused {
    /// The path cannot be the name of a socket.
    Address(UnixAddressError),
    /// It took longer than it was allowed to.
    TimedOut,
    /// The system's or the loop's reason.
    Source(SourceError),
}

impl UnixError {
    /// What kind of error it is, in the standard library's words.
    pub fn kind(&self) -> io::ErrorKind {
        match self.cause {
            UnixRefused::Address(_) => io::ErrorKind::InvalidInput,
            UnixRefused::TimedOut => io::ErrorKind::TimedOut,
            UnixRefused::Source(error) => error.kind(),
        }
    }
}

impl From<SourceError> for UnixRefused {
    fn from(error: SourceError) -> UnixRefused {
        UnixRefused::Source(error)
    }
}

impl fmt::Display for UnixError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.to_string_lossy();
        match path.strip_prefix('\0') {
            Some(name) => write!(f, "cannot {} @{name}: ", self.operation)?,
            None => write!(f, "cannot {} {path}: ", self.operation)?,
        }
        match self.cause {
            UnixRefused::Address(error) => error.fmt(f),
            UnixRefused::TimedOut => f.write_str("it took longer than it was allowed to"),
            UnixRefused::Source(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for UnixError {}

impl From<UnixError> for io::Error {
    fn from(error: UnixError) -> io::Error {
        io::Error::new(error.kind(), error)
    }
}
