//! From a host's name to a connection, or to a server: which addresses are
//! tried when, and what becomes of the sockets that are not needed.
//!
//! ```text
//!   Connect                                     Listen
//!   hosts ──names──▶ Resolver                   hosts ──names──▶ Resolver
//!     │ addresses, families in turns              │ distinct addresses
//!     ▼                                           ▼
//!   attempt 0 ├────────✗                        socket 0 ✓   socket 1 ✓   socket 2 ✗
//!   attempt 1 ┊ 250 ms ├──────✓ won               └────────────┴── closed, nobody serves
//!   attempt 2 ┊        ┊ 250 ms ├─┘ closed
//!     │                                           │ all ✓
//!     ▼                                           ▼
//!   a protocol, or a pair of streams            Server
//! ```
//!
//! Both are builders that one awaits: asyncio's keyword arguments are their
//! methods. A platform's part of it is a [`Network`](super::Network).
//!
//! | file | concept |
//! |---|---|
//! | `addresses` | from hosts to addresses: literal ones, names, families in turns |
//! | `attempts` | RFC 8305 over them, and what is told when all fail |
//! | `connecting` | [`Connect`]: `create_connection`, `open_connection` |
//! | `making` | what is made of a connection: a protocol's, or streams |
//! | `binding` | a socket at each address, or none at all |
//! | `endpoint` | [`DatagramEndpoint`]: `create_datagram_endpoint` |
//! | `plain` | no TLS, where the feature is off |
//! | `listening` | [`Listen`]: `create_server`, `start_server` |

mod addresses;
mod attempts;
mod binding;
mod connecting;
mod endpoint;
mod listening;
mod making;
#[cfg(not(feature = "tls"))]
mod plain;

#[cfg(not(feature = "tls"))]
use self::plain as security;
#[cfg(feature = "tls")]
use super::tls::security;

pub use attempts::HAPPY_EYEBALLS_DELAY;
pub use connecting::{Connect, Connecting};
pub use endpoint::{
    DatagramEndpoint, DatagramNetwork, DatagramOptions, OpeningEndpoint, anywhere_beside,
    connect_datagram_socket,
};
pub use listening::{Listen, Listening};
pub use making::{Making, WithProtocol, WithStreams};
