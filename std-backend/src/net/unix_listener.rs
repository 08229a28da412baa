//! A listening Unix socket: a source of connections.

use super::socket::shown_and_numbered;
use super::unix_error::UnixError;
use super::unix_listening::{Cleanup, Listening};
use super::unix_name::{Doing, ToUnixAddress, from_system, to_system};
use super::unix_path::{OwnPath, remove_stale};
use super::unix_stream::UnixStream;
use crate::registered::Registered;
use crate::selector::StdSelector;
use crate::source_error::{accept_error, creation_error, is_of_one_connection};
use core::task::{Context, Poll};
use molen_core::io::source::{AcceptSource, End, Source, SourceError};
use molen_core::io::{Interest, Ready};
use molen_core::net::UnixAddress;
use socket2::{Domain, Socket, Type};
use std::io::{self, ErrorKind};
use std::rc::Rc;

/// A listening Unix socket of the loop it was made in. Dropping it closes the
/// socket and removes its path, unless another socket is there by then.
///
/// asyncio: one of the sockets of a `Server`, or a socket for `sock_accept`.
pub struct UnixListener {
    // Closed before the path is removed, as asyncio does.
    socket: Registered<mio::net::UnixListener>,
    _path: OwnPath,
}

impl UnixListener {
    /// Listens on the path or abstract name `name`, in the running loop. A
    /// socket that is there already is replaced, also one that somebody listens on.
    ///
    /// # Errors
    ///
    /// [`UnixError`]: something that is no socket is there, there is no such
    /// directory or no permission, no descriptors are left, no loop runs.
    pub fn bind(name: impl ToUnixAddress) -> Result<UnixListener, UnixError> {
        let doing = Doing::new("listen on", &name);
        let address = doing.address()?;
        UnixListener::listen(&address, Listening::DEFAULT).map_err(|cause| doing.failed(cause))
    }

    pub(super) fn listen(
        address: &UnixAddress,
        how: Listening,
    ) -> Result<UnixListener, SourceError> {
        let selector = StdSelector::running("listening")?;
        let (listener, path) = listen(address, how).map_err(|error| creation_error(&error))?;
        UnixListener::register(selector, listener, path)
    }

    /// Takes over a listening socket of the standard library for the running
    /// loop. Its path is left when it is closed.
    ///
    /// # Errors
    ///
    /// [`SourceError`]: no loop runs, or the socket cannot be made non-blocking
    /// or registered.
    pub fn from_std(
        listener: std::os::unix::net::UnixListener,
    ) -> Result<UnixListener, SourceError> {
        let selector = StdSelector::running("listening")?;
        listener.set_nonblocking(true).map_err(|error| creation_error(&error))?;
        UnixListener::register(selector, listener, OwnPath::STAYS)
    }

    fn register(
        selector: Rc<StdSelector>,
        listener: std::os::unix::net::UnixListener,
        path: OwnPath,
    ) -> Result<UnixListener, SourceError> {
        let listener = mio::net::UnixListener::from_std(listener);
        Ok(UnixListener { socket: Registered::new(selector, listener, Ready::NONE)?, _path: path })
    }

    pub(super) fn io(&self) -> &mio::net::UnixListener {
        self.socket.io()
    }

    /// The address that it listens on.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn local_addr(&self) -> io::Result<UnixAddress> {
        self.socket.io().local_addr().map(|address| from_system(&address))
    }

    /// Takes the next connection, if one is waiting.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](SourceError::WouldBlock) when none is waiting;
    /// [`NoDescriptors`](SourceError::NoDescriptors) when one is, but cannot
    /// be taken: it stays where it is; [`Closed`](SourceError::Closed) when
    /// somebody else has closed the socket or shut it down.
    pub fn try_accept(&self) -> Result<UnixStream, SourceError> {
        let stream = loop {
            let accepted =
                self.socket.attempt(Ready::READABLE, |socket| match socket.accept() {
                    Err(error) if error.kind() == ErrorKind::WouldBlock => Err(error),
                    done => Ok(done),
                })?;
            match accepted {
                Ok((stream, _peer)) => break stream,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => return Err(accept_error(&error)),
            }
        };
        UnixStream::accepted(self.socket.place().selector().clone(), stream)
    }

    /// Takes the next connection, waiting for one.
    ///
    /// A server that is to live through a lack of descriptors uses
    /// [`accept_with_backoff`](molen_core::io::accept_with_backoff).
    ///
    /// asyncio: `loop.sock_accept()`.
    ///
    /// # Errors
    ///
    /// As for [`try_accept`](Self::try_accept), but never `WouldBlock`.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost: a connection is taken only in the step that returns it.
    pub async fn accept(&self) -> Result<UnixStream, SourceError> {
        molen_core::io::source::accept(self).await
    }
}

fn listen(
    address: &UnixAddress,
    how: Listening,
) -> io::Result<(std::os::unix::net::UnixListener, OwnPath)> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    remove_stale(address);
    socket.bind(&to_system(address)?)?;
    // From here on the file is ours, and goes if something fails.
    let mut path = OwnPath::of(address);
    if let Some(mode) = how.mode {
        // Nobody can connect before it listens, so nobody slips in.
        set_mode(address, mode)?;
    }
    socket.listen(i32::try_from(how.backlog).unwrap_or(i32::MAX))?;
    if how.cleanup == Cleanup::Leave {
        path.leave();
    }
    Ok((socket.into(), path))
}

fn set_mode(address: &UnixAddress, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    match address.as_pathname() {
        Some(path) => std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)),
        // Abstract names have none: everybody may connect.
        None => Err(ErrorKind::InvalidInput.into()),
    }
}

impl Source for UnixListener {
    fn poll_ready(&self, cx: &mut Context<'_>, interest: Interest) -> Poll<()> {
        self.socket.place().poll_ready(cx, interest)
    }

    fn unix_address(&self, end: End) -> Option<UnixAddress> {
        if end == End::Local { self.local_addr().ok() } else { None }
    }
}

impl AcceptSource for UnixListener {
    type Connection = UnixStream;

    fn try_accept(&self) -> Result<UnixStream, SourceError> {
        UnixListener::try_accept(self)
    }
}

shown_and_numbered!(UnixListener);
