//! The calls.

use super::error::{SocketError, SocketRefused};
use super::operation::Operation;
use super::received;
use super::sock_sendfile::sendfile;
use crate::descriptor::AsDescriptor;
use crate::sendfile::SendfileFallback;
use crate::watches::Half;
use core::future::Future;
use molen_core::schedule::EventLoop;
use socket2::{SockAddr, Socket};
use std::fs::File;
use std::io::{self, ErrorKind, Read};

/// Asynchronous operations on non-blocking sockets of any kind.
///
/// The [module](super) has the idea and asyncio's names. Each operation belongs to the loop that it is
/// called on and is awaited in it. All of them fail with a [`SocketError`] that names the socket:
/// when the socket is in blocking mode (Windows cannot tell; there it is the caller's to see to),
/// when a connection or a transport of this crate uses it, when the loop is closed or is not the
/// one that runs, and when the system refuses.
///
/// A socket may have any number of operations at once, beside readers and writers of
/// [`SelectorEventLoop`](crate::SelectorEventLoop).
pub trait SocketOperations {
    /// Receives up to `nbytes` bytes, waiting until there are some. None at all is the end of the
    /// stream (or an empty datagram).
    ///
    /// asyncio: `loop.sock_recv()`.
    ///
    /// # Errors
    ///
    /// As all operations; and when there is no memory for `nbytes` bytes.
    ///
    /// # Cancellation
    ///
    /// At once; nothing is lost, as bytes are taken only in the step that returns them.
    fn sock_recv<S: AsDescriptor>(
        &self,
        socket: &S,
        nbytes: usize,
    ) -> impl Future<Output = Result<Vec<u8>, SocketError>>;

    /// Receives into `buffer`, waiting until there is something; returns how many bytes. 0 is the
    /// end of the stream (or an empty datagram).
    ///
    /// asyncio: `loop.sock_recv_into()`.
    ///
    /// # Errors
    ///
    /// As all operations.
    ///
    /// # Cancellation
    ///
    /// At once; nothing is lost, as bytes are taken only in the step that returns them.
    fn sock_recv_into<S: AsDescriptor>(
        &self,
        socket: &S,
        buffer: &mut [u8],
    ) -> impl Future<Output = Result<usize, SocketError>>;

    /// Receives a datagram of up to `bufsize` bytes, and its sender's address.
    ///
    /// What does not fit is lost, except on Windows, where it is an error.
    ///
    /// asyncio: `loop.sock_recvfrom()`.
    ///
    /// # Errors
    ///
    /// As all operations; and when there is no memory for `bufsize` bytes.
    ///
    /// # Cancellation
    ///
    /// At once; nothing is lost, as a datagram is taken only in the step that returns it.
    fn sock_recvfrom<S: AsDescriptor>(
        &self,
        socket: &S,
        bufsize: usize,
    ) -> impl Future<Output = Result<(Vec<u8>, SockAddr), SocketError>>;

    /// Receives a datagram of up to `nbytes` bytes into `buffer`; 0 stands for all of it. Returns
    /// how many bytes came, and from where.
    ///
    /// asyncio: `loop.sock_recvfrom_into()`.
    ///
    /// # Errors
    ///
    /// As all operations; and [`BufferTooSmall`](SocketRefused::BufferTooSmall) when `nbytes` is
    /// more than the buffer's length.
    ///
    /// # Cancellation
    ///
    /// At once; nothing is lost, as a datagram is taken only in the step that returns it.
    fn sock_recvfrom_into<S: AsDescriptor>(
        &self,
        socket: &S,
        buffer: &mut [u8],
        nbytes: usize,
    ) -> impl Future<Output = Result<(usize, SockAddr), SocketError>>;

    /// Sends all of `bytes`, waiting for room as often as it takes.
    ///
    /// asyncio: `loop.sock_sendall()`.
    ///
    /// # Errors
    ///
    /// As all operations; then it is not known how much was sent.
    ///
    /// # Cancellation
    ///
    /// At once; the start of `bytes` may have been sent.
    fn sock_sendall<S: AsDescriptor>(
        &self,
        socket: &S,
        bytes: &[u8],
    ) -> impl Future<Output = Result<(), SocketError>>;

    /// Sends a datagram to `address`, waiting for room; returns how many bytes were sent.
    ///
    /// asyncio: `loop.sock_sendto()`.
    ///
    /// # Errors
    ///
    /// As all operations; and when the datagram is too long.
    ///
    /// # Cancellation
    ///
    /// At once, and then nothing was sent.
    fn sock_sendto<S: AsDescriptor>(
        &self,
        socket: &S,
        bytes: &[u8],
        address: impl Into<SockAddr>,
    ) -> impl Future<Output = Result<usize, SocketError>>;

