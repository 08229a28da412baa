//! Transports over TCP.

use super::net_error::NetError;
use super::{TcpListener, TcpStream};
use molen_core::io::source::SourceError;
use molen_core::net::{Protocol, ServeError, Server, Start, Transport};
use molen_core::{get_running_loop, yield_now};
use std::net::SocketAddr;

/// Connects to `address`, with `protocol`. `connection_made` was called when
/// this returns.
///
/// asyncio: `loop.create_connection()`.
///
/// # Errors
///
/// [`NetError`]: refused, unreachable, no descriptors left, no loop runs.
///
/// # Cancellation
///
/// The attempt is given up, or the connection aborted.
pub async fn create_connection<P: Protocol + 'static>(
    address: SocketAddr,
    protocol: P,
) -> Result<Transport, NetError> {
    let stream = TcpStream::connect(address).await?;
    connected(stream, protocol).await.map_err(|cause| NetError {
        operation: "connect to",
        address,
        cause,
    })
}

/// Gives a connection that stands to `protocol`. `connection_made` was called
/// when this returns.
///
/// asyncio: `loop.connect_accepted_socket()`.
///
/// # Errors
///
/// [`SourceError::NoRunningLoop`].
///
/// # Cancellation
///
/// The connection is aborted.
pub async fn connect_accepted_socket<P: Protocol + 'static>(
    stream: TcpStream,
    protocol: P,
) -> Result<Transport, SourceError> {
    connected(stream, protocol).await
}

async fn connected<P: Protocol + 'static>(
    stream: TcpStream,
    protocol: P,
) -> Result<Transport, SourceError> {
    let event_loop = get_running_loop().map_err(|_none| SourceError::NoRunningLoop)?;
    send_at_once(&stream);
    let transport = Transport::new(&event_loop, stream, protocol);
    let guard = AbortOnDrop(Some(transport.map_err(|_closed| SourceError::Closed)?));
    // `connection_made` is queued: it comes before this goes on.
    yield_now().await;
    guard.keep().ok_or(SourceError::Closed)
}

/// As asyncio does for all its TCP transports. Fails only on a connection that
/// is lost already, which shows soon enough.
fn send_at_once(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
}

/// A connection that nobody got.
struct AbortOnDrop(Option<Transport>);

impl AbortOnDrop {
    fn keep(mut self) -> Option<Transport> {
        self.0.take()
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        if let Some(transport) = &self.0 {
            transport.abort();
        }
    }
}

/// Listens on `address`, and gives each connection a protocol that `factory` makes.
///
/// asyncio: `loop.create_server()`.
///
/// # Errors
///
/// [`NetError`]: the address is in use or not ours, no loop runs.
pub async fn create_server<P: Protocol + 'static>(
    address: SocketAddr,
    factory: impl FnMut() -> P + 'static,
) -> Result<Server, NetError> {
    let listener = TcpListener::bind(address)?;
    serve(listener, factory, Start::Now).map_err(|_no_loop| NetError {
        operation: "listen on",
        address,
        cause: SourceError::NoRunningLoop,
    })
}

/// Gives each connection of `listener` a protocol that `factory` makes.
///
/// asyncio: `loop.create_server(sock=…)`.
///
/// # Errors
///
/// [`ServeError::NoRunningLoop`].
pub fn serve<P: Protocol + 'static>(
    listener: TcpListener,
    factory: impl FnMut() -> P + 'static,
    start: Start,
) -> Result<Server, ServeError> {
    Server::new([listener], factory, start)
}
