//! Kinds of addresses.

use core::fmt;
use core::net::SocketAddr;

/// A kind of address.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Family {
    /// Any. asyncio: 0, `AF_UNSPEC`.
    #[default]
    Any,
    /// IPv4. asyncio: `AF_INET`.
    Inet,
    /// IPv6. asyncio: `AF_INET6`.
    Inet6,
}

impl Family {
    /// That of `address`.
    pub const fn of(address: &SocketAddr) -> Family {
        match address {
            SocketAddr::V4(_) => Family::Inet,
            SocketAddr::V6(_) => Family::Inet6,
        }
    }

    /// Whether `address` is of this kind.
    pub fn contains(self, address: &SocketAddr) -> bool {
        self == Family::Any || self == Family::of(address)
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Family::Any => "any family",
            Family::Inet => "IPv4",
            Family::Inet6 => "IPv6",
        })
    }
}
