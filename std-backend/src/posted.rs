//! A source of whose readiness another thread tells, where the selector cannot.
//!
//! ```text
//!  another thread                    the loop's thread
//!  Poster::post ──▶ the loop's queue ──▶ the source's state ──▶ who waits, or listens
//! ```
//!
//! A poster names the source by its place in the selector's table. So it may
//! outlive the source, and what it posts then finds nothing.

use crate::place::Place;
use crate::selector::{Fired, StdSelector};
use mio::Token;
use molen_core::get_running_loop;
use molen_core::io::Ready;
use molen_core::io::source::SourceError;
use molen_core::schedule::Remote;

/// The other thread's side.
pub(crate) struct Poster {
    remote: Remote,
    token: Token,
}

impl Poster {
    /// A source's place in the running loop, and who tells it; `ready` is what
    /// is known to be ready.
    pub(crate) fn with_place(
        operation: &'static str,
        ready: Ready,
    ) -> Result<(Place, Poster), SourceError> {
        let selector = StdSelector::running(operation)?;
        let event_loop = get_running_loop().map_err(|_none| SourceError::NoRunningLoop)?;
        let place = Place::new(selector, ready)?;
        let poster = Poster { remote: event_loop.remote(), token: place.token() };
        Ok((place, poster))
    }

    /// The source is `ready`. By any thread.
    pub(crate) fn post(&self, ready: Ready) {
        let token = self.token;
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
