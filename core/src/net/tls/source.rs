//! The connection above: a source of plaintext.

use super::channel::Channel;
use super::engine::TlsInfo;
use crate::io::source::{ByteSource, End, Source, SourceError};
use crate::io::{EventListener, Interest, Ready};
use crate::net::error::ConnectionError;
use alloc::rc::Rc;
use core::net::SocketAddr;
use core::task::{Context, Poll};

/// Plaintext, of which an ordinary connection is made.
///
/// It has no half-close, as in asyncio: of TLS up to 1.2 a `close_notify` ends
/// both directions.
pub(super) struct TlsSource(pub(super) Rc<Channel>);

impl Drop for TlsSource {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

impl Source for TlsSource {
    fn poll_ready(&self, cx: &mut Context<'_>, interest: Interest) -> Poll<()> {
        self.0.registration().poll_ready(cx, interest)
    }

    fn known_ready(&self) -> Ready {
        self.0.registration().ready()
    }

    fn listen(&self, listener: Option<EventListener>) -> bool {
        self.0.registration().listen(listener);
        true
    }

    fn address(&self, end: End) -> Option<SocketAddr> {
        self.0.with_raw(|raw| raw.link.address(end)).flatten()
    }

    #[cfg(feature = "std")]
    fn unix_address(&self, end: End) -> Option<crate::net::UnixAddress> {
        self.0.with_raw(|raw| raw.link.unix_address(end)).flatten()
    }

    fn descriptor(&self) -> Option<u64> {
        self.0.with_raw(|raw| raw.link.descriptor()).flatten()
    }

    fn tls_info(&self) -> Option<Rc<TlsInfo>> {
        self.0.info()
    }
}

impl ByteSource for TlsSource {
    fn try_read(&self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        self.0.try_read(buffer)
    }

    fn try_write(&self, bytes: &[u8]) -> Result<usize, SourceError> {
        self.0.try_write(&[bytes])
    }

    fn try_write_vectored(&self, pieces: &[&[u8]]) -> Result<usize, SourceError> {
        self.0.try_write(pieces)
    }

    fn can_shut_down(&self) -> bool {
        false
    }

    fn shutdown(&self) -> Result<(), SourceError> {
        Ok(())
    }

    fn says_goodbye(&self) -> bool {
        self.0.says_goodbye()
    }

    fn try_goodbye(&self) -> Result<(), SourceError> {
        self.0.try_goodbye()
    }

    fn explain(&self, error: SourceError) -> ConnectionError {
        self.0.explain(error)
    }
}
