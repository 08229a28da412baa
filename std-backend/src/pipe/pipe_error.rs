//! Why there is no pipe.

use super::handle::RawOpen;
use core::fmt;
use molen_core::io::source::SourceError;
use std::io;

/// Why a descriptor was not made a source of bytes.
#[derive(Debug)]
pub struct PipeError {
    /// What was being done, such as "read from".
    pub operation: &'static str,
    /// The descriptor, or handle.
    pub descriptor: RawOpen,
    /// Why it was refused.
    pub cause: PipeRefused,
}

/// Why a descriptor cannot be a source of bytes.
#[derive(Debug)]
#[non_exhaustive]
pub enum PipeRefused {
    /// It is no pipe, socket or character device; files on disks are always
    /// ready, and there is nothing to wait for.
    ///
    /// asyncio: `ValueError: Pipe transport is only for pipes, sockets and
    /// character devices`.
    NotAPipe,
    /// No loop of this crate runs, or it has no room.
    Loop(SourceError),
    /// The operating system's reason.
    Os(io::Error),
}

impl fmt::Display for PipeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} descriptor {}: ", self.operation, self.descriptor)?;
        match &self.cause {
            PipeRefused::NotAPipe => f.write_str("it is no pipe, socket or character device"),
            PipeRefused::Loop(error) => error.fmt(f),
            PipeRefused::Os(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for PipeError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match &self.cause {
            PipeRefused::NotAPipe => None,
            PipeRefused::Loop(error) => Some(error),
            PipeRefused::Os(error) => Some(error),
        }
    }
}

impl From<PipeError> for io::Error {
    fn from(error: PipeError) -> io::Error {
        let kind = match &error.cause {
            PipeRefused::NotAPipe => io::ErrorKind::InvalidInput,
            PipeRefused::Os(cause) => cause.kind(),
            PipeRefused::Loop(_) => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}
