//! A source's place in the selector's table, for as long as the source lives.

use crate::registrations::Key;
use crate::selector::{Entry, StdSelector};
use crate::source_state::SourceState;
use core::task::{Context, Poll};
use mio::Token;
use molen_core::get_running_loop;
use molen_core::io::source::SourceError;
use molen_core::io::{EventListener, Ready};
use std::rc::Rc;

/// Where events for a source arrive, and what is known of its readiness.
/// Dropping it has events that are under way find nothing.
pub(crate) struct Place {
    state: Rc<SourceState>,
    key: Key,
    selector: Rc<StdSelector>,
}

impl Place {
    /// `ready` is what is known to be ready without an event.
    pub(crate) fn new(selector: Rc<StdSelector>, ready: Ready) -> Result<Place, SourceError> {
        let state = Rc::new(SourceState::new(ready));
        let key = selector.insert(Entry::Source(state.clone()))?;
        Ok(Place { state, key, selector })
    }

    /// What events name it by.
    pub(crate) fn token(&self) -> Token {
        self.key.token()
    }

    pub(crate) fn state(&self) -> &Rc<SourceState> {
        &self.state
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

    /// Forgets that `direction` is ready, to wait for the next event.
    pub(crate) fn clear(&self, direction: Ready) {
        self.state.registration.clear(direction);
    }

    /// Wakes whoever waits, to find that there is nothing to wait for any more.
    pub(crate) fn give_up(&self) {
        self.state.notify(Ready::BOTH, Ready::BOTH);
    }

    /// It would block; waiting for it makes sense on its own loop only.
    #[cold]
    pub(crate) fn would_block(&self) -> SourceError {
        self.check_loop().err().unwrap_or(SourceError::WouldBlock)
    }

    /// Whether the loop that runs, if any, is its own.
    pub(crate) fn check_loop(&self) -> Result<(), SourceError> {
        match get_running_loop() {
            Ok(running) if !self.selector.is_of(&running) => Err(SourceError::ForeignLoop),
            _ => Ok(()),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.selector.remove(self.key);
    }
}
