//! Connections and servers of sockets that are open already: asyncio's `sock=`.
//!
//! Such sockets come from a supervisor (socket activation), from a parent
//! process, or from a library that connects in a way of its own. They are a
//! [`Network`] in which there are these addresses and no others, so that
//! everything that [`Connect`] and [`Listen`] offer besides goes for them too:
//! TLS, time limits, servers of several sockets.

use super::{TcpListener, TcpStream};
use crate::source_error::creation_error;
use core::cell::RefCell;
use core::future::Future;
use molen_core::io::source::SourceError;
use molen_core::net::{
    Addresses, Connect, Family, Hosts, Listen, ListenOptions, NameError, NetError, Network,
    Protocol, StreamReader, StreamWriter, WithFactory, WithHandler, WithProtocol, WithStreams,
};
use molen_core::schedule::CallbackResult;
use socket2::Socket;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;

/// What [`create_connection_with_sock`] returns, to be awaited.
pub type CreateConnectionWithSock<P> = Connect<OpenSockets, WithProtocol<P>>;
/// What [`open_connection_with_sock`] returns, to be awaited.
pub type OpenConnectionWithSock = Connect<OpenSockets, WithStreams>;
/// What [`create_server_with_socks`] returns, to be awaited.
pub type CreateServerWithSocks<F> = Listen<OpenSockets, WithFactory<F>>;
/// What [`start_server_with_socks`] returns, to be awaited.
pub type StartServerWithSocks<F> = Listen<OpenSockets, WithHandler<F>>;

/// Gives `sock`, a connection that stands, a `protocol`.
///
/// With `tls`, `server_hostname` is the name that the
/// server's certificate has to have; it is the peer's address otherwise.
///
/// asyncio: `loop.create_connection(sock=…)`; the same without TLS, of any
/// source, is [`connect_accepted_socket`](super::connect_accepted_socket).
///
/// # Errors
///
/// [`HostError`](super::HostError): the connection is gone, or no loop runs.
///
/// # Cancellation
///
/// The connection is aborted.
pub fn create_connection_with_sock<P: Protocol + 'static>(
    sock: std::net::TcpStream,
    protocol: P,
) -> CreateConnectionWithSock<P> {
    let (sockets, peer) = OpenSockets::connected(sock);
    Connect::with_protocol(sockets, peer, protocol)
}

/// Gives `sock`, a connection that stands, a pair of streams.
///
/// asyncio: `asyncio.open_connection(sock=…)`; for Unix sockets, pipes and any other source
/// [`open_streams`](super::open_streams) does the same:
///
#[cfg_attr(unix, doc = "```")]
#[cfg_attr(not(unix), doc = "```ignore")]
/// # mod molen { pub use {molen_core::*, molen_std::{net, *}}; }
/// use molen::net::{DEFAULT_LIMIT, UnixStream, open_streams};
/// use std::io::Write;
///
/// let event_loop = molen::new_event_loop()?;
/// event_loop.run_until_complete(async {
///     let (near, mut far) = std::os::unix::net::UnixStream::pair()?;
///     let (mut reader, _writer) =
///         open_streams(UnixStream::from_std(near)?, DEFAULT_LIMIT).await?;
///     far.write_all(b"abc\n")?;
///     assert_eq!(reader.readline().await?, b"abc\n");
///     Ok::<_, std::io::Error>(())
/// })??;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// As for [`create_connection_with_sock`].
///
/// # Cancellation
///
/// The connection is aborted.
pub fn open_connection_with_sock(sock: std::net::TcpStream) -> OpenConnectionWithSock {
    let (sockets, peer) = OpenSockets::connected(sock);
    Connect::with_streams(sockets, peer)
}

/// Accepts from `socks`, which listen, and gives each connection a protocol that
/// `factory` makes. Each has an address of its own.
///
/// Of the options, `backlog` and `keep_alive` are set on the sockets, and
/// `family` closes those of another; it is too late for the others.
///
/// asyncio: `loop.create_server(sock=…)`.
///
/// # Errors
///
/// [`HostError`](super::HostError): two have one address, no loop runs.
pub fn create_server_with_socks<P: Protocol + 'static, F: FnMut() -> P + 'static>(
    socks: impl IntoIterator<Item = std::net::TcpListener>,
    factory: F,
) -> CreateServerWithSocks<F> {
    let (sockets, addresses) = OpenSockets::listening(socks);
    Listen::with_factory(sockets, addresses, factory)
}

