//! What goes wrong with other programs.

use crate::pipe::PipeError;
use crate::signals::Signal;
use core::fmt;
use molen_core::io::source::SourceError;
use std::ffi::OsString;
use std::io;

/// Why a program was not started.
#[derive(Debug)]
pub struct SpawnError {
    /// The program.
    pub program: OsString,
    /// Why it was refused.
    pub cause: SpawnRefused,
}

/// Why a program cannot be started. If it had been already, it was ended again.
#[derive(Debug)]
#[non_exhaustive]
pub enum SpawnRefused {
    /// No loop of this crate runs on this thread, or it has no room.
    Loop(SourceError),
    /// One of its pipes is not ours to use.
    Pipe(PipeError),
    /// The operating system's reason: no such program, no processes left.
    Os(io::Error),
}

impl fmt::Display for SpawnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot start {:?}: ", self.program)?;
        match &self.cause {
            SpawnRefused::Loop(error) => error.fmt(f),
            SpawnRefused::Pipe(error) => error.fmt(f),
            SpawnRefused::Os(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for SpawnError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(match &self.cause {
            SpawnRefused::Loop(error) => error,
            SpawnRefused::Pipe(error) => error,
            SpawnRefused::Os(error) => error,
        })
    }
}

impl From<SpawnError> for io::Error {
    fn from(error: SpawnError) -> io::Error {
        let kind = match &error.cause {
            SpawnRefused::Os(cause) => cause.kind(),
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}

/// What could not be done with a child.
#[derive(Debug)]
#[non_exhaustive]
pub enum ProcessError {
    /// It has ended, and its number may be another's.
    ///
    /// asyncio: `ProcessLookupError`.
    NoSuchProcess {
        /// The signal that it was to get.
        signal: Signal,
        /// Its number.
        pid: u32,
    },
    /// The system does not let us send it the signal.
    NotSent {
        /// The signal.
        signal: Signal,
        /// The child's number.
        pid: u32,
        /// The system's reason.
        cause: io::Error,
    },
    /// It leads no group that could be sent a signal: it was started without
    /// [`process_group`](super::Command::process_group).
    NoGroup {
        /// The signal that was to be sent.
        signal: Signal,
        /// The child's number.
        pid: u32,
    },
    /// There is input for it, but its standard input is no pipe, or was taken
    /// or closed before.
    NoStdin {
        /// The child's number.
        pid: u32,
    },
    /// One of its pipes failed.
    Pipe {
        /// Which one.
        stream: &'static str,
        /// The child's number.
        pid: u32,
        /// Why.
        cause: SourceError,
    },
    /// The loop that would have noticed its end was closed.
    LoopClosed {
        /// The child's number.
        pid: u32,
    },
}

impl fmt::Display for ProcessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchProcess { signal, pid } => {
                write!(f, "cannot send {signal} to child process {pid}: it has ended")
            }
            Self::NotSent { signal, pid, cause } => {
                write!(f, "cannot send {signal} to child process {pid}: {cause}")
            }
            Self::NoGroup { signal, pid } => {
                write!(f, "cannot send {signal} to the group of child process {pid}: it leads none")
            }
            Self::NoStdin { pid } => write!(
                f,
                "cannot write to child process {pid}: its standard input is not an open pipe"
            ),
            Self::Pipe { stream, pid, cause } => {
                write!(f, "cannot use the standard {stream} of child process {pid}: {cause}")
            }
            Self::LoopClosed { pid } => {
                write!(f, "cannot wait for child process {pid}: its event loop is closed")
            }
        }
    }
}

impl core::error::Error for ProcessError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::NotSent { cause, .. } => Some(cause),
            Self::Pipe { cause, .. } => Some(cause),
            _ => None,
        }
    }
}

impl From<ProcessError> for io::Error {
    fn from(error: ProcessError) -> io::Error {
        let kind = match &error {
            ProcessError::NotSent { cause, .. } => cause.kind(),
            ProcessError::NoSuchProcess { .. } => io::ErrorKind::NotFound,
            ProcessError::NoStdin { .. } | ProcessError::NoGroup { .. } => {
                io::ErrorKind::InvalidInput
            }
            _ => io::ErrorKind::Other,
        };
        io::Error::new(kind, error)
    }
}
