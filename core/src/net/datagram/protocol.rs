//! What an endpoint calls.

use super::transport::DatagramTransport;
use crate::io::source::SourceError;
use crate::net::error::ConnectionError;
use crate::net::protocol::Answer;
use core::net::SocketAddr;

/// Is told what happens at a datagram endpoint whose peers have addresses `A`.
///
/// All calls come from the loop, one at a time, never from inside a call of
/// the transport.
///
/// asyncio: `asyncio.DatagramProtocol`.
pub trait DatagramProtocol<A = SocketAddr> {
    /// The endpoint stands.
    ///
    /// # Errors
    ///
    /// Reported; the endpoint is closed.
    fn connection_made(&mut self, transport: &DatagramTransport<A>) -> Answer {
        let _ = transport;
        Ok(())
    }

    /// A message came. It may be empty.
    ///
    /// # Errors
    ///
    /// Reported; the endpoint is closed.
    fn datagram_received(
        &mut self,
        transport: &DatagramTransport<A>,
        data: &[u8],
        sender: &A,
    ) -> Answer;

    /// A message could not be sent, or came back; the endpoint goes on.
    ///
    /// # Errors
    ///
    /// Reported.
    fn error_received(&mut self, transport: &DatagramTransport<A>, error: SourceError) -> Answer {
        let _ = (transport, error);
        Ok(())
    }

    /// More waits to be sent than the high mark.
    ///
    /// # Errors
    ///
    /// Reported.
    fn pause_writing(&mut self, transport: &DatagramTransport<A>) -> Answer {
        let _ = transport;
        Ok(())
    }

    /// No more waits to be sent than the low mark.
    ///
    /// # Errors
    ///
    /// Reported.
    fn resume_writing(&mut self, transport: &DatagramTransport<A>) -> Answer {
        let _ = transport;
        Ok(())
    }

    /// The endpoint is closed: the last call, made exactly once.
    ///
    /// # Errors
    ///
    /// Reported.
    fn connection_lost(
        &mut self,
        transport: &DatagramTransport<A>,
        error: Option<&ConnectionError>,
    ) -> Answer {
        let _ = (transport, error);
        Ok(())
    }
}
