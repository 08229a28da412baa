//! Endpoints of UDP.

#[cfg(target_env = "p1")]
use crate::preview1::Udp;
#[cfg(target_env = "p2")]
use crate::preview2::Udp;
use molen_core::net::{DatagramEndpoint, Hosts};

/// What [`create_datagram_endpoint`] returns, to be awaited.
pub type CreateDatagramEndpoint<P> = DatagramEndpoint<Udp, P>;

/// An endpoint that receives at `local`, and exchanges messages with `remote`
/// alone if one is given, with `protocol`. `connection_made` was called when it
/// is there. What asyncio's keyword arguments say, methods of
/// [`DatagramEndpoint`] do.
///
/// asyncio: `loop.create_datagram_endpoint()`.
///
/// # Errors
///
/// [`HostError`](molen_core::net::HostError): the address is in use or not ours, no such
/// name, no loop runs; or the level of WASI, or the host, has no such sockets or options.
///
/// # Cancellation
///
/// The question for a name is given up, or the endpoint closed.
pub fn create_datagram_endpoint<N: Into<Hosts>, P>(
    local: N,
    remote: Option<N>,
    protocol: P,
) -> CreateDatagramEndpoint<P> {
    DatagramEndpoint::new(Udp, local, remote, protocol)
}
