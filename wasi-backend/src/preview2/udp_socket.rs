//! A UDP socket: a source of messages, by `wasi:sockets/udp`.

use super::address;
use super::error::source_error;
use super::watch::Watch;
use alloc::borrow::ToOwned;
use core::future::poll_fn;
use core::net::SocketAddr;
use core::task::{Context, Poll};
use molen_core::io::source::{DatagramSource, End, Source, SourceError, poll_io};
use molen_core::io::{Interest, Ready};
use molen_core::net::NetError;
use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::network::ErrorCode;
use wasip2::sockets::udp::{
    IncomingDatagramStream, OutgoingDatagram, OutgoingDatagramStream, UdpSocket as HostSocket,
};
use wasip2::sockets::udp_create_socket::create_udp_socket;

/// A UDP socket. asyncio: a datagram endpoint's socket.
///
/// Messages are whole or lost; what is longer than the buffer it is received to
/// is cut off. An error tells of one message, and the socket goes on.
pub struct UdpSocket {
    // The order of the fields is the order of their drops: children first.
    watch: Watch,
    incoming: IncomingDatagramStream,
    outgoing: OutgoingDatagramStream,
    socket: HostSocket,
    /// The only address that it exchanges messages with.
    peer: Option<SocketAddr>,
}

impl UdpSocket {
    /// Receives at `address`, port 0 for any free one.
    ///
    /// # Errors
    ///
    /// [`NetError`]: the address is in use or not ours, or the host does not
    /// let the component use the network.
    pub fn bind(address: SocketAddr) -> Result<UdpSocket, NetError> {
        UdpSocket::open(address, None).map_err(|code| NetError {
            operation: "bind to",
            address,
            cause: source_error(OPENING, code),
        })
    }

    /// Receives at `local`, and exchanges messages with `peer` alone if there is one.
    pub(super) fn open(
        local: SocketAddr,
        peer: Option<SocketAddr>,
    ) -> Result<UdpSocket, ErrorCode> {
        let socket = create_udp_socket(address::family(&local))?;
        socket.start_bind(&instance_network(), address::to_host(local))?;
        {
            let pollable = socket.subscribe();
            while let Err(code) = socket.finish_bind() {
                match code {
                    // It involves nobody outside of the host.
                    ErrorCode::WouldBlock => pollable.block(),
                    code => return Err(code),
                }
            }
        }
        let (incoming, outgoing) = socket.stream(peer.map(address::to_host))?;
        let watch = Watch::new(Some(incoming.subscribe()), Some(outgoing.subscribe()));
        Ok(UdpSocket { watch, incoming, outgoing, socket, peer })
    }

    /// The address that it receives at.
    ///
    /// # Errors
    ///
    /// The host's.
    pub fn local_addr(&self) -> Result<SocketAddr, SourceError> {
        let address = self.socket.local_address();
        address.map(address::from_host).map_err(|code| source_error("asking for an address", code))
    }

    /// The only address that it exchanges messages with, if it is connected.
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// Takes the next message and its sender, waiting for one; how long it is.
    ///
    /// # Errors
    ///
    /// The host's, but never `WouldBlock`.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost: a message is taken only in the step that returns it.
    pub async fn recv_from(&self, buffer: &mut [u8]) -> Result<(usize, SocketAddr), SourceError> {
        poll_fn(|cx| poll_io(self, cx, Interest::READABLE, || self.try_recv_from(buffer))).await
    }

    /// Takes the next message, waiting for one; how long it is.
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
    /// # Errors
    ///
    /// The host's, but never `WouldBlock`.
    ///
    /// # Cancellation
    ///
    /// The message was not sent.
    pub async fn send_to(&self, message: &[u8], receiver: SocketAddr) -> Result<(), SourceError> {
        poll_fn(|cx| {
            poll_io(self, cx, Interest::WRITABLE, || self.try_send_to(message, Some(&receiver)))
        })
        .await?;
        Ok(())
    }

    fn would_block(&self, direction: Ready) -> SourceError {
        self.watch.clear(direction);
        SourceError::WouldBlock
    }
}

const OPENING: &str = "opening a UDP socket";

impl Source for UdpSocket {
    fn poll_ready(&self, cx: &mut Context<'_>, interest: Interest) -> Poll<()> {
        self.watch.poll_ready(cx, interest)
    }

    fn address(&self, end: End) -> Option<SocketAddr> {
        match end {
            End::Local => self.local_addr().ok(),
            End::Peer => self.peer,
        }
    }
}

impl DatagramSource for UdpSocket {
    type Address = SocketAddr;

    fn try_recv_from(&self, buffer: &mut [u8]) -> Result<(usize, SocketAddr), SourceError> {
        match self.incoming.receive(1) {
            Ok(messages) => {
                let Some(message) = messages.into_iter().next() else {
                    return Err(self.would_block(Ready::READABLE));
                };
                let count = message.data.len().min(buffer.len());
                buffer[..count].copy_from_slice(&message.data[..count]);
                Ok((count, address::from_host(message.remote_address)))
            }
            Err(ErrorCode::WouldBlock) => Err(self.would_block(Ready::READABLE)),
            Err(code) => Err(source_error("receiving a datagram", code)),
        }
    }

    fn try_send_to(
        &self,
        message: &[u8],
        receiver: Option<&SocketAddr>,
    ) -> Result<usize, SourceError> {
        const SENDING: &str = "sending a datagram";
        let failed = |code| source_error(SENDING, code);
        // Sending more than this permits traps.
        match self.outgoing.check_send() {
            Ok(0) | Err(ErrorCode::WouldBlock) => return Err(self.would_block(Ready::WRITABLE)),
            Ok(_permitted) => {}
            Err(code) => return Err(failed(code)),
        }
        let remote_address = receiver.copied().map(address::to_host);
        let message = OutgoingDatagram { data: message.to_owned(), remote_address };
        let length = message.data.len();
        match self.outgoing.send(&[message]) {
            Ok(0) | Err(ErrorCode::WouldBlock) => Err(self.would_block(Ready::WRITABLE)),
            Ok(_sent) => Ok(length),
            Err(code) => Err(failed(code)),
        }
    }
}
