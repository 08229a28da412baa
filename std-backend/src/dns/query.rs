//! What is asked, and what is answered.

use core::fmt;
use core::ops::BitOr;
pub use molen_core::net::Family;
use std::net::SocketAddr;

/// A kind of socket.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SocketType {
    /// Any: then there is an answer for each. asyncio: 0.
    #[default]
    Any,
    /// Bytes in order, as TCP has. asyncio: `SOCK_STREAM`.
    Stream,
    /// Messages, as UDP has. asyncio: `SOCK_DGRAM`.
    Datagram,
    /// Another, by the system's number.
    Other(i32),
}

macro_rules! flags {
    ($(#[$of:meta])* $type:ident { $($(#[$meta:meta])* $name:ident = $bit:expr;)* }) => {
        $(#[$of])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
        pub struct $type(u8);

        impl $type {
            /// None of them.
            pub const NONE: $type = $type(0);
            $($(#[$meta])* pub const $name: $type = $type($bit);)*

            /// Whether all of `other` are set.
            pub const fn contains(self, other: $type) -> bool {
                self.0 & other.0 == other.0
            }

            /// Those of them that are in `other` too.
            #[must_use]
            pub const fn only(self, other: $type) -> $type {
                $type(self.0 & other.0)
            }

            /// Those of them that are not in `other`.
            #[must_use]
            pub const fn without(self, other: $type) -> $type {
                $type(self.0 & !other.0)
            }
        }

        impl BitOr for $type {
            type Output = $type;

            fn bitor(self, other: $type) -> $type {
                $type(self.0 | other.0)
            }
        }
    };
}

flags! {
    /// How addresses are looked for.
    AddrInfoFlags {
        /// For listening: without a host, all addresses of this machine.
        PASSIVE = 1;
        /// The host's full name is asked for too.
        CANONICAL_NAME = 2;
        /// The host must be an address in numbers.
        NUMERIC_HOST = 4;
        /// The service must be a number.
        NUMERIC_SERVICE = 8;
        /// Only families of which this machine has an address.
        ADDRESS_CONFIGURED = 16;
    }
}

flags! {
    /// How names are looked for.
    NameInfoFlags {
        /// The address in numbers, not the host's name.
        NUMERIC_HOST = 1;
        /// The port in numbers, not the service's name.
        NUMERIC_SERVICE = 2;
        /// It is an error if the host has no name.
        NAME_REQUIRED = 4;
        /// The service is one of datagrams, where the names differ.
        DATAGRAM = 8;
    }
}

/// What is behind a host's address.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Service {
    /// Nothing: the port is 0.
    #[default]
    None,
    /// A port.
    Port(u16),
    /// A name, such as `https`, or a port in numbers.
    Name(Box<str>),
}

impl From<u16> for Service {
    fn from(port: u16) -> Service {
        Service::Port(port)
    }
}

impl From<&str> for Service {
    fn from(name: &str) -> Service {
        Service::Name(name.into())
    }
}

/// Which addresses are wanted; by default all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AddrInfoHints {
    /// The kind of address.
    pub family: Family,
    /// The kind of socket that they are for.
    pub socket_type: SocketType,
    /// The protocol, by the system's number; 0 for any.
    pub protocol: i32,
    /// How they are looked for.
    pub flags: AddrInfoFlags,
}

/// A question for addresses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AddrInfoQuery {
    /// The host; `None` for this machine.
    pub host: Option<Box<str>>,
    /// What is behind its address.
    pub service: Service,
    /// Which are wanted.
    pub hints: AddrInfoHints,
}

/// As errors name the question.
impl fmt::Display for AddrInfoQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.host.as_deref().unwrap_or("this machine"))?;
        match &self.service {
            Service::None => Ok(()),
            Service::Port(port) => write!(f, ", service {port}"),
            Service::Name(name) => write!(f, ", service {name}"),
        }
    }
}

/// An address to open a socket for.
///
/// asyncio: the tuple `(family, type, proto, canonname, sockaddr)`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AddrInfo {
    /// The kind of socket.
    pub socket_type: SocketType,
    /// The protocol, by the system's number.
    pub protocol: i32,
    /// The host's full name, if that was asked for; with the first one only.
    pub canonical_name: Option<String>,
    /// The address; of IPv6 with its flow and scope.
    pub address: SocketAddr,
}

impl AddrInfo {
    /// The kind of address.
    pub fn family(&self) -> Family {
        Family::of(&self.address)
    }
}

/// The names of an address.
///
/// asyncio: the tuple `(host, port)`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NameInfo {
    /// The host.
    pub host: String,
    /// The service behind its port.
    pub service: String,
}
