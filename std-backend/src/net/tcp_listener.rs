//! A listening TCP socket: a source of connections.

use super::socket::shown_and_numbered;
use super::tcp_stream::{TcpStream, new_socket};
use crate::registered::Registered;
use crate::selector::StdSelector;
use crate::source_error::{accept_error, creation_error, is_of_one_connection};
use core::future::poll_fn;
use core::task::{Context, Poll};
#[cfg(windows)]
use molen_core::Unsupported;
use molen_core::io::source::{AcceptSource, End, Source, SourceError, poll_io};
use molen_core::io::{Interest, Ready};
use molen_core::net::{ListenOptions, NetError};
use socket2::Socket;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;

/// How many connections wait to be accepted, unless told otherwise; the
/// system may allow fewer.
pub const DEFAULT_BACKLOG: u32 = 1024;

/// A listening TCP socket of the loop it was made in.
///
/// asyncio: one of the sockets of a `Server`, or a socket for `sock_accept`.
pub struct TcpListener {
    socket: Registered<mio::net::TcpListener>,
}

impl TcpListener {
    /// Listens on `address`, port 0 for any free one. Must be called in a
    /// running loop, whose listener it is.
    ///
    /// The address may be one that an earlier socket is still winding down on
    /// (`SO_REUSEADDR`, as asyncio sets it on all systems but Windows, where it
    /// would let others take the port).
    ///
    /// # Errors
    ///
    /// [`NetError`]: no loop runs, the address is in use or not ours, there
    /// are no descriptors left.
    pub fn bind(address: SocketAddr) -> Result<TcpListener, NetError> {
        TcpListener::bind_with(address, &ListenOptions::default())
    }

    /// As [`bind`](Self::bind), with room for `backlog` connections that wait
    /// to be accepted.
    ///
    /// # Errors
    ///
    /// As for [`bind`](Self::bind).
    pub fn bind_with_backlog(address: SocketAddr, backlog: u32) -> Result<TcpListener, NetError> {
        TcpListener::bind_with(
            address,
            &ListenOptions { backlog: Some(backlog), ..Default::default() },
        )
    }

    /// As [`bind`](Self::bind), with `options`.
    ///
    /// # Errors
    ///
    /// As for [`bind`](Self::bind); [`SourceError::Unsupported`] for `reuse_port` on Windows.
    pub fn bind_with(
        address: SocketAddr,
        options: &ListenOptions,
    ) -> Result<TcpListener, NetError> {
        let listen = || {
            let selector = StdSelector::running("listening")?;
            let listener = listening(address, options)?;
            TcpListener::register(selector, listener)
        };
        listen().map_err(|cause| NetError { operation: "listen on", address, cause })
    }

    /// Takes over a listening socket of the standard library for the running
    /// loop.
    ///
    /// # Errors
    ///
    /// [`SourceError`]: no loop runs, or the socket cannot be made non-blocking
    /// or registered.
    pub fn from_std(listener: std::net::TcpListener) -> Result<TcpListener, SourceError> {
        let selector = StdSelector::running("listening")?;
        listener.set_nonblocking(true).map_err(|error| creation_error(&error))?;
        TcpListener::register(selector, listener)
    }

    fn register(
        selector: std::rc::Rc<StdSelector>,
        listener: std::net::TcpListener,
    ) -> Result<TcpListener, SourceError> {
        let listener = mio::net::TcpListener::from_std(listener);
        Ok(TcpListener { socket: Registered::new(selector, listener, Ready::NONE)? })
    }

    pub(super) fn io(&self) -> &mio::net::TcpListener {
        self.socket.io()
    }

    /// The address that it listens on.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.io().local_addr()
    }

    /// Takes the next connection and its peer's address, if one is waiting.
    ///
    /// Connections that were broken off while they waited are passed over.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](SourceError::WouldBlock) when none is waiting;
    /// [`NoDescriptors`](SourceError::NoDescriptors) when one is, but cannot
    /// be taken: it stays where it is; [`Closed`](SourceError::Closed) when
    /// somebody else has closed the socket or shut it down.
    pub fn try_accept(&self) -> Result<(TcpStream, SocketAddr), SourceError> {
        let (stream, peer) = loop {
            let accepted =
                self.socket.attempt(Ready::READABLE, |socket| match socket.accept() {
                    Err(error) if error.kind() == ErrorKind::WouldBlock => Err(error),
                    done => Ok(done),
                })?;
            match accepted {
                Ok(accepted) => break accepted,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => return Err(accept_error(&error)),
            }
        };
        Ok((TcpStream::accepted(self.socket.place().selector().clone(), stream)?, peer))
    }

    /// Takes the next connection and its peer's address, waiting for one.
    ///
    /// A server that is to live through a lack of descriptors uses
    /// [`accept_with_backoff`](molen_core::io::accept_with_backoff).
    ///
    /// asyncio: `loop.sock_accept()`.
    ///
    /// # Errors
    ///
    /// As for [`try_accept`](Self::try_accept), but never `WouldBlock`.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost: a connection is taken only in the step that returns it.
    pub async fn accept(&self) -> Result<(TcpStream, SocketAddr), SourceError> {
        poll_fn(|cx| poll_io(self, cx, Interest::READABLE, || self.try_accept())).await
    }
}

fn listening(
    address: SocketAddr,
    options: &ListenOptions,
) -> Result<std::net::TcpListener, SourceError> {
    let failed = |error: io::Error| creation_error(&error);
    let socket = new_socket(address)?;
    if options.reuse_address.unwrap_or(cfg!(not(windows))) {
        socket.set_reuse_address(true).map_err(failed)?;
    }
    if options.reuse_port {
        reuse_port(&socket)?;
    }
    if options.keep_alive {
        // Connections have it from here.
        socket.set_keepalive(true).map_err(failed)?;
    }
    if address.is_ipv6() {
        // So that one of IPv4 can have the same port.
        socket.set_only_v6(true).map_err(failed)?;
    }
    socket.bind(&address.into()).map_err(failed)?;
    let backlog = options.backlog.unwrap_or(DEFAULT_BACKLOG);
    socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX)).map_err(failed)?;
    Ok(socket.into())
}

#[cfg(not(windows))]
fn reuse_port(socket: &Socket) -> Result<(), SourceError> {
    socket.set_reuse_port(true).map_err(|error| creation_error(&error))
}

#[cfg(windows)]
fn reuse_port(_socket: &Socket) -> Result<(), SourceError> {
    Err(SourceError::Unsupported(Unsupported {
        operation: "sharing a port (SO_REUSEPORT)",
        platform: "Windows",
        reason: "its sockets have no such option",
    }))
}

impl Source for TcpListener {
    fn poll_ready(&self, cx: &mut Context<'_>, interest: Interest) -> Poll<()> {
        self.socket.place().poll_ready(cx, interest)
    }

    fn address(&self, end: End) -> Option<SocketAddr> {
        if end == End::Local { self.local_addr().ok() } else { None }
    }
}

impl AcceptSource for TcpListener {
    type Connection = TcpStream;

    fn try_accept(&self) -> Result<TcpStream, SourceError> {
        TcpListener::try_accept(self).map(|(stream, _peer)| stream)
    }
}

shown_and_numbered!(TcpListener);
