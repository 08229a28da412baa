//! `create_datagram_endpoint`.

use super::addresses::{Candidate, Purpose, of_hosts};
use crate::io::source::{DatagramSource, SourceError};
use crate::net::datagram::{DatagramProtocol, DatagramTransport};
use crate::net::family::Family;
use crate::net::host_error::{HostError, HostFailure};
use crate::net::hosts::Hosts;
use crate::net::net_error::NetError;
use crate::net::network::Addresses;
use crate::task::yield_now;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::future::{Future, IntoFuture};
use core::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use core::pin::Pin;

/// A platform's UDP: one socket at one address, and names.
pub trait DatagramNetwork: Clone + 'static {
    /// A socket.
    type Socket: DatagramSource<Address = SocketAddr> + 'static;

    /// A socket that receives at `local`, port 0 for any free one, and sends to
    /// `remote` alone if there is one. It is connected to that, and receives
    /// from nobody else, unless broadcasts are allowed: answers to those come
    /// from other addresses.
    ///
    /// # Errors
    ///
    /// [`SourceError`], also for an option that the platform does not have.
    fn open(
        &self,
        local: SocketAddr,
        remote: Option<SocketAddr>,
        options: &DatagramOptions,
    ) -> Result<Self::Socket, SourceError>;

    /// Looks `host` up, which is not an address in numbers. The answers are in
    /// the order in which to try them, with `port`.
    fn resolve(&self, host: &str, port: u16, family: Family) -> Addresses;
}

/// What is set before a datagram socket is bound.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DatagramOptions {
    /// Several sockets may be bound to the address. asyncio: `reuse_port`.
    pub reuse_port: bool,
    /// It may send to everybody at once. asyncio: `allow_broadcast`.
    pub allow_broadcast: bool,
}

/// A datagram endpoint that will be made when this is awaited.
///
/// With a peer it is of the first family that both the peer and the local
/// address have and that works, else of the first that works.
///
/// asyncio: `loop.create_datagram_endpoint()`; its keyword arguments are methods
/// here. `sock=` is [`DatagramTransport::new`], which has no others, so that
/// they cannot contradict the socket.
///
/// # Errors
///
/// [`HostError`]: the address is in use or not ours, no such name, no way to the
/// peer, no loop runs.
///
/// # Cancellation
///
/// The question for a name is given up, or the endpoint closed.
#[must_use = "there is no endpoint unless this is awaited"]
pub struct DatagramEndpoint<N: DatagramNetwork, P> {
    network: N,
    local: Hosts,
    remote: Option<Hosts>,
    family: Family,
    options: DatagramOptions,
    protocol: P,
}

impl<N: DatagramNetwork, P> fmt::Debug for DatagramEndpoint<N, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DatagramEndpoint")
            .field("local", &self.local)
            .field("remote", &self.remote)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// The future of a [`DatagramEndpoint`].
pub type OpeningEndpoint =
    Pin<Box<dyn Future<Output = Result<DatagramTransport<SocketAddr>, HostError>>>>;

impl<N: DatagramNetwork, P> DatagramEndpoint<N, P> {
    /// An endpoint that receives at `local`, and exchanges messages with
    /// `remote` alone if there is one. The host `""` of `local` stands for all
    /// addresses of this machine.
    pub fn new(
        network: N,
        local: impl Into<Hosts>,
        remote: Option<impl Into<Hosts>>,
        protocol: P,
    ) -> Self {
        let (local, remote) = (local.into(), remote.map(Into::into));
        let (family, options) = (Family::Any, DatagramOptions::default());
        DatagramEndpoint { network, local, remote, family, options, protocol }
    }

    /// Exchanges messages with `remote` alone.
    ///
    /// asyncio: `remote_addr`.
    pub fn remote_address(mut self, remote: impl Into<Hosts>) -> Self {
        self.remote = Some(remote.into());
        self
    }

    /// Only addresses of this family.
    ///
    /// asyncio: `family`.
    pub fn family(mut self, family: Family) -> Self {
        self.family = family;
        self
    }

    /// Whether several sockets, which all say so, may be bound to the address.
    /// A group's messages come to all of them, others to one.
    ///
    /// asyncio: `reuse_port`.
    pub fn reuse_port(mut self, reuse: bool) -> Self {
        self.options.reuse_port = reuse;
        self
    }

    /// Whether it may send to everybody at once. With a peer it is not
    /// connected then, so that it hears who answers.
    ///
    /// asyncio: `allow_broadcast`.
    pub fn allow_broadcast(mut self, allow: bool) -> Self {
        self.options.allow_broadcast = allow;
        self
    }
}

