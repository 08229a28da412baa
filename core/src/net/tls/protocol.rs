//! The protocol of the connection below: what comes is the engine's.

use super::channel::Channel;
use crate::net::error::ConnectionError;
use crate::net::protocol::{AfterEof, Answer, Protocol};
use crate::net::transport::Transport;
use alloc::rc::Rc;

/// Gives everything to the channel.
///
/// asyncio: `SSLProtocol`.
pub(super) struct TlsProtocol(pub(super) Rc<Channel>);

impl Protocol for TlsProtocol {
    fn connection_made(&mut self, transport: &Transport) -> Answer {
        self.0.begin(transport);
        Ok(())
    }

    fn data_received(&mut self, transport: &Transport, data: &[u8]) -> Answer {
        self.0.receive(transport, data);
        Ok(())
    }

    fn eof_received(&mut self, transport: &Transport) -> Answer<AfterEof> {
        self.0.end_received(transport);
        // What is left can still be written, and a `close_notify`.
        Ok(AfterEof::KeepOpen)
    }

    fn resume_writing(&mut self, _transport: &Transport) -> Answer {
        self.0.resume_writing();
        Ok(())
    }

    fn connection_lost(
        &mut self,
        _transport: &Transport,
        error: Option<&ConnectionError>,
    ) -> Answer {
        self.0.lost(error);
        Ok(())
    }
}

impl Drop for TlsProtocol {
    fn drop(&mut self) {
        self.0.forget();
    }
}
