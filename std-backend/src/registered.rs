//! A mio source that belongs to a loop's selector, for as long as it lives.

use crate::descriptor::{AsRawDescriptor, raw};
use crate::place::Place;
use crate::selector::StdSelector;
use crate::source_error::{creation_error, source_error};
#[cfg(unix)]
use core::task::{Context, Poll};
use mio::Interest;
use molen_core::io::Ready;
use molen_core::io::source::SourceError;
use std::io::{self, ErrorKind};
use std::rc::Rc;

/// Registered once, for both directions; dropping it closes the descriptor,
/// which ends the system's registration too.
pub(crate) struct Registered<S: AsRawDescriptor> {
    // Given up before the descriptor is closed.
    place: Place,
    io: S,
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
        let _ = self.place.selector().registry(|registry| registry.deregister(&mut self.io));
    }

    /// As [`new`](Self::new), for what has one direction only.
    pub(crate) fn for_interest(
        selector: Rc<StdSelector>,
        mut io: S,
        interest: Interest,
        ready: Ready,
    ) -> Result<Registered<S>, SourceError> {
        let place = Place::new(selector, ready)?;
        let registered = place
            .selector()
            .registry(|registry| registry.register(&mut io, place.token(), interest));
        registered.map_err(|error| creation_error(&error))?;
        place.selector().claim(raw(&io));
        Ok(Registered { place, io })
    }
}

impl<S: AsRawDescriptor> Registered<S> {
    pub(crate) fn io(&self) -> &S {
        &self.io
    }

    #[inline]
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Tries `operation`, unless it is known that `direction` would block.
    #[inline]
    pub(crate) fn attempt<T>(
        &self,
        direction: Ready,
        mut operation: impl FnMut(&S) -> io::Result<T>,
    ) -> Result<T, SourceError> {
        if !self.place.known_ready().contains(direction) {
            return Err(self.place.would_block());
        }
        loop {
            match operation(&self.io) {
                Ok(done) => return Ok(done),
                Err(error) => match error.kind() {
                    ErrorKind::Interrupted => {}
                    ErrorKind::WouldBlock => {
                        self.place.clear(direction);
                        return Err(self.place.would_block());
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
            self.place.state().ran_short(direction);
        }
        Ok(done)
    }

    /// Waits until nobody is left who could read what is written, as far as the
    /// system tells of that by itself.
    #[cfg(unix)]
    pub(crate) fn poll_reader_gone(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.place.state().poll_reader_gone(cx)
    }

    /// Whether nobody is left who could read what is written.
    #[cfg(unix)]
    pub(crate) fn is_reader_gone(&self) -> bool {
        self.place.state().registration.hung_up().contains(Ready::WRITABLE)
    }

    /// Has `direction` tried again after `delay`, though no event may come.
    #[cfg(unix)]
    pub(crate) fn retry_after(&self, direction: Ready, delay: molen_core::Duration) {
        let state = Rc::downgrade(self.place.state());
        let retry = move || {
            if let Some(state) = state.upgrade() {
                state.notify(direction, Ready::NONE);
            }
        };
        if let Ok(running) = molen_core::get_running_loop() {
            // Refused only by a loop that closes.
            let _ = running.call_later(delay, retry);
        }
    }
}

impl<S: AsRawDescriptor> Drop for Registered<S> {
    fn drop(&mut self) {
        // First of all, so that whoever gets the number next finds it free.
        self.place.selector().disclaim(raw(&self.io));
    }
}
