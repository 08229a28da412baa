//! A connection of Unix sockets: a source of bytes in both directions.

use super::pieces;
use super::sendfile::try_sendfile;
use super::unix_error::UnixError;
use super::unix_name::{Doing, ToUnixAddress, from_system, to_system};
use super::unix_peer::{PeerCredentials, peer_credentials};
use crate::registered::Registered;
use crate::selector::StdSelector;
use crate::source_error::{creation_error, source_error};
use core::fmt;
use core::task::{Context, Poll};
use molen_core::io::source::{self, ByteSource, End, Source, SourceError};
use molen_core::io::{EventListener, Interest, Ready};
use molen_core::net::UnixAddress;
use molen_core::{Duration, sleep};
use socket2::{Domain, Socket, Type};
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::AsRawFd;
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
    #[inline]
    fn poll_ready(&self, cx: &mut Context<'_>, interest: Interest) -> Poll<()> {
        self.socket.poll_ready(cx, interest)
    }

    #[inline]
    fn known_ready(&self) -> Ready {
        self.socket.known_ready()
    }

    fn listen(&self, listener: Option<EventListener>) -> bool {
        self.socket.listen(listener);
        true
    }

    fn unix_address(&self, end: End) -> Option<UnixAddress> {
        match end {
            End::Local => self.local_addr().ok(),
            End::Peer => self.peer_addr().ok(),
        }
    }

    fn descriptor(&self) -> Option<u64> {
        u64::try_from(self.as_raw_fd()).ok()
    }
}

impl ByteSource for UnixStream {
    #[inline]
    fn try_read(&self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        self.socket.transfer(Ready::READABLE, buffer.len(), |mut io| io.read(buffer))
    }

    #[inline]
    fn try_write(&self, bytes: &[u8]) -> Result<usize, SourceError> {
        self.socket.transfer(Ready::WRITABLE, bytes.len(), |mut io| io.write(bytes))
    }

    fn try_write_vectored(&self, pieces: &[&[u8]]) -> Result<usize, SourceError> {
        pieces::vectored(pieces, |wanted, slices| {
            self.socket.transfer(Ready::WRITABLE, wanted, |mut io| io.write_vectored(slices))
        })
    }

    fn try_sendfile(
        &self,
        file: &std::fs::File,
        offset: u64,
        count: usize,
    ) -> Result<usize, SourceError> {
        try_sendfile(&self.socket, file, offset, count)
    }

    fn shutdown(&self) -> Result<(), SourceError> {
        match self.socket.io().shutdown(Shutdown::Write) {
            // The other side was faster: nothing more can be written either way.
            Err(error) if error.kind() == ErrorKind::NotConnected => Ok(()),
            done => done.map_err(|error| source_error(&error)),
        }
    }
}

impl fmt::Debug for UnixStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.socket.io().fmt(f)
    }
}

impl AsRawFd for UnixStream {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        self.socket.io().as_raw_fd()
    }
}
