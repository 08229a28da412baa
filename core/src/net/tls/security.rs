//! What `.tls(…)` adds to [`Connect`] and [`Listen`].

use super::engine::{ClientSide, ServerSide};
use super::error::TlsError;
use super::server::{ServerTls, WithTls};
use super::start::ConnectTls;
use super::timeouts::Timeouts;
use crate::io::source::{AcceptSource, ByteSource, SourceError};
use crate::net::connect::connect_accepted_socket;
use crate::net::establish::{Connect, Listen, Making};
use crate::net::host_error::HostFailure;
use crate::net::hosts::Hosts;
use crate::net::network::Network;
use crate::net::protocol::Protocol;
use crate::net::server::{Server, Serving, Start};
use crate::net::transport::Transport;
use crate::time::Duration;
use alloc::borrow::ToOwned;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

/// How a client's connection is secured, if it is.
#[derive(Default)]
pub(in crate::net) struct ClientSecurity {
    context: Option<Rc<dyn ClientSide>>,
    server_hostname: Option<String>,
    timeouts: Timeouts,
}

impl ClientSecurity {
    /// What is wrong with it, before anything is connected.
    pub(in crate::net) fn check(mut self, hosts: &Hosts) -> Result<ClientSecurity, HostFailure> {
        let Some(context) = &self.context else {
            return match self.server_hostname {
                Some(_) => Err(TlsError::HostnameWithoutTls.into()),
                None => Ok(self),
            };
        };
        let name = self.server_hostname.or_else(|| hosts.one_name());
        let name = name.ok_or(TlsError::NoServerHostname)?;
        self.timeouts.check()?;
        drop(context.client_engine(&name)?);
        self.server_hostname = Some(name);
        Ok(self)
    }

    /// Gives `source` to `protocol`, through TLS if that was asked for.
    pub(in crate::net) async fn connect<S, P>(
        self,
        source: S,
        protocol: P,
    ) -> Result<Transport, HostFailure>
    where
        S: ByteSource + 'static,
        P: Protocol + 'static,
    {
        let Some(context) = self.context else {
            return connect_accepted_socket(source, protocol).await.map_err(HostFailure::Source);
        };
        let engine = context.client_engine(self.server_hostname.as_deref().unwrap_or_default());
        let connect = ConnectTls::new(source, protocol, engine)
            .handshake_timeout(self.timeouts.handshake)
            .shutdown_timeout(self.timeouts.shutdown);
        Ok(connect.connect().await?)
    }
}

/// How a server's connections are secured, if they are.
#[derive(Default)]
pub(in crate::net) struct ServerSecurity {
    context: Option<Rc<dyn ServerSide>>,
    timeouts: Timeouts,
}

impl ServerSecurity {
    /// What is wrong with it, before anything listens.
    pub(in crate::net) fn check(self) -> Result<Option<ServerTls>, HostFailure> {
        let Some(context) = self.context else { return Ok(None) };
        Ok(Some(ServerTls::new(context, self.timeouts)?))
    }
}

/// Serves, through TLS if there is any.
pub(in crate::net) fn serve<L: AcceptSource + 'static>(
    tls: Option<ServerTls>,
    listeners: Vec<L>,
    start: Start,
    serving: impl Serving,
) -> Result<Server, HostFailure> {
    let server = match tls {
        None => Server::serving(listeners, start, serving),
        Some(tls) => Server::serving(listeners, start, WithTls { serving: Rc::new(serving), tls }),
    };
    server.map_err(|_no_loop| HostFailure::Source(SourceError::NoRunningLoop))
}

impl From<TlsError> for HostFailure {
    fn from(error: TlsError) -> HostFailure {
        HostFailure::Tls(error)
    }
}

impl<N: Network, M: Making> Connect<N, M> {
    /// Through TLS: the server's certificate is checked, and that it has the
    /// host's name, unless [another](Self::server_hostname) is given.
    ///
    /// asyncio: `ssl`.
    pub fn tls(mut self, context: &(impl ClientSide + Clone + 'static)) -> Self {
        self.security.context = Some(Rc::new(context.clone()));
        self
    }

    /// The name that is sent to the server (SNI), and that its certificate has
    /// to have; an address, as text, too. Without it, it is the host's name or
    /// address; where there are several, it is an error.
    ///
    /// asyncio: `server_hostname`.
    pub fn server_hostname(mut self, name: &str) -> Self {
        self.security.server_hostname = Some(name.to_owned());
        self
    }

    /// How long the handshake may take, 60 seconds if it is not said.
    ///
    /// asyncio: `ssl_handshake_timeout`.
    pub fn handshake_timeout(mut self, limit: Duration) -> Self {
        self.security.timeouts.handshake = limit;
        self
    }

    /// How long the other side's `close_notify` is waited for at the end, 30
    /// seconds if it is not said.
    ///
    /// asyncio: `ssl_shutdown_timeout`.
    pub fn shutdown_timeout(mut self, limit: Duration) -> Self {
        self.security.timeouts.shutdown = limit;
        self
    }
}

impl<N: Network, M: Serving> Listen<N, M> {
    /// Through TLS: each connection has its protocol when its handshake is done.
    /// One that fails is closed, and nobody is told.
    ///
    /// asyncio: `ssl`.
    pub fn tls(mut self, context: &(impl ServerSide + Clone + 'static)) -> Self {
        self.security.context = Some(Rc::new(context.clone()));
        self
    }

    /// How long a handshake may take, 60 seconds if it is not said.
    ///
    /// asyncio: `ssl_handshake_timeout`.
    pub fn handshake_timeout(mut self, limit: Duration) -> Self {
        self.security.timeouts.handshake = limit;
        self
    }

    /// How long a client's `close_notify` is waited for at the end, 30 seconds
    /// if it is not said.
    ///
    /// asyncio: `ssl_shutdown_timeout`.
    pub fn shutdown_timeout(mut self, limit: Duration) -> Self {
        self.security.timeouts.shutdown = limit;
        self
    }
}
