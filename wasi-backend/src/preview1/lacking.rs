//! What preview 1 has no call for.
//!
//! The names are those of other platforms, so that one source compiles for
//! all; each answers without asking the host.

use super::PLATFORM;
use super::socket::{TcpListener, TcpStream};
use core::net::SocketAddr;
use molen_core::Unsupported;
use molen_core::io::source::SourceError;
#[cfg(feature = "alloc")]
use molen_core::net::Family;
use molen_core::net::NetError;

const NO_SOCKETS: &str = "it has no call that makes a socket; a module has only the listening \
     sockets that its host opened for it (`TcpListener::inherited`)";
const OPENING_UDP: &str = "opening a UDP socket";
const NAMES: &str = "resolving a host name";
const NO_NAMES: &str = "it has no call for it";
const NO_OPTIONS: &str = "it has no call for options of sockets";
const NO_ADDRESSES: &str = "it has no call that tells the address of a socket";

fn lacks<T>(operation: &'static str, reason: &'static str) -> Result<T, SourceError> {
    Err(SourceError::Unsupported(Unsupported { operation, platform: PLATFORM, reason }))
}

impl TcpListener {
    /// Would listen at `address`.
    ///
    /// # Errors
    ///
    /// Always, [`SourceError::Unsupported`]; see [`inherited`](Self::inherited).
    pub fn bind(address: SocketAddr) -> Result<TcpListener, NetError> {
        lacks("opening a listening socket", NO_SOCKETS).map_err(|cause| NetError {
            operation: "listen on",
            address,
            cause,
        })
    }

    /// Would tell where it listens.
    ///
    /// # Errors
    ///
    /// Always [`SourceError::Unsupported`].
    pub fn local_addr(&self) -> Result<SocketAddr, SourceError> {
        lacks("asking for a local address", NO_ADDRESSES)
    }
}

impl TcpStream {
    /// Would connect to `address`.
    ///
    /// # Errors
    ///
    /// Always [`SourceError::Unsupported`].
    pub async fn connect(address: SocketAddr) -> Result<TcpStream, NetError> {
        lacks("opening a connection", NO_SOCKETS).map_err(|cause| NetError {
            operation: "connect to",
            address,
            cause,
        })
    }

    /// Would say whether small writes leave at once (`TCP_NODELAY`).
    ///
    /// # Errors
    ///
    /// Always [`SourceError::Unsupported`].
    pub fn nodelay(&self) -> Result<bool, SourceError> {
        lacks("the option TCP_NODELAY", NO_OPTIONS)
    }

    /// Would have small writes leave at once (`TCP_NODELAY`).
    ///
    /// # Errors
    ///
    /// Always [`SourceError::Unsupported`].
    pub fn set_nodelay(&self, _nodelay: bool) -> Result<(), SourceError> {
        lacks("the option TCP_NODELAY", NO_OPTIONS)
    }

    /// Would tell the address of this end.
    ///
    /// # Errors
    ///
    /// Always [`SourceError::Unsupported`].
    pub fn local_addr(&self) -> Result<SocketAddr, SourceError> {
        lacks("asking for a local address", NO_ADDRESSES)
    }

    /// Would tell the address of the other end.
    ///
    /// # Errors
    ///
    /// Always [`SourceError::Unsupported`].
    pub fn peer_addr(&self) -> Result<SocketAddr, SourceError> {
        lacks("asking for a peer's address", NO_ADDRESSES)
    }
}

/// A UDP socket, of which preview 1 can make none.
pub enum UdpSocket {}

impl UdpSocket {
    /// Would make a UDP socket at `address`.
    ///
    /// # Errors
    ///
    /// Always [`SourceError::Unsupported`].
    pub fn bind(address: SocketAddr) -> Result<UdpSocket, NetError> {
        lacks(OPENING_UDP, NO_SOCKETS).map_err(|cause| NetError {
            operation: "bind to",
            address,
            cause,
        })
    }
}

/// Would resolve `host`. asyncio: `loop.getaddrinfo()`.
///
/// # Errors
///
/// Always [`SourceError::Unsupported`].
pub async fn getaddrinfo(_host: &str) -> Result<core::iter::Empty<SocketAddr>, SourceError> {
    lacks(NAMES, NO_NAMES)
}

/// The TCP of preview 1, which makes no socket: connections and servers fail
/// with the reason.
#[cfg(feature = "alloc")]
#[derive(Clone, Copy, Debug, Default)]
pub struct Tcp;

#[cfg(feature = "alloc")]
impl molen_core::net::Network for Tcp {
    type Stream = TcpStream;
    type Listener = TcpListener;

    fn connect(
        &self,
        address: SocketAddr,
        _local: Option<SocketAddr>,
    ) -> impl Future<Output = Result<TcpStream, NetError>> + 'static {
        TcpStream::connect(address)
    }

    fn listen(
        &self,
        address: SocketAddr,
        _options: &molen_core::net::ListenOptions,
    ) -> Result<TcpListener, NetError> {
        TcpListener::bind(address)
    }

    fn resolve(&self, _host: &str, _port: u16, _family: Family) -> molen_core::net::Addresses {
        let lacking = Unsupported { operation: NAMES, platform: PLATFORM, reason: NO_NAMES };
        alloc::boxed::Box::pin(async move { Err(molen_core::net::NameError::Unsupported(lacking)) })
    }
}

/// The UDP of preview 1, which makes no socket: endpoints fail with the reason.
#[cfg(feature = "alloc")]
#[derive(Clone, Copy, Debug, Default)]
pub struct Udp;

#[cfg(feature = "alloc")]
impl molen_core::net::DatagramNetwork for Udp {
    type Socket = UdpSocket;

    fn open(
        &self,
        _local: SocketAddr,
        _remote: Option<SocketAddr>,
        _options: &molen_core::net::DatagramOptions,
    ) -> Result<UdpSocket, SourceError> {
        lacks(OPENING_UDP, NO_SOCKETS)
    }

    fn resolve(&self, host: &str, port: u16, family: Family) -> molen_core::net::Addresses {
        molen_core::net::Network::resolve(&Tcp, host, port, family)
    }
}

#[cfg(feature = "alloc")]
impl molen_core::io::source::Source for UdpSocket {
    fn poll_ready(
        &self,
        _cx: &mut core::task::Context<'_>,
        _interest: molen_core::io::Interest,
    ) -> core::task::Poll<()> {
        match *self {}
    }
}

#[cfg(feature = "alloc")]
impl molen_core::io::source::DatagramSource for UdpSocket {
    type Address = SocketAddr;

    fn try_recv_from(&self, _buffer: &mut [u8]) -> Result<(usize, SocketAddr), SourceError> {
        match *self {}
    }

    fn try_send_to(
        &self,
        _message: &[u8],
        _receiver: Option<&SocketAddr>,
    ) -> Result<usize, SourceError> {
        match *self {}
    }
}
