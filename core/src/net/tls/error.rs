//! Why there is no TLS connection, or none any more.

use crate::io::source::SourceError;
use crate::time::Duration;
use alloc::boxed::Box;
use core::fmt;

/// Why there is no TLS connection, or none any more.
///
/// asyncio: `ssl.SSLError` and its kin, and what asyncio raises itself.
#[non_exhaustive]
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TlsError {
    /// The other side's certificate was not accepted.
    ///
    /// asyncio: `ssl.SSLCertVerificationError`.
    Certificate {
        /// What is wrong with it.
        problem: CertificateProblem,
        /// The server's name; `None` on the server's side.
        server_hostname: Option<Box<str>>,
        /// The engine's words.
        why: Box<str>,
    },
    /// The other side gave up, and said why.
    Alert {
        /// The engine's words.
        why: Box<str>,
    },
    /// What the other side sent is not TLS, or not as this side speaks it.
    Protocol {
        /// The engine's words.
        why: Box<str>,
    },
    /// The connection was lost during the handshake: by this, or the other
    /// side just ended it.
    ///
    /// asyncio: `ConnectionResetError`.
    ConnectionLost(Option<SourceError>),
    /// The connection ended without a `close_notify`: somebody may have cut
    /// off what was to come.
    ///
    /// asyncio takes this for an ordinary end.
    Truncated,
    /// The handshake was not done in this time.
    ///
    /// asyncio: `ConnectionAbortedError: SSL handshake is taking longer than …`.
    HandshakeTimeout(Duration),
    /// The other side did not answer the `close_notify` in this time.
    ///
    /// asyncio: `TimeoutError: SSL shutdown timed out`.
    ShutdownTimeout(Duration),
    /// A timeout of zero was asked for: nothing could be done in it.
    ///
    /// asyncio: `ValueError: … should be a positive number`.
    NoTime {
        /// Which one: `handshake` or `shutdown`.
        of: &'static str,
    },
    /// No server has such a name.
    ServerHostname {
        /// The name.
        name: Box<str>,
        /// The engine's words.
        why: Box<str>,
    },
    /// There is no name that the server's certificate could be checked for.
    ///
    /// asyncio: `ValueError: You must set server_hostname when using ssl
    /// without a host`.
    NoServerHostname,
    /// A name that a certificate has to have was given, but no TLS asked for.
    ///
    /// asyncio: `ValueError: server_hostname is only meaningful with ssl`.
    HostnameWithoutTls,
    /// Certificates, keys or other settings cannot be used.
    Configuration {
        /// What was being done, such as `read certificates`.
        doing: &'static str,
        /// The engine's words.
        why: Box<str>,
    },
    /// No loop runs here, or it is closed.
    NoRunningLoop,
}

/// What is wrong with a certificate.
#[non_exhaustive]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CertificateProblem {
    /// It is not valid any more.
    Expired,
    /// It is not valid yet.
    NotYetValid,
    /// It is for other names.
    WrongName,
    /// Nobody who is trusted has issued it.
    UnknownIssuer,
    /// Who issued it has taken it back.
    Revoked,
    /// It is for another purpose.
    WrongPurpose,
    /// There is none.
    Missing,
    /// Something else; the text says what.
    Other,
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TlsError::Certificate { server_hostname: Some(name), why, .. } => {
                write!(f, "the certificate of {name} is not accepted: {why}")
            }
            TlsError::Certificate { why, .. } => {
                write!(f, "the client's certificate is not accepted: {why}")
            }
            TlsError::Alert { why } => write!(f, "the other side refused TLS: {why}"),
            TlsError::Protocol { why } => write!(f, "the other side's TLS is wrong: {why}"),
            TlsError::ConnectionLost(Some(error)) => {
                write!(f, "the connection was lost during the TLS handshake: {error}")
            }
            TlsError::ConnectionLost(None) => f.write_str(
                "the connection was lost during the TLS handshake: the other side ended it",
            ),
            TlsError::Truncated => f.write_str(
                "the connection ended without TLS's close_notify: what came may be cut off",
            ),
            TlsError::HandshakeTimeout(time) => {
                write!(f, "the TLS handshake took longer than {time:?} and was given up")
            }
            TlsError::ShutdownTimeout(time) => {
                write!(f, "the other side did not answer TLS's close_notify within {time:?}")
            }
            TlsError::NoTime { of } => write!(f, "cannot begin TLS with a {of} timeout of zero"),
            TlsError::ServerHostname { name, why } => {
                write!(f, "cannot begin TLS with a server named {name:?}: {why}")
            }
            TlsError::NoServerHostname => f.write_str(
                "cannot begin TLS without the server's name, for which its certificate is checked",
            ),
            TlsError::HostnameWithoutTls => f.write_str(
                "cannot check the server's name: a connection without TLS was asked for",
            ),
            TlsError::Configuration { doing, why } => write!(f, "cannot {doing} for TLS: {why}"),
            TlsError::NoRunningLoop => {
                f.write_str("cannot begin TLS: no event loop is running on this thread")
            }
        }
    }
}

impl core::error::Error for TlsError {}
