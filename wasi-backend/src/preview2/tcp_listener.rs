//! A listening TCP socket.

use super::address;
use super::error::source_error;
use super::tcp_stream::{TcpStream, bind, finish};
use super::watch::Watch;
use core::future::poll_fn;
use core::net::SocketAddr;
use core::task::{Context, Poll};
use molen_core::Unsupported;
use molen_core::io::source::{AcceptSource, End, Source, SourceError, poll_io};
use molen_core::io::{Interest, Ready};
use molen_core::net::{ListenOptions, NetError};
use wasip2::sockets::network::ErrorCode;
use wasip2::sockets::tcp::TcpSocket;
use wasip2::sockets::tcp_create_socket::create_tcp_socket;

/// A listening TCP socket.
///
/// asyncio: one of the sockets of a `Server`, or a socket for `sock_accept`.
pub struct TcpListener {
    // The order of the fields is the order of their drops: children first.
    watch: Watch,
    socket: TcpSocket,
}

impl TcpListener {
    /// Listens on `address`, port 0 for any free one.
    ///
    /// # Errors
    ///
    /// [`NetError`]: the address is in use or not ours, or the host does not
    /// let the component use the network.
    pub fn bind(address: SocketAddr) -> Result<TcpListener, NetError> {
        TcpListener::bind_with(address, &ListenOptions::default())
    }

    /// As [`bind`](Self::bind), with `options`.
    ///
    /// # Errors
    ///
    /// As for [`bind`](Self::bind); [`SourceError::Unsupported`] for options
    /// that sockets of hosts do not have.
    pub fn bind_with(
        address: SocketAddr,
        options: &ListenOptions,
    ) -> Result<TcpListener, NetError> {
        listen(address, options).map_err(|cause| NetError {
            operation: "listen on",
            address,
            cause,
        })
    }

    /// The address that it listens on.
    ///
    /// # Errors
    ///
    /// The host's.
    pub fn local_addr(&self) -> Result<SocketAddr, SourceError> {
        let address = self.socket.local_address();
        address.map(address::from_host).map_err(|code| source_error("asking for an address", code))
    }

    /// Takes the next connection and its peer's address, if one is waiting.
    ///
    /// Connections that were broken off while they waited are passed over.
    ///
    /// # Errors
    ///
    /// [`SourceError::WouldBlock`] when none is waiting,
    /// [`SourceError::NoDescriptors`] when there is one that cannot be taken now,
    /// [`SourceError::Closed`] when the host says that it does not listen any more.
    pub fn try_accept(&self) -> Result<(TcpStream, SocketAddr), SourceError> {
        loop {
            match self.socket.accept() {
                Ok((socket, input, output)) => {
                    let stream = TcpStream::new(socket, input, output);
                    match stream.peer_addr() {
                        Ok(peer) => return Ok((stream, peer)),
                        // Gone already.
                        Err(_) => continue,
                    }
                }
                Err(ErrorCode::ConnectionAborted | ErrorCode::ConnectionReset) => {}
                // It does not listen any more.
                Err(ErrorCode::InvalidState) => return Err(SourceError::Closed),
                Err(code) => {
                    if code == ErrorCode::WouldBlock {
                        self.watch.clear(Ready::READABLE);
                    }
                    return Err(source_error("accepting a TCP connection", code));
                }
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
        poll_fn(|cx| poll_io(self, cx, Interest::READABLE, || self.try_accept())).await
    }
}

fn listen(address: SocketAddr, options: &ListenOptions) -> Result<TcpListener, SourceError> {
    if options.reuse_port {
        return Err(NO_REUSE);
    }
    let failed = |code| source_error("opening a listening TCP socket", code);
    let socket = create_tcp_socket(address::family(&address)).map_err(failed)?;
    if let Some(backlog) = options.backlog {
        socket.set_listen_backlog_size(backlog.max(1).into()).map_err(failed)?;
    }
    if options.keep_alive {
        // Connections have it from here.
        socket.set_keep_alive_enabled(true).map_err(failed)?;
    }
    bind(&socket, address).map_err(failed)?;
    socket.start_listen().map_err(failed)?;
    let pollable = socket.subscribe();
    match finish(&pollable, || socket.finish_listen()) {
        Ok(()) => Ok(TcpListener { watch: Watch::new(Some(pollable), None), socket }),
        Err(code) => {
            drop(pollable);
            Err(failed(code))
        }
    }
}

const NO_REUSE: SourceError = SourceError::Unsupported(Unsupported {
    operation: "sharing a port",
    platform: super::PLATFORM,
    reason: "its sockets have no such option",
});

impl Source for TcpListener {
    fn poll_ready(&self, cx: &mut Context<'_>, interest: Interest) -> Poll<()> {
        self.watch.poll_ready(cx, interest)
    }

    fn address(&self, end: End) -> Option<SocketAddr> {
        if end == End::Local { self.local_addr().ok() } else { None }
    }
}

impl AcceptSource for TcpListener {
    type Connection = TcpStream;

    fn try_accept(&self) -> Result<TcpStream, SourceError> {
        self.try_accept().map(|(stream, _)| stream)
    }
}
