//! What clients are configured by.

use super::engine::RustlsEngine;
use super::pem;
use super::provider::provider;
use super::rustls_error::{configuration, tls_error};
use core::fmt;
use molen_core::net::tls::{ClientSide, TlsEngine, TlsError};
use rustls::client::WantsClientCert;
use rustls::pki_types::ServerName;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, ClientConnection, ConfigBuilder, RootCertStore, WantsVerifier};
use rustls_platform_verifier::BuilderVerifierExt;
use std::sync::Arc;

/// What clients are configured by: whom they trust, and what they speak.
///
/// Clones share what can be shared, sessions to be resumed for one.
///
/// ```no_run
/// # mod molen { pub use {molen_core::*, molen_std::{net, *}}; }
/// use molen::net::open_connection;
/// use molen::tls::ClientContext;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// // Whom the platform trusts; or, for a server of one's own, who issued its certificate.
/// let context = ClientContext::new()?;
/// let ours = ClientContext::with_roots_pem(std::fs::read("ca.pem")?)?.alpn(&["irc"]);
/// let (reader, writer) = open_connection(("example.org", 443)).tls(&context).await?;
/// let by_number = open_connection("127.0.0.1:6697").tls(&ours).server_hostname("irc.example");
/// # Ok(())
/// # }
/// ```
///
/// asyncio: an `ssl.SSLContext` made by `ssl.create_default_context()`.
#[derive(Clone)]
pub struct ClientContext {
    config: Arc<ClientConfig>,
}

type Builder<State> = ConfigBuilder<ClientConfig, State>;

impl ClientContext {
    /// Trusts whom the platform trusts, and verifies the server's name.
    ///
    /// asyncio: `ssl=True`.
    ///
    /// # Errors
    ///
    /// [`TlsError::Configuration`]: the platform's roots cannot be read, or
    /// there is no cryptography.
    pub fn new() -> Result<ClientContext, TlsError> {
        let verified = builder()?
            .with_platform_verifier()
            .map_err(|error| configuration("use the platform's certificates", &error))?;
        Ok(ClientContext::of(verified))
    }

    /// Trusts the certificates in `pem` and no others, and verifies the
    /// server's name.
    ///
    /// A server's own certificate may be among them, if it is not at the same time
    /// an authority's: for tests,
    ///
    /// ```text
    /// openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 30 \
    ///     -subj /CN=localhost -addext subjectAltName=DNS:localhost \
    ///     -addext basicConstraints=critical,CA:FALSE
    /// ```
    ///
    /// asyncio: `ssl.create_default_context(cadata=…)`.
    ///
    /// # Errors
    ///
    /// [`TlsError::Configuration`]: there are none, they cannot be read, or
    /// there is no cryptography.
    pub fn with_roots_pem(pem: impl AsRef<[u8]>) -> Result<ClientContext, TlsError> {
        ClientContext::with_roots(pem::roots(pem.as_ref())?)
    }

    fn with_roots(roots: RootCertStore) -> Result<ClientContext, TlsError> {
        Ok(ClientContext::of(builder()?.with_root_certificates(roots)))
    }

    fn of(builder: Builder<WantsClientCert>) -> ClientContext {
        ClientContext { config: Arc::new(builder.with_no_client_auth()) }
    }

    /// Offers these protocols, the best one first.
    ///
    /// asyncio: `set_alpn_protocols()`.
    #[must_use]
    pub fn alpn(mut self, protocols: &[&str]) -> ClientContext {
        Arc::make_mut(&mut self.config).alpn_protocols =
            protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        self
    }

    /// Shows this certificate, followed by those between it and a root, to
    /// servers that ask for one.
    ///
    /// asyncio: `load_cert_chain()`.
    ///
    /// # Errors
    ///
    /// [`TlsError::Configuration`]: they cannot be read, or do not belong
    /// together.
    pub fn client_certificate_pem(
        mut self,
        certificates: impl AsRef<[u8]>,
        private_key: impl AsRef<[u8]>,
    ) -> Result<ClientContext, TlsError> {
        let chain = pem::certificates(certificates.as_ref())?;
        let key = pem::private_key(private_key.as_ref())?;
        let provider = self.config.crypto_provider().clone();
        let certified = CertifiedKey::from_der(chain, key, &provider)
            .map_err(|error| configuration("use a client's certificate", &error))?;
        Arc::make_mut(&mut self.config).client_auth_cert_resolver =
            Arc::new(SingleCertAndKey::from(certified));
        Ok(self)
    }
}

fn builder() -> Result<Builder<WantsVerifier>, TlsError> {
    ClientConfig::builder_with_provider(provider()?)
        .with_safe_default_protocol_versions()
        .map_err(|error| configuration("agree on versions", &error))
}

/// A configuration of one's own; it is used as it is.
impl From<Arc<ClientConfig>> for ClientContext {
    fn from(config: Arc<ClientConfig>) -> ClientContext {
        ClientContext { config }
    }
}

impl ClientSide for ClientContext {
    fn client_engine(&self, server_hostname: &str) -> Result<Box<dyn TlsEngine>, TlsError> {
        if server_hostname.is_empty() {
            return Err(TlsError::NoServerHostname);
        }
        let name = ServerName::try_from(server_hostname.to_owned()).map_err(|error| {
            let (name, why) = (server_hostname.into(), error.to_string().into());
            TlsError::ServerHostname { name, why }
        })?;
        let connection = ClientConnection::new(self.config.clone(), name)
            .map_err(|error| tls_error(error, Some(server_hostname)))?;
        Ok(Box::new(RustlsEngine::client(connection, server_hostname)))
    }
}

impl fmt::Debug for ClientContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientContext").field("alpn", &self.config.alpn_protocols).finish()
    }
}
