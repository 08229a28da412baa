//! Names to addresses and back, without holding up the loop.
//!
//! ```text
//!  getaddrinfo ─┬─ an address in numbers ─▶ the answer, at once
//!               └─ a name ─▶ Resolver ─▶ of the loop's own: set_resolver
//!                                    └▶ the system's, on threads of its own
//! ```
//!
//! The system's resolver blocks for seconds when a server does not answer. It
//! has threads that run nothing else, for all loops of the process: functions
//! that fill a loop's executor do not hold names up, nor the other way round.
//! Who would rather not have threads brings a [`Resolver`], such as
//! `HickoryResolver` of the feature `hickory`.
//!
//! ```
//! use molen_std::dns::{AddrInfoHints, SocketType, getaddrinfo};
//!
//! let event_loop = molen_std::new_event_loop()?;
//! let stream = AddrInfoHints { socket_type: SocketType::Stream, ..Default::default() };
//! let found = event_loop.run_until_complete(getaddrinfo(Some("127.0.0.1"), 80, stream))??;
//! assert_eq!(found[0].address, "127.0.0.1:80".parse()?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | file | what it is |
//! |---|---|
//! | `query` | what is asked, and what is answered |
//! | `numeric` | questions that are their own answer |
//! | `resolver` | [`Resolver`], and the loop's own |
//! | `system` | the system's resolver and its threads |
//! | `hickory` | a resolver that asks name servers itself, on the loop |
//! | `dns_error` | why there is no answer |

mod dns_error;
#[cfg(feature = "hickory")]
mod hickory;
mod numeric;
mod query;
mod resolver;
mod system;

pub use dns_error::{DnsError, DnsFailure};
#[cfg(feature = "hickory")]
pub use hickory::HickoryResolver;
#[cfg(feature = "hickory")]
pub use hickory_resolver;
pub use query::{
    AddrInfo, AddrInfoFlags, AddrInfoHints, AddrInfoQuery, Family, NameInfo, NameInfoFlags,
    Service, SocketType,
};
pub(crate) use resolver::OwnResolver;
pub use resolver::{Lookup, Resolver, ResolverEventLoop};
pub use system::SystemResolver;

use std::net::SocketAddr;

/// The addresses of `host` and `service`, for the running loop, in the order in
/// which to try them. Without a host they are this machine's: its loopback, or
/// with [`AddrInfoFlags::PASSIVE`] the ones to listen on.
///
/// An address in numbers, with a port and a
/// [socket type](AddrInfoHints::socket_type), is answered at once and asks nobody; but
/// one with a scope (`fe80::1%eth0`) asks the system what that is called.
///
/// asyncio: `loop.getaddrinfo()`.
///
/// # Errors
///
/// [`DnsError`]: there is no such name, it cannot be said now, the resolver
/// has no thread.
///
/// # Cancellation
///
/// The question is withdrawn if no thread has begun with it; else its answer
/// is dropped when it comes.
pub async fn getaddrinfo(
    host: Option<&str>,
    service: impl Into<Service>,
    hints: AddrInfoHints,
) -> Result<Vec<AddrInfo>, DnsError> {
    let query = AddrInfoQuery { host: host.map(Into::into), service: service.into(), hints };
    if let Some(answer) = numeric::addr_info(&query) {
        return Ok(vec![answer]);
    }
    resolver::of_running_loop().getaddrinfo(query).await
}

/// The name of `address`, and of the service behind its port, for the running
/// loop. With both as numbers it is answered at once.
///
/// asyncio: `loop.getnameinfo()`.
///
/// # Errors
///
/// [`DnsError`], as [`getaddrinfo`]; that there is no name is one with
/// [`NameInfoFlags::NAME_REQUIRED`] only, else the name is the number.
///
/// # Cancellation
///
/// As [`getaddrinfo`].
pub async fn getnameinfo(address: SocketAddr, flags: NameInfoFlags) -> Result<NameInfo, DnsError> {
    if let Some(answer) = numeric::name_info(address, flags) {
        return Ok(answer);
    }
    resolver::of_running_loop().getnameinfo(address, flags).await
}
