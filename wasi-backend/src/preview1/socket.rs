//! Listening sockets that the host opened before the module began, and the
//! connections that they accept.
//!
//! Preview 1 can accept, receive, send and shut down, but not make a socket.
//! Few hosts open any: wasmtime up to 46 (`-S preview2=n -S tcplisten=…`) and
//! embedders that implement `sock_accept` themselves.
//!
//! ```text
//!   fd 3, 4, …  fd_fdstat_get ──▶ EBADF: the end
//!                   │  a stream socket that nobody has taken
//!                   ▼
//!   TcpListener::inherited ── sock_accept(NONBLOCK) ──▶ TcpStream
//! ```
//!
//! Descriptors are asked for their type before any `sock_…` call: on what is
//! no socket those calls trap under wasmtime's adapter and crash Node.

use super::errno::source_error;
use super::selector::table;
use super::table::Slot;
use core::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use core::task::{Context, Poll};
use molen_core::Unsupported;
use molen_core::io::source::{self, AcceptSource, ByteSource, Source, SourceError};
use molen_core::io::{Interest, Ready};
use wasi::Fd;

/// The host has no such descriptor any more, or none that listens.
const LISTENER_GONE: [i32; 3] = [
    wasi::ERRNO_BADF.raw() as i32,
    wasi::ERRNO_NOTSOCK.raw() as i32,
    wasi::ERRNO_INVAL.raw() as i32,
];

/// Below are the standard streams.
const FIRST_FD: Fd = 3;
/// Where the search for sockets ends on a host that never says EBADF.
const LAST_FD: Fd = 1024;

/// A registered descriptor that is closed when it is dropped.
struct Owned(&'static Slot);

impl Owned {
    /// Registers `fd`, or closes it.
    fn new(fd: Fd) -> Result<Owned, SourceError> {
        match table().insert(fd) {
            Ok(slot) => Ok(Owned(slot)),
            Err(_) => {
                close(fd);
                Err(SourceError::NoDescriptors)
            }
        }
    }

    /// Calls the host until it is not interrupted; a host that would block,
    /// or could not poll, ends the readiness of `direction`.
    fn attempt<T>(
        &self,
        direction: Ready,
        call: impl Fn(Fd) -> Result<T, wasi::Errno>,
    ) -> Result<T, SourceError> {
        let failed = if direction == Ready::READABLE {
            self.0.take_read_error()
        } else {
            self.0.take_write_error()
        };
        if let Some(errno) = failed {
            self.0.registration.clear(direction);
            return Err(source_error(errno));
        }
        loop {
            match call(self.0.fd()) {
                Ok(done) => return Ok(done),
                Err(wasi::ERRNO_INTR) => {}
                Err(wasi::ERRNO_AGAIN) => {
                    self.0.registration.clear(direction);
                    return Err(SourceError::WouldBlock);
                }
                Err(errno) => return Err(source_error(errno)),
            }
        }
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        let fd = self.0.fd();
        table().remove(self.0);
        close(fd);
    }
}

fn close(fd: Fd) {
    // Nothing is left to do should the host refuse.
    // SAFETY: it has no pointers to get wrong.
    let _ = unsafe { wasi::fd_close(fd) };
}

/// A listening TCP socket. asyncio: one of a `Server`'s sockets.
pub struct TcpListener(Owned);

impl TcpListener {
    /// The first listening socket from the host that nobody has taken yet.
    ///
    /// Each call gives another one, in the order in which the host was told
    /// of them. Dropping one closes it.
    ///
    /// # Errors
    ///
    /// [`SourceError::Unsupported`] when there is none (left), and
    /// [`SourceError::NoDescriptors`] when [`CAPACITY`](super::CAPACITY)
    /// descriptors are registered.
    pub fn inherited() -> Result<TcpListener, SourceError> {
        if !table().has_room() {
            return Err(SourceError::NoDescriptors);
        }
        for fd in FIRST_FD..LAST_FD {
            // SAFETY: it has no pointers to get wrong.
            let stat = match unsafe { wasi::fd_fdstat_get(fd) } {
                Ok(stat) => stat,
                Err(wasi::ERRNO_BADF) => break,
                Err(_) => continue,
            };
            if stat.fs_filetype != wasi::FILETYPE_SOCKET_STREAM || table().contains(fd) {
                continue;
            }
            if stat.fs_flags & wasi::FDFLAGS_NONBLOCK == 0 {
                // SAFETY: as above.
                unsafe { wasi::fd_fdstat_set_flags(fd, wasi::FDFLAGS_NONBLOCK) }
                    .map_err(source_error)?;
            }
            return Owned::new(fd).map(TcpListener);
        }
        Err(SourceError::Unsupported(Unsupported {
            operation: "taking over a listening socket",
            platform: super::PLATFORM,
            reason: "the host gave this module none (wasmtime up to 46 does with \
                     `-S preview2=n -S tcplisten=ADDRESS`)",
        }))
    }

    /// Takes the next connection, if one is waiting. Where other platforms
    /// give its peer's address there is 0.0.0.0:0: preview 1 does not tell.
    ///
    /// Connections that were broken off while they waited are passed over.
    ///
    /// # Errors
    ///
    /// [`SourceError::WouldBlock`] when none is waiting,
    /// [`SourceError::NoDescriptors`] when the host or the table has no room:
    /// the connection then waits, and a later call can take it;
    /// [`SourceError::Closed`] when the host knows the listener no more.
    pub fn try_accept(&self) -> Result<(TcpStream, SocketAddr), SourceError> {
        if !table().has_room() {
            // Before the host takes the connection off its queue.
            return Err(SourceError::NoDescriptors);
        }
        loop {
            // With any other flag the host may take the connection and fail.
            // SAFETY: it has no pointers to get wrong.
            let accepted = self.0.attempt(Ready::READABLE, |fd| unsafe {
                wasi::sock_accept(fd, wasi::FDFLAGS_NONBLOCK)
            });
            match accepted {
                Err(SourceError::ConnectionReset) => {}
                Err(SourceError::Os(code)) if LISTENER_GONE.contains(&code) => {
                    return Err(SourceError::Closed);
                }
                Err(error) => return Err(error),
                Ok(fd) => return Ok((TcpStream(Owned::new(fd)?), NO_ADDRESS)),
            }
        }
    }

    /// Waits for the next connection. asyncio: `loop.sock_accept()`.
    ///
    /// # Errors
    ///
    /// As for [`try_accept`](Self::try_accept), but never `WouldBlock`.
    ///
    /// # Cancellation
    ///
    /// No connection is lost.
    pub async fn accept(&self) -> Result<(TcpStream, SocketAddr), SourceError> {
        source::accept(self).await.map(|stream| (stream, NO_ADDRESS))
    }
}

/// What is given for an address that is not known.
const NO_ADDRESS: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0));

