//! rustls's errors as the core's.

use core::fmt::Display;
use molen_core::net::tls::{CertificateProblem, TlsError};
use rustls::{CertificateError, Error, InvalidMessage};

/// What went wrong in a connection to the server of this name, or of a server.
pub(super) fn tls_error(error: Error, server_hostname: Option<&str>) -> TlsError {
    let problem = match &error {
        Error::InvalidCertificate(error) => certificate_problem(error),
        Error::NoCertificatesPresented => CertificateProblem::Missing,
        Error::AlertReceived(_) => return TlsError::Alert { why: error.to_string().into() },
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            // What a server that speaks in plain text looks like.
            return TlsError::Protocol { why: "what it sends is not TLS".into() };
        }
        _ => return TlsError::Protocol { why: error.to_string().into() },
    };
    let why = match &error {
        Error::InvalidCertificate(error) if is_of_an_authority(error) => {
            "it is that of an authority (CA:TRUE), which must not be a server's own".into()
        }
        error => error.to_string().into(),
    };
    TlsError::Certificate { problem, server_hostname: server_hostname.map(Into::into), why }
}

/// Settings that cannot be used.
pub(super) fn configuration(doing: &'static str, why: &dyn Display) -> TlsError {
    TlsError::Configuration { doing, why: why.to_string().into() }
}

/// Whether it is an authority's, as those are that `openssl req -x509` makes unless it is told
/// otherwise. rustls has no name for that, only what its verifier says.
fn is_of_an_authority(error: &CertificateError) -> bool {
    matches!(error, CertificateError::Other(why) if format!("{:?}", why.0) == "CaUsedAsEndEntity")
}

fn certificate_problem(error: &CertificateError) -> CertificateProblem {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            CertificateProblem::Expired
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            CertificateProblem::NotYetValid
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            CertificateProblem::WrongName
        }
        CertificateError::UnknownIssuer => CertificateProblem::UnknownIssuer,
        CertificateError::Revoked => CertificateProblem::Revoked,
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            CertificateProblem::WrongPurpose
        }
        error if is_of_an_authority(error) => CertificateProblem::WrongPurpose,
        _ => CertificateProblem::Other,
    }
}
