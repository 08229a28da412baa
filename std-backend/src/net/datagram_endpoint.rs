//! Endpoints: a UDP socket and a protocol.

use super::udp_socket::UdpSocket;
use molen_core::io::source::SourceError;
use molen_core::net::NetError;
use molen_core::net::{DatagramProtocol, DatagramTransport};
use molen_core::{get_running_loop, yield_now};
use std::net::SocketAddr;

/// An endpoint that receives on `local`, and exchanges messages with `peer`
/// alone if one is given, with `protocol`. `connection_made` was called when
/// this returns.
///
/// asyncio: `loop.create_datagram_endpoint()`.
///
/// # Errors
///
/// [`NetError`]: the address is in use or not ours, no loop runs.
///
/// # Cancellation
///
/// The endpoint goes on by itself.
pub async fn create_datagram_endpoint<P: DatagramProtocol<SocketAddr> + 'static>(
    local: SocketAddr,
    peer: Option<SocketAddr>,
    protocol: P,
) -> Result<DatagramTransport<SocketAddr>, NetError> {
    let failed = |cause| NetError { operation: "receive datagrams on", address: local, cause };
    let socket = match peer {
        Some(peer) => UdpSocket::connect_from(local, peer)?,
        None => UdpSocket::bind(local)?,
    };
    let event_loop = get_running_loop().map_err(|_none| failed(SourceError::NoRunningLoop))?;
    let transport = DatagramTransport::new(&event_loop, socket, protocol, peer)
        .map_err(|_closed| failed(SourceError::Closed))?;
    yield_now().await;
    Ok(transport)
}
