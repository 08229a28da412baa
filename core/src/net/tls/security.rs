//! What `.tls(…)` adds to [`Connect`] and [`Listen`], and to backends' builders
//! of connections without a host.

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
use crate::net::server::{ServeError, Server, Serving, Start};
use crate::net::transport::Transport;
use alloc::borrow::ToOwned;
use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

/// How a client's connection is secured, if it is: not by default. For
/// backends' builders; programs use the builders' methods.
#[derive(Default)]
pub struct ClientSecurity {
    context: Option<Rc<dyn ClientSide>>,
    server_hostname: Option<String>,
    timeouts: Timeouts,
}

impl ClientSecurity {
    /// By this context.
    pub fn set_context(&mut self, context: &(impl ClientSide + Clone + 'static)) {
        self.context = Some(Rc::new(context.clone()));
    }

    /// For the server of this name.
    pub fn set_server_hostname(&mut self, name: &str) {
        self.server_hostname = Some(name.to_owned());
    }

    /// How long the handshake and the goodbye may take.
    pub fn timeouts(&mut self) -> &mut Timeouts {
        &mut self.timeouts
    }

    /// What is wrong with it, before anything is connected.
    pub(in crate::net) fn check(self, hosts: &Hosts) -> Result<ClientSecurity, TlsError> {
        self.check_for(|| hosts.one_name())
    }

    /// What is wrong with it, before anything is connected to what is no host
    /// with a name.
    ///
    /// # Errors
    ///
    /// [`TlsError`]: a context without a server's name, a name without a
    /// context, no time, a context that cannot be used.
    pub fn check_without_host(self) -> Result<ClientSecurity, TlsError> {
        self.check_for(|| None)
    }

    fn check_for(
        mut self,
        host: impl FnOnce() -> Option<String>,
    ) -> Result<ClientSecurity, TlsError> {
        let Some(context) = &self.context else {
            return match self.server_hostname {
                Some(_) => Err(TlsError::HostnameWithoutTls),
                None => Ok(self),
            };
        };
        let name = self.server_hostname.or_else(host);
        let name = name.ok_or(TlsError::NoServerHostname)?;
        self.timeouts.check()?;
        drop(context.client_engine(&name)?);
        self.server_hostname = Some(name);
        Ok(self)
    }

    /// Gives `source` to `protocol`, through TLS if that was asked for.
    ///
    /// # Errors
    ///
    /// A [`SourceError`] where there is no TLS, as of
    /// [`connect_accepted_socket`]; else a [`TlsError`].
    ///
    /// # Cancellation
    ///
    /// The connection is aborted.
    pub async fn connect<S, P, E>(self, source: S, protocol: P) -> Result<Transport, E>
    where
        S: ByteSource + 'static,
        P: Protocol + 'static,
        E: From<SourceError> + From<TlsError>,
    {
        let Some(context) = self.context else {
            return Ok(connect_accepted_socket(source, protocol).await?);
        };
        let engine = context.client_engine(self.server_hostname.as_deref().unwrap_or_default());
        let connect = ConnectTls::new(source, protocol, engine)
            .handshake_timeout(self.timeouts.handshake)
            .shutdown_timeout(self.timeouts.shutdown);
        Ok(connect.connect().await?)
    }
}

/// How a server's connections are secured, if they are: not by default. For
/// backends' builders; programs use the builders' methods.
#[derive(Default)]
pub struct ServerSecurity {
    context: Option<Rc<dyn ServerSide>>,
    timeouts: Timeouts,
}

impl ServerSecurity {
    /// By this context.
    pub fn set_context(&mut self, context: &(impl ServerSide + Clone + 'static)) {
        self.context = Some(Rc::new(context.clone()));
    }

    /// How long a handshake and a goodbye may take.
    pub fn timeouts(&mut self) -> &mut Timeouts {
        &mut self.timeouts
    }

    /// What is wrong with it, before anything listens.
    ///
    /// # Errors
    ///
    /// [`TlsError`]: no time, or a context that cannot be used.
    pub fn check(self) -> Result<CheckedSecurity, TlsError> {
        let Some(context) = self.context else { return Ok(CheckedSecurity(None)) };
        Ok(CheckedSecurity(Some(ServerTls::new(context, self.timeouts)?)))
    }
}

/// A [`ServerSecurity`] that can be used.
pub struct CheckedSecurity(Option<ServerTls>);

impl CheckedSecurity {
    /// Serves, through TLS if there is any.
    ///
    /// # Errors
    ///
    /// [`ServeError::NoRunningLoop`] when it is to start now and no loop runs.
    pub fn serve<L: AcceptSource + 'static>(
        self,
        listeners: impl IntoIterator<Item = L>,
        start: Start,
        serving: impl Serving,
    ) -> Result<Server, ServeError> {
        match self.0 {
            None => Server::serving(listeners, start, serving),
            Some(tls) => {
                Server::serving(listeners, start, WithTls { serving: Rc::new(serving), tls })
            }
        }
    }
}

/// Serves, through TLS if there is any.
pub(in crate::net) fn serve<L: AcceptSource + 'static>(
    security: CheckedSecurity,
    listeners: Vec<L>,
    start: Start,
    serving: impl Serving,
) -> Result<Server, HostFailure> {
    let server = security.serve(listeners, start, serving);
    server.map_err(|_no_loop| HostFailure::Source(SourceError::NoRunningLoop))
}

impl From<TlsError> for HostFailure {
    fn from(error: TlsError) -> HostFailure {
        HostFailure::Tls(error)
    }
}

impl From<SourceError> for HostFailure {
    fn from(error: SourceError) -> HostFailure {
        HostFailure::Source(error)
    }
}

impl<N: Network, M: Making> Connect<N, M> {
    /// Through TLS: the server's certificate is checked, and that it has the
    /// host's name, unless [another](Self::server_hostname) is given.
    ///
    /// asyncio: `ssl`.
    pub fn tls(mut self, context: &(impl ClientSide + Clone + 'static)) -> Self {
        self.security.set_context(context);
        self
    }

    /// The name that is sent to the server (SNI), and that its certificate has
    /// to have; an address, as text, too. Without it, it is the host's name or
    /// address; where there are several, it is an error.
    ///
    /// asyncio: `server_hostname`.
    pub fn server_hostname(mut self, name: &str) -> Self {
        self.security.set_server_hostname(name);
        self
    }

    crate::tls_timeouts!(security.timeouts);
}

impl<N: Network, M: Serving> Listen<N, M> {
    /// Through TLS: each connection has its protocol when its handshake is done.
    /// One that fails is closed, and nobody is told.
    ///
    /// asyncio: `ssl`.
    pub fn tls(mut self, context: &(impl ServerSide + Clone + 'static)) -> Self {
        self.security.set_context(context);
        self
    }

    crate::tls_timeouts!(security.timeouts);
}
