//! Trying addresses, one after the other or several at a time.

use super::addresses::{self, Candidate, Purpose};
use crate::combine::staggered_race;
use crate::net::family::Family;
use crate::net::host_error::HostFailure;
use crate::net::hosts::Hosts;
use crate::net::net_error::NetError;
use crate::net::network::{Network, names_of};
use crate::time::Duration;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::net::SocketAddr;

/// How long an attempt has for itself before the next address is tried too.
///
/// RFC 8305, section 8: "Connection Attempt Delay".
pub const HAPPY_EYEBALLS_DELAY: Duration = Duration::from_millis(250);

/// Where to connect to, and how.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) hosts: Hosts,
    pub(super) family: Family,
    pub(super) local: Option<Hosts>,
    /// None: an address is tried when the one before has failed.
    pub(super) delay: Option<Duration>,
    /// How many addresses of the first family come first, before families take
    /// turns; none: the order stays.
    pub(super) interleave: Option<usize>,
}

/// What failed so far: known also when the time is over.
pub(super) type Failed = Rc<RefCell<Vec<NetError>>>;

/// Connects to the first address that answers.
///
/// # Errors
///
/// Those of all addresses.
///
/// # Cancellation
///
/// All attempts are given up, and their sockets closed.
pub(super) async fn connect<N: Network>(
    network: N,
    plan: &Plan,
    failed: &Failed,
) -> Result<N::Stream, HostFailure> {
    let purpose = Purpose::Connecting;
    let found = addresses::of_hosts(names_of(&network), &plan.hosts, plan.family, purpose).await?;
    let to = in_order(&found, plan.interleave);
    let locals: Option<Rc<[SocketAddr]>> = match &plan.local {
        None => None,
        Some(local) => {
            let found =
                addresses::of_hosts(names_of(&network), local, plan.family, purpose).await?;
            Some(found.iter().map(|candidate| candidate.address).collect())
        }
    };
    let begin = |address| attempt(network.clone(), address, locals.clone(), failed.clone());
    let won = match &to[..] {
        [] => return Err(HostFailure::NoAddresses),
        [address] => begin(*address).await.ok(),
        several => {
            let attempts: Vec<_> = several.iter().map(|address| begin(*address)).collect();
            staggered_race(attempts, plan.delay).await.ok().map(|won| won.value)
        }
    };
    won.ok_or_else(|| {
        let errors = failed.take();
        // Each address says so by itself; nothing was tried.
        match errors.is_empty() {
            true => HostFailure::NoLocalAddress(to.first().map_or(Family::Any, Family::of)),
            false => HostFailure::Addresses(errors),
        }
    })
}

/// Addresses that were given are tried in their order, those of names in
/// families' turns, unless it was said otherwise.
fn in_order(found: &[Candidate], interleave: Option<usize>) -> Vec<SocketAddr> {
    let of_names = found.iter().any(|candidate| candidate.of_name);
    let addresses = found.iter().map(|candidate| candidate.address).collect();
    match interleave.unwrap_or(usize::from(of_names)) {
        0 => addresses,
        first => addresses::interleave(addresses, first),
    }
}

/// What is written down in `Failed` has failed.
struct Noted;

/// Tries one address, from each local address that there is for it.
async fn attempt<N: Network>(
    network: N,
    address: SocketAddr,
    locals: Option<Rc<[SocketAddr]>>,
    failed: Failed,
) -> Result<N::Stream, Noted> {
    let note = |error| {
        failed.borrow_mut().push(error);
        Noted
    };
    let Some(locals) = locals else {
        return network.connect(address, None).await.map_err(note);
    };
    for local in locals.iter().filter(|local| Family::of(local).contains(&address)) {
        match network.connect(address, Some(*local)).await {
            // The next local address may do.
            Err(error) if error.address == *local => {
                note(error);
            }
            done => return done.map_err(note),
        }
    }
    Err(Noted)
}
