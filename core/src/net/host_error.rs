//! Why there is no connection with a host, or no server on it.

use super::family::Family;
use super::hosts::Hosts;
use super::net_error::NetError;
use crate::error::Unsupported;
use crate::io::source::SourceError;
use crate::time::Duration;
use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;

/// Why there is no connection with a host, or no server on it: what was being
/// done, to which host, and why it failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostError {
    /// What was being done, such as "connect to".
    pub operation: &'static str,
    /// The host, or the hosts, as they were given.
    pub host: Box<str>,
    /// Why it failed.
    pub cause: HostFailure,
}

/// Why there is no connection with a host, or no server on it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum HostFailure {
    /// The name has no addresses, or none that are known now.
    Name(NameError),
    /// It failed at these addresses, in the order in which it did.
    ///
    /// asyncio: the one `OSError`, or an `ExceptionGroup`.
    Addresses(Vec<NetError>),
    /// It took too long.
    TimedOut {
        /// How long it was to take at most.
        limit: Duration,
        /// What had failed by then.
        failed: Vec<NetError>,
    },
    /// There is not one address to try, or none of the family that was asked for.
    NoAddresses,
    /// The local address is of another family than every address to connect to.
    ///
    /// asyncio: `OSError: no matching local address with family=…`.
    NoLocalAddress(Family),
    /// The text is not of the form `host:port`.
    NotHostAndPort,
    /// Something that has no address failed: no loop runs.
    Source(SourceError),
    /// TLS failed, or cannot be begun with what was asked for.
    #[cfg(feature = "tls")]
    Tls(super::tls::TlsError),
}

impl HostError {
    pub(super) fn new(operation: &'static str, hosts: &Hosts, cause: HostFailure) -> HostError {
        HostError { operation, host: hosts.to_string().into(), cause }
    }

    /// What failed at each address that was tried.
    ///
    /// asyncio: `create_connection(…, all_errors=True)`.
    pub fn errors(&self) -> &[NetError] {
        match &self.cause {
            HostFailure::Addresses(errors) | HostFailure::TimedOut { failed: errors, .. } => errors,
            _ => &[],
        }
    }

    /// The sources' error, if it was that, and the same at all addresses.
    pub fn source_error(&self) -> Option<SourceError> {
        if let HostFailure::Source(error) = self.cause {
            return Some(error);
        }
        let HostFailure::Addresses(errors) = &self.cause else { return None };
        let (first, rest) = errors.split_first()?;
        rest.iter().all(|error| error.cause == first.cause).then_some(first.cause)
    }

    /// Whether it took too long.
    pub fn is_timeout(&self) -> bool {
        matches!(self.cause, HostFailure::TimedOut { .. })
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An address of its own is not named twice.
        if let HostFailure::Addresses(errors) = &self.cause
            && let [error] = &errors[..]
            && error.operation == self.operation
            && *error.address.to_string() == *self.host
        {
            return error.fmt(f);
        }
        write!(f, "cannot {} {}: ", self.operation, self.host)?;
        match &self.cause {
            HostFailure::Name(error) => error.fmt(f),
            HostFailure::Addresses(errors) => self.list(errors, f),
            HostFailure::TimedOut { limit, failed } => {
                write!(f, "it took longer than {limit:?}")?;
                if failed.is_empty() {
                    return Ok(());
                }
                f.write_str("; ")?;
                self.list(failed, f)
            }
            HostFailure::NoAddresses => f.write_str("there is no address to try"),
            HostFailure::NoLocalAddress(family) => {
                write!(f, "the local address is of another family than {family}")
            }
            HostFailure::NotHostAndPort => f.write_str("it is not of the form host:port"),
            HostFailure::Source(error) => error.fmt(f),
            #[cfg(feature = "tls")]
            HostFailure::Tls(error) => error.fmt(f),
        }
    }
}

impl HostError {
    fn list(&self, errors: &[NetError], f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, error) in errors.iter().enumerate() {
            f.write_str(if number == 0 { "" } else { "; " })?;
            if error.operation == self.operation {
                write!(f, "{}: {}", error.address, error.cause)?;
            } else {
                fmt::Display::fmt(error, f)?;
            }
        }
        Ok(())
    }
}

