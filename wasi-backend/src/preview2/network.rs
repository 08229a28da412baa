//! TCP, UDP and names, for connections, servers and endpoints.

use super::error::source_error;
use super::names::LookUp;
use super::{PLATFORM, TcpListener, TcpStream, UdpSocket};
use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::future::Future;
use core::net::SocketAddr;
use molen_core::Unsupported;
use molen_core::io::source::SourceError;
use molen_core::net::{
    Addresses, DatagramNetwork, DatagramOptions, Family, ListenOptions, NetError, Network,
};

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
        look_up(host, port, family)
    }
}

/// The component's UDP, with the host's names.
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
        if options.reuse_port {
            return Err(lacks("a shared address (SO_REUSEPORT)"));
        }
        if options.allow_broadcast {
            return Err(lacks("a broadcast (SO_BROADCAST)"));
        }
        UdpSocket::open(local, remote).map_err(|code| source_error("opening a UDP socket", code))
    }

    fn resolve(&self, host: &str, port: u16, family: Family) -> Addresses {
        look_up(host, port, family)
    }
}

fn look_up(host: &str, port: u16, family: Family) -> Addresses {
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

/// What this level of WASI has no call for.
const fn lacks(operation: &'static str) -> SourceError {
    SourceError::Unsupported(Unsupported {
        operation,
        platform: PLATFORM,
        reason: "its UDP sockets have no such option",
    })
}
