//! Peers that vanish without a word: how the system finds out, and when.
//!
//! ```text
//!  nothing to send:  idle ──▶ probe, every interval ──▶ so many unanswered: lost, TimedOut
//!  bytes on the way: not acknowledged for the user timeout ────────────────▶ lost, TimedOut
//! ```
//! # mod molen { pub use {molen_core::*, molen_std::{net, *}}; }
//!
//! Without either a connection whose peer's machine is gone stays for ever if
//! it only reads, and for a quarter of an hour if it writes. Both are the
//! kernel's and cost no timer here; a deadline for an answer is another thing,
//! which [`timeout`](molen::timeout) sets.

use super::socket_options::SocketOptions;
use super::tcp_stream::TcpStream;
use molen_core::net::Transport;
use std::io;
use std::time::Duration;

/// How an idle connection's peer is asked whether it is still there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Keepalive {
    /// How long nothing comes before it is asked. Whole seconds: the rest is cut off.
    pub idle: Duration,
    /// How long one answer is waited for. Whole seconds.
    pub interval: Duration,
    /// After so many unanswered questions the connection is lost.
    pub probes: u32,
}

/// Has the system ask the peer of an idle connection whether it is still there
/// (`SO_KEEPALIVE`); with `None`, no more. When it does not answer,
/// `connection_lost` is told
/// [`TimedOut`](molen_core::io::source::SourceError::TimedOut).
///
/// asyncio: `keep_alive=True`, and `setsockopt` on `get_extra_info('socket')`.
///
/// # Errors
///
/// The operating system's; [`io::ErrorKind::NotConnected`] when `transport` is
/// over, or no socket's.
pub fn set_keepalive(transport: &Transport, keepalive: Option<Keepalive>) -> io::Result<()> {
    SocketOptions::set_keepalive(transport, keepalive)
}

/// Has a connection end when bytes that were sent are not acknowledged for so
/// long (`TCP_USER_TIMEOUT`); with `None`, after as long as the system likes.
/// A peer that does not read acknowledges nothing either once its window is
/// full, so it is given up after the same time.
///
/// # Errors
///
/// [`io::ErrorKind::Unsupported`] except on Linux; [`io::ErrorKind::NotConnected`] when
/// `transport` is over, or no socket's; the operating system's.
pub fn set_user_timeout(transport: &Transport, limit: Option<Duration>) -> io::Result<()> {
    SocketOptions::set_user_timeout(transport, limit)
}

/// How long it lasts when the other side is silent.
impl TcpStream {
    /// As [`set_keepalive`] of a transport.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn set_keepalive(&self, keepalive: Option<Keepalive>) -> io::Result<()> {
        SocketOptions::set_keepalive(self, keepalive)
    }

    /// As [`set_user_timeout`] of a transport.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::Unsupported`] except on Linux; the operating system's.
    pub fn set_user_timeout(&self, limit: Option<Duration>) -> io::Result<()> {
        SocketOptions::set_user_timeout(self, limit)
    }
}
