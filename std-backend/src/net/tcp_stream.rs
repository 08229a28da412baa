//! A TCP connection: a source of bytes in both directions.

use super::socket::{bytes, readiness, shown_and_numbered};
use crate::registered::Registered;
use crate::selector::StdSelector;
use crate::source_error::creation_error;
use core::future::poll_fn;
use core::task::{Context, Poll};
use molen_core::io::source::{self, ByteSource, End, Source, SourceError, poll_io};
use molen_core::io::{Interest, Ready};
use molen_core::net::NetError;
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::SocketAddr;
use std::rc::Rc;

/// A TCP connection of the loop it was made in.
///
/// All calls take `&self`, so that one task can read while another writes; at
/// most one of each at a time, as only one waiter is kept for a direction.
/// Dropping it closes the connection.
///
/// asyncio: a socket used with `sock_recv`, `sock_sendall` and their kind.
pub struct TcpStream {
    socket: Registered<mio::net::TcpStream>,
}

impl TcpStream {
    /// Connects to `address`, in the running loop.
    ///
    /// asyncio: `loop.sock_connect()`.
    ///
    /// # Errors
    ///
    /// [`NetError`]: refused, unreachable, timed out by the system, no
    /// descriptors left, no loop runs.
    ///
    /// # Cancellation
    ///
    /// The attempt is given up and its socket closed.
    pub async fn connect(address: SocketAddr) -> Result<TcpStream, NetError> {
        TcpStream::connect_from(address, None).await
    }

    /// Connects to `address` from `local`, in the running loop; port 0 stands
    /// for any free one.
    ///
    /// asyncio: `socket.bind()`, and `loop.sock_connect()`.
    ///
    /// # Errors
    ///
    /// As for [`connect`](Self::connect); a failure to bind names `local`.
    ///
    /// # Cancellation
    ///
    /// The attempt is given up and its socket closed.
    pub async fn connect_from(
        address: SocketAddr,
        local: Option<SocketAddr>,
    ) -> Result<TcpStream, NetError> {
        let failed = |cause| NetError { operation: "connect to", address, cause };
        let selector = StdSelector::running("connecting").map_err(failed)?;
        let socket = new_socket(address).map_err(failed)?;
        if let Some(local) = local {
            socket.bind(&local.into()).map_err(|error| NetError {
                operation: "bind to",
                address: local,
                cause: creation_error(&error),
            })?;
        }
        let stream = begin_to_connect(selector, socket, address).map_err(failed)?;
        poll_fn(|cx| stream.poll_connected(cx)).await.map_err(failed)?;
        Ok(stream)
    }

    /// Takes over a connection of the standard library for the running loop.
    ///
    /// # Errors
    ///
    /// [`SourceError`]: no loop runs, or the socket cannot be made non-blocking
    /// or registered.
    pub fn from_std(stream: std::net::TcpStream) -> Result<TcpStream, SourceError> {
        let selector = StdSelector::running("taking over a connection")?;
        stream.set_nonblocking(true).map_err(|error| creation_error(&error))?;
        TcpStream::accepted(selector, mio::net::TcpStream::from_std(stream))
    }

    /// A connection that is open already.
    pub(super) fn accepted(
        selector: Rc<StdSelector>,
        stream: mio::net::TcpStream,
    ) -> Result<TcpStream, SourceError> {
        // There is room to write in a new connection; should there be none,
        // the first write finds out.
        Ok(TcpStream { socket: Registered::new(selector, stream, Ready::WRITABLE)? })
    }

    fn poll_connected(&self, cx: &mut Context<'_>) -> Poll<Result<(), SourceError>> {
        loop {
            // Readiness comes first: a socket that has not begun to connect
            // looks like one that failed without a reason.
            if self.poll_ready(cx, Interest::WRITABLE).is_pending() {
                self.socket.place().check_loop()?;
                return Poll::Pending;
            }
            match self.check_connected() {
                Err(SourceError::WouldBlock) => self.socket.place().clear(Ready::WRITABLE),
                done => return Poll::Ready(done),
            }
        }
    }

    /// Whether the connection stands now, or why it never will.
    fn check_connected(&self) -> Result<(), SourceError> {
        let stream = self.socket.io();
        let failed = |error| match creation_error(&error) {
            // This would be waited for once more, and never come.
            SourceError::WouldBlock => SourceError::Os(error.raw_os_error().unwrap_or(0)),
            other => other,
        };
        if let Some(error) = stream.take_error().map_err(failed)? {
            return Err(failed(error));
        }
        match stream.peer_addr() {
            Ok(_peer) => Ok(()),
            Err(error) if is_connecting(&error) => Err(SourceError::WouldBlock),
            Err(error) => Err(failed(error)),
        }
    }

    pub(super) fn io(&self) -> &mio::net::TcpStream {
        self.socket.io()
    }

