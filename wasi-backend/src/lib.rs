//! Molen in WASI modules: one crate, two hosts.
//!
//! | level | target | waits by | sources |
//! |---|---|---|---|
//! | preview 1 | `wasm32-wasip1` | one `poll_oneoff` a turn | stdio, listening sockets that the host gave |
//! | 0.2 | `wasm32-wasip2` | one `wasi:io/poll` a turn | stdio, TCP: listen, accept, connect; UDP |
//!
//! Hosts' events are *hints* on both levels. What is due is decided by the
//! clock alone, what is ready by trying; an event only says where trying may
//! be worth it. A host that reports too much costs an extra step, a host that
//! reports too little is asked again. No event of any kind can fire a timer
//! early, lose one, or end the loop.
//!
//! Where a level lacks something (`connect` on preview 1), the portable name is
//! there all the same and returns [`Unsupported`](molen_core::Unsupported) with
//! the reason, before the host is asked for anything.
//!
//! # Command and reactor
//!
//! A command module calls `run`. A reactor module exports functions to a
//! host that has a loop of its own; each makes one turn with
//! [`reactor::turn`] and tells the host when to call again.
//!
//! | file | what it is |
//! |---|---|
//! | `entry` | the module's one loop, and `run` |
//! | `pace` | how long a wait may be, for hosts that count coarsely |
//! | `connect` | connections and servers of TCP |
//! | `datagram_endpoint` | endpoints of UDP |
//! | `net` | TCP, under the names of the desktop's |
//! | `reactor` | a turn for a host, as a number |
//! | `write` | writing the start of a buffer |
//! | `preview1` | clock, selector and sources by `wasi_snapshot_preview1` |
//! | `preview2` | clock, selector and sources by `wasi:io`, `wasi:sockets` |

#![no_std]

#[cfg(any(test, all(target_os = "wasi", any(target_env = "p2", feature = "alloc"))))]
extern crate alloc;

// The tests on a desktop link with a core that may have threads.
#[cfg(all(test, not(target_os = "wasi")))]
use molen_std as _;

#[cfg(all(target_os = "wasi", feature = "alloc"))]
mod connect;
#[cfg(all(target_os = "wasi", feature = "alloc"))]
mod datagram_endpoint;
#[cfg(target_os = "wasi")]
mod entry;
#[cfg(any(target_os = "wasi", test))]
mod pace;
#[cfg(any(all(target_os = "wasi", target_env = "p1"), all(test, not(target_os = "wasi"))))]
#[cfg_attr(
    not(target_os = "wasi"),
    allow(dead_code, reason = "its sources are built for WASI only")
)]
mod preview1;
#[cfg(all(target_os = "wasi", target_env = "p2"))]
mod preview2;
pub mod reactor;

#[cfg(target_os = "wasi")]
pub use entry::{Module, event_loop, new_event_loop, run, run_with_loop_factory};
#[cfg(all(target_os = "wasi", target_env = "p1"))]
pub use preview1::{
    BACKEND, CAPACITY, Preview1, Stderr, Stdin, Stdout, stderr, stdin, stdout,
    waits_for_descriptors,
};
#[cfg(all(target_os = "wasi", target_env = "p2"))]
pub use preview2::{
    BACKEND, Preview2, Stderr, Stdin, Stdout, stderr, stdin, stdout, waits_for_descriptors,
};

/// TCP sockets. The names are those of the desktop's `net`.
#[cfg(target_os = "wasi")]
pub mod net {
    #[cfg(feature = "alloc")]
    pub use crate::connect::{
        CreateConnection, CreateServer, OpenConnection, StartServer, create_connection,
        create_server, open_connection, start_server,
    };
    #[cfg(feature = "alloc")]
    pub use crate::datagram_endpoint::{CreateDatagramEndpoint, create_datagram_endpoint};
    #[cfg(all(target_env = "p1", feature = "alloc"))]
    pub use crate::preview1::{Tcp, Udp};
    #[cfg(target_env = "p1")]
    pub use crate::preview1::{TcpListener, TcpStream, UdpSocket, getaddrinfo};
    #[cfg(all(target_env = "p2", feature = "alloc"))]
    pub use crate::preview2::{Tcp, Udp};
    #[cfg(target_env = "p2")]
    pub use crate::preview2::{TcpListener, TcpStream, UdpSocket};
    pub use molen_core::net::*;
}

#[cfg(all(target_os = "wasi", not(any(target_env = "p1", target_env = "p2"))))]
compile_error!("molen-wasi knows wasm32-wasip1 and wasm32-wasip2; this is another level of WASI");
