//! From a source that stands to a transport whose protocol knows it.

use super::protocol::Protocol;
use super::transport::Transport;
use crate::io::source::{ByteSource, SourceError};
use crate::task::yield_now;

/// Gives `source`, a connection that stands, to `protocol`. `connection_made`
/// was called when this returns, and nothing was read yet: who gives the
/// transport another protocol now, or starts TLS, misses nothing.
///
/// Backends' `create_connection` connects first and then does this.
///
/// asyncio: `loop.connect_accepted_socket()`.
///
/// # Errors
///
/// [`SourceError::NoRunningLoop`].
///
/// # Cancellation
///
/// The connection is aborted.
pub async fn connect_accepted_socket<S, P>(source: S, protocol: P) -> Result<Transport, SourceError>
where
    S: ByteSource + 'static,
    P: Protocol + 'static,
{
    let event_loop = crate::schedule::current().ok_or(SourceError::NoRunningLoop)?;
    let transport =
        Transport::new(event_loop, source, protocol).map_err(|_closed| SourceError::Closed)?;
    made(transport).await
}

/// Goes on when `connection_made` was called: that is queued, and so is this.
pub(super) async fn made(transport: Transport) -> Result<Transport, SourceError> {
    let guard = AbortOnDrop(Some(transport));
    yield_now().await;
    guard.keep()
}

/// A connection that nobody got yet.
pub(super) struct AbortOnDrop(pub(super) Option<Transport>);

impl AbortOnDrop {
    pub(super) fn keep(mut self) -> Result<Transport, SourceError> {
        self.0.take().ok_or(SourceError::Closed)
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        if let Some(transport) = &self.0 {
            transport.abort();
        }
    }
}
