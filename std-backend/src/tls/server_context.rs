//! What servers are configured by.

use super::engine::RustlsEngine;
use super::pem;
use super::provider::provider;
use super::rustls_error::{configuration, tls_error};
use core::fmt;
use molen_core::net::tls::{ServerSide, TlsEngine, TlsError};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{WantsServerCert, WebPkiClientVerifier};
use rustls::{ConfigBuilder, ServerConfig, ServerConnection, WantsVerifier};
use std::path::Path;
use std::sync::Arc;

/// What servers are configured by: who they are, and what they speak.
///
/// ```no_run
/// # mod molen { pub use {molen_core::*, molen_std::{net, *}}; }
/// use molen::net::{StreamReader, StreamWriter, start_server};
/// use molen::tls::ServerContext;
///
/// async fn greet(_reader: StreamReader, writer: StreamWriter) -> std::io::Result<()> {
///     writer.write(b"hello\n")?;
///     writer.drain().await?;
///     Ok(())
/// }
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let context = ServerContext::from_pem_files("chain.pem", "key.pem")?;
/// let server = start_server(("", 6697), greet).tls(&context).await?;
/// server.serve_forever().await?;
/// # Ok(())
/// # }
/// ```
///
/// asyncio: an `ssl.SSLContext` made by
/// `ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)`.
#[derive(Clone)]
pub struct ServerContext {
    config: Arc<ServerConfig>,
}

type Builder<State> = ConfigBuilder<ServerConfig, State>;

impl ServerContext {
    /// Shows the certificate in the first text, followed by those between it
    /// and a root; the second text has its private key.
    ///
    /// asyncio: `load_cert_chain()`.
    ///
    /// # Errors
    ///
    /// [`TlsError::Configuration`]: they cannot be read, or do not belong
    /// together; there is no cryptography.
    pub fn from_pem(
        certificates: impl AsRef<[u8]>,
        private_key: impl AsRef<[u8]>,
    ) -> Result<ServerContext, TlsError> {
        let chain = pem::certificates(certificates.as_ref())?;
        let key = pem::private_key(private_key.as_ref())?;
        of(builder()?.with_no_client_auth(), chain, key)
    }

    /// As [`from_pem`](Self::from_pem), from files.
    ///
    /// # Errors
    ///
    /// As for [`from_pem`](Self::from_pem).
    pub fn from_pem_files(
        certificates: impl AsRef<Path>,
        private_key: impl AsRef<Path>,
    ) -> Result<ServerContext, TlsError> {
        let (chain, key) = (certificates.as_ref(), private_key.as_ref());
        let read_chain = pem::certificates(&read("read a file of certificates", chain)?);
        let read_key = pem::private_key(&read("read a file of a private key", key)?);
        of(
            builder()?.with_no_client_auth(),
            read_chain.map_err(|error| in_file(error, chain))?,
            read_key.map_err(|error| in_file(error, key))?,
        )
    }

    /// As [`from_pem`](Self::from_pem), for clients that show a certificate
    /// which one of those in `client_roots` has issued, and no others.
    ///
    /// asyncio: `verify_mode = ssl.CERT_REQUIRED`.
    ///
    /// # Errors
    ///
    /// As for [`from_pem`](Self::from_pem).
    pub fn from_pem_for_known_clients(
        certificates: impl AsRef<[u8]>,
        private_key: impl AsRef<[u8]>,
        client_roots: impl AsRef<[u8]>,
    ) -> Result<ServerContext, TlsError> {
        let provider = provider()?;
        let roots = Arc::new(pem::roots(client_roots.as_ref())?);
        let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider)
            .build()
            .map_err(|error| configuration("verify clients", &error))?;
        let builder = builder()?.with_client_cert_verifier(verifier);
        let chain = pem::certificates(certificates.as_ref())?;
        of(builder, chain, pem::private_key(private_key.as_ref())?)
    }

    /// Speaks these protocols, the best one first. A client that offers
    /// others only is refused.
    ///
    /// asyncio: `set_alpn_protocols()`.
    #[must_use]
    pub fn alpn(mut self, protocols: &[&str]) -> ServerContext {
        Arc::make_mut(&mut self.config).alpn_protocols =
            protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        self
    }
}

fn of(
    builder: Builder<WantsServerCert>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerContext, TlsError> {
    let config = builder
        .with_single_cert(chain, key)
        .map_err(|error| configuration("use a server's certificate", &error))?;
    Ok(ServerContext { config: Arc::new(config) })
}

fn builder() -> Result<Builder<WantsVerifier>, TlsError> {
    ServerConfig::builder_with_provider(provider()?)
        .with_safe_default_protocol_versions()
        .map_err(|error| configuration("agree on versions", &error))
}

/// The same, and in which file.
fn in_file(error: TlsError, path: &Path) -> TlsError {
    match error {
        TlsError::Configuration { doing, why } => {
            configuration(doing, &format_args!("{}: {why}", path.display()))
        }
        error => error,
    }
}

fn read(doing: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path)
        .map_err(|error| configuration(doing, &format_args!("{}: {error}", path.display())))
}

/// A configuration of one's own (several certificates by name, for instance);
/// it is used as it is.
impl From<Arc<ServerConfig>> for ServerContext {
    fn from(config: Arc<ServerConfig>) -> ServerContext {
        ServerContext { config }
    }
}

impl ServerSide for ServerContext {
    fn server_engine(&self) -> Result<Box<dyn TlsEngine>, TlsError> {
        let connection =
            ServerConnection::new(self.config.clone()).map_err(|error| tls_error(error, None))?;
        Ok(Box::new(RustlsEngine::server(connection)))
    }
}

impl fmt::Debug for ServerContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerContext").field("alpn", &self.config.alpn_protocols).finish()
    }
}
