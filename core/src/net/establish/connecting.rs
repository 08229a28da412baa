//! `create_connection` and `open_connection`.

use super::attempts::{self, Failed, HAPPY_EYEBALLS_DELAY, Plan};
use super::making::{Making, WithProtocol, WithStreams};
use super::security::ClientSecurity;
use crate::io::source::SourceError;
use crate::net::family::Family;
use crate::net::host_error::{HostError, HostFailure};
use crate::net::hosts::Hosts;
use crate::net::network::Network;
use crate::net::protocol::Protocol;
use crate::net::transport::Transport;
use crate::time::Duration;
use crate::timeouts::timeout;
use alloc::boxed::Box;
use core::fmt;
use core::future::{Future, IntoFuture};
use core::pin::Pin;

/// A connection that will be made when this is awaited.
///
/// The host's name is looked up, its addresses are tried in the order of
/// RFC 8305 ("Happy Eyeballs"): families in turns, the next address when the
/// one before has failed, or has not answered within a quarter of a second. The
/// first connection that stands is used, the others are closed. Small writes
/// leave at once.
///
/// asyncio: `loop.create_connection()`, `asyncio.open_connection()`; its keyword
/// arguments are methods here.
///
/// # Errors
///
/// [`HostError`]: no such name, refused by all addresses, too late, no loop runs.
///
/// # Cancellation
///
/// The question for the name and all attempts are given up and their sockets
/// closed, or the connection is aborted.
#[must_use = "nothing is connected unless this is awaited"]
pub struct Connect<N: Network, M: Making> {
    network: N,
    plan: Plan,
    limit: Option<Duration>,
    making: M,
    pub(in crate::net) security: ClientSecurity,
}

impl<N: Network, M: Making> fmt::Debug for Connect<N, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connect")
            .field("plan", &self.plan)
            .field("timeout", &self.limit)
            .finish_non_exhaustive()
    }
}

/// The future of a [`Connect`].
pub type Connecting<T> = Pin<Box<dyn Future<Output = Result<T, HostError>>>>;

impl<N: Network, P: Protocol + 'static> Connect<N, WithProtocol<P>> {
    /// A connection with `to`, and with `protocol`. `connection_made` was called
    /// when it is there.
    ///
    /// asyncio: `loop.create_connection()`.
    pub fn with_protocol(network: N, to: impl Into<Hosts>, protocol: P) -> Self {
        Connect::new(network, to.into(), WithProtocol::new(protocol))
    }
}

impl<N: Network> Connect<N, WithStreams> {
    /// A connection with `to` as a pair of streams.
    ///
    /// asyncio: `asyncio.open_connection()`.
    pub fn with_streams(network: N, to: impl Into<Hosts>) -> Self {
        Connect::new(network, to.into(), WithStreams::default())
    }

    /// How long a line may be, in bytes; half of how much may come unread.
    ///
    /// asyncio: `limit`, 64 KiB as here.
    pub fn limit(mut self, bytes: usize) -> Self {
        self.making.set_limit(bytes);
        self
    }
}

impl<N: Network, M: Making> Connect<N, M> {
    fn new(network: N, hosts: Hosts, making: M) -> Self {
        let delay = Some(HAPPY_EYEBALLS_DELAY);
        let plan = Plan { hosts, family: Family::Any, local: None, delay, interleave: None };
        Connect { network, plan, limit: None, making, security: ClientSecurity::default() }
    }

    /// How long all of it may take: names, attempts, and what follows until the
    /// protocol has its connection.
    ///
    /// asyncio: `asyncio.timeout()` around it.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.limit = Some(limit);
        self
    }

    /// How long an attempt has for itself before the next address is tried too;
    /// `None`: until it has failed.
    ///
    /// asyncio: `happy_eyeballs_delay`, without one by default; here
    /// [`HAPPY_EYEBALLS_DELAY`].
    pub fn happy_eyeballs_delay(mut self, delay: impl Into<Option<Duration>>) -> Self {
        self.plan.delay = delay.into();
        self
    }

    /// How many addresses of the first family come first, before families take
    /// turns; 0 leaves the addresses in their order. By default that is 1 for
    /// names, and 0 for addresses that were given.
    ///
    /// asyncio: `interleave`.
    pub fn interleave(mut self, first: usize) -> Self {
        self.plan.interleave = Some(first);
        self
    }

    /// Only addresses of this family.
    ///
    /// asyncio: `family`.
    pub fn family(mut self, family: Family) -> Self {
        self.plan.family = family;
        self
    }

    /// Connects from this address; from port 0, any. Of several, from the first
    /// that can be bound to, and is of the family of the address to connect to.
    ///
    /// asyncio: `local_addr`.
    pub fn local_address(mut self, local: impl Into<Hosts>) -> Self {
        self.plan.local = Some(local.into());
        self
    }
}

impl<N: Network, M: Making> IntoFuture for Connect<N, M> {
    type Output = Result<M::Made, HostError>;
    type IntoFuture = Connecting<M::Made>;

    fn into_future(self) -> Connecting<M::Made> {
        let Connect { network, plan, limit, making, security } = self;
        Box::pin(async move {
            let failed = Failed::default();
            let connecting = establish(network, &plan, &failed, making, security);
            let made = match limit {
                None => connecting.await,
                Some(limit) => match timeout(limit, connecting).await {
                    Ok(made) => made,
                    Err(_elapsed) => Err(HostFailure::TimedOut { limit, failed: failed.take() }),
                },
            };
            made.map_err(|cause| HostError::new("connect to", &plan.hosts, cause))
        })
    }
}

async fn establish<N: Network, M: Making>(
    network: N,
    plan: &Plan,
    failed: &Failed,
    making: M,
    security: ClientSecurity,
) -> Result<M::Made, HostFailure> {
    // Waiting for delays needs a clock.
    if crate::schedule::current().is_none() {
        return Err(HostFailure::Source(SourceError::NoRunningLoop));
    }
    let security = security.check(&plan.hosts)?;
    let stream = attempts::connect(network, plan, failed).await?;
    let (protocol, kept) = making.begin();
    let connected: Result<Transport, HostFailure> = security.connect(stream, protocol).await;
    Ok(M::finish(kept, connected?))
}