impl core::error::Error for HostError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match &self.cause {
            HostFailure::Name(error) => Some(error),
            HostFailure::Addresses(errors) => errors.first().map(|error| error as _),
            HostFailure::Source(error) => Some(error),
            #[cfg(feature = "tls")]
            HostFailure::Tls(error) => Some(error),
            _ => None,
        }
    }
}

/// Why a name has no addresses.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum NameError {
    /// There is no such name, or it has no such address.
    ///
    /// asyncio: `socket.gaierror`, `EAI_NONAME`, `EAI_NODATA`.
    NotFound,
    /// No server answers now; it may later. asyncio: `EAI_AGAIN`.
    TryAgain,
    /// Names cannot be looked up on this platform.
    Unsupported(Unsupported),
    /// What the resolver says.
    Other(Box<str>),
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NameError::NotFound => f.write_str("there is no such name"),
            NameError::TryAgain => f.write_str("no name server answers now"),
            NameError::Unsupported(what) => what.fmt(f),
            NameError::Other(text) => f.write_str(text),
        }
    }
}

impl core::error::Error for NameError {}

#[cfg(feature = "std")]
impl HostError {
    /// What kind of error it is, in the standard library's words.
    pub fn kind(&self) -> std::io::ErrorKind {
        use std::io::ErrorKind;
        match &self.cause {
            HostFailure::TimedOut { .. } => ErrorKind::TimedOut,
            HostFailure::Name(NameError::NotFound) => ErrorKind::NotFound,
            HostFailure::Name(NameError::Unsupported(_)) => ErrorKind::Unsupported,
            HostFailure::NotHostAndPort | HostFailure::NoLocalAddress(_) => ErrorKind::InvalidInput,
            HostFailure::NoAddresses => ErrorKind::NotFound,
            HostFailure::Source(error) => error.kind(),
            HostFailure::Addresses(errors) => {
                let mut kinds = errors.iter().map(NetError::kind);
                let first = kinds.next().unwrap_or(ErrorKind::Other);
                if kinds.all(|kind| kind == first) { first } else { ErrorKind::Other }
            }
            _ => ErrorKind::Other,
        }
    }
}

#[cfg(feature = "std")]
impl From<HostError> for std::io::Error {
    fn from(error: HostError) -> std::io::Error {
        std::io::Error::new(error.kind(), error)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use core::net::SocketAddr;
    use std::string::{String, ToString};
    use std::vec;

    fn shown(hosts: impl Into<Hosts>, cause: HostFailure) -> String {
        HostError::new("connect to", &hosts.into(), cause).to_string()
    }

    #[test]
    fn it_says_what_was_done_to_what_and_why_it_failed() {
        let address: SocketAddr = "[::1]:80".parse().unwrap();
        let other: SocketAddr = "127.0.0.1:80".parse().unwrap();
        let refused =
            NetError { operation: "connect to", address, cause: SourceError::ConnectionRefused };
        let local = NetError { operation: "bind to", address: other, cause: SourceError::Closed };
        assert_eq!(
            shown(address, HostFailure::Addresses(vec![refused])),
            "cannot connect to [::1]:80: the connection was refused"
        );
        assert_eq!(
            shown("mill:80", HostFailure::Addresses(vec![refused])),
            "cannot connect to mill:80: [::1]:80: the connection was refused"
        );
        assert_eq!(
            shown("mill:80", HostFailure::Addresses(vec![refused, local])),
            "cannot connect to mill:80: [::1]:80: the connection was refused; \
             cannot bind to 127.0.0.1:80: it is closed"
        );
        assert_eq!(
            shown(
                "mill:80",
                HostFailure::TimedOut { limit: Duration::from_secs(3), failed: vec![refused] }
            ),
            "cannot connect to mill:80: it took longer than 3s; \
             [::1]:80: the connection was refused"
        );
        assert_eq!(
            shown("mill", HostFailure::NotHostAndPort),
            "cannot connect to \"mill\": it is not of the form host:port"
        );
        assert_eq!(
            shown("mill:80", HostFailure::Name(NameError::NotFound)),
            "cannot connect to mill:80: there is no such name"
        );
    }
}
