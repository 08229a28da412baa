//! Pairs of streams through TLS.

use super::engine::{ClientSide, ServerSide};
use super::error::TlsError;
use super::start::{ConnectTls, Plan, above};
use super::timeouts::Timeouts;
use crate::io::source::ByteSource;
use crate::net::error::ConnectionError;
use crate::net::receiver::Streamed;
use crate::net::streams::{StreamReader, StreamWriter, Upgrade, client_streams};
use alloc::boxed::Box;

/// Gives `source`, a connection that stands, a pair of streams through TLS.
///
/// asyncio: `open_connection(sock=…, ssl=…)`.
///
/// # Errors
///
/// [`TlsError`].
///
/// # Cancellation
///
/// The connection is aborted.
pub async fn open_tls_streams<S: ByteSource + 'static>(
    source: S,
    limit: usize,
    context: &(impl ClientSide + ?Sized),
    server_hostname: &str,
    timeouts: Timeouts,
) -> Result<(StreamReader, StreamWriter), TlsError> {
    let (protocol, streams) = client_streams(limit);
    let connect = ConnectTls::new(source, protocol, context.client_engine(server_hostname))
        .handshake_timeout(timeouts.handshake)
        .shutdown_timeout(timeouts.shutdown);
    Ok(streams.of(&connect.connect().await?))
}

impl StreamWriter {
    /// Has everything on the connection go through TLS from now on, as the
    /// client of the server of this name. What is still to be written is
    /// written first; what has come and was not read is taken for the
    /// beginning of the handshake. The reader goes on reading what comes
    /// through TLS.
    ///
    /// asyncio: `StreamWriter.start_tls()`.
    ///
    /// # Errors
    ///
    /// As for [`start_tls`](super::start_tls); the reader fails with it too, if
    /// the connection is closed.
    ///
    /// # Cancellation
    ///
    /// The connection is aborted.
    pub async fn start_tls(
        &mut self,
        context: &(impl ClientSide + ?Sized),
        server_hostname: &str,
    ) -> Result<(), TlsError> {
        let engine = context.client_engine(server_hostname);
        self.upgrade(Plan { engine, timeouts: Timeouts::DEFAULT }).await
    }

    /// As [`start_tls`](Self::start_tls), as the server.
    ///
    /// asyncio: `StreamWriter.start_tls()` of a writer that a server has made.
    ///
    /// # Errors
    ///
    /// As for [`start_tls`](Self::start_tls).
    ///
    /// # Cancellation
    ///
    /// The connection is aborted.
    pub async fn start_tls_server_side(
        &mut self,
        context: &(impl ServerSide + ?Sized),
    ) -> Result<(), TlsError> {
        let engine = context.server_engine();
        self.upgrade(Plan { engine, timeouts: Timeouts::DEFAULT }).await
    }

    async fn upgrade(&mut self, plan: Plan) -> Result<(), TlsError> {
        plan.check()?;
        let upgrade = Upgrade::begin(self);
        let source = plan.upgrade(self.transport().clone(), upgrade.received()).await;
        let upgraded =
            source.and_then(|source| above(source, Box::new(Streamed(upgrade.protocol()))));
        match upgraded {
            Ok(transport) => {
                upgrade.done(transport);
                Ok(())
            }
            Err(error) => {
                upgrade.failed(ConnectionError::Tls(error.clone()));
                Err(error)
            }
        }
    }
}
