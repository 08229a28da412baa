//! From hosts to addresses.

use crate::net::family::Family;
use crate::net::host_error::HostFailure;
use crate::net::hosts::{Host, Hosts};
use crate::net::network::Addresses;
use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

/// What the addresses are for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Purpose {
    /// To connect to or from: this machine is its loopback.
    Connecting,
    /// To listen on: this machine is all its addresses.
    Listening,
}

/// An address, and whether there may be others in its stead.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Candidate {
    pub(super) address: SocketAddr,
    /// One of several that a name has: it need not be there.
    pub(super) of_name: bool,
}

/// The addresses of `hosts`, each once, in their order. Names are looked up
/// by `resolve`, one after the other.
///
/// # Errors
///
/// The first name's that has none.
///
/// # Cancellation
///
/// The name that is being looked up is given up.
pub(super) async fn of_hosts(
    resolve: impl Fn(&str, u16, Family) -> Addresses,
    hosts: &Hosts,
    family: Family,
    purpose: Purpose,
) -> Result<Vec<Candidate>, HostFailure> {
    let mut found: Vec<Candidate> = Vec::with_capacity(hosts.0.len());
    let mut add = |address, of_name| {
        let known = found.iter().any(|candidate| candidate.address == address);
        if !known && family.contains(&address) {
            found.push(Candidate { address, of_name });
        }
    };
    for host in &hosts.0 {
        match host {
            Host::Address(address) => add(*address, false),
            Host::Named(name, port) => {
                let addresses = resolve(name, *port, family).await;
                for address in addresses.map_err(HostFailure::Name)? {
                    add(address, true);
                }
            }
            Host::This(port) => {
                let (v4, v6) = match purpose {
                    Purpose::Connecting => (Ipv4Addr::LOCALHOST, Ipv6Addr::LOCALHOST),
                    Purpose::Listening => (Ipv4Addr::UNSPECIFIED, Ipv6Addr::UNSPECIFIED),
                };
                add((v4, *port).into(), true);
                add((v6, *port).into(), true);
            }
            Host::Malformed(_) => return Err(HostFailure::NotHostAndPort),
        }
    }
    Ok(found)
}

/// Families in turns, the first one's first `first` before any other's. Within
/// a family the order stays.
///
/// RFC 8305, section 4. asyncio: `_interleave_addrinfos`.
pub(super) fn interleave(addresses: Vec<SocketAddr>, first: usize) -> Vec<SocketAddr> {
    let Some(leading) = addresses.first().map(Family::of) else { return addresses };
    let (same, other): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| leading.contains(address));
    let (mut same, mut other) = (same.into_iter(), other.into_iter());
    let mut turns: Vec<SocketAddr> = same.by_ref().take(first.saturating_sub(1)).collect();
    loop {
        let before = turns.len();
        turns.extend(same.next());
        turns.extend(other.next());
        if turns.len() == before {
            return turns;
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::String;

    fn turns(families: &str, first: usize) -> String {
        let address = |(number, family): (usize, char)| match family {
            '4' => SocketAddr::from((Ipv4Addr::LOCALHOST, number as u16)),
            _ => SocketAddr::from((Ipv6Addr::LOCALHOST, number as u16)),
        };
        let addresses = families.chars().enumerate().map(address).collect();
        let name = |address: SocketAddr| {
            let number = char::from_digit(address.port().into(), 10).unwrap();
            [if address.is_ipv4() { '4' } else { '6' }, number]
        };
        interleave(addresses, first).into_iter().flat_map(name).collect()
    }

    #[test]
    fn families_are_tried_in_turns() {
        assert_eq!(turns("", 1), "");
        assert_eq!(turns("444", 1), "404142");
        assert_eq!(turns("66644", 1), "6043614462");
        assert_eq!(turns("66644", 2), "6061436244");
        assert_eq!(turns("46664", 1), "4061446263");
        assert_eq!(turns("6644", 9), "60614243");
    }
}
