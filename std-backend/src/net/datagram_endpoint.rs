//! Endpoints: a socket for messages and a protocol.

use super::network::look_up;
use super::udp_socket::UdpSocket;
use super::unix_endpoint::UnixEndpoint;
use crate::dns::SocketType;
use molen_core::io::source::SourceError;
use molen_core::net::{
    Addresses, DatagramEndpoint, DatagramNetwork, DatagramOptions, Family, Hosts, UnixAddress,
};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// What [`create_datagram_endpoint`] returns for UDP, to be awaited.
pub type CreateDatagramEndpoint<P> = DatagramEndpoint<Udp, P>;

/// An endpoint that receives at `local`, and exchanges messages with `remote`
/// alone if one is given, with `protocol`. `connection_made` was called when it
/// is there. What asyncio's keyword arguments say, methods of
/// [`DatagramEndpoint`] and [`UnixEndpoint`] do.
///
/// Hosts and ports make it one of UDP, paths one of Unix sockets:
///
/// ```
/// # mod molen { pub use {molen_core::*, molen_std::{net, *}}; }
/// use molen::net::{Answer, DatagramProtocol, DatagramTransport};
/// use molen::net::create_datagram_endpoint;
/// use std::net::SocketAddr;
///
/// struct Echo;
///
/// impl DatagramProtocol for Echo {
///     fn datagram_received(
///         &mut self,
///         transport: &DatagramTransport,
///         data: &[u8],
///         sender: &SocketAddr,
///     ) -> Answer {
///         transport.sendto(data, Some(sender))?;
///         Ok(())
///     }
/// }
///
/// let event_loop = molen::new_event_loop()?;
/// event_loop.run_until_complete(async {
///     let echo = create_datagram_endpoint(("127.0.0.1", 0), None, Echo).await?;
///     // By a name, from anywhere.
///     let port = echo.local_address().map_or(0, |address| address.port());
///     create_datagram_endpoint(("", 0), Some(("localhost", port)), Echo).await?;
///     Ok::<_, Box<dyn std::error::Error>>(())
/// })??;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// asyncio: `loop.create_datagram_endpoint()`. No local address is the host `""`, and
/// for Unix sockets the path `""`. `sock=` is
/// [`connect_datagram_socket`](super::connect_datagram_socket), also for a
/// [`UdpSocket`](super::UdpSocket) that has joined a group.
///
/// # Errors
///
/// [`HostError`](super::HostError), [`UnixError`](super::UnixError): the address is in
/// use or not ours, no such name, no loop runs.
///
/// # Cancellation
///
/// The question for a name is given up, or the endpoint closed.
pub fn create_datagram_endpoint<N: EndpointName, P>(
    local: N,
    remote: Option<N>,
    protocol: P,
) -> N::Endpoint<P> {
    N::endpoint(local, remote, protocol)
}

/// Where an endpoint is, or its peer: what becomes [`Hosts`], or a path.
pub trait EndpointName: Sized {
    /// An endpoint with a protocol, which is made when it is awaited.
    type Endpoint<P>;

    /// What [`create_datagram_endpoint`] does.
    fn endpoint<P>(local: Self, remote: Option<Self>, protocol: P) -> Self::Endpoint<P>;
}

macro_rules! hosts {
    ($($name:ty),*) => {$(
        impl EndpointName for $name {
            type Endpoint<P> = DatagramEndpoint<Udp, P>;

            fn endpoint<P>(local: Self, remote: Option<Self>, protocol: P) -> Self::Endpoint<P> {
                DatagramEndpoint::new(Udp, local, remote, protocol)
            }
        }
    )*};
}
hosts! {
    SocketAddr, &SocketAddr, (IpAddr, u16), (Ipv4Addr, u16), (Ipv6Addr, u16),
    (&str, u16), (&String, u16), (String, u16), &str, &String, String, Hosts
}

macro_rules! paths {
    ($($name:ty),*) => {$(
        impl EndpointName for $name {
            type Endpoint<P> = UnixEndpoint<P>;

            fn endpoint<P>(local: Self, remote: Option<Self>, protocol: P) -> Self::Endpoint<P> {
                UnixEndpoint::new(&local, remote.as_ref(), protocol)
            }
        }
    )*};
}
paths!(&Path, PathBuf, &PathBuf, UnixAddress);

/// This machine's UDP, with the names of the running loop's resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct Udp;

impl DatagramNetwork for Udp {
    type Socket = UdpSocket;

    fn open(
        &self,
        local: SocketAddr,
        remote: Option<SocketAddr>,
        options: &DatagramOptions,
    ) -> Result<UdpSocket, SourceError> {
        UdpSocket::open(local, remote, options)
    }

    fn resolve(&self, host: &str, port: u16, family: Family) -> Addresses {
        look_up(host, port, family, SocketType::Datagram)
    }
}
