//! A mio source that belongs to a loop's selector, for as long as it lives.

use crate::selector::{Entry, StdSelector};
use crate::source_error::{creation_error, source_error};
use crate::source_state::SourceState;
use core::task::{Context, Poll};
use mio::Interest;
use molen_core::get_running_loop;
use molen_core::io::source::SourceError;
use molen_core::io::{EventListener, Ready};
use std::io::{self, ErrorKind};
use std::rc::Rc;

use crate::descriptor::{AsRawDescriptor, raw};
use crate::registrations::Key;

/// Registered once, for both directions; dropping it closes the descriptor,
/// which ends the system's registration too.
pub(crate) struct Registered<S: AsRawDescriptor> {
    io: S,
    state: Rc<SourceState>,
    key: Key,
    selector: Rc<StdSelector>,
}

impl<S: mio::event::Source + AsRawDescriptor> Registered<S> {
    /// Registers `io`, which is in non-blocking mode; `ready` is what is known
    /// to be ready without an event.
    pub(crate) fn new(
        selector: Rc<StdSelector>,
        io: S,
        ready: Ready,
    ) -> Result<Registered<S>, SourceError> {
        Registered::for_interest(selector, io, Interest::READABLE | Interest::WRITABLE, ready)
    }

    /// Ends the system's registration at once. Closing the descriptor does that
    /// too, but not when it has copies.
    #[cfg(unix)]
    pub(crate) fn deregister(&mut self) {
        // It is registered, and open.
        let _ = self.selector.registry(|registry| registry.deregister(&mut self.io));
    }

    /// As [`new`](Self::new), for what has one direction only.
    pub(crate) fn for_interest(
        selector: Rc<StdSelector>,
        mut io: S,
        interest: Interest,
        ready: Ready,
    ) -> Result<Registered<S>, SourceError> {
        let state = Rc::new(SourceState::new(ready));
        let key = selector.insert(Entry::Source(state.clone()))?;
        if let Err(error) =
            selector.registry(|registry| registry.register(&mut io, key.token(), interest))
        {
            selector.remove(key);
            return Err(creation_error(&error));
        }
        selector.claim(raw(&io));
        Ok(Registered { io, state, key, selector })
    }
}

impl<S: AsRawDescriptor> Registered<S> {
    pub(crate) fn io(&self) -> &S {
        &self.io
    }

    pub(crate) fn selector(&self) -> &Rc<StdSelector> {
        &self.selector
    }

    #[inline]
    pub(crate) fn poll_ready(&self, cx: &mut Context<'_>, interest: Ready) -> Poll<()> {
        self.state.registration.poll_ready(cx, interest)
    }

    #[inline]
    pub(crate) fn known_ready(&self) -> Ready {
        self.state.registration.ready()
    }

    /// Has `listener` told of every event.
    pub(crate) fn listen(&self, listener: Option<EventListener>) {
        self.state.registration.listen(listener);
    }

    /// Tries `operation`, unless it is known that `direction` would block.
    #[inline]
    pub(crate) fn attempt<T>(
        &self,
        direction: Ready,
        mut operation: impl FnMut(&S) -> io::Result<T>,
    ) -> Result<T, SourceError> {
        if !self.state.registration.ready().contains(direction) {
            return Err(self.would_block());
        }
        loop {
            match operation(&self.io) {
                Ok(done) => return Ok(done),
                Err(error) => match error.kind() {
                    ErrorKind::Interrupted => {}
                    ErrorKind::WouldBlock => {
                        self.state.registration.clear(direction);
                        return Err(self.would_block());
                    }
                    _ => return Err(source_error(&error)),
                },
            }
        }
    }

    /// Tries to read or write `wanted` bytes.
    #[inline]
    pub(crate) fn transfer(
        &self,
        direction: Ready,
        wanted: usize,
        operation: impl FnMut(&S) -> io::Result<usize>,
    ) -> Result<usize, SourceError> {
        if wanted == 0 {
            return Ok(0);
        }
        let done = self.attempt(direction, operation)?;
        // Nothing at all is the end, which can be read again.
        if done < wanted && done > 0 {
            self.state.ran_short(direction);
        }
        Ok(done)
    }

    /// It would block; waiting for it makes sense on its own loop only.
    #[cold]
    fn would_block(&self) -> SourceError {
        self.check_loop().err().unwrap_or(SourceError::WouldBlock)
    }

    /// Whether the loop that runs, if any, is its own.
    pub(crate) fn check_loop(&self) -> Result<(), SourceError> {
        match get_running_loop() {
            Ok(running) if !self.selector.is_of(&running) => Err(SourceError::ForeignLoop),
            _ => Ok(()),
        }
    }

    /// Waits until nobody is left who could read what is written, as far as the
    /// system tells of that by itself.
    #[cfg(unix)]
    pub(crate) fn poll_reader_gone(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.state.poll_reader_gone(cx)
    }

    /// Whether nobody is left who could read what is written.
    #[cfg(unix)]
    pub(crate) fn is_reader_gone(&self) -> bool {
        self.state.registration.hung_up().contains(Ready::WRITABLE)
    }

    /// Wakes whoever waits, to find that there is nothing to wait for any more.
    pub(crate) fn give_up(&self) {
        self.state.notify(Ready::BOTH, Ready::BOTH);
    }

    /// Has `direction` tried again after `delay`, though no event may come.
    #[cfg(unix)]
    pub(crate) fn retry_after(&self, direction: Ready, delay: molen_core::Duration) {
        let state = Rc::downgrade(&self.state);
        let retry = move || {
            if let Some(state) = state.upgrade() {
                state.notify(direction, Ready::NONE);
            }
        };
        if let Ok(running) = get_running_loop() {
            // Refused only by a loop that closes.
            let _ = running.call_later(delay, retry);
        }
    }

    /// Forgets that `direction` is ready, to wait for the next event.
    pub(crate) fn clear(&self, direction: Ready) {
        self.state.registration.clear(direction);
    }
}

impl<S: AsRawDescriptor> Drop for Registered<S> {
    fn drop(&mut self) {
        // First of all, so that whoever gets the number next finds it free.
        self.selector.disclaim(raw(&self.io));
        self.selector.remove(self.key);
    }
}
