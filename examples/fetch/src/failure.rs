//! Why there is no body, or not all of it.

use molen::Duration;
use molen::net::{ConnectionError, HostError, HostFailure, ReadError, WriteError};
use molen::tls::TlsError;
use std::fmt;
use std::io;
use std::path::PathBuf;
use url::Url;

/// Why a URL was not fetched.
#[derive(Debug)]
pub enum Failure {
    /// It is no URL.
    NotAUrl(url::ParseError),
    /// It is one of another protocol than HTTP.
    Scheme(String),
    /// It has a user's name in it, which this program does not send.
    Credentials,
    /// There is no connection.
    Connect(HostError),
    /// There are no certificates to verify servers by.
    Tls(TlsError),
    /// The connection failed.
    Lost(ConnectionError),
    /// It was closed before an answer.
    Closed,
    /// It was closed before the answer's end.
    Truncated,
    /// What came is no HTTP.
    Malformed(&'static str),
    /// The head of the answer is too long.
    HeadTooLong,
    /// Nothing came for so long.
    Idle(Duration),
    /// The whole took so long.
    TooLate(Duration),
    /// The server has another answer than the body.
    Status { code: u16, retry_after: Option<Duration> },
    /// It says that the body is elsewhere, but not where.
    NoLocation(u16),
    /// More redirects than allowed.
    TooManyRedirects(u32),
    /// A redirect to where one has led before.
    RedirectLoop(Box<Url>),
    /// The body could not be written.
    Output(PathBuf, io::Error),
    /// What was to write it could not.
    Writer(String),
}

impl Failure {
    /// Whether trying again may help.
    pub fn may_pass(&self) -> bool {
        match self {
            // Who a server is does not pass.
            Failure::Connect(error) => !matches!(
                error.cause,
                HostFailure::Tls(TlsError::Certificate { .. } | TlsError::Alert { .. })
            ),
            Failure::Lost(_) | Failure::Closed | Failure::Truncated | Failure::Idle(_) => true,
            Failure::Status { code, .. } => matches!(code, 408 | 429 | 500 | 502 | 503 | 504),
            _ => false,
        }
    }

    /// How long the server would like us to wait.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Failure::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::NotAUrl(error) => write!(f, "not a URL: {error}"),
            Failure::Scheme(scheme) => write!(f, "cannot fetch by {scheme}, only http and https"),
            Failure::Credentials => f.write_str("cannot send the user's name in the URL"),
            Failure::Connect(error) => error.fmt(f),
            Failure::Tls(error) => error.fmt(f),
            Failure::Lost(error) => error.fmt(f),
            Failure::Closed => f.write_str("the server closed the connection without an answer"),
            Failure::Truncated => f.write_str("the connection ended before the body did"),
            Failure::Malformed(what) => write!(f, "the answer is not HTTP: {what}"),
            Failure::HeadTooLong => f.write_str("the head of the answer is too long"),
            Failure::Idle(limit) => {
                write!(f, "gave up: nothing came for {} s", limit.as_secs_f64())
            }
            Failure::TooLate(limit) => write!(f, "gave up after {} s", limit.as_secs_f64()),
            Failure::Status { code, .. } => write!(f, "the server answered {code}"),
            Failure::NoLocation(code) => {
                write!(f, "the server answered {code}, but not where to look instead")
            }
            Failure::TooManyRedirects(limit) => write!(f, "more than {limit} redirects"),
            Failure::RedirectLoop(url) => write!(f, "redirected in a circle, to {url}"),
            Failure::Output(path, error) => write!(f, "cannot write {}: {error}", path.display()),
            Failure::Writer(reason) => write!(f, "cannot write the body: {reason}"),
        }
    }
}

impl std::error::Error for Failure {}

impl From<ConnectionError> for Failure {
    fn from(error: ConnectionError) -> Failure {
        Failure::Lost(error)
    }
}

impl From<WriteError> for Failure {
    fn from(_nothing_is_written_after_an_end: WriteError) -> Failure {
        Failure::Closed
    }
}

impl From<ReadError<Vec<u8>>> for Failure {
    fn from(error: ReadError<Vec<u8>>) -> Failure {
        match error {
            ReadError::Incomplete { partial, .. } if partial.is_empty() => Failure::Closed,
            ReadError::Incomplete { .. } => Failure::Truncated,
            ReadError::LimitOverrun { .. } => Failure::HeadTooLong,
            ReadError::NoSeparator => Failure::Malformed("no separator"),
            ReadError::Lost(error) => Failure::Lost(error),
        }
    }
}