    /// This end's address.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.io().local_addr()
    }

    /// The other end's address.
    ///
    /// # Errors
    ///
    /// The operating system's, when the other end is gone for instance.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket.io().peer_addr()
    }

    /// Whether small writes leave at once (`TCP_NODELAY`).
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn nodelay(&self) -> io::Result<bool> {
        self.socket.io().nodelay()
    }

    /// Has small writes leave at once (`TCP_NODELAY`). asyncio does so for
    /// all its TCP transports.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.socket.io().set_nodelay(nodelay)
    }

    /// Reads what there is, up to the buffer's length, waiting until there is
    /// something. 0 means the end.
    ///
    /// asyncio: `loop.sock_recv_into()`.
    ///
    /// # Errors
    ///
    /// The connection's, but never `WouldBlock`.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost: bytes are taken only in the step that returns them.
    pub async fn read(&self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        source::read(self, buffer).await
    }

    /// Writes the start of `bytes`, waiting until there is room for some.
    ///
    /// asyncio: `socket.send()`, when the socket can be written.
    ///
    /// # Errors
    ///
    /// The connection's, but never `WouldBlock`.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost: bytes are written only in the step that returns.
    pub async fn write(&self, bytes: &[u8]) -> Result<usize, SourceError> {
        source::write_some(self, bytes).await
    }

    /// Writes all of `bytes`, waiting for room.
    ///
    /// asyncio: `loop.sock_sendall()`.
    ///
    /// # Errors
    ///
    /// The connection's; then part may have been written.
    ///
    /// # Cancellation
    ///
    /// The start of `bytes` may have been written.
    pub async fn write_all(&self, bytes: &[u8]) -> Result<(), SourceError> {
        source::write_all(self, bytes).await
    }

    /// Writes the start of several buffers with one system call, waiting until
    /// there is room for some; returns how many bytes.
    ///
    /// asyncio: `socket.sendmsg`, with which transports write lists.
    ///
    /// # Errors
    ///
    /// The connection's, but never `WouldBlock`.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost: bytes are written only in the step that returns.
    pub async fn write_vectored(&self, buffers: &[IoSlice<'_>]) -> Result<usize, SourceError> {
        let write = || self.try_write_vectored(buffers);
        poll_fn(|cx| poll_io(self, cx, Interest::WRITABLE, write)).await
    }

    /// Writes the start of several buffers, as much as there is room for.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](SourceError::WouldBlock) when there is no room.
    pub fn try_write_vectored(&self, buffers: &[IoSlice<'_>]) -> Result<usize, SourceError> {
        let wanted = buffers.iter().map(|buffer| buffer.len()).sum();
        self.socket.transfer(Ready::WRITABLE, wanted, |mut io| io.write_vectored(buffers))
    }
}

/// A TCP socket of the family of `address`.
pub(super) fn new_socket(address: SocketAddr) -> Result<Socket, SourceError> {
    let made = non_blocking(Domain::for_address(address));
    made.map_err(|error| creation_error(&error))
}

/// In one call of the system, where it has one for that.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
fn non_blocking(domain: Domain) -> io::Result<Socket> {
    Socket::new(domain, Type::STREAM.nonblocking(), Some(Protocol::TCP))
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
fn non_blocking(domain: Domain) -> io::Result<Socket> {
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn begin_to_connect(
    selector: Rc<StdSelector>,
    socket: Socket,
    address: SocketAddr,
) -> Result<TcpStream, SourceError> {
    match socket.connect(&address.into()) {
        Err(error) if !is_under_way(&error) => return Err(creation_error(&error)),
        _begun => {}
    }
    let stream = mio::net::TcpStream::from_std(socket.into());
    Ok(TcpStream { socket: Registered::new(selector, stream, Ready::NONE)? })
}

/// Whether connecting has begun, and goes on by itself.
fn is_under_way(error: &io::Error) -> bool {
    #[cfg(unix)]
    if error.raw_os_error() == Some(libc::EINPROGRESS) {
        return true;
    }
    // After a signal it goes on as well.
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

/// Whether asking for the peer failed because there is none yet.
fn is_connecting(error: &io::Error) -> bool {
    #[cfg(unix)]
    if error.raw_os_error() == Some(libc::EINPROGRESS) {
        return true;
    }
    error.kind() == ErrorKind::NotConnected
}

impl Source for TcpStream {
    readiness!();

    fn address(&self, end: End) -> Option<SocketAddr> {
        match end {
            End::Local => self.local_addr().ok(),
            End::Peer => self.peer_addr().ok(),
        }
    }
}

impl ByteSource for TcpStream {
    bytes!();

    fn begin_transport(&self) {
        // Fails only on a connection that is lost already, which shows soon enough.
        let _ = self.set_nodelay(true);
    }
}

shown_and_numbered!(TcpStream);
