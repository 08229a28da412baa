//! This machine's TCP and names, for connections and servers.

use super::{TcpListener, TcpStream};
use crate::dns::{AddrInfoHints, DnsError, DnsFailure, SocketType, getaddrinfo};
use core::future::Future;
use molen_core::net::{Addresses, Family, ListenOptions, NameError, NetError, Network};
use std::net::SocketAddr;

/// This machine's TCP, with the names of the running loop's resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tcp;

impl Network for Tcp {
    type Stream = TcpStream;
    type Listener = TcpListener;

    fn connect(
        &self,
        address: SocketAddr,
        local: Option<SocketAddr>,
    ) -> impl Future<Output = Result<TcpStream, NetError>> + 'static {
        TcpStream::connect_from(address, local)
    }

    fn listen(
        &self,
        address: SocketAddr,
        options: &ListenOptions,
    ) -> Result<TcpListener, NetError> {
        TcpListener::bind_with(address, options)
    }

    fn resolve(&self, host: &str, port: u16, family: Family) -> Addresses {
        look_up(host, port, family, SocketType::Stream)
    }
}

/// The addresses of `host` for sockets of this type.
pub(super) fn look_up(host: &str, port: u16, family: Family, socket_type: SocketType) -> Addresses {
    let host = host.to_owned();
    Box::pin(async move {
        let hints = AddrInfoHints { family, socket_type, ..Default::default() };
        let found = getaddrinfo(Some(&host), port, hints).await?;
        Ok(found.into_iter().map(|info| info.address).collect())
    })
}

impl From<DnsError> for NameError {
    fn from(error: DnsError) -> NameError {
        match error.cause {
            DnsFailure::NotFound => NameError::NotFound,
            DnsFailure::TryAgain => NameError::TryAgain,
            cause => NameError::Other(cause.to_string().into()),
        }
    }
}
