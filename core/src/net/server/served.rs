//! The source of a connection that a server has accepted.

use super::Shared;
use crate::io::source::{ByteSource, End, Source, SourceError};
use crate::io::{EventListener, Interest, Ready};
use alloc::rc::Rc;
use core::net::SocketAddr;
use core::task::{Context, Poll};

/// The source of a connection that a server has accepted.
pub struct Served<S> {
    source: S,
    /// Behind the source: who waits for the server finds its sockets closed.
    #[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "dropping it tells the server"))]
    client: Client,
}

/// A client of a server; dropping it tells the server that it is gone.
pub(crate) struct Client {
    server: Rc<Shared>,
    place: usize,
}

impl<S> Served<S> {
    /// A source that is the client at `place`, which is reserved.
    pub(super) fn new(source: S, server: Rc<Shared>, place: usize) -> Served<S> {
        Served { source, client: Client { server, place } }
    }

    /// The source, and the client for somebody who keeps it for longer.
    #[cfg(feature = "tls")]
    pub(crate) fn split(self) -> (S, Client) {
        (self.source, self.client)
    }
}

#[cfg(feature = "tls")]
impl Client {
    /// The server closes or aborts `transport` from now on.
    pub(crate) fn becomes(&self, transport: &crate::net::Transport) {
        self.server.clients.borrow_mut().places[self.place] = Some(transport.downgrade());
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        {
            let mut clients = self.server.clients.borrow_mut();
            clients.places[self.place] = None;
            clients.free.push(self.place);
        }
        self.server.look();
    }
}

impl<S: Source> Source for Served<S> {
    fn poll_ready(&self, cx: &mut Context<'_>, interest: Interest) -> Poll<()> {
        self.source.poll_ready(cx, interest)
    }

    #[inline]
    fn known_ready(&self) -> Ready {
        self.source.known_ready()
    }

    fn listen(&self, listener: Option<EventListener>) -> bool {
        self.source.listen(listener)
    }

    fn address(&self, end: End) -> Option<SocketAddr> {
        self.source.address(end)
    }

    #[cfg(feature = "std")]
    fn unix_address(&self, end: End) -> Option<crate::net::UnixAddress> {
        self.source.unix_address(end)
    }

    fn descriptor(&self) -> Option<u64> {
        self.source.descriptor()
    }

    #[cfg(feature = "tls")]
    fn tls_info(&self) -> Option<Rc<crate::net::tls::TlsInfo>> {
        self.source.tls_info()
    }
}

impl<S: ByteSource> ByteSource for Served<S> {
    #[inline]
    fn try_read(&self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        self.source.try_read(buffer)
    }

    #[inline]
    fn try_write(&self, bytes: &[u8]) -> Result<usize, SourceError> {
        self.source.try_write(bytes)
    }

    fn try_write_vectored(&self, pieces: &[&[u8]]) -> Result<usize, SourceError> {
        self.source.try_write_vectored(pieces)
    }

    #[cfg(feature = "std")]
    fn try_sendfile(
        &self,
        file: &std::fs::File,
        offset: u64,
        count: usize,
    ) -> Result<usize, SourceError> {
        self.source.try_sendfile(file, offset, count)
    }

    fn begin_transport(&self) {
        self.source.begin_transport();
    }

    fn can_shut_down(&self) -> bool {
        self.source.can_shut_down()
    }

    fn shutdown(&self) -> Result<(), SourceError> {
        self.source.shutdown()
    }

    #[inline]
    fn says_goodbye(&self) -> bool {
        self.source.says_goodbye()
    }

    #[inline]
    fn try_goodbye(&self) -> Result<(), SourceError> {
        self.source.try_goodbye()
    }

    #[inline]
    fn explain(&self, error: SourceError) -> crate::net::ConnectionError {
        self.source.explain(error)
    }
}
