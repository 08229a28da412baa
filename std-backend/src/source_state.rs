//! What the selector tells a source, and what the source makes of it.
//!
//! ```text
//!                 event
//!  not ready ──────────────▶ ready
//!      ▲                       │
//!      ├── would block ────────┤
//!      └── short read, write ──┘   only where events are edges, and unless
//!                                  the other side has hung up
//! ```
//!
//! A short read has emptied the system's buffer; where events are edges, what
//! comes later brings a new one. So a request costs one read, one write and
//! one wait, and no read that finds nothing. The end of the stream is the
//! exception: it may have come with the event that brought the last bytes, and
//! then brings none of its own. So hanging up is remembered for good.

#[cfg(unix)]
use core::task::{Context, Poll};
use molen_core::io::{Ready, Registration};

/// Whether an event tells of a change, once, and not of a state.
const EDGE_TRIGGERED: bool = cfg!(any(
    target_os = "linux",
    target_os = "android",
    target_vendor = "apple",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd",
    target_os = "dragonfly",
));

/// One source's readiness, shared by the source and the selector's table.
pub(crate) struct SourceState {
    pub(crate) registration: Registration,
}

impl SourceState {
    pub(crate) fn new(ready: Ready) -> SourceState {
        let state = SourceState { registration: Registration::new() };
        state.registration.set_ready(ready);
        state
    }

    /// An event: `ready` can be tried; of `hung_up` nothing new will be told.
    pub(crate) fn notify(&self, ready: Ready, hung_up: Ready) {
        self.registration.set_hung_up(hung_up);
        // Who can write no more is told where the reasons are.
        let why = if hung_up.contains(Ready::WRITABLE) { Ready::READABLE } else { Ready::NONE };
        self.registration.set_ready(ready.union(why));
    }

    /// Waits until nobody is left who could read what is written; for sources
    /// that are not read themselves: one task at a time, in the reader's place.
    #[cfg(unix)]
    pub(crate) fn poll_reader_gone(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.registration.hung_up().contains(Ready::WRITABLE) {
            return Poll::Ready(());
        }
        self.registration.clear(Ready::READABLE);
        self.registration.poll_ready(cx, Ready::READABLE)
    }

    /// Less was read or written than was asked for.
    #[inline]
    pub(crate) fn ran_short(&self, direction: Ready) {
        if EDGE_TRIGGERED && !self.registration.hung_up().intersects(direction) {
            self.registration.clear(direction);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_hanging_up_a_short_read_leaves_the_end_to_be_read() {
        let state = SourceState::new(Ready::NONE);
        state.notify(Ready::BOTH, Ready::NONE);
        state.ran_short(Ready::READABLE);
        assert_eq!(state.registration.ready().contains(Ready::READABLE), !EDGE_TRIGGERED);
        state.notify(Ready::READABLE, Ready::READABLE);
        state.ran_short(Ready::READABLE);
        assert!(state.registration.ready().contains(Ready::READABLE));
    }
}
