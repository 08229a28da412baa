//! WASI 0.2: everything by `wasi:io/poll`.
//!
//! | file | what it is |
//! |---|---|
//! | `selector` | the component's clock and selector |
//! | `oversleep` | hosts that sleep longer than they are asked to |
//! | `watch` | the pollables that may be waited for |
//! | `poll` | one `poll` a turn, over those that tasks wait for |
//! | `stdio` | standard input, output and error |
//! | `stream` | a pair of byte streams as a source |
//! | `tcp_listener`, `tcp_stream` | TCP |
//! | `udp_socket` | UDP |
//! | `network`, `names` | TCP and names, for connections and servers |
//! | `linger` | connections dropped before their bytes had left |
//! | `address` | addresses, in the host's form and in the language's |
//! | `error` | the host's errors |
//!
//! # Resources are a tree
//!
//! ```text
//!   socket ─┬─ pollable of the socket
//!           ├─ input stream ─── pollable of it
//!           └─ output stream ── pollable of it
//! ```
//!
//! A component that drops a parent before its child traps. So pollables belong
//! to a [`Watch`](watch::Watch), and every source has its fields in the order
//! watch, streams, socket, in which the language drops them.

mod address;
mod error;
mod linger;
#[cfg(feature = "alloc")]
mod names;
#[cfg(feature = "alloc")]
mod network;
mod oversleep;
mod poll;
mod selector;
mod stdio;
mod stream;
mod tcp_listener;
mod tcp_stream;
mod udp_socket;
mod watch;

#[cfg(feature = "alloc")]
pub use network::{Tcp, Udp};
pub use selector::{BACKEND, Preview2, waits_for_descriptors};
pub use stdio::{Stderr, Stdin, Stdout, stderr, stdin, stdout};
pub use tcp_listener::TcpListener;
pub use tcp_stream::TcpStream;
pub use udp_socket::UdpSocket;

/// How errors name this level.
const PLATFORM: &str = "WASI 0.2";
