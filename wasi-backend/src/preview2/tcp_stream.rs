//! A TCP connection.

use super::address;
use super::error::source_error;
use super::linger;
use super::stream;
use super::watch::Watch;
use alloc::rc::Rc;
use core::future::poll_fn;
use core::net::SocketAddr;
use core::task::{Context, Poll, Waker};
use molen_core::Unsupported;
use molen_core::io::source::{self, ByteSource, End, Source, SourceError};
use molen_core::io::{Interest, Ready};
use molen_core::net::NetError;
use wasip2::io::poll::Pollable;
use wasip2::io::streams::{InputStream, OutputStream};
use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::network::ErrorCode;
use wasip2::sockets::tcp::{ShutdownType, TcpSocket};
use wasip2::sockets::tcp_create_socket::create_tcp_socket;

/// A TCP connection. asyncio: a `StreamReader` and `StreamWriter`.
///
/// Dropping it closes the connection after what was written has left.
pub struct TcpStream(Rc<Connection>);

/// The resources of a connection.
pub(super) struct Connection {
    // The order of the fields is the order of their drops: children first.
    watch: Watch,
    input: InputStream,
    output: OutputStream,
    socket: TcpSocket,
}

impl Connection {
    /// Whether the host still has something to write, for which dropping the
    /// connection would wait. Then the loop waits for it.
    pub(super) fn is_busy(&self) -> bool {
        let busy = matches!(self.output.check_write(), Ok(0));
        if busy {
            self.watch.clear(Ready::WRITABLE);
            let mut nobody = Context::from_waker(Waker::noop());
            let _ = self.watch.poll_ready(&mut nobody, Ready::WRITABLE);
        }
        busy
    }
}

impl Drop for TcpStream {
    fn drop(&mut self) {
        if self.0.is_busy() {
            linger::keep(self.0.clone());
        }
    }
}

impl TcpStream {
    pub(super) fn new(socket: TcpSocket, input: InputStream, output: OutputStream) -> TcpStream {
        let watch = Watch::new(Some(input.subscribe()), Some(output.subscribe()));
        TcpStream(Rc::new(Connection { watch, input, output, socket }))
    }

    /// Connects to `address`. asyncio: `loop.sock_connect()`.
    ///
    /// # Errors
    ///
    /// [`NetError`]: nobody listens there, it cannot be reached, or the host
    /// does not let the component use the network.
    ///
    /// # Cancellation
    ///
    /// The attempt is given up.
    pub async fn connect(address: SocketAddr) -> Result<TcpStream, NetError> {
        TcpStream::connect_from(address, None).await
    }

    /// Connects to `address` from `local`; port 0 stands for any free one.
    ///
    /// # Errors
    ///
    /// As for [`connect`](Self::connect); a failure to bind names `local`.
    ///
    /// # Cancellation
    ///
    /// The attempt is given up.
    pub async fn connect_from(
        address: SocketAddr,
        local: Option<SocketAddr>,
    ) -> Result<TcpStream, NetError> {
        let failed = |cause| NetError { operation: "connect to", address, cause };
        let socket = create_tcp_socket(address::family(&address))
            .map_err(|code| failed(source_error(CONNECTING, code)))?;
        if let Some(local) = local {
            bind(&socket, local).map_err(|code| NetError {
                operation: "bind to",
                address: local,
                cause: source_error("binding a TCP socket", code),
            })?;
        }
        connect(socket, address).await.map_err(failed)
    }

    /// Reads what there is, waiting until there is something. 0 means the end.
    ///
    /// # Errors
    ///
    /// [`SourceError::ConnectionReset`].
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
    /// [`SourceError::ConnectionReset`].
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
    /// [`SourceError::ConnectionReset`]; part of the bytes may have been
    /// written.
    ///
    /// # Cancellation
    ///
    /// The start of `bytes` may have been written.
    pub async fn write_all(&self, bytes: &[u8]) -> Result<(), SourceError> {
        source::write_all(self, bytes).await
    }

