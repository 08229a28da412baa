//! Who is asked.

use super::dns_error::DnsError;
use super::query::{AddrInfo, AddrInfoQuery, NameInfo, NameInfoFlags};
use super::system::SystemResolver;
use crate::selector::{StdSelector, no_descriptors_here};
use core::cell::RefCell;
use core::future::Future;
use core::pin::Pin;
use molen_core::error::Unsupported;
use molen_core::get_running_loop;
use molen_core::schedule::EventLoop;
use std::net::SocketAddr;
use std::rc::Rc;

/// An answer that will come.
pub type Lookup<T> = Pin<Box<dyn Future<Output = Result<T, DnsError>>>>;

/// Finds addresses of names and names of addresses.
///
/// It is asked on the loop's thread and must not block: its futures wait. What
/// is an address in numbers already, it is not asked.
pub trait Resolver {
    /// Addresses, best first.
    fn getaddrinfo(&self, query: AddrInfoQuery) -> Lookup<Vec<AddrInfo>>;

    /// The names of `address`.
    fn getnameinfo(&self, address: SocketAddr, flags: NameInfoFlags) -> Lookup<NameInfo>;
}

/// A loop that can be given a resolver of its own.
pub trait ResolverEventLoop {
    /// Has `resolver` asked from now on, and returns the one before; with
    /// `None`, the system's is asked.
    ///
    /// asyncio: a subclass with a `getaddrinfo` of its own.
    ///
    /// # Errors
    ///
    /// [`Unsupported`] for a loop that is not one of this crate's: it has no
    /// place for a resolver, and the system's is asked.
    fn set_resolver(
        &self,
        resolver: Option<Rc<dyn Resolver>>,
    ) -> Result<Option<Rc<dyn Resolver>>, Unsupported>;
}

impl ResolverEventLoop for EventLoop {
    fn set_resolver(
        &self,
        resolver: Option<Rc<dyn Resolver>>,
    ) -> Result<Option<Rc<dyn Resolver>>, Unsupported> {
        match StdSelector::of(self) {
            Some(selector) => Ok(selector.resolver.0.replace(resolver)),
            None => Err(no_descriptors_here("setting a resolver")),
        }
    }
}

/// A selector's part: its loop's resolver.
pub(crate) struct OwnResolver(RefCell<Option<Rc<dyn Resolver>>>);

impl OwnResolver {
    pub(crate) const fn new() -> OwnResolver {
        OwnResolver(RefCell::new(None))
    }

    /// The loop closes.
    pub(crate) fn close(&self) {
        let resolver = self.0.take();
        drop(resolver);
    }
}

/// The running loop's resolver, or the system's.
pub(super) fn of_running_loop() -> Rc<dyn Resolver> {
    let own = get_running_loop()
        .ok()
        .and_then(|running| StdSelector::of(&running)?.resolver.0.borrow().clone());
    own.unwrap_or_else(|| Rc::new(SystemResolver::default()))
}
