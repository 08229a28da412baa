//! `create_server` and `start_server`.

use super::binding;
use super::security::{self, ServerSecurity};
use crate::io::source::SourceError;
use crate::net::family::Family;
use crate::net::host_error::{HostError, HostFailure};
use crate::net::hosts::Hosts;
use crate::net::listen_options::ListenOptions;
use crate::net::network::Network;
use crate::net::protocol::Protocol;
use crate::net::server::{Server, Serving, Start, WithFactory};
use crate::net::streams::{DEFAULT_LIMIT, StreamReader, StreamWriter, WithHandler};
use crate::schedule::CallbackResult;
use alloc::boxed::Box;
use core::fmt;
use core::future::{Future, IntoFuture};
use core::pin::Pin;

/// A server that will listen when this is awaited.
///
/// It has a socket for each distinct address of its hosts. With the host `""`
/// it listens on all addresses of this machine, of IPv4 and of IPv6, on one
/// port; port 0 stands for any that is free at all addresses. It listens on all
/// of them or on none.
///
/// asyncio: `loop.create_server()`, `asyncio.start_server()`; its keyword
/// arguments are methods here. `sock=` is [`Server::new`], and on desktops
/// `create_server_with_socks`.
///
/// # Errors
///
/// [`HostError`]: the address is in use or not ours, no such name, no loop runs.
///
/// # Cancellation
///
/// The question for a name is given up; sockets are opened in the step that
/// makes the server.
#[must_use = "nothing is served unless this is awaited"]
pub struct Listen<N: Network, M: Serving> {
    network: N,
    hosts: Hosts,
    family: Family,
    options: ListenOptions,
    start: Start,
    serving: M,
    pub(in crate::net) security: ServerSecurity,
}

impl<N: Network, M: Serving> fmt::Debug for Listen<N, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listen")
            .field("hosts", &self.hosts)
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

/// The future of a [`Listen`].
pub type Listening = Pin<Box<dyn Future<Output = Result<Server, HostError>>>>;

impl<N, P, F> Listen<N, WithFactory<F>>
where
    N: Network,
    P: Protocol + 'static,
    F: FnMut() -> P + 'static,
{
    /// A server on `on` that gives each connection a protocol of `factory`.
    ///
    /// asyncio: `loop.create_server()`.
    pub fn with_factory(network: N, on: impl Into<Hosts>, factory: F) -> Self {
        Listen::new(network, on.into(), WithFactory::new(factory))
    }
}

impl<N, F, H> Listen<N, WithHandler<F>>
where
    N: Network,
    F: Fn(StreamReader, StreamWriter) -> H + 'static,
    H: Future<Output: CallbackResult> + 'static,
{
    /// A server on `on` that makes a task of `handler` for each connection.
    ///
    /// asyncio: `asyncio.start_server()`.
    pub fn with_handler(network: N, on: impl Into<Hosts>, handler: F) -> Self {
        Listen::new(network, on.into(), WithHandler::new(handler, DEFAULT_LIMIT))
    }

    /// How long a line may be, in bytes; half of how much may come unread.
    ///
    /// asyncio: `limit`, 64 KiB as here.
    pub fn limit(mut self, bytes: usize) -> Self {
        self.serving.set_limit(bytes);
        self
    }
}

impl<N: Network, M: Serving> Listen<N, M> {
    fn new(network: N, hosts: Hosts, serving: M) -> Self {
        let (family, options) = (Family::Any, ListenOptions::default());
        let security = ServerSecurity::default();
        Listen { network, hosts, family, options, start: Start::Now, serving, security }
    }

    /// How many connections wait to be accepted. A system may allow fewer, and
    /// its own default is used if this is not said.
    ///
    /// asyncio: `backlog`, 100.
    pub fn backlog(mut self, connections: u32) -> Self {
        self.options.backlog = Some(connections);
        self
    }

    /// Whether the address may be one that earlier connections are still
    /// winding down on. By default it may, but on Windows, where others could
    /// take the port.
    ///
    /// asyncio: `reuse_address`.
    pub fn reuse_address(mut self, reuse: bool) -> Self {
        self.options.reuse_address = Some(reuse);
        self
    }

    /// Whether several servers, of one loop a thread or of several processes,
    /// may listen on the address and share the connections.
    ///
    /// asyncio: `reuse_port`.
    pub fn reuse_port(mut self, reuse: bool) -> Self {
        self.options.reuse_port = reuse;
        self
    }

    /// Whether connections are asked now and then whether they still stand.
    ///
    /// asyncio: `keep_alive`.
    pub fn keep_alive(mut self, keep_alive: bool) -> Self {
        self.options.keep_alive = keep_alive;
        self
    }

    /// Only addresses of this family.
    ///
    /// asyncio: `family`.
    pub fn family(mut self, family: Family) -> Self {
        self.family = family;
        self
    }

    /// When it begins to accept.
    ///
    /// asyncio: `start_serving`.
    pub fn start(mut self, start: Start) -> Self {
        self.start = start;
        self
    }
}

impl<N: Network, M: Serving> IntoFuture for Listen<N, M> {
    type Output = Result<Server, HostError>;
    type IntoFuture = Listening;

    fn into_future(self) -> Listening {
        Box::pin(async move {
            let Listen { network, hosts, family, options, start, serving, security } = self;
            let served = async {
                if crate::schedule::current().is_none() {
                    return Err(HostFailure::Source(SourceError::NoRunningLoop));
                }
                let security = security.check()?;
                let listeners = binding::listen(&network, &hosts, family, &options).await?;
                security::serve(security, listeners, start, serving)
            };
            served.await.map_err(|cause| HostError::new("listen on", &hosts, cause))
        })
    }
}