    /// Connects to `address`.
    ///
    /// asyncio: `loop.sock_connect()`, which also takes a name, and resolves it first.
    ///
    /// # Errors
    ///
    /// As all operations; and when nobody listens there, or it cannot be reached. A listening Unix
    /// socket whose queue is full refuses with `WouldBlock`: the system tells nobody of room there.
    ///
    /// # Cancellation
    ///
    /// At once. The system goes on connecting until the socket is closed.
    fn sock_connect<S: AsDescriptor>(
        &self,
        socket: &S,
        address: impl Into<SockAddr>,
    ) -> impl Future<Output = Result<(), SocketError>>;

    /// Takes the next connection of a listening socket, waiting for one: a socket that does not
    /// block, and its peer's address.
    ///
    /// Connections that were broken off while they waited are passed over.
    ///
    /// asyncio: `loop.sock_accept()`.
    ///
    /// # Errors
    ///
    /// As all operations; and when no descriptors are left, and then the connection stays where it
    /// is.
    ///
    /// # Cancellation
    ///
    /// At once; no connection is lost, as one is taken only in the step that returns it.
    fn sock_accept<S: AsDescriptor>(
        &self,
        socket: &S,
    ) -> impl Future<Output = Result<(Socket, SockAddr), SocketError>>;

    /// Sends `count` bytes of `file`, from `offset` on; with `None` up to its end. Returns how many
    /// bytes were sent, fewer when the file ends before.
    ///
    /// On Linux the system does so without the bytes passing through the process, for files that it
    /// can do that with. Otherwise, if `fallback` says so, they are read in the loop's default
    /// executor and sent from there. When anything was sent, the file's position is afterwards
    /// behind the last byte that was, also after an error or a cancel; a file without positions (a
    /// pipe) is read from where it is, and only from offset 0.
    ///
    /// asyncio: `loop.sock_sendfile()`.
    ///
    /// # Errors
    ///
    /// As all operations; [`NotAStream`](SocketRefused::NotAStream),
    /// [`SendfileNotAvailable`](SocketRefused::SendfileNotAvailable) without a fallback,
    /// [`File`](SocketRefused::File) when the file cannot be read.
    ///
    /// # Cancellation
    ///
    /// At once; the start may have been sent. Of a file without positions, bytes that were read and
    /// not sent are lost.
    fn sock_sendfile<S: AsDescriptor>(
        &self,
        socket: &S,
        file: &File,
        offset: u64,
        count: Option<u64>,
        fallback: SendfileFallback,
    ) -> impl Future<Output = Result<u64, SocketError>>;
}

impl SocketOperations for EventLoop {
    async fn sock_recv<S: AsDescriptor>(
        &self,
        socket: &S,
        nbytes: usize,
    ) -> Result<Vec<u8>, SocketError> {
        let operation = Operation::begin(self, "receive from", socket, None)?;
        let mut buffer = received::buffer(nbytes).map_err(|error| operation.os(error))?;
        operation
            .complete(Half::Reader, |socket| received::recv(socket, &mut buffer, nbytes))
            .await?;
        Ok(buffer)
    }

    async fn sock_recv_into<S: AsDescriptor>(
        &self,
        socket: &S,
        buffer: &mut [u8],
    ) -> Result<usize, SocketError> {
        let operation = Operation::begin(self, "receive from", socket, None)?;
        operation.complete(Half::Reader, |mut socket| socket.read(buffer)).await
    }

    async fn sock_recvfrom<S: AsDescriptor>(
        &self,
        socket: &S,
        bufsize: usize,
    ) -> Result<(Vec<u8>, SockAddr), SocketError> {
        let operation = Operation::begin(self, "receive from", socket, None)?;
        let mut buffer = received::buffer(bufsize).map_err(|error| operation.os(error))?;
        let sender = operation
            .complete(Half::Reader, |socket| received::recv_from(socket, &mut buffer, bufsize))
            .await?;
        Ok((buffer, sender))
    }

    async fn sock_recvfrom_into<S: AsDescriptor>(
        &self,
        socket: &S,
        buffer: &mut [u8],
        nbytes: usize,
    ) -> Result<(usize, SockAddr), SocketError> {
        let operation = Operation::begin(self, "receive from", socket, None)?;
        let room = buffer.len();
        let wanted = if nbytes == 0 { room } else { nbytes };
        let Some(buffer) = buffer.get_mut(..wanted) else {
            return Err(operation.failed(SocketRefused::BufferTooSmall { wanted, room }));
        };
        operation.complete(Half::Reader, |socket| received::recv_from_into(socket, buffer)).await
    }