impl Source for TcpListener {
    fn poll_ready(&self, cx: &mut Context<'_>, interest: Interest) -> Poll<()> {
        self.0.0.registration.poll_ready(cx, interest)
    }
}

impl AcceptSource for TcpListener {
    type Connection = TcpStream;

    fn try_accept(&self) -> Result<TcpStream, SourceError> {
        self.try_accept().map(|(stream, _)| stream)
    }
}

/// A TCP connection. asyncio: a `StreamReader` and `StreamWriter`.
pub struct TcpStream(Owned);

impl TcpStream {
    /// Reads what there is, waiting until there is something. 0 means the end.
    ///
    /// # Errors
    ///
    /// [`SourceError::ConnectionReset`], or the host's.
    ///
    /// # Cancellation
    ///
    /// No byte is lost.
    pub async fn read(&self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        source::read(self, buffer).await
    }

    /// Writes the start of `bytes`, waiting until there is room for some.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read).
    ///
    /// # Cancellation
    ///
    /// Nothing is lost: bytes are written only in the step that returns.
    pub async fn write(&self, bytes: &[u8]) -> Result<usize, SourceError> {
        source::write_some(self, bytes).await
    }

    /// Writes all of `bytes`, waiting for room.
    ///
    /// # Errors
    ///
    /// As for [`read`](Self::read); part of the bytes may have been written.
    ///
    /// # Cancellation
    ///
    /// The start of `bytes` may have been written.
    pub async fn write_all(&self, bytes: &[u8]) -> Result<(), SourceError> {
        source::write_all(self, bytes).await
    }
}

impl Source for TcpStream {
    fn poll_ready(&self, cx: &mut Context<'_>, interest: Interest) -> Poll<()> {
        self.0.0.registration.poll_ready(cx, interest)
    }
}

impl ByteSource for TcpStream {
    fn try_read(&self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let room = buffer.len();
        let vectors = [wasi::Iovec { buf: buffer.as_mut_ptr(), buf_len: room }];
        // SAFETY: Valid Lists (selector): the vector is the buffer.
        let (count, _) =
            self.0.attempt(Ready::READABLE, |fd| unsafe { wasi::sock_recv(fd, &vectors, 0) })?;
        Ok(count.min(room))
    }

    fn try_write(&self, bytes: &[u8]) -> Result<usize, SourceError> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let vectors = [wasi::Ciovec { buf: bytes.as_ptr(), buf_len: bytes.len() }];
        // SAFETY: Valid Lists (selector): the vector is the bytes.
        let count =
            self.0.attempt(Ready::WRITABLE, |fd| unsafe { wasi::sock_send(fd, &vectors, 0) })?;
        if count == 0 {
            // Took nothing, but did not say "again".
            self.0.0.registration.clear(Ready::WRITABLE);
            return Err(SourceError::WouldBlock);
        }
        Ok(count.min(bytes.len()))
    }

    fn shutdown(&self) -> Result<(), SourceError> {
        // SAFETY: it has no pointers to get wrong.
        unsafe { wasi::sock_shutdown(self.0.0.fd(), wasi::SDFLAGS_WR) }.map_err(source_error)
    }
}
