//! Why there is no answer.

use core::fmt;
use molen_core::executor::{JobError, Refusal};
use std::io;

/// Why a name or an address was not found: what was asked for, and why.
#[derive(Debug)]
pub struct DnsError {
    /// The host, service or address that was asked for.
    pub question: String,
    /// Why there is no answer.
    pub cause: DnsFailure,
}

/// Why there is no answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum DnsFailure {
    /// There is no such name, or it has no such address.
    ///
    /// asyncio: `socket.gaierror`, `EAI_NONAME`, `EAI_NODATA`.
    NotFound,
    /// No server answers now; it may later. asyncio: `EAI_AGAIN`.
    TryAgain,
    /// The resolver's thread was refused.
    Refused(Refusal),
    /// The resolver's function panicked, or was dropped.
    Job(JobError),
    /// What the system says.
    Os(io::Error),
}

impl From<dns_lookup::LookupError> for DnsFailure {
    fn from(error: dns_lookup::LookupError) -> DnsFailure {
        use dns_lookup::LookupErrorKind::{Again, NoData, NoName};
        match error.kind() {
            NoName | NoData => DnsFailure::NotFound,
            Again => DnsFailure::TryAgain,
            _ => DnsFailure::Os(error.into()),
        }
    }
}

impl fmt::Display for DnsFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DnsFailure::NotFound => f.write_str("there is no such name"),
            DnsFailure::TryAgain => f.write_str("no name server answers now"),
            DnsFailure::Refused(error) => error.fmt(f),
            DnsFailure::Job(error) => error.fmt(f),
            DnsFailure::Os(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for DnsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot resolve {}: {}", self.question, self.cause)
    }
}

impl core::error::Error for DnsError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match &self.cause {
            DnsFailure::NotFound | DnsFailure::TryAgain => None,
            DnsFailure::Refused(error) => Some(error),
            DnsFailure::Job(error) => Some(error),
            DnsFailure::Os(error) => Some(error),
        }
    }
}

impl From<DnsError> for io::Error {
    fn from(error: DnsError) -> io::Error {
        let kind = match &error.cause {
            DnsFailure::NotFound => io::ErrorKind::NotFound,
            DnsFailure::Os(cause) => cause.kind(),
            _ => io::ErrorKind::Other,
        };
        // Its text: what a panic carried need not be for all threads.
        io::Error::new(kind, error.to_string())
    }
}
