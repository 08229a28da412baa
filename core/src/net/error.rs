//! Why a connection was lost, a write refused, or a protocol failed.

use crate::io::source::SourceError;
use core::fmt;

/// Why a callback of a protocol failed; `?` makes it of any error.
///
/// Where there is a heap the error itself is kept, elsewhere its type's name.
///
/// asyncio: whatever exception a callback raised.
#[derive(Clone)]
pub struct ProtocolError(Cause);

#[derive(Clone)]
enum Cause {
    Text(&'static str),
    #[cfg(feature = "alloc")]
    Error(alloc::rc::Rc<dyn core::error::Error>),
    #[cfg(feature = "threads")]
    Panicked(alloc::rc::Rc<str>),
}

impl ProtocolError {
    /// A failure in words.
    pub const fn new(text: &'static str) -> ProtocolError {
        ProtocolError(Cause::Text(text))
    }

    /// A callback panicked.
    #[cfg(feature = "threads")]
    pub(crate) fn panicked(payload: &crate::platform::Payload) -> ProtocolError {
        ProtocolError(Cause::Panicked(crate::platform::panic_message(payload).into()))
    }
}

impl<E: core::error::Error + 'static> From<E> for ProtocolError {
    #[cfg(feature = "alloc")]
    fn from(error: E) -> ProtocolError {
        ProtocolError(Cause::Error(alloc::rc::Rc::new(error)))
    }

    #[cfg(not(feature = "alloc"))]
    fn from(_error: E) -> ProtocolError {
        ProtocolError(Cause::Text(core::any::type_name::<E>()))
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Cause::Text(text) => f.write_str(text),
            #[cfg(feature = "alloc")]
            Cause::Error(error) => error.fmt(f),
            #[cfg(feature = "threads")]
            Cause::Panicked(text) => write!(f, "it panicked: {text}"),
        }
    }
}

impl fmt::Debug for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a connection ended, when neither side closed it in an orderly way.
///
/// asyncio: the `exc` of `connection_lost`.
#[non_exhaustive]
#[derive(Clone, Debug)]
pub enum ConnectionError {
    /// Reading or writing failed.
    Source(SourceError),
    /// The protocol failed.
    Protocol(ProtocolError),
    /// TLS failed.
    #[cfg(feature = "tls")]
    Tls(super::tls::TlsError),
}

impl ConnectionError {
    /// The source's error, if it was that.
    pub fn source_error(&self) -> Option<SourceError> {
        match self {
            ConnectionError::Source(error) => Some(*error),
            ConnectionError::Protocol(_) => None,
            #[cfg(feature = "tls")]
            ConnectionError::Tls(_) => None,
        }
    }
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConnectionError::Source(error) => write!(f, "the connection was lost: {error}"),
            ConnectionError::Protocol(error) => write!(f, "the protocol failed: {error}"),
            #[cfg(feature = "tls")]
            ConnectionError::Tls(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for ConnectionError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            ConnectionError::Source(error) => Some(error),
            // It is no `Error` itself, so that `?` makes one of any error.
            ConnectionError::Protocol(_) => None,
            // Whose words are this one's.
            #[cfg(feature = "tls")]
            ConnectionError::Tls(error) => error.source(),
        }
    }
}

/// Why a write was refused; nothing of it was taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum WriteError {
    /// `write_eof` was called before.
    ///
    /// asyncio: `RuntimeError: Cannot call write() after write_eof()`.
    AfterEof,
    /// The write buffer has a fixed size, and only so many bytes are free.
    Full {
        /// How many bytes would be taken.
        free: usize,
    },
    /// One direction of this source cannot be closed alone.
    NoHalfClose,
    /// A file is being sent, and nothing may come into it.
    ///
    /// asyncio: `RuntimeError: unable to write; sendfile is in progress`.
    #[cfg(feature = "std")]
    SendfileInProgress,
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WriteError::AfterEof => f.write_str("cannot write: write_eof was called before"),
            WriteError::Full { free } => {
                write!(f, "cannot write: the buffer has only {free} bytes left")
            }
            WriteError::NoHalfClose => f.write_str(
                "cannot write an end: the source cannot close one direction and keep the other",
            ),
            #[cfg(feature = "std")]
            WriteError::SendfileInProgress => f.write_str("cannot write: a file is being sent"),
        }
    }
}

impl core::error::Error for WriteError {}

/// A write that was refused, with what was to be written.
#[cfg(feature = "alloc")]
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RefusedWrite<B> {
    /// Why.
    pub error: WriteError,
    /// What was to be written: nothing of it was.
    pub bytes: B,
}

#[cfg(feature = "alloc")]
impl<B> From<RefusedWrite<B>> for WriteError {
    fn from(refused: RefusedWrite<B>) -> WriteError {
        refused.error
    }
}

#[cfg(feature = "alloc")]
impl<B> fmt::Debug for RefusedWrite<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefusedWrite").field("error", &self.error).finish_non_exhaustive()
    }
}

#[cfg(feature = "alloc")]
impl<B> fmt::Display for RefusedWrite<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

#[cfg(feature = "alloc")]
impl<B> core::error::Error for RefusedWrite<B> {}