/// Accepts from `socks`, which listen, and makes a task of `handler` for each
/// connection.
///
/// asyncio: `asyncio.start_server(sock=…)`.
///
/// # Errors
///
/// As for [`create_server_with_socks`].
pub fn start_server_with_socks<F, H>(
    socks: impl IntoIterator<Item = std::net::TcpListener>,
    handler: F,
) -> StartServerWithSocks<F>
where
    F: Fn(StreamReader, StreamWriter) -> H + 'static,
    H: Future<Output: CallbackResult> + 'static,
{
    let (sockets, addresses) = OpenSockets::listening(socks);
    Listen::with_handler(sockets, addresses, handler)
}

/// Sockets that are open already, by the address of the peer, or that they
/// listen on.
#[derive(Clone, Debug)]
pub struct OpenSockets(Rc<RefCell<Vec<(SocketAddr, Socket)>>>);

impl OpenSockets {
    fn connected(sock: std::net::TcpStream) -> (OpenSockets, Hosts) {
        let peer = known(sock.peer_addr());
        (OpenSockets::new(vec![(peer, sock.into())]), peer.into())
    }

    fn listening(socks: impl IntoIterator<Item = std::net::TcpListener>) -> (OpenSockets, Hosts) {
        let with_address = |sock: std::net::TcpListener| (known(sock.local_addr()), sock.into());
        let sockets: Vec<(SocketAddr, Socket)> = socks.into_iter().map(with_address).collect();
        let addresses: Vec<SocketAddr> = sockets.iter().map(|(address, _)| *address).collect();
        (OpenSockets::new(sockets), addresses.into())
    }

    fn new(sockets: Vec<(SocketAddr, Socket)>) -> OpenSockets {
        OpenSockets(Rc::new(RefCell::new(sockets)))
    }

    /// The socket with this address. None is given twice.
    fn take(&self, address: SocketAddr) -> Result<Socket, SourceError> {
        let mut sockets = self.0.borrow_mut();
        let found = sockets.iter().position(|(of, _)| *of == address);
        let (_, socket) = sockets.swap_remove(found.ok_or(SourceError::AddressNotAvailable)?);
        match sockets.iter().any(|(of, _)| *of == address) {
            true => Err(SourceError::AddressInUse),
            false => Ok(socket),
        }
    }
}

/// A socket that has no address any more is found out when it is taken over.
fn known(address: io::Result<SocketAddr>) -> SocketAddr {
    address.unwrap_or_else(|_gone| (Ipv4Addr::UNSPECIFIED, 0).into())
}

impl Network for OpenSockets {
    type Stream = TcpStream;
    type Listener = TcpListener;

    fn connect(
        &self,
        address: SocketAddr,
        _local: Option<SocketAddr>,
    ) -> impl Future<Output = Result<TcpStream, NetError>> + 'static {
        let connected = self.take(address).and_then(|socket| {
            socket.peer_addr().map_err(|error| creation_error(&error))?;
            TcpStream::from_std(socket.into())
        });
        let operation = "take over the connection with";
        core::future::ready(connected.map_err(|cause| NetError { operation, address, cause }))
    }

    fn listen(
        &self,
        address: SocketAddr,
        options: &ListenOptions,
    ) -> Result<TcpListener, NetError> {
        let failed = |error: io::Error| creation_error(&error);
        let listening = self.take(address).and_then(|socket| {
            if options.keep_alive {
                // Connections have it from here.
                socket.set_keepalive(true).map_err(failed)?;
            }
            if let Some(backlog) = options.backlog {
                socket.listen(i32::try_from(backlog).unwrap_or(i32::MAX)).map_err(failed)?;
            }
            TcpListener::from_std(socket.into())
        });
        listening.map_err(|cause| NetError { operation: "listen on", address, cause })
    }

    fn resolve(&self, _host: &str, _port: u16, _family: Family) -> Addresses {
        Box::pin(core::future::ready(Err(NameError::NotFound)))
    }
}
