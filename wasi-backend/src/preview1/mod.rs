//! WASI preview 1: everything by `poll_oneoff`, without an allocator.
//!
//! | file | what it is |
//! |---|---|
//! | `selector` | the module's clock and selector, and its imports |
//! | `poll` | one `poll_oneoff` a turn, and what to do with its lies |
//! | `table` | the descriptors that may be waited for |
//! | `stdio` | standard input, output and error |
//! | `socket` | listening sockets that the host gave, and their connections |
//! | `lacking` | what preview 1 has no call for |
//! | `errno` | the host's error numbers |

mod errno;
mod poll;
mod table;

#[cfg(target_os = "wasi")]
mod lacking;
#[cfg(target_os = "wasi")]
mod selector;
#[cfg(target_os = "wasi")]
mod socket;
#[cfg(target_os = "wasi")]
mod stdio;
#[cfg(test)]
mod tests;

#[cfg(all(target_os = "wasi", feature = "alloc"))]
pub use lacking::{Tcp, Udp};
#[cfg(target_os = "wasi")]
pub use lacking::{UdpSocket, getaddrinfo};
#[cfg(target_os = "wasi")]
pub use selector::{BACKEND, Preview1, waits_for_descriptors};
#[cfg(target_os = "wasi")]
pub use socket::{TcpListener, TcpStream};
#[cfg(target_os = "wasi")]
pub use stdio::{Stderr, Stdin, Stdout, stderr, stdin, stdout};
#[cfg(target_os = "wasi")]
pub use table::CAPACITY;

/// How errors name this level.
#[cfg(target_os = "wasi")]
const PLATFORM: &str = "WASI preview 1";
