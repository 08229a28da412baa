//! Certificates and keys from text.

use super::rustls_error::configuration;
use molen_core::net::tls::TlsError;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// All certificates in `pem`.
pub(super) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    const DOING: &str = "read certificates";
    let all: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| configuration(DOING, &error))?;
    if all.is_empty() {
        return Err(configuration(DOING, &"the text has none"));
    }
    Ok(all)
}

/// The first private key in `pem`.
pub(super) fn private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| configuration("read a private key", &error))
}

/// All certificates in `pem`, to be trusted.
pub(super) fn roots(pem: &[u8]) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(pem)? {
        roots.add(certificate).map_err(|error| configuration("trust a certificate", &error))?;
    }
    Ok(roots)
}
