//! A Unix socket for messages.

use super::socket::{readiness, shown_and_numbered};
use super::unix_error::UnixError;
use super::unix_name::{Doing, ToUnixAddress, from_system, to_system};
use super::unix_path::{OwnPath, remove_stale};
use crate::registered::Registered;
use crate::selector::StdSelector;
use crate::source_error::creation_error;
use core::future::poll_fn;
use molen_core::io::source::{DatagramSource, End, Source, SourceError, poll_io};
use molen_core::io::{Interest, Ready};
use molen_core::net::UnixAddress;
use molen_core::time::Duration;
use socket2::{Domain, SockRef, Socket, Type};
use std::io;

/// A Unix socket for messages, of the loop it was made in.
///
/// Messages are whole, in order, and none is lost while the receiver lives: who
/// sends waits for room. What is longer than the buffer it is received to is cut off;
/// endpoints have one of 256 KiB.
///
/// All calls take `&self`, so that one task can receive while another sends; at
/// most one of each at a time may wait. Dropping it closes the socket and
/// removes its path, unless another socket is there by then.
///
/// asyncio: the socket of a datagram endpoint with `family=AF_UNIX`.
pub struct UnixDatagram {
    // Closed before the path is removed, as for streams.
    socket: Registered<mio::net::UnixDatagram>,
    _path: OwnPath,
    /// The only address that it sends to.
    peer: Option<UnixAddress>,
}

/// How long to wait before sending anew to somebody who had no room. The system
/// tells a connected socket when its peer has room again, but no other.
///
/// asyncio tries all the time.
const RETRY: Duration = Duration::from_millis(1);

/// How long a message may be that an endpoint receives whole. Linux lets one be
/// as long as the sender's buffer, some 208 KiB unless somebody has set it.
///
/// asyncio: 256 KiB.
const LONGEST: usize = 256 << 10;

impl UnixDatagram {
    /// Receives at the path or abstract name `name`, in the running loop. A
    /// socket that is there already is replaced.
    ///
    /// asyncio: `create_datagram_endpoint(local_addr=…, family=AF_UNIX)`.
    ///
    /// # Errors
    ///
    /// [`UnixError`]: something that is no socket is there, there is no such
    /// directory or no permission, no descriptors are left, no loop runs.
    pub fn bind(name: impl ToUnixAddress) -> Result<UnixDatagram, UnixError> {
        let doing = Doing::new("bind to", &name);
        let address = doing.address()?;
        UnixDatagram::open(&address, None).map_err(|cause| doing.failed(cause))
    }

    /// Sends to `name` alone. It has no name of its own, so nobody can answer.
    ///
    /// asyncio: `create_datagram_endpoint(remote_addr=…, family=AF_UNIX)`.
    ///
    /// # Errors
    ///
    /// As [`bind`](Self::bind), and that nobody receives there.
    pub fn connect(name: impl ToUnixAddress) -> Result<UnixDatagram, UnixError> {
        let doing = Doing::new("connect to", &name);
        let peer = doing.address()?;
        let opened = UnixDatagram::open(&UnixAddress::UNNAMED, Some(peer));
        opened.map_err(|cause| doing.failed(cause))
    }

    /// Two sockets without names that send to each other.
    ///
    /// # Errors
    ///
    /// [`SourceError`]: no loop runs, no descriptors are left.
    pub fn pair() -> Result<(UnixDatagram, UnixDatagram), SourceError> {
        let pair = std::os::unix::net::UnixDatagram::pair();
        let (one, other) = pair.map_err(|error| creation_error(&error))?;
        Ok((UnixDatagram::from_std(one)?, UnixDatagram::from_std(other)?))
    }

    /// Takes over a socket of the standard library for the running loop. Its
    /// path is left when it is closed.
    ///
    /// # Errors
    ///
    /// [`SourceError`]: no loop runs, or the socket cannot be made non-blocking
    /// or registered.
    pub fn from_std(socket: std::os::unix::net::UnixDatagram) -> Result<UnixDatagram, SourceError> {
        let peer = socket.peer_addr().ok().map(|peer| from_system(&peer));
        UnixDatagram::register(socket, OwnPath::STAYS, peer)
    }

