//! A UDP socket: a source of messages.

use super::socket::{readiness, shown_and_numbered};
use crate::registered::Registered;
use crate::selector::StdSelector;
use crate::source_error::{creation_error, source_error};
use core::future::poll_fn;
use molen_core::io::source::{DatagramSource, End, Source, SourceError, poll_io};
use molen_core::io::{Interest, Ready};
use molen_core::net::NetError;
use molen_core::net::{DatagramOptions, anywhere_beside};
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;

/// A UDP socket of the loop it was made in.
///
/// Messages are whole or lost; a message of no bytes is one too. What is longer
/// than the buffer it is received to is cut off (on Windows received as
/// the error 10040).
///
/// An error tells of one message, maybe of an earlier one that nobody took at the
/// other side. The socket goes on.
///
/// All calls take `&self`, so that one task can receive while another sends; at
/// most one of each at a time may wait. Dropping it closes the socket.
///
/// asyncio: a datagram endpoint's socket, or one for `sock_recvfrom` and
/// `sock_sendto`.
pub struct UdpSocket {
    socket: Registered<mio::net::UdpSocket>,
    peer: Peer,
}

/// Whom a socket exchanges messages with.
#[derive(Clone, Copy)]
enum Peer {
    Anybody,
    /// The system lets no others through.
    Connected(SocketAddr),
    /// It sends there alone, and receives from anybody: answers to a broadcast
    /// come from other addresses.
    Always(SocketAddr),
}

/// Lets other sockets of this user be bound to the same address.
fn share(socket: &Socket) -> io::Result<()> {
    #[cfg(unix)]
    return socket.set_reuse_port(true);
    #[cfg(windows)]
    return socket.set_reuse_address(true);
}

impl UdpSocket {
    /// Receives at `address`, port 0 for any free one, in the running loop.
    ///
    /// asyncio: `create_datagram_endpoint(local_addr=…)`.
    ///
    /// # Errors
    ///
    /// [`NetError`]: no loop runs, the address is in use or not ours, there
    /// are no descriptors left.
    pub fn bind(address: SocketAddr) -> Result<UdpSocket, NetError> {
        let socket = || UdpSocket::open(address, None, &DatagramOptions::default());
        socket().map_err(|cause| NetError { operation: "bind to", address, cause })
    }