    /// Would say whether small writes leave at once (`TCP_NODELAY`).
    ///
    /// # Errors
    ///
    /// Always [`SourceError::Unsupported`].
    pub fn nodelay(&self) -> Result<bool, SourceError> {
        Err(NO_NODELAY)
    }

    /// Would have small writes leave at once (`TCP_NODELAY`).
    ///
    /// # Errors
    ///
    /// Always [`SourceError::Unsupported`].
    pub fn set_nodelay(&self, _nodelay: bool) -> Result<(), SourceError> {
        Err(NO_NODELAY)
    }

    /// The address of this end.
    ///
    /// # Errors
    ///
    /// The host's.
    pub fn local_addr(&self) -> Result<SocketAddr, SourceError> {
        let address = self.0.socket.local_address();
        address.map(address::from_host).map_err(|code| source_error("asking for an address", code))
    }

    /// The address of the other end.
    ///
    /// # Errors
    ///
    /// The host's.
    pub fn peer_addr(&self) -> Result<SocketAddr, SourceError> {
        let address = self.0.socket.remote_address();
        address.map(address::from_host).map_err(|code| source_error("asking for an address", code))
    }
}

const NO_NODELAY: SourceError = SourceError::Unsupported(Unsupported {
    operation: "the option TCP_NODELAY",
    platform: super::PLATFORM,
    reason: "its sockets have no such option",
});

const CONNECTING: &str = "opening a TCP connection";

/// Gives `socket` an address.
pub(super) fn bind(socket: &TcpSocket, address: SocketAddr) -> Result<(), ErrorCode> {
    socket.start_bind(&instance_network(), address::to_host(address))?;
    let pollable = socket.subscribe();
    finish(&pollable, || socket.finish_bind())
}

/// Waits for an operation that involves nobody outside of the host.
pub(super) fn finish(
    pollable: &Pollable,
    operation: impl Fn() -> Result<(), ErrorCode>,
) -> Result<(), ErrorCode> {
    loop {
        match operation() {
            Err(ErrorCode::WouldBlock) => pollable.block(),
            done => return done,
        }
    }
}

async fn connect(socket: TcpSocket, address: SocketAddr) -> Result<TcpStream, SourceError> {
    let failed = |code| source_error(CONNECTING, code);
    socket.start_connect(&instance_network(), address::to_host(address)).map_err(failed)?;
    // Dropped before the socket that it watches: declared after it.
    let watch = Watch::new(None, Some(socket.subscribe()));
    let (input, output) = poll_fn(|cx| {
        loop {
            match socket.finish_connect() {
                Err(ErrorCode::WouldBlock) => {
                    watch.clear(Ready::WRITABLE);
                    core::task::ready!(watch.poll_ready(cx, Ready::WRITABLE));
                }
                done => return Poll::Ready(done.map_err(failed)),
            }
        }
    })
    .await?;
    drop(watch);
    Ok(TcpStream::new(socket, input, output))
}

impl Source for TcpStream {
    fn poll_ready(&self, cx: &mut Context<'_>, interest: Interest) -> Poll<()> {
        self.0.watch.poll_ready(cx, interest)
    }

    fn address(&self, end: End) -> Option<SocketAddr> {
        match end {
            End::Local => self.local_addr().ok(),
            End::Peer => self.peer_addr().ok(),
        }
    }
}

impl ByteSource for TcpStream {
    fn try_read(&self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        stream::read(&self.0.watch, &self.0.input, buffer)
    }

    fn try_write(&self, bytes: &[u8]) -> Result<usize, SourceError> {
        stream::write(&self.0.watch, &self.0.output, bytes)
    }

    fn shutdown(&self) -> Result<(), SourceError> {
        let shut = self.0.socket.shutdown(ShutdownType::Send);
        shut.map_err(|code| source_error("shutting a TCP connection down", code))
    }
}
