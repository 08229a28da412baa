//! Errors as `std::io::Error`, so that `?` works in functions that return
//! `std::io::Result`, as many that serve connections do.
//!
//! What may cross threads, as the standard library's error must, is kept inside,
//! where `downcast` finds it; of the others the text is.

use crate::error::{NoRunningLoop, RunError, ScheduleError, TaskError};
use crate::io::source::SourceError;
use crate::net::{ConnectionError, ReadError, SendError, ServeError, WriteError};
use crate::timeouts::TimeoutError;
use alloc::string::ToString;
use std::io::{Error, ErrorKind};

impl From<SourceError> for Error {
    fn from(error: SourceError) -> Error {
        match error {
            SourceError::Os(code) => Error::from_raw_os_error(code),
            error => Error::new(error.kind(), error),
        }
    }
}

impl ConnectionError {
    /// What kind of error it is, in the standard library's words.
    pub fn kind(&self) -> ErrorKind {
        match self {
            ConnectionError::Source(error) => error.kind(),
            ConnectionError::Protocol(_) => ErrorKind::Other,
            #[cfg(feature = "tls")]
            ConnectionError::Tls(error) => error.kind(),
        }
    }
}

impl From<ConnectionError> for Error {
    fn from(error: ConnectionError) -> Error {
        match error {
            ConnectionError::Source(error) => error.into(),
            ConnectionError::Protocol(_) => Error::other(error.to_string()),
            #[cfg(feature = "tls")]
            ConnectionError::Tls(error) => error.into(),
        }
    }
}

impl<P> ReadError<P> {
    /// What kind of error it is, in the standard library's words.
    pub fn kind(&self) -> ErrorKind {
        match self {
            ReadError::Incomplete { .. } => ErrorKind::UnexpectedEof,
            ReadError::LimitOverrun { .. } => ErrorKind::InvalidData,
            ReadError::NoSeparator => ErrorKind::InvalidInput,
            ReadError::Lost(error) => error.kind(),
        }
    }
}

impl<P> From<ReadError<P>> for Error {
    fn from(error: ReadError<P>) -> Error {
        match error {
            ReadError::Lost(error) => error.into(),
            error => Error::new(error.kind(), error.to_string()),
        }
    }
}

#[cfg(feature = "tls")]
impl crate::net::tls::TlsError {
    /// What kind of error it is, in the standard library's words.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::ConnectionLost(Some(error)) => error.kind(),
            Self::ConnectionLost(None) => ErrorKind::ConnectionReset,
            Self::Truncated => ErrorKind::UnexpectedEof,
            Self::HandshakeTimeout(_) | Self::ShutdownTimeout(_) => ErrorKind::TimedOut,
            Self::Certificate { .. } | Self::Protocol { .. } => ErrorKind::InvalidData,
            Self::Alert { .. } => ErrorKind::ConnectionAborted,
            Self::NoRunningLoop => ErrorKind::Other,
            Self::NoTime { .. }
            | Self::ServerHostname { .. }
            | Self::NoServerHostname
            | Self::HostnameWithoutTls
            | Self::Configuration { .. } => ErrorKind::InvalidInput,
        }
    }
}

/// An error that is kept, and the kind it is of.
macro_rules! kept {
    ($($(#[$if:meta])? $error:ty, $value:ident => $kind:expr;)*) => {$(
        $(#[$if])?
        impl From<$error> for Error {
            fn from($value: $error) -> Error {
                Error::new($kind, $value)
            }
        }
    )*};
}

kept! {
    #[cfg(feature = "tls")]
    crate::net::tls::TlsError, error => error.kind();
    WriteError, error => match error {
        WriteError::AfterEof => ErrorKind::BrokenPipe,
        WriteError::Full { .. } => ErrorKind::WouldBlock,
        WriteError::NoHalfClose => ErrorKind::Unsupported,
        WriteError::SendfileInProgress => ErrorKind::ResourceBusy,
    };
    SendError, error => match error {
        SendError::NotThePeer => ErrorKind::InvalidInput,
    };
    ServeError, error => match error {
        ServeError::AlreadyServing => ErrorKind::ResourceBusy,
        ServeError::Closed | ServeError::ListenersGone(_) => ErrorKind::NotConnected,
        ServeError::NoRunningLoop => ErrorKind::Other,
    };
    TimeoutError, error => match error {
        TimeoutError::Elapsed => ErrorKind::TimedOut,
        TimeoutError::NoTask | TimeoutError::AlreadyEntered => ErrorKind::Other,
    };
    RunError, error => match error {
        RunError::Interrupted => ErrorKind::Interrupted,
        _ => ErrorKind::Other,
    };
    NoRunningLoop, error => ErrorKind::Other;
}

impl From<TaskError> for Error {
    fn from(error: TaskError) -> Error {
        Error::other(error.to_string())
    }
}

impl<T> From<ScheduleError<T>> for Error {
    fn from(error: ScheduleError<T>) -> Error {
        Error::other(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// What a function that serves by the standard library's errors does.
    fn serve(outcome: Result<(), ReadError<Vec<u8>>>) -> std::io::Result<()> {
        Ok(outcome?)
    }

    #[test]
    fn kinds_and_numbers_survive_question_marks() {
        let lost = |error| ReadError::Lost(ConnectionError::Source(error));
        let reset = serve(Err(lost(SourceError::ConnectionReset))).unwrap_err();
        assert_eq!(reset.kind(), ErrorKind::ConnectionReset);
        assert_eq!(reset.to_string(), SourceError::ConnectionReset.to_string());
        let kept = reset.downcast::<SourceError>().unwrap();
        assert_eq!(kept, SourceError::ConnectionReset);
        let silent = serve(Err(lost(SourceError::TimedOut))).unwrap_err();
        assert_eq!(silent.kind(), ErrorKind::TimedOut);
        assert_eq!(serve(Err(lost(SourceError::Os(7)))).unwrap_err().raw_os_error(), Some(7));
        let short = serve(Err(ReadError::Incomplete { partial: Vec::new(), expected: Some(9) }));
        let short = short.unwrap_err();
        assert_eq!(short.kind(), ErrorKind::UnexpectedEof);
        assert_eq!(short.to_string(), "the stream ended before 9 bytes had been read");
    }
}
