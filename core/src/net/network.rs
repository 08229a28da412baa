//! What a backend brings for connections and servers.

use super::family::Family;
use super::host_error::NameError;
use super::listen_options::ListenOptions;
use super::net_error::NetError;
use crate::io::source::{AcceptSource, ByteSource};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::future::Future;
use core::net::SocketAddr;
use core::pin::Pin;

/// The addresses of a name, which will come.
pub type Addresses = Pin<Box<dyn Future<Output = Result<Vec<SocketAddr>, NameError>>>>;

/// What looks names up in `network`.
pub(super) fn names_of<N: Network>(network: &N) -> impl Fn(&str, u16, Family) -> Addresses {
    |name: &str, port, family| network.resolve(name, port, family)
}

/// A platform's TCP: one socket at one address, and names. Which addresses are
/// tried when, and what becomes of the sockets, is decided above it, by
/// [`Connect`](super::Connect) and [`Listen`](super::Listen).
///
/// Tests bring one that follows a script.
pub trait Network: Clone + 'static {
    /// A connection.
    type Stream: ByteSource + 'static;
    /// A listening socket.
    type Listener: AcceptSource + 'static;

    /// Connects to `address`, from `local` if one is given. Dropping the future
    /// closes the socket.
    ///
    /// # Errors
    ///
    /// [`NetError`]; a failure to bind to the local address names that.
    fn connect(
        &self,
        address: SocketAddr,
        local: Option<SocketAddr>,
    ) -> impl Future<Output = Result<Self::Stream, NetError>> + 'static;

    /// Listens on `address`, port 0 for any free one. A socket of IPv6 takes
    /// no connections of IPv4.
    ///
    /// # Errors
    ///
    /// [`NetError`], also for an option that the platform does not have.
    fn listen(
        &self,
        address: SocketAddr,
        options: &ListenOptions,
    ) -> Result<Self::Listener, NetError>;

    /// Looks `host` up, which is not an address in numbers. The answers are in
    /// the order in which to try them, with `port`.
    fn resolve(&self, host: &str, port: u16, family: Family) -> Addresses;
}