impl<N, P> IntoFuture for DatagramEndpoint<N, P>
where
    N: DatagramNetwork,
    P: DatagramProtocol<SocketAddr> + 'static,
{
    type Output = Result<DatagramTransport<SocketAddr>, HostError>;
    type IntoFuture = OpeningEndpoint;

    fn into_future(self) -> OpeningEndpoint {
        Box::pin(async move {
            let DatagramEndpoint { network, local, remote, family, options, protocol } = self;
            let opened = async {
                let addresses = pairs(&network, &local, remote.as_ref(), family).await?;
                let (socket, peer) = open(&network, &addresses, &options)?;
                connect_datagram_socket(socket, protocol, peer).await.map_err(HostFailure::Source)
            };
            opened.await.map_err(|cause| {
                let (operation, hosts) = doing(&local, remote.as_ref());
                HostError::new(operation, hosts, cause)
            })
        })
    }
}

/// What is done to which of the two, as errors say it.
fn doing<A>(local: A, remote: Option<A>) -> (&'static str, A) {
    match remote {
        Some(remote) => ("exchange datagrams with", remote),
        None => ("receive datagrams on", local),
    }
}

/// Where to be bound, and whom to be connected to.
type Pair = (SocketAddr, Option<SocketAddr>);

/// A pair for each family in which there is one, in the order in which to try them.
async fn pairs<N: DatagramNetwork>(
    network: &N,
    local: &Hosts,
    remote: Option<&Hosts>,
    family: Family,
) -> Result<Vec<Pair>, HostFailure> {
    if crate::schedule::current().is_none() {
        return Err(HostFailure::Source(SourceError::NoRunningLoop));
    }
    let resolve = |name: &str, port, family| network.resolve(name, port, family);
    let locals = of_hosts(resolve, local, family, Purpose::Listening).await?;
    let Some(remote) = remote else {
        let pairs: Vec<Pair> = first_of_families(&locals).map(|address| (address, None)).collect();
        return if pairs.is_empty() { Err(HostFailure::NoAddresses) } else { Ok(pairs) };
    };
    let remotes = of_hosts(resolve, remote, family, Purpose::Connecting).await?;
    let pairs: Vec<Pair> = first_of_families(&remotes)
        .filter_map(|remote| {
            let same = |local: &SocketAddr| Family::of(local) == Family::of(&remote);
            first_of_families(&locals).find(same).map(|local| (local, Some(remote)))
        })
        .collect();
    match (pairs.is_empty(), locals.is_empty(), remotes.first()) {
        (false, _, _) => Ok(pairs),
        (true, false, Some(remote)) => {
            Err(HostFailure::NoLocalAddress(Family::of(&remote.address)))
        }
        _ => Err(HostFailure::NoAddresses),
    }
}

/// The first address of each family, in their order.
fn first_of_families(candidates: &[Candidate]) -> impl Iterator<Item = SocketAddr> + '_ {
    candidates.iter().enumerate().filter_map(|(number, candidate)| {
        let family = Family::of(&candidate.address);
        let mut before = candidates.iter().take(number);
        let is_first = !before.any(|other| Family::of(&other.address) == family);
        is_first.then_some(candidate.address)
    })
}

fn open<N: DatagramNetwork>(
    network: &N,
    pairs: &[Pair],
    options: &DatagramOptions,
) -> Result<(N::Socket, Option<SocketAddr>), HostFailure> {
    let mut errors = Vec::new();
    for &(local, remote) in pairs {
        match network.open(local, remote, options) {
            Ok(socket) => return Ok((socket, remote)),
            Err(cause) => {
                let (operation, address) = doing(local, remote);
                errors.push(NetError { operation, address, cause });
            }
        }
    }
    Err(HostFailure::Addresses(errors))
}

/// Closes the endpoint of who does not wait for it any more.
struct CloseOnDrop<A>(Option<DatagramTransport<A>>);

impl<A> Drop for CloseOnDrop<A> {
    fn drop(&mut self) {
        if let Some(transport) = &self.0 {
            transport.close();
        }
    }
}

/// Gives `socket` to `protocol`; `peer` is whom it sends to alone.
/// `connection_made` was called when this returns.
///
/// asyncio: `create_datagram_endpoint(sock=…)`.
///
/// # Errors
///
/// [`SourceError::NoRunningLoop`], [`SourceError::Closed`].
///
/// # Cancellation
///
/// The endpoint is closed.
pub async fn connect_datagram_socket<S, P>(
    socket: S,
    protocol: P,
    peer: Option<S::Address>,
) -> Result<DatagramTransport<S::Address>, SourceError>
where
    S: DatagramSource + 'static,
    P: DatagramProtocol<S::Address> + 'static,
{
    let event_loop = crate::schedule::current().ok_or(SourceError::NoRunningLoop)?;
    let transport = DatagramTransport::new(event_loop, socket, protocol, peer)
        .map_err(|_closed| SourceError::Closed)?;
    let mut guard = CloseOnDrop(Some(transport));
    yield_now().await;
    guard.0.take().ok_or(SourceError::Closed)
}

/// Any address of this machine of the family of `peer`, and any port: where
/// sockets are bound for which no other place is asked for.
pub fn anywhere_beside(peer: SocketAddr) -> SocketAddr {
    match peer {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    }
}