    /// As [`bind`](Self::bind), together with other sockets of this user that
    /// were bound so too: a group's messages come to all of them, others to one of them.
    ///
    /// What listens to a group, for [protocols](super::DatagramProtocol) as well:
    ///
    /// ```no_run
    /// # mod molen { pub use {molen_core::*, molen_std::{net, *}}; }
    /// use molen::net::{Answer, DatagramProtocol, DatagramTransport};
    /// use molen::net::{UdpSocket, connect_datagram_socket};
    /// use std::net::{Ipv4Addr, SocketAddr};
    ///
    /// struct Discovery;
    ///
    /// impl DatagramProtocol for Discovery {
    ///     fn datagram_received(
    ///         &mut self,
    ///         transport: &DatagramTransport,
    ///         data: &[u8],
    ///         sender: &SocketAddr,
    ///     ) -> Answer {
    ///         if data == b"who is there?" {
    ///             transport.sendto(b"I am", Some(sender))?;
    ///         }
    ///         Ok(())
    ///     }
    /// }
    ///
    /// # async fn example() -> std::io::Result<()> {
    /// let socket = UdpSocket::bind_shared((Ipv4Addr::UNSPECIFIED, 15353).into())?;
    /// socket.join_multicast_v4(Ipv4Addr::new(239, 255, 0, 1), Ipv4Addr::UNSPECIFIED)?;
    /// let listening = connect_datagram_socket(socket, Discovery, None).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// asyncio: `create_datagram_endpoint(local_addr=…, reuse_port=True)`.
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind).
    pub fn bind_shared(address: SocketAddr) -> Result<UdpSocket, NetError> {
        let shared = DatagramOptions { reuse_port: true, ..DatagramOptions::default() };
        UdpSocket::open(address, None, &shared).map_err(|cause| NetError {
            operation: "bind to the shared address",
            address,
            cause,
        })
    }

    /// Exchanges messages with `peer` alone, from any free port.
    ///
    /// asyncio: `create_datagram_endpoint(remote_addr=…)`.
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind), and that there is no way to the peer.
    pub fn connect(peer: SocketAddr) -> Result<UdpSocket, NetError> {
        UdpSocket::connect_from(anywhere_beside(peer), peer)
    }

    /// Exchanges messages with `peer` alone, at `local`.
    ///
    /// asyncio: `create_datagram_endpoint(local_addr=…, remote_addr=…)`.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    pub fn connect_from(local: SocketAddr, peer: SocketAddr) -> Result<UdpSocket, NetError> {
        UdpSocket::open(local, Some(peer), &DatagramOptions::default()).map_err(|cause| NetError {
            operation: "connect to",
            address: peer,
            cause,
        })
    }

    /// Takes over a socket of the standard library for the running loop.
    ///
    /// # Errors
    ///
    /// [`SourceError`]: no loop runs, or the socket cannot be made non-blocking
    /// or registered.
    pub fn from_std(socket: std::net::UdpSocket) -> Result<UdpSocket, SourceError> {
        let selector = StdSelector::running("taking over a socket")?;
        socket.set_nonblocking(true).map_err(|error| creation_error(&error))?;
        let peer = socket.peer_addr().map_or(Peer::Anybody, Peer::Connected);
        UdpSocket::register(selector, socket, peer)
    }

    /// With these options, and connected to `peer` unless broadcasts are allowed.
    pub(super) fn open(
        local: SocketAddr,
        peer: Option<SocketAddr>,
        options: &DatagramOptions,
    ) -> Result<UdpSocket, SourceError> {
        // First of all: without a loop no socket is opened.
        let selector = StdSelector::running("opening a socket")?;
        let open = || {
            let domain = Domain::for_address(local);
            let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
            socket.set_nonblocking(true)?;
            if options.reuse_port {
                share(&socket)?;
            }
            if options.allow_broadcast {
                socket.set_broadcast(true)?;
            }
            socket.bind(&local.into())?;
            let peer = match peer {
                None => Peer::Anybody,
                Some(peer) if options.allow_broadcast => Peer::Always(peer),
                Some(peer) => {
                    socket.connect(&peer.into())?;
                    Peer::Connected(peer)
                }
            };
            Ok((socket, peer))
        };
        let (socket, peer) = open().map_err(|error: io::Error| creation_error(&error))?;
        UdpSocket::register(selector, socket.into(), peer)
    }

    fn register(
        selector: Rc<StdSelector>,
        socket: std::net::UdpSocket,
        peer: Peer,
    ) -> Result<UdpSocket, SourceError> {
        let socket = mio::net::UdpSocket::from_std(socket);
        // There is room to write; should there be none, the first one finds out.
        Ok(UdpSocket { socket: Registered::new(selector, socket, Ready::WRITABLE)?, peer })
    }

    /// The address that it receives at.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.io().local_addr()
    }

    /// The only address that it exchanges messages with, if it is connected.
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        match self.peer {
            Peer::Connected(peer) => Some(peer),
            Peer::Anybody | Peer::Always(_) => None,
        }
    }

    pub(super) fn io(&self) -> &mio::net::UdpSocket {
        self.socket.io()
    }

    /// Takes the next message and its sender, if there is one.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](SourceError::WouldBlock) when there is none yet; others
    /// tell of a message that was sent before.
    pub fn try_recv_from(&self, buffer: &mut [u8]) -> Result<(usize, SocketAddr), SourceError> {
        self.socket.attempt(Ready::READABLE, |socket| socket.recv_from(buffer))
    }

    /// Sends `message`, whole, to `receiver`, or to the peer if it is `None`.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](SourceError::WouldBlock) when there is no room. A receiver
    /// other than the peer of a connected socket is refused, on all systems,
    /// as being connected.
    pub fn try_send_to(
        &self,
        message: &[u8],
        receiver: Option<SocketAddr>,
    ) -> Result<usize, SourceError> {
        let receiver = match (receiver, self.peer) {
            (Some(receiver), Peer::Connected(peer) | Peer::Always(peer)) if receiver != peer => {
                return Err(SourceError::Os(IS_CONNECTED));
            }
            (_, Peer::Always(peer)) => Some(peer),
            (receiver, Peer::Anybody) => receiver,
            (_, Peer::Connected(_)) => None,
        };
        self.socket.attempt(Ready::WRITABLE, |socket| match receiver {
            Some(receiver) => socket.send_to(message, receiver),
            None => socket.send(message),
        })
    }

    /// Takes the next message and its sender, waiting for one; how long it is.
    ///
    /// asyncio: `loop.sock_recvfrom_into()`.
    ///
    /// # Errors
    ///
    /// As [`try_recv_from`](Self::try_recv_from), but never `WouldBlock`.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost: a message is taken only in the step that returns it.
    pub async fn recv_from(&self, buffer: &mut [u8]) -> Result<(usize, SocketAddr), SourceError> {
        poll_fn(|cx| poll_io(self, cx, Interest::READABLE, || self.try_recv_from(buffer))).await
    }

    /// Takes the next message, waiting for one; how long it is.
    ///
    /// asyncio: `loop.sock_recv()`.
    ///
    /// # Errors
    ///
    /// As [`recv_from`](Self::recv_from).
    ///
    /// # Cancellation
    ///
    /// As [`recv_from`](Self::recv_from).
    pub async fn recv(&self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        self.recv_from(buffer).await.map(|(length, _sender)| length)
    }

    /// Sends `message`, whole, to `receiver`, waiting for room.
    ///
    /// asyncio: `loop.sock_sendto()`.
    ///
    /// # Errors
    ///
    /// As [`try_send_to`](Self::try_send_to), but never `WouldBlock`.
    ///
    /// # Cancellation
    ///
    /// The message was not sent.
    pub async fn send_to(&self, message: &[u8], receiver: SocketAddr) -> Result<(), SourceError> {
        poll_fn(|cx| {
            poll_io(self, cx, Interest::WRITABLE, || self.try_send_to(message, Some(receiver)))
        })
        .await?;
        Ok(())
    }

    /// Sends `message`, whole, to the peer, waiting for room.
    ///
    /// asyncio: `loop.sock_sendall()` of a connected socket.
    ///
    /// # Errors
    ///
    /// As [`send_to`](Self::send_to), and when there is no peer.
    ///
    /// # Cancellation
    ///
    /// The message was not sent.
    pub async fn send(&self, message: &[u8]) -> Result<(), SourceError> {
        poll_fn(|cx| poll_io(self, cx, Interest::WRITABLE, || self.try_send_to(message, None)))
            .await?;
        Ok(())
    }

    /// Takes the error that the system keeps for the socket, if there is one.
    ///
    /// # Errors
    ///
    /// The operating system's, about the question itself.
    pub fn take_error(&self) -> io::Result<Option<SourceError>> {
        Ok(self.io().take_error()?.as_ref().map(source_error))
    }
}

#[cfg(unix)]
const IS_CONNECTED: i32 = libc::EISCONN;
#[cfg(windows)]
const IS_CONNECTED: i32 = 10056;

impl Source for UdpSocket {
    readiness!();

    fn address(&self, end: End) -> Option<SocketAddr> {
        match end {
            End::Local => self.local_addr().ok(),
            End::Peer => self.peer_addr(),
        }
    }
}

impl DatagramSource for UdpSocket {
    type Address = SocketAddr;

    fn try_recv_from(&self, buffer: &mut [u8]) -> Result<(usize, SocketAddr), SourceError> {
        UdpSocket::try_recv_from(self, buffer)
    }

    fn try_send_to(
        &self,
        message: &[u8],
        receiver: Option<&SocketAddr>,
    ) -> Result<usize, SourceError> {
        UdpSocket::try_send_to(self, message, receiver.copied())
    }
}

shown_and_numbered!(UdpSocket);
