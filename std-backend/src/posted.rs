//! A source of whose readiness another thread tells, where the selector cannot.
//!
//! ```text
//!  another thread                    the loop's thread
//!  Poster::post ──▶ the loop's queue ──▶ the source's state ──▶ who waits, or listens
//! ```
//!
//! A poster names the source by its place in the selector's table. So it may
//! outlive the source, and what it posts then finds nothing.

use crate::registrations::Key;
use crate::selector::{Entry, Fired, StdSelector};
use crate::source_state::SourceState;
use core::task::{Context, Poll};
use molen_core::get_running_loop;
use molen_core::io::source::SourceError;
use molen_core::io::{EventListener, Ready};
use molen_core::schedule::Remote;
use std::rc::Rc;

/// The source's side.
pub(crate) struct Posted {
    state: Rc<SourceState>,
    key: Key,
    selector: Rc<StdSelector>,
}

impl Posted {
    /// One in the running loop, and who tells it; `ready` is what is known
    /// to be ready.
    pub(crate) fn new(
        operation: &'static str,
        ready: Ready,
    ) -> Result<(Posted, Poster), SourceError> {
        let selector = StdSelector::running(operation)?;
        let event_loop = get_running_loop().map_err(|_none| SourceError::NoRunningLoop)?;
        let state = Rc::new(SourceState::new(ready));
        let key = selector.insert(Entry::Source(state.clone()))?;
        let poster = Poster { remote: event_loop.remote(), key };
        Ok((Posted { state, key, selector }, poster))
    }

    pub(crate) fn poll_ready(&self, cx: &mut Context<'_>, interest: Ready) -> Poll<()> {
        self.state.registration.poll_ready(cx, interest)
    }

    pub(crate) fn known_ready(&self) -> Ready {
        self.state.registration.ready()
    }

    /// Has `listener` told of every event.
    pub(crate) fn listen(&self, listener: Option<EventListener>) {
        self.state.registration.listen(listener);
    }

    /// Wakes whoever waits, to find that there is nothing to wait for any more.
    pub(crate) fn give_up(&self) {
        self.state.notify(Ready::BOTH, Ready::BOTH);
    }

    /// Forgets that `direction` is ready, to wait for the next event; an error
    /// when another loop runs, which would never be told.
    pub(crate) fn would_block(&self, direction: Ready) -> SourceError {
        self.state.registration.clear(direction);
        match get_running_loop() {
            Ok(running) if !self.selector.is_of(&running) => SourceError::ForeignLoop,
            _ => SourceError::WouldBlock,
        }
    }
}

impl Drop for Posted {
    fn drop(&mut self) {
        self.selector.remove(self.key);
    }
}

/// The other thread's side.
pub(crate) struct Poster {
    remote: Remote,
    key: Key,
}

impl Poster {
    /// The source is `ready`. By any thread.
    pub(crate) fn post(&self, ready: Ready) {
        let token = self.key.token();
        // A closed loop has nobody to tell.
        let _ = self.remote.call_soon_threadsafe(move || {
            if let Ok(event_loop) = get_running_loop()
                && let Some(selector) = StdSelector::of(&event_loop)
            {
                selector.dispatch(&event_loop, Fired { token, ready, hung_up: Ready::NONE });
            }
        });
    }
}