    /// With neither name nor peer if these are unnamed and none.
    pub(super) fn open(
        local: &UnixAddress,
        peer: Option<UnixAddress>,
    ) -> Result<UnixDatagram, SourceError> {
        // First of all: without a loop no socket is opened.
        StdSelector::running("opening a socket")?;
        let open = || {
            let socket = Socket::new(Domain::UNIX, Type::DGRAM, None)?;
            let mut path = OwnPath::STAYS;
            if !local.is_unnamed() {
                remove_stale(local);
                socket.bind(&to_system(local)?)?;
                path = OwnPath::of(local);
            }
            if let Some(peer) = peer {
                socket.connect(&to_system(&peer)?)?;
            }
            Ok((socket, path))
        };
        let (socket, path) = open().map_err(|error: io::Error| creation_error(&error))?;
        UnixDatagram::register(socket.into(), path, peer)
    }

    fn register(
        socket: std::os::unix::net::UnixDatagram,
        path: OwnPath,
        peer: Option<UnixAddress>,
    ) -> Result<UnixDatagram, SourceError> {
        let selector = StdSelector::running("taking over a socket")?;
        socket.set_nonblocking(true).map_err(|error| creation_error(&error))?;
        let socket = mio::net::UnixDatagram::from_std(socket);
        // There is room to write; should there be none, the first one finds out.
        let socket = Registered::new(selector, socket, Ready::WRITABLE)?;
        Ok(UnixDatagram { socket, _path: path, peer })
    }

    pub(super) fn io(&self) -> &mio::net::UnixDatagram {
        self.socket.io()
    }

    /// The address that it receives at.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn local_addr(&self) -> io::Result<UnixAddress> {
        self.socket.io().local_addr().map(|address| from_system(&address))
    }

    /// The only address that it sends to, if it is connected.
    pub fn peer_addr(&self) -> Option<UnixAddress> {
        self.peer
    }

    /// Takes the next message and its sender, waiting for one; how long it is.
    ///
    /// asyncio: `loop.sock_recvfrom()`.
    ///
    /// # Errors
    ///
    /// The operating system's, but never `WouldBlock`.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost: a message is taken only in the step that returns it.
    pub async fn recv_from(&self, buffer: &mut [u8]) -> Result<(usize, UnixAddress), SourceError> {
        poll_fn(|cx| poll_io(self, cx, Interest::READABLE, || self.try_recv_from(buffer))).await
    }

    /// Sends `message`, whole, to `receiver`, waiting until that has room; to the
    /// peer if it is `None`.
    ///
    /// asyncio: `loop.sock_sendto()`.
    ///
    /// # Errors
    ///
    /// Nobody receives there, or it is not there; the message is too long.
    ///
    /// # Cancellation
    ///
    /// The message was not sent.
    pub async fn send_to(
        &self,
        message: &[u8],
        receiver: Option<&UnixAddress>,
    ) -> Result<(), SourceError> {
        poll_fn(|cx| poll_io(self, cx, Interest::WRITABLE, || self.try_send_to(message, receiver)))
            .await?;
        Ok(())
    }
}

impl Source for UnixDatagram {
    readiness!();

    fn unix_address(&self, end: End) -> Option<UnixAddress> {
        match end {
            End::Local => self.local_addr().ok(),
            End::Peer => self.peer,
        }
    }
}

impl DatagramSource for UnixDatagram {
    type Address = UnixAddress;

    fn longest_message(&self) -> usize {
        LONGEST
    }

    fn try_recv_from(&self, buffer: &mut [u8]) -> Result<(usize, UnixAddress), SourceError> {
        self.socket.attempt(Ready::READABLE, |socket| {
            let (count, sender) = socket.recv_from(buffer)?;
            Ok((count, from_system(&sender)))
        })
    }

    fn try_send_to(
        &self,
        message: &[u8],
        receiver: Option<&UnixAddress>,
    ) -> Result<usize, SourceError> {
        let Some(receiver) = receiver else {
            return self.socket.attempt(Ready::WRITABLE, |socket| socket.send(message));
        };
        let receiver = to_system(receiver).map_err(|error| creation_error(&error))?;
        let sent = self
            .socket
            .attempt(Ready::WRITABLE, |socket| SockRef::from(socket).send_to(message, &receiver));
        if sent == Err(SourceError::WouldBlock) {
            self.socket.retry_after(Ready::WRITABLE, RETRY);
        }
        sent
    }
}

shown_and_numbered!(UnixDatagram);
