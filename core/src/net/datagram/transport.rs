//! What one calls: the handle of an endpoint.

use crate::io::source::End;
use crate::net::flow_control::WriteBufferLimits;
use crate::net::machine::{Machine, Phase};
use crate::net::transport::{ExtraInfo, ExtraValue, Flow, Follow};
use alloc::rc::Rc;
use core::fmt;
use core::net::SocketAddr;

/// What a transport needs of its endpoint, whatever its types.
pub(crate) trait EndpointLink<A> {
    fn sendto(&self, data: &[u8], receiver: Option<&A>) -> Result<(Flow, Follow), SendError>;
    fn close(&self) -> Follow;
    fn abort(&self) -> Follow;
    fn set_limits(&self, limits: WriteBufferLimits) -> Follow;
    fn machine(&self) -> Machine;
    fn pending(&self) -> usize;
    fn address(&self, end: End) -> Option<SocketAddr>;
    #[cfg(feature = "std")]
    fn unix_address(&self, end: End) -> Option<crate::net::UnixAddress>;
    fn descriptor(&self) -> Option<u64>;
    fn schedule(self: Rc<Self>);
}

/// Why a message was not sent, by the caller's doing. What the system has
/// against it is told to `error_received`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum SendError {
    /// The endpoint has a peer, and this is not its address.
    ///
    /// asyncio: `ValueError: Invalid address: must be None or …`.
    NotThePeer,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot send to that address: the endpoint is connected to another one")
    }
}

impl core::error::Error for SendError {}

/// The handle of a datagram endpoint: clones name the same one.
///
/// asyncio: `asyncio.DatagramTransport`.
pub struct DatagramTransport<A = SocketAddr> {
    pub(crate) link: Rc<dyn EndpointLink<A>>,
}

impl<A> Clone for DatagramTransport<A> {
    fn clone(&self) -> Self {
        DatagramTransport { link: self.link.clone() }
    }
}

impl<A> DatagramTransport<A> {
    fn follow(&self, follow: Follow) {
        if follow == Follow::Turn {
            self.link.clone().schedule();
        }
    }

    /// Sends `data` as one message, now or later, to `receiver`; to the peer
    /// of a connected endpoint when that is `None`. Empty messages are sent
    /// too. The bytes are copied if they have to wait.
    ///
    /// asyncio: `transport.sendto()`.
    ///
    /// # Errors
    ///
    /// [`SendError::NotThePeer`]. What the system has against the message is
    /// told to `error_received`.
    pub fn sendto(&self, data: &[u8], receiver: Option<&A>) -> Result<Flow, SendError> {
        let (flow, follow) = self.link.sendto(data, receiver)?;
        self.follow(follow);
        Ok(flow)
    }

    /// Closes the endpoint when all that waits is sent. Repeated, it does nothing.
    ///
    /// asyncio: `transport.close()`.
    pub fn close(&self) {
        self.follow(self.link.close());
    }

    /// Closes the endpoint; what waits is dropped. asyncio: `transport.abort()`.
    pub fn abort(&self) {
        self.follow(self.link.abort());
    }

    /// Whether the endpoint is closing or closed. asyncio: `is_closing()`.
    pub fn is_closing(&self) -> bool {
        self.link.machine().is_closing()
    }

    /// Whether it is over: `connection_lost` was called.
    pub fn is_lost(&self) -> bool {
        self.link.machine().phase() == Phase::Lost
    }

    /// Sets the marks of flow control. asyncio: `set_write_buffer_limits()`.
    pub fn set_write_buffer_limits(&self, limits: WriteBufferLimits) {
        self.follow(self.link.set_limits(limits));
    }

    /// The marks of flow control. asyncio: `get_write_buffer_limits()`.
    pub fn get_write_buffer_limits(&self) -> WriteBufferLimits {
        self.link.machine().limits()
    }

    /// How many bytes wait to be sent, and eight for each message.
    ///
    /// asyncio: `get_write_buffer_size()`.
    pub fn get_write_buffer_size(&self) -> usize {
        self.link.pending()
    }

    /// What is known of the endpoint; `None` once it is closed.
    ///
    /// asyncio: `transport.get_extra_info()`.
    pub fn get_extra_info(&self, what: ExtraInfo) -> Option<ExtraValue> {
        match what {
            ExtraInfo::PeerName => self.name(End::Peer),
            ExtraInfo::SockName => self.name(End::Local),
            ExtraInfo::Socket => self.link.descriptor().map(ExtraValue::Descriptor),
            #[cfg(feature = "tls")]
            ExtraInfo::SslObject => None,
        }
    }

    /// The address it is connected to; `None` if it is to none, once it is closed,
    /// and of Unix sockets.
    ///
    /// asyncio: `get_extra_info('peername')`.
    pub fn peer_address(&self) -> Option<SocketAddr> {
        self.link.address(End::Peer)
    }

    /// This side's address; `None` once it is closed, and of Unix sockets.
    ///
    /// asyncio: `get_extra_info('sockname')`.
    pub fn local_address(&self) -> Option<SocketAddr> {
        self.link.address(End::Local)
    }

    fn name(&self, end: End) -> Option<ExtraValue> {
        let name = self.link.address(end).map(ExtraValue::Address);
        #[cfg(feature = "std")]
        let name = name.or_else(|| self.link.unix_address(end).map(ExtraValue::UnixAddress));
        name
    }
}

impl<A> fmt::Debug for DatagramTransport<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatagramTransport")
            .field("phase", &self.link.machine().phase())
            .field("write_buffer_size", &self.get_write_buffer_size())
            .finish()
    }
}
