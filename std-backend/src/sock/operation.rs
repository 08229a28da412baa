//! What all operations on a socket have in common: they check, try, wait, and try again.

use super::error::{SocketError, SocketRefused};
use crate::descriptor::{AsDescriptor, RawDescriptor, raw};
use crate::selector::{StdSelector, no_descriptors_here};
use crate::waiting::Waiting;
use crate::watches::Half;
use core::future::poll_fn;
use molen_core::get_running_loop;
use molen_core::io::source::SourceError;
use molen_core::schedule::EventLoop;
use socket2::{SockAddr, SockRef, Socket};
use std::io::{self, ErrorKind};

/// One call of an operation.
pub(super) struct Operation<'a> {
    pub(super) event_loop: &'a EventLoop,
    selector: &'a StdSelector,
    socket: SockRef<'a>,
    what: What<'a>,
}

/// What is being done, for errors.
struct What<'a> {
    operation: &'static str,
    socket: RawDescriptor,
    address: Option<&'a SockAddr>,
}

impl What<'_> {
    #[cold]
    fn failed(&self, cause: SocketRefused) -> SocketError {
        let &What { operation, socket, address } = self;
        SocketError { operation, socket, address: address.cloned().map(Box::new), cause }
    }
}

impl<'a> Operation<'a> {
    /// Begins to do `operation` with `socket`, or says why that must not be.
    pub(super) fn begin<S: AsDescriptor>(
        event_loop: &'a EventLoop,
        operation: &'static str,
        socket: &'a S,
        address: Option<&'a SockAddr>,
    ) -> Result<Operation<'a>, SocketError> {
        let socket = SockRef::from(socket);
        let what = What { operation, socket: raw(&*socket), address };
        let failed = |cause| what.failed(cause);
        let refused = |error| what.failed(SocketRefused::Loop(error));
        let Some(selector) = StdSelector::of(event_loop) else {
            let unsupported = no_descriptors_here("waiting for a socket");
            return Err(refused(SourceError::Unsupported(unsupported)));
        };
        check_loop(event_loop, selector).map_err(refused)?;
        if selector.is_claimed(what.socket) {
            return Err(failed(SocketRefused::OwnedBySource));
        }
        if blocks(&socket).map_err(|error| failed(SocketRefused::Os(error)))? {
            return Err(failed(SocketRefused::Blocking));
        }
        Ok(Operation { event_loop, selector, socket, what })
    }

    pub(super) fn socket(&self) -> &Socket {
        &self.socket
    }

    #[cold]
    pub(super) fn failed(&self, cause: SocketRefused) -> SocketError {
        self.what.failed(cause)
    }

    #[cold]
    pub(super) fn os(&self, error: io::Error) -> SocketError {
        self.failed(SocketRefused::Os(error))
    }

    /// Tries until it does not block any more.
    ///
    /// # Cancellation
    ///
    /// No try is under way; the registration ends.
    pub(super) async fn complete<T>(
        &self,
        half: Half,
        mut attempt: impl FnMut(&Socket) -> io::Result<T>,
    ) -> Result<T, SocketError> {
        let mut waiting = self.waiting(half);
        loop {
            match attempt(&self.socket) {
                Ok(done) => return Ok(done),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.ready(&mut waiting).await?;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.os(error)),
            }
        }
    }

    /// For [`ready`](Self::ready).
    pub(super) fn waiting(&self, half: Half) -> Waiting<'_> {
        Waiting::new(self.selector, self.what.socket, half)
    }

    /// Waits for an event, or for what only looks like one.
    pub(super) async fn ready(&self, waiting: &mut Waiting<'_>) -> Result<(), SocketError> {
        poll_fn(|cx| {
            // Also while it waits: it may be polled by another loop, or after a close.
            check_loop(self.event_loop, self.selector).map_err(SocketRefused::Loop)?;
            waiting.poll(cx).map_err(SocketRefused::from)
        })
        .await
        .map_err(|cause| self.failed(cause))
    }
}

fn check_loop(event_loop: &EventLoop, selector: &StdSelector) -> Result<(), SourceError> {
    if event_loop.is_closed() {
        return Err(SourceError::Closed);
    }
    match get_running_loop() {
        Ok(running) if !selector.is_of(&running) => Err(SourceError::ForeignLoop),
        _ => Ok(()),
    }
}

/// Whether an operation on it may keep the thread waiting.
#[cfg(unix)]
fn blocks(socket: &Socket) -> io::Result<bool> {
    socket.nonblocking().map(|nonblocking| !nonblocking)
}

/// Windows does not tell.
#[cfg(windows)]
fn blocks(_socket: &Socket) -> io::Result<bool> {
    Ok(false)
}
