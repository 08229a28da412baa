//! A connection of Unix sockets: a source of bytes in both directions.

use super::socket::{bytes, readiness, shown_and_numbered};
use super::unix_error::UnixError;
use super::unix_name::{Doing, ToUnixAddress, from_system, to_system};
use super::unix_peer::{PeerCredentials, peer_credentials};
use crate::registered::Registered;
use crate::selector::StdSelector;
use crate::source_error::creation_error;
use molen_core::io::Ready;
use molen_core::io::source::{self, ByteSource, End, Source, SourceError};
use molen_core::net::UnixAddress;
use molen_core::{Duration, sleep};
use socket2::{Domain, Socket, Type};
use std::io::{self, ErrorKind, Read, Write};
use std::rc::Rc;

/// A connection of Unix sockets, of the loop it was made in.
///
/// All calls take `&self`, so that one task can read while another writes; at
/// most one of each at a time, as only one waiter is kept for a direction.
/// Dropping it closes the connection.
///
/// asyncio: a socket used with `sock_recv`, `sock_sendall` and their kind.
pub struct UnixStream {
    socket: Registered<mio::net::UnixStream>,
}

/// How long to wait before trying anew to connect to who has too many waiting.
const FIRST_RETRY: Duration = Duration::from_millis(1);
/// The longest wait between two tries.
const LAST_RETRY: Duration = Duration::from_millis(64);

impl UnixStream {
    /// Connects to the socket named `name`, in the running loop. While too many
    /// wait there to be accepted, it tries again and again, as the system tells
    /// nobody when there is room; a limit is the caller's to set.
    ///
    /// asyncio: `loop.sock_connect()`.
    ///
    /// # Errors
    ///
    /// [`UnixError`]: nobody listens, there is no such file or no permission,
    /// no descriptors are left, no loop runs.
    ///
    /// # Cancellation
    ///
    /// The attempt is given up and its socket closed.
    pub async fn connect(name: impl ToUnixAddress) -> Result<UnixStream, UnixError> {
        let doing = Doing::new("connect to", &name);
        let address = doing.address()?;
        UnixStream::connect_to(&address).await.map_err(|cause| doing.failed(cause))
    }

    pub(super) async fn connect_to(address: &UnixAddress) -> Result<UnixStream, SourceError> {
        let mut delay = FIRST_RETRY;
        loop {
            let selector = StdSelector::running("connecting")?;
            match connect(address) {
                Ok(stream) => return UnixStream::accepted(selector, stream),
                Err(error) if error.kind() == ErrorKind::WouldBlock => sleep(delay).await,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(creation_error(&error)),
            }
            delay = (delay * 2).min(LAST_RETRY);
        }
    }

    /// Two ends of a connection that has no name.
    ///
    /// asyncio's programs have `socket.socketpair()`.
    ///
    /// # Errors
    ///
    /// [`SourceError`]: no loop runs, no descriptors are left.
    pub fn pair() -> Result<(UnixStream, UnixStream), SourceError> {
        let selector = StdSelector::running("connecting")?;
        let (one, other) = mio::net::UnixStream::pair().map_err(|error| creation_error(&error))?;
        Ok((UnixStream::accepted(selector.clone(), one)?, UnixStream::accepted(selector, other)?))
    }

    /// Takes over a connection of the standard library for the running loop.
    ///
    /// # Errors
    ///
    /// [`SourceError`]: no loop runs, or the socket cannot be made non-blocking
    /// or registered.
    pub fn from_std(stream: std::os::unix::net::UnixStream) -> Result<UnixStream, SourceError> {
        let selector = StdSelector::running("taking over a connection")?;
        stream.set_nonblocking(true).map_err(|error| creation_error(&error))?;
        UnixStream::accepted(selector, mio::net::UnixStream::from_std(stream))
    }

    /// A connection that is open already.
    pub(super) fn accepted(
        selector: Rc<StdSelector>,
        stream: mio::net::UnixStream,
    ) -> Result<UnixStream, SourceError> {
        // There is room to write in a new connection; should there be none,
        // the first write finds out.
        Ok(UnixStream { socket: Registered::new(selector, stream, Ready::WRITABLE)? })
    }

    pub(super) fn io(&self) -> &mio::net::UnixStream {
        self.socket.io()
    }

    /// This end's address.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn local_addr(&self) -> io::Result<UnixAddress> {
        self.socket.io().local_addr().map(|address| from_system(&address))
    }

    /// The other end's address: of who connected, unnamed most of the time.
    ///
    /// # Errors
    ///
    /// The operating system's, when the other end is gone for instance.
    pub fn peer_addr(&self) -> io::Result<UnixAddress> {
        self.socket.io().peer_addr().map(|address| from_system(&address))
    }

    /// Which process made the other end, and on whose behalf: nobody can lie
    /// about that (`SO_PEERCRED`, `getpeereid`).
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn peer_credentials(&self) -> io::Result<PeerCredentials> {
        peer_credentials(self.socket.io())
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
}

fn connect(address: &UnixAddress) -> io::Result<mio::net::UnixStream> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.connect(&to_system(address)?)?;
    Ok(mio::net::UnixStream::from_std(socket.into()))
}

impl Source for UnixStream {
    readiness!();

    fn unix_address(&self, end: End) -> Option<UnixAddress> {
        match end {
            End::Local => self.local_addr().ok(),
            End::Peer => self.peer_addr().ok(),
        }
    }
}

impl ByteSource for UnixStream {
    bytes!();
}

shown_and_numbered!(UnixStream);
