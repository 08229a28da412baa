//! A socket at each address, or none at all.

use super::addresses::{self, Candidate, Purpose};
use crate::io::source::{End, Source, SourceError};
use crate::net::family::Family;
use crate::net::host_error::HostFailure;
use crate::net::hosts::Hosts;
use crate::net::listen_options::ListenOptions;
use crate::net::net_error::NetError;
use crate::net::network::{Network, names_of};
use alloc::vec;
use alloc::vec::Vec;

/// How many free ports are tried, of which another socket has the same port of
/// another address.
const PORTS: usize = 16;

/// Listens on every address of `hosts`; where port 0 is asked for, on one free
/// port at all of them.
///
/// # Errors
///
/// Those of the first address that fails; sockets that were open are closed.
/// Of a name's several addresses, and of this machine's families, those that
/// this machine does not have are passed over, unless they are all.
///
/// # Cancellation
///
/// Nothing is bound before the last name is known.
pub(super) async fn listen<N: Network>(
    network: &N,
    hosts: &Hosts,
    family: Family,
    options: &ListenOptions,
) -> Result<Vec<N::Listener>, HostFailure> {
    let found = addresses::of_hosts(names_of(network), hosts, family, Purpose::Listening).await?;
    if found.is_empty() {
        return Err(HostFailure::NoAddresses);
    }
    let mut tries = PORTS;
    loop {
        tries -= 1;
        match bind_all(network, &found, options) {
            Err(NotBound::PortTaken(_)) if tries > 0 => {}
            Err(NotBound::PortTaken(error)) => return Err(HostFailure::Addresses(vec![error])),
            Err(NotBound::Errors(errors)) => return Err(HostFailure::Addresses(errors)),
            Ok(listeners) => return Ok(listeners),
        }
    }
}

enum NotBound {
    /// The port that was free at the first address is not at this one.
    PortTaken(NetError),
    Errors(Vec<NetError>),
}

fn bind_all<N: Network>(
    network: &N,
    addresses: &[Candidate],
    options: &ListenOptions,
) -> Result<Vec<N::Listener>, NotBound> {
    let (mut listeners, mut absent, mut chosen) = (Vec::new(), Vec::new(), None);
    for Candidate { address, of_name } in addresses.iter().copied() {
        let mut bound = address;
        if address.port() == 0 {
            bound.set_port(chosen.unwrap_or(0));
        }
        match network.listen(bound, options) {
            Ok(listener) => {
                if address.port() == 0 {
                    chosen = listener.address(End::Local).map(|address| address.port()).or(chosen);
                }
                listeners.push(listener);
            }
            Err(error) if of_name && is_absent(error.cause) => absent.push(error),
            Err(error) if error.cause == SourceError::AddressInUse && bound != address => {
                return Err(NotBound::PortTaken(error));
            }
            Err(error) => return Err(NotBound::Errors(vec![error])),
        }
    }
    match listeners.is_empty() {
        true => Err(NotBound::Errors(absent)),
        false => Ok(listeners),
    }
}

/// Whether this machine has no such address, or no such family.
fn is_absent(error: SourceError) -> bool {
    matches!(error, SourceError::AddressNotAvailable | SourceError::Unsupported(_))
}
