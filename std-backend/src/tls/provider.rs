//! Where the cryptography comes from.

use molen_core::net::tls::TlsError;
use rustls::crypto::CryptoProvider;
use std::sync::Arc;

/// The process's default, else ring's.
///
/// # Errors
///
/// There is none of both.
pub(super) fn provider() -> Result<Arc<CryptoProvider>, TlsError> {
    CryptoProvider::get_default().cloned().or_else(ours).ok_or_else(|| TlsError::Configuration {
        doing: "find functions of cryptography",
        why: "no CryptoProvider of rustls is installed, and the feature `tls-ring` is off".into(),
    })
}

#[cfg(feature = "tls-ring")]
fn ours() -> Option<Arc<CryptoProvider>> {
    Some(Arc::new(rustls::crypto::ring::default_provider()))
}

#[cfg(not(feature = "tls-ring"))]
fn ours() -> Option<Arc<CryptoProvider>> {
    None
}
