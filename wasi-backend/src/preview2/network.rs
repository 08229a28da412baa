//! TCP and names, for connections and servers.

use super::names::LookUp;
use super::{TcpListener, TcpStream};
use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::future::Future;
use core::net::SocketAddr;
use molen_core::net::{Addresses, Family, ListenOptions, NetError, Network};

/// The component's TCP, with the host's names.
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
        let host = host.to_owned();
        Box::pin(async move {
            let lookup = LookUp::begin(&host)?;
            let mut found = Vec::new();
            while let Some(ip) = lookup.next().await? {
                let address = SocketAddr::new(ip, port);
                if family.contains(&address) {
                    found.push(address);
                }
            }
            Ok(found)
        })
    }
}
