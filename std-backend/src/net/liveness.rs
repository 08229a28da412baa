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

use super::tcp_stream::TcpStream;
use crate::descriptor::{BorrowedDescriptor, RawDescriptor};
use molen_core::net::{ExtraInfo, ExtraValue, Transport};
use socket2::{SockRef, TcpKeepalive};
use std::io::{self, ErrorKind};
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
/// The operating system's; [`ErrorKind::NotConnected`] when `transport` is
/// over, or no socket's.
pub fn set_keepalive(transport: &Transport, keepalive: Option<Keepalive>) -> io::Result<()> {
    with_socket(transport, |socket| ask(socket, keepalive))
}

/// Has a connection end when bytes that were sent are not acknowledged for so
/// long (`TCP_USER_TIMEOUT`); with `None`, after as long as the system likes.
/// A peer that does not read acknowledges nothing either once its window is
/// full, so it is given up after the same time.
///
/// # Errors
///
/// [`ErrorKind::Unsupported`] except on Linux; [`ErrorKind::NotConnected`] when
/// `transport` is over, or no socket's; the operating system's.
pub fn set_user_timeout(transport: &Transport, limit: Option<Duration>) -> io::Result<()> {
    with_socket(transport, |socket| acknowledge_within(socket, limit))
}

/// How long it lasts when the other side is silent.
impl TcpStream {
    /// As [`set_keepalive`] of a transport.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn set_keepalive(&self, keepalive: Option<Keepalive>) -> io::Result<()> {
        ask(&SockRef::from(self.io()), keepalive)
    }

    /// As [`set_user_timeout`] of a transport.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] except on Linux; the operating system's.
    pub fn set_user_timeout(&self, limit: Option<Duration>) -> io::Result<()> {
        acknowledge_within(&SockRef::from(self.io()), limit)
    }
}

fn ask(socket: &SockRef<'_>, keepalive: Option<Keepalive>) -> io::Result<()> {
    let Some(Keepalive { idle, interval, probes }) = keepalive else {
        return socket.set_keepalive(false);
    };
    let asked = TcpKeepalive::new().with_time(idle).with_interval(interval);
    socket.set_tcp_keepalive(&asked.with_retries(probes))
}

#[cfg(target_os = "linux")]
fn acknowledge_within(socket: &SockRef<'_>, limit: Option<Duration>) -> io::Result<()> {
    socket.set_tcp_user_timeout(limit)
}

#[cfg(not(target_os = "linux"))]
fn acknowledge_within(_socket: &SockRef<'_>, _limit: Option<Duration>) -> io::Result<()> {
    Err(io::Error::new(
        ErrorKind::Unsupported,
        "only Linux has a time limit for acknowledgements (TCP_USER_TIMEOUT)",
    ))
}

/// Calls `f` with the socket of `transport`.
fn with_socket(
    transport: &Transport,
    f: impl FnOnce(&SockRef<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let not_connected = || {
        io::Error::new(ErrorKind::NotConnected, "the transport is over, or is not that of a socket")
    };
    let Some(ExtraValue::Descriptor(number)) = transport.get_extra_info(ExtraInfo::Socket) else {
        return Err(not_connected());
    };
    #[cfg_attr(windows, allow(clippy::useless_conversion, reason = "a socket is as wide there"))]
    let number = RawDescriptor::try_from(number).map_err(|_| not_connected())?;
    // SAFETY: the connection owns the descriptor and is not over; nothing that
    // could end it runs on this thread until `f` returns, and others have no
    // part in it.
    let borrowed = unsafe { BorrowedDescriptor::borrow_raw(number) };
    f(&SockRef::from(&borrowed))
}
