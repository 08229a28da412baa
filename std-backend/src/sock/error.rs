//! Why an operation on a socket failed.

use crate::descriptor::RawDescriptor;
use crate::watches::Refused;
use core::fmt::{self, Display as _};
use molen_core::io::source::SourceError;
use socket2::SockAddr;
use std::io;

/// What was being done to which socket, and why it failed.
#[derive(Debug)]
pub struct SocketError {
    /// What was being done, such as "receive from".
    pub operation: &'static str,
    /// The socket, by the system's number.
    pub socket: RawDescriptor,
    /// The address that the operation was given, if it takes one.
    pub address: Option<Box<SockAddr>>,
    /// Why it failed.
    pub cause: SocketRefused,
}

/// Why an operation on a socket failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum SocketRefused {
    /// The loop is closed, is not the one that runs, or has no selector of this crate.
    Loop(SourceError),
    /// The socket is in blocking mode, and would keep the whole loop waiting. Windows cannot tell:
    /// there the mode is the caller's to see to.
    ///
    /// asyncio: `ValueError: the socket must be non-blocking`, in debug mode.
    Blocking,
    /// One of the loop's own sources, such as a connection or a transport, uses it.
    OwnedBySource,
    /// More bytes were asked for than the buffer has room for.
    BufferTooSmall {
        /// How many bytes were asked for.
        wanted: usize,
        /// How many the buffer holds.
        room: usize,
    },
    /// Files are sent on stream sockets only.
    NotAStream,
    /// The system cannot send this file by itself, and nothing else was asked for.
    ///
    /// asyncio: `SendfileNotAvailableError`.
    SendfileNotAvailable(io::Error),
    /// The file to be sent could not be read; or the executor did not do so, and says why inside.
    File(io::Error),
    /// The operating system's reason.
    Os(io::Error),
}

impl SocketError {
    /// What kind of error it is, in the standard library's words.
    pub fn kind(&self) -> io::ErrorKind {
        match &self.cause {
            SocketRefused::Blocking
            | SocketRefused::BufferTooSmall { .. }
            | SocketRefused::NotAStream => io::ErrorKind::InvalidInput,
            SocketRefused::OwnedBySource => io::ErrorKind::ResourceBusy,
            SocketRefused::SendfileNotAvailable(_)
            | SocketRefused::Loop(SourceError::Unsupported(_)) => io::ErrorKind::Unsupported,
            SocketRefused::File(error) | SocketRefused::Os(error) => error.kind(),
            SocketRefused::Loop(_) => io::ErrorKind::Other,
        }
    }
}

impl From<Refused> for SocketRefused {
    fn from(refused: Refused) -> SocketRefused {
        match refused {
            Refused::OwnedBySource => SocketRefused::OwnedBySource,
            Refused::Source(error) => SocketRefused::Loop(error),
            Refused::Os(error) => SocketRefused::Os(error),
        }
    }
}

impl fmt::Display for SocketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} socket {}", self.operation, self.socket)?;
        if let Some(address) = &self.address {
            f.write_str(" to ")?;
            show(address, f)?;
        }
        write!(f, ": {}", self.cause)
    }
}

fn show(address: &SockAddr, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if let Some(address) = address.as_socket() {
        return address.fmt(f);
    }
    #[cfg(unix)]
    if let Some(path) = address.as_pathname() {
        return path.display().fmt(f);
    }
    // It is of a family that has no notation of its own.
    fmt::Debug::fmt(address, f)
}

impl fmt::Display for SocketRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SocketRefused::Loop(SourceError::Closed) => f.write_str("the event loop is closed"),
            SocketRefused::Loop(SourceError::ForeignLoop) => {
                f.write_str("another event loop than the one asked runs on this thread")
            }
            SocketRefused::Loop(error) => error.fmt(f),
            SocketRefused::Blocking => f.write_str("it is in blocking mode"),
            SocketRefused::OwnedBySource => {
                f.write_str("one of the event loop's own sources uses it")
            }
            SocketRefused::BufferTooSmall { wanted, room } => {
                write!(f, "{wanted} bytes are wanted, and the buffer holds {room}")
            }
            SocketRefused::NotAStream => f.write_str("it is not a stream socket"),
            SocketRefused::SendfileNotAvailable(error) => {
                write!(f, "the system does not send this file by itself: {error}")
            }
            SocketRefused::File(error) => write!(f, "the file cannot be read: {error}"),
            SocketRefused::Os(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for SocketError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match &self.cause {
            SocketRefused::File(error)
            | SocketRefused::SendfileNotAvailable(error)
            | SocketRefused::Os(error) => Some(error),
            _ => None,
        }
    }
}

impl From<SocketError> for io::Error {
    /// Keeps the error whole, inside of one of its kind.
    fn from(error: SocketError) -> io::Error {
        io::Error::new(error.kind(), error)
    }
}
