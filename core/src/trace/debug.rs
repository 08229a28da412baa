//! asyncio's debug mode, as far as types have not made it needless.
//!
//! | asyncio in debug mode | here |
//! |---|---|
//! | reports callbacks and steps that take too long | the same |
//! | a call from another thread raises | loops and handles are not `Send`: it does not compile |
//! | something that cannot be called raises | does not compile |
//! | a coroutine where a callback is expected raises | does not compile |
//! | a blocking socket raises | sources make theirs non-blocking |
//! | exceptions that nobody retrieved say where their task was created | they are reported in any mode, with the task's function |

use super::{Event, Step};
use crate::schedule::{EventLoop, ExceptionContext};
use crate::time::Duration;
use core::fmt;

/// From how long on a step is slow, until
/// [`set_slow_callback_duration`](EventLoop::set_slow_callback_duration) says otherwise.
///
/// asyncio: 100 milliseconds too.
pub const DEFAULT_SLOW_CALLBACK_DURATION: Duration = Duration::from_millis(100);

/// What a slow step is reported with.
struct SlowStep<'a> {
    step: Step<'a>,
    took: Duration,
    limit: Duration,
}

impl fmt::Display for SlowStep<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SlowStep { step, took, limit } = self;
        write!(f, "{step} took {took:?}, {limit:?} is slow")
    }
}

impl super::TracePoints {
    /// Tells the tracer, and writes a line where the platform's errors go.
    #[cold]
    pub(super) fn report_slow(&self, event_loop: &EventLoop, step: Step<'static>, took: Duration) {
        self.tell(event_loop, || Event::Slow(step, took));
        let slow = SlowStep { step, took, limit: self.slow_callback_duration.get() };
        event_loop.warn(&ExceptionContext::new("slow callback", Some(&slow)));
    }
}

impl EventLoop {
    /// Turns debug mode on or off: with it, callbacks and steps of tasks that
    /// take [too long](Self::slow_callback_duration) are reported by name where
    /// the platform's errors go; the exception handler is not called.
    ///
    /// On desktops it is on from the beginning if the environment variable
    /// `MOLEN_DEBUG` is not empty and not `0`. In the middle of a batch it
    /// takes effect in the next one.
    ///
    /// asyncio: `loop.set_debug()`.
    pub fn set_debug(&self, enabled: bool) {
        self.trace.debug.set(enabled);
    }

    /// Whether debug mode is on. asyncio: `loop.get_debug()`.
    pub fn get_debug(&self) -> bool {
        self.trace.debug.get()
    }

    /// From how long on debug mode calls a step slow.
    ///
    /// asyncio: the attribute `loop.slow_callback_duration`.
    pub fn slow_callback_duration(&self) -> Duration {
        self.trace.slow_callback_duration.get()
    }

    /// Says from how long on debug mode calls a step slow; with zero, all are.
    ///
    /// asyncio: the attribute `loop.slow_callback_duration`.
    pub fn set_slow_callback_duration(&self, duration: Duration) {
        self.trace.slow_callback_duration.set(duration);
    }
}
