//! What a backend brings: the time, the waiting, and bytes.
//!
//! A backend implements [`Clock`] and [`Selector`], and offers sources that
//! implement the traits of [`source`]. It takes no scheduling decision and
//! knows no protocol.

mod accept;
#[cfg(feature = "alloc")]
mod listener;
mod registration;
pub mod source;

#[cfg(feature = "alloc")]
pub(crate) use accept::report as report_listener;
pub use accept::{ACCEPT_RETRY_DELAY, AcceptFailure, accept_with_backoff};
#[cfg(feature = "alloc")]
pub use listener::{EventListener, Listener};
pub use registration::{Interest, Ready, Registration};

use crate::schedule::{EventLoop, ExceptionContext, HandlerFailed};
use crate::time::Instant;

/// A monotonic clock.
pub trait Clock {
    /// The time now; never less than it was.
    fn now(&self) -> Instant;
}

/// How long a [`Selector`] may wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wait {
    /// Not at all: look what is ready.
    No,
    /// Until the clock shows this, or something is ready. May be past already.
    Until(Instant),
    /// Until something is ready.
    Forever,
}

/// Waiting failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum SelectError {
    /// It would wait for ever: there is no deadline, no source, and nobody
    /// outside who could wake the loop.
    NothingToWaitFor,
    /// The operating system's error number.
    Os(i32),
}

/// How often the loop looks at the selector and the clock while it is busy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PollBudget {
    /// At least once in so many callbacks.
    pub callbacks: u32,
    /// At least once in so many nanoseconds, as far as single callbacks allow.
    pub nanos: u32,
}

impl PollBudget {
    /// What loops begin with: 256 callbacks or half a millisecond.
    pub const DEFAULT: PollBudget = PollBudget { callbacks: 256, nanos: 500_000 };
}

/// Waits for sources and for the time.
pub trait Selector {
    /// Waits as long as `wait` says, and wakes what is ready.
    ///
    /// It may return early, and with nothing ready: the loop looks at the
    /// clock itself. A wake-up from another thread or an interrupt must end
    /// the wait, also one that comes just before it begins.
    ///
    /// # Errors
    ///
    /// A failure of one source is that source's, never this function's.
    fn select(&self, event_loop: &EventLoop, wait: Wait) -> Result<(), SelectError>;

    /// The loop closes: whatever callbacks are kept here are let go of, and
    /// none is made ready again.
    fn close(&self) {}

    /// How often a busy loop looks here. Without the feature `alloc` it reads
    /// no clock for that: it looks at least once in 32 callbacks, unless the
    /// time is `u32::MAX`, without limit.
    fn poll_budget(&self) -> PollBudget {
        PollBudget::DEFAULT
    }

    /// Writes a failure where the platform's errors go.
    ///
    /// # Errors
    ///
    /// [`HandlerFailed`] when it could not.
    fn report(&self, context: &ExceptionContext<'_>) -> Result<(), HandlerFailed>;

    /// Says `text` by the simplest means there is, after `report` failed.
    ///
    /// # Errors
    ///
    /// [`HandlerFailed`] when even that could not be.
    fn last_resort(&self, text: &str) -> Result<(), HandlerFailed> {
        let _ = text;
        Err(HandlerFailed)
    }
}

/// A clock and a selector: all that a loop needs of its platform.
#[cfg(not(feature = "threads"))]
pub trait Backend: Clock + Selector {}

/// A clock and a selector: all that a loop needs of its platform. `Any`, so
/// that a backend's sources find their selector in the running loop
/// ([`EventLoop::backend_as`]).
#[cfg(feature = "threads")]
pub trait Backend: Clock + Selector + core::any::Any {}

impl<T: Clock + Selector + 'static> Backend for T {}
