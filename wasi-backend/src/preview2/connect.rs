//! Transports over TCP.

use super::{TcpListener, TcpStream};
use crate::net_error::NetError;
use core::future::Future;
use core::net::SocketAddr;
use molen_core::io::source::SourceError;
use molen_core::net::{
    DEFAULT_LIMIT, Protocol, Server, Start, StreamReader, StreamWriter, Transport,
    connect_accepted_socket, open_streams, start_stream_server,
};
use molen_core::schedule::CallbackResult;

/// Connects to `address`, with `protocol`. `connection_made` was called when
/// this returns.
///
/// asyncio: `loop.create_connection()`.
///
/// # Errors
///
/// [`NetError`]: refused, unreachable, or the host does not let the component use the network.
///
/// # Cancellation
///
/// The attempt is given up, or the connection aborted.
pub async fn create_connection<P: Protocol + 'static>(
    address: SocketAddr,
    protocol: P,
) -> Result<Transport, NetError> {
    let stream = TcpStream::connect(address).await?;
    connect_accepted_socket(stream, protocol).await.map_err(|cause| NetError {
        operation: "connect to",
        address,
        cause,
    })
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
    Server::new([listener], factory, Start::Now).map_err(|_no_loop| NetError {
        operation: "listen on",
        address,
        cause: SourceError::NoRunningLoop,
    })
}

/// Connects to `address`, with a pair of streams.
///
/// asyncio: `asyncio.open_connection()`.
///
/// # Errors
///
/// As for [`create_connection`].
///
/// # Cancellation
///
/// The attempt is given up, or the connection aborted.
pub async fn open_connection(
    address: SocketAddr,
) -> Result<(StreamReader, StreamWriter), NetError> {
    let stream = TcpStream::connect(address).await?;
    open_streams(stream, DEFAULT_LIMIT).await.map_err(|cause| NetError {
        operation: "connect to",
        address,
        cause,
    })
}

/// Listens on `address`, and makes a task of `handler` for each connection.
///
/// asyncio: `asyncio.start_server()`.
///
/// # Errors
///
/// As for [`create_server`].
pub async fn start_server<F, H>(address: SocketAddr, handler: F) -> Result<Server, NetError>
where
    F: Fn(StreamReader, StreamWriter) -> H + 'static,
    H: Future<Output: CallbackResult> + 'static,
{
    let listener = TcpListener::bind(address)?;
    start_stream_server([listener], handler, DEFAULT_LIMIT, Start::Now).map_err(|_no_loop| {
        NetError { operation: "listen on", address, cause: SourceError::NoRunningLoop }
    })
}
