//! Unix sockets where there are none: on Windows. Programs compile, and are
//! told so when they run.
//!
//! Windows knows such sockets since 2018, but neither Rust's standard library
//! nor mio does there. Programs of one machine talk over TCP on the loopback, or over
//! named pipes.

use super::unix_error::UnixError;
use super::unix_listening::Listening;
use super::unix_name::{Doing, ToUnixAddress};
use core::convert::Infallible;
use core::task::{Context, Poll};
use molen_core::Unsupported;
use molen_core::io::Interest;
use molen_core::io::source::{AcceptSource, ByteSource, DatagramSource, Source, SourceError};
use molen_core::net::UnixAddress;

/// What is said instead.
const LACKING: SourceError = SourceError::Unsupported(Unsupported {
    operation: "a Unix socket",
    platform: "Windows",
    reason: "the standard library and mio have none there; use TCP on 127.0.0.1",
});

/// A connection of Unix sockets: there is none.
#[derive(Debug)]
pub struct UnixStream(Infallible);

/// A listening Unix socket: there is none.
#[derive(Debug)]
pub struct UnixListener(Infallible);

/// A Unix socket for messages: there is none.
#[derive(Debug)]
pub struct UnixDatagram(Infallible);

impl UnixStream {
    /// Always fails.
    ///
    /// # Errors
    ///
    /// [`Unsupported`].
    ///
    /// # Cancellation
    ///
    /// Nothing is lost.
    pub async fn connect(name: impl ToUnixAddress) -> Result<UnixStream, UnixError> {
        Err(Doing::new("connect to", &name).failed(LACKING))
    }

    pub(super) async fn connect_to(_address: &UnixAddress) -> Result<UnixStream, SourceError> {
        Err(LACKING)
    }
}

impl UnixListener {
    /// Always fails.
    ///
    /// # Errors
    ///
    /// [`Unsupported`].
    pub fn bind(name: impl ToUnixAddress) -> Result<UnixListener, UnixError> {
        Err(Doing::new("listen on", &name).failed(LACKING))
    }

    pub(super) fn listen(
        _address: &UnixAddress,
        _how: Listening,
    ) -> Result<UnixListener, SourceError> {
        Err(LACKING)
    }
}

impl UnixDatagram {
    /// Always fails.
    ///
    /// # Errors
    ///
    /// [`Unsupported`].
    pub fn bind(name: impl ToUnixAddress) -> Result<UnixDatagram, UnixError> {
        Err(Doing::new("bind to", &name).failed(LACKING))
    }

    pub(super) fn open(
        _local: &UnixAddress,
        _peer: Option<UnixAddress>,
    ) -> Result<UnixDatagram, SourceError> {
        Err(LACKING)
    }
}

impl Source for UnixDatagram {
    fn poll_ready(&self, _cx: &mut Context<'_>, _interest: Interest) -> Poll<()> {
        match self.0 {}
    }
}

impl DatagramSource for UnixDatagram {
    type Address = UnixAddress;

    fn try_recv_from(&self, _buffer: &mut [u8]) -> Result<(usize, UnixAddress), SourceError> {
        match self.0 {}
    }

    fn try_send_to(
        &self,
        _message: &[u8],
        _receiver: Option<&UnixAddress>,
    ) -> Result<usize, SourceError> {
        match self.0 {}
    }
}

impl Source for UnixStream {
    fn poll_ready(&self, _cx: &mut Context<'_>, _interest: Interest) -> Poll<()> {
        match self.0 {}
    }
}

impl ByteSource for UnixStream {
    fn try_read(&self, _buffer: &mut [u8]) -> Result<usize, SourceError> {
        match self.0 {}
    }

    fn try_write(&self, _bytes: &[u8]) -> Result<usize, SourceError> {
        match self.0 {}
    }

    fn shutdown(&self) -> Result<(), SourceError> {
        match self.0 {}
    }
}

impl Source for UnixListener {
    fn poll_ready(&self, _cx: &mut Context<'_>, _interest: Interest) -> Poll<()> {
        match self.0 {}
    }
}

impl AcceptSource for UnixListener {
    type Connection = UnixStream;

    fn try_accept(&self) -> Result<UnixStream, SourceError> {
        match self.0 {}
    }
}