    async fn sock_sendall<S: AsDescriptor>(
        &self,
        socket: &S,
        bytes: &[u8],
    ) -> Result<(), SocketError> {
        let operation = Operation::begin(self, "send to", socket, None)?;
        send_all(&operation, bytes, |_count| ()).await
    }

    async fn sock_sendto<S: AsDescriptor>(
        &self,
        socket: &S,
        bytes: &[u8],
        address: impl Into<SockAddr>,
    ) -> Result<usize, SocketError> {
        let address = address.into();
        let operation = Operation::begin(self, "send from", socket, Some(&address))?;
        operation
            .complete(Half::Writer, |socket| socket.send_to_with_flags(bytes, &address, NO_SIGNAL))
            .await
    }

    async fn sock_connect<S: AsDescriptor>(
        &self,
        socket: &S,
        address: impl Into<SockAddr>,
    ) -> Result<(), SocketError> {
        let address = address.into();
        let operation = Operation::begin(self, "connect", socket, Some(&address))?;
        match operation.socket().connect(&address) {
            Ok(()) => return Ok(()),
            Err(error) if has_begun(&error) => {}
            Err(error) => return Err(operation.os(error)),
        }
        let mut waiting = operation.waiting(Half::Writer);
        loop {
            operation.ready(&mut waiting).await?;
            if is_connected(operation.socket()).map_err(|error| operation.os(error))? {
                return Ok(());
            }
        }
    }

    async fn sock_accept<S: AsDescriptor>(
        &self,
        socket: &S,
    ) -> Result<(Socket, SockAddr), SocketError> {
        let operation = Operation::begin(self, "accept a connection of", socket, None)?;
        let (peer, address) = operation.complete(Half::Reader, accept).await?;
        peer.set_nonblocking(true).map_err(|error| operation.os(error))?;
        Ok((peer, address))
    }

    async fn sock_sendfile<S: AsDescriptor>(
        &self,
        socket: &S,
        file: &File,
        offset: u64,
        count: Option<u64>,
        fallback: SendfileFallback,
    ) -> Result<u64, SocketError> {
        let operation = Operation::begin(self, "send a file to", socket, None)?;
        sendfile(&operation, file, offset, count, fallback).await
    }
}

/// Writing to a socket whose peer is gone is an error, and no signal.
#[cfg(all(unix, not(target_vendor = "apple")))]
const NO_SIGNAL: core::ffi::c_int = libc::MSG_NOSIGNAL;
/// Windows has no such signal; Apple's systems have an option of the socket, which is its maker's
/// to set, and Rust's programs ignore the signal.
#[cfg(not(all(unix, not(target_vendor = "apple"))))]
const NO_SIGNAL: core::ffi::c_int = 0;

/// Sends all of `bytes`, telling `sent` of each part.
pub(super) async fn send_all(
    operation: &Operation<'_>,
    bytes: &[u8],
    mut sent: impl FnMut(usize),
) -> Result<(), SocketError> {
    let mut waiting = operation.waiting(Half::Writer);
    let mut rest = bytes;
    while !rest.is_empty() {
        match operation.socket().send_with_flags(rest, NO_SIGNAL) {
            Ok(count) => {
                sent(count);
                rest = rest.get(count..).unwrap_or_default();
                if rest.is_empty() {
                    break;
                }
                // A short write has filled the system's buffer. And should the peer be quick, it
                // is the loop's other work that has a turn before the next part.
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(operation.os(error)),
        }
        operation.ready(&mut waiting).await?;
    }
    Ok(())
}

/// A connection, passing over those that are gone.
fn accept(socket: &Socket) -> io::Result<(Socket, SockAddr)> {
    loop {
        match socket.accept() {
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
            done => return done,
        }
    }
}

/// Whether the system goes on to connect.
///
/// Elsewhere than on Windows `WouldBlock` is not among the reasons: a listening Unix socket whose
/// queue is full says so, and then nothing is under way, though asyncio waits for it.
fn has_begun(error: &io::Error) -> bool {
    #[cfg(unix)]
    return matches!(error.raw_os_error(), Some(libc::EINPROGRESS | libc::EINTR));
    #[cfg(windows)]
    return error.kind() == ErrorKind::WouldBlock;
}

/// Whether a connection that has begun stands now, or why it never will.
fn is_connected(socket: &Socket) -> io::Result<bool> {
    if let Some(error) = socket.take_error()? {
        return Err(error);
    }
    match socket.peer_addr() {
        Ok(_peer) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotConnected => Ok(false),
        Err(error) => Err(error),
    }
}
