//! A UDP socket: a source of messages, and endpoints over it.

use super::net_error::NetError;
use crate::registered::Registered;
use crate::selector::StdSelector;
use crate::source_error::creation_error;
use core::fmt;
use core::task::{Context, Poll};
use molen_core::io::source::{DatagramSource, End, Source, SourceError};
use molen_core::io::{EventListener, Interest, Ready};
use molen_core::net::{DatagramProtocol, DatagramTransport};
use molen_core::{get_running_loop, yield_now};
use std::io;
use std::net::SocketAddr;

/// A UDP socket of the loop it was made in.
///
/// asyncio: a socket used with `sock_recvfrom` and `sock_sendto`.
pub struct UdpSocket {
    socket: Registered<mio::net::UdpSocket>,
    connected: bool,
}

impl UdpSocket {
    /// A socket that receives on `local`, port 0 for any free one, and sends
    /// to `peer` alone if one is given. Must be called in a running loop.
    ///
    /// # Errors
    ///
    /// [`NetError`]: no loop runs, the address is in use or not ours, the
    /// addresses are of different families, no descriptors are left.
    pub fn bind(local: SocketAddr, peer: Option<SocketAddr>) -> Result<UdpSocket, NetError> {
        let bind = || {
            let selector = StdSelector::running("receiving datagrams")?;
            let socket =
                mio::net::UdpSocket::bind(local).map_err(|error| creation_error(&error))?;
            if let Some(peer) = peer {
                socket.connect(peer).map_err(|error| creation_error(&error))?;
            }
            let socket = Registered::new(selector, socket, Ready::WRITABLE)?;
            Ok(UdpSocket { socket, connected: peer.is_some() })
        };
        bind().map_err(|cause| NetError {
            operation: "receive datagrams on",
            address: local,
            cause,
        })
    }

    /// The address that it receives on.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.io().local_addr()
    }

    /// Lets messages go to everybody on a network (`SO_BROADCAST`).
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn set_broadcast(&self, broadcast: bool) -> io::Result<()> {
        self.socket.io().set_broadcast(broadcast)
    }
}

impl Source for UdpSocket {
    fn poll_ready(&self, cx: &mut Context<'_>, interest: Interest) -> Poll<()> {
        self.socket.poll_ready(cx, interest)
    }

    fn known_ready(&self) -> Ready {
        self.socket.known_ready()
    }

    fn listen(&self, listener: Option<EventListener>) -> bool {
        self.socket.listen(listener);
        true
    }

    fn address(&self, end: End) -> Option<SocketAddr> {
        match end {
            End::Local => self.local_addr().ok(),
            End::Peer => self.socket.io().peer_addr().ok(),
        }
    }
}

impl DatagramSource for UdpSocket {
    type Address = SocketAddr;

    fn try_recv_from(&self, buffer: &mut [u8]) -> Result<(usize, SocketAddr), SourceError> {
        self.socket.attempt(Ready::READABLE, |socket| socket.recv_from(buffer))
    }

    fn try_send_to(
        &self,
        message: &[u8],
        receiver: Option<&SocketAddr>,
    ) -> Result<usize, SourceError> {
        self.socket.attempt(Ready::WRITABLE, |socket| match receiver {
            Some(receiver) if !self.connected => socket.send_to(message, *receiver),
            _ => socket.send(message),
        })
    }
}

impl fmt::Debug for UdpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.socket.io().fmt(f)
    }
}

/// An endpoint that receives on `local`, and exchanges messages with `peer`
/// alone if one is given, with `protocol`. `connection_made` was called when
/// this returns.
///
/// asyncio: `loop.create_datagram_endpoint()`.
///
/// # Errors
///
/// [`NetError`]: the address is in use or not ours, no loop runs.
///
/// # Cancellation
///
/// The endpoint goes on by itself.
pub async fn create_datagram_endpoint<P: DatagramProtocol<SocketAddr> + 'static>(
    local: SocketAddr,
    peer: Option<SocketAddr>,
    protocol: P,
) -> Result<DatagramTransport<SocketAddr>, NetError> {
    let failed = |cause| NetError { operation: "receive datagrams on", address: local, cause };
    let socket = UdpSocket::bind(local, peer)?;
    let event_loop = get_running_loop().map_err(|_none| failed(SourceError::NoRunningLoop))?;
    let transport = DatagramTransport::new(&event_loop, socket, protocol, peer)
        .map_err(|_closed| failed(SourceError::Closed))?;
    yield_now().await;
    Ok(transport)
}
