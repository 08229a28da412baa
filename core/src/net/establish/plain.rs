//! What is secured without the feature `tls`: nothing. The same calls as in
//! `tls::security`, which takes this module's place with it.

use crate::io::source::{AcceptSource, ByteSource, SourceError};
use crate::net::connect::connect_accepted_socket;
use crate::net::host_error::HostFailure;
use crate::net::hosts::Hosts;
use crate::net::protocol::Protocol;
use crate::net::server::{Server, Serving, Start};
use crate::net::transport::Transport;
use alloc::vec::Vec;

/// A client's connection is not secured. Braces, because lints want a unit made
/// without the `default` that the other module needs.
#[derive(Default)]
pub(in crate::net) struct ClientSecurity {}

impl ClientSecurity {
    pub(in crate::net) fn check(self, _hosts: &Hosts) -> Result<ClientSecurity, HostFailure> {
        Ok(self)
    }

    pub(in crate::net) async fn connect<S, P>(
        self,
        source: S,
        protocol: P,
    ) -> Result<Transport, HostFailure>
    where
        S: ByteSource + 'static,
        P: Protocol + 'static,
    {
        connect_accepted_socket(source, protocol).await.map_err(HostFailure::Source)
    }
}

/// A server's connections are not secured.
#[derive(Default)]
pub(in crate::net) struct ServerSecurity {}

impl ServerSecurity {
    pub(in crate::net) fn check(self) -> Result<ServerSecurity, HostFailure> {
        Ok(self)
    }
}

/// Serves.
pub(in crate::net) fn serve<L: AcceptSource + 'static>(
    _plain: ServerSecurity,
    listeners: Vec<L>,
    start: Start,
    serving: impl Serving,
) -> Result<Server, HostFailure> {
    Server::serving(listeners, start, serving)
        .map_err(|_no_loop| HostFailure::Source(SourceError::NoRunningLoop))
}
