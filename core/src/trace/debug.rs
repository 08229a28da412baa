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
use crate::time::{Duration, nanos};
use core::cell::Cell;
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

/// Reports a slow step.
type Report = fn(&EventLoop, Step<'static>, Duration);

/// What a loop has of debug mode; all zero when it is off and nothing was set.
pub(super) struct DebugMode {
    /// Set only where debug mode is turned on, so
    /// that a program that never does has nothing of it.
    report: Cell<Option<Report>>,
    /// In nanoseconds, and what it differs in from the default.
    slow: Cell<u64>,
}

impl DebugMode {
    pub(super) const fn new() -> DebugMode {
        DebugMode { report: Cell::new(None), slow: Cell::new(0) }
    }

    pub(super) fn is_on(&self) -> bool {
        self.report.get().is_some()
    }

    /// Reports the step if it was slow, in debug mode; whether it was.
    pub(super) fn look_at(
        &self,
        event_loop: &EventLoop,
        step: Step<'static>,
        took: Duration,
    ) -> bool {
        match self.report.get() {
            Some(report) if took >= self.limit() => {
                report(event_loop, step, took);
                true
            }
            _ => false,
        }
    }

    fn limit(&self) -> Duration {
        Duration::from_nanos(self.slow.get() ^ nanos(DEFAULT_SLOW_CALLBACK_DURATION))
    }

    fn set_limit(&self, limit: Duration) {
        self.slow.set(nanos(limit) ^ nanos(DEFAULT_SLOW_CALLBACK_DURATION));
    }
}

/// Tells the tracer, and writes a line where the platform's errors go.
fn report_slow(event_loop: &EventLoop, step: Step<'static>, took: Duration) {
    event_loop.trace.tell(event_loop, || Event::Slow(step, took));
    let slow = SlowStep { step, took, limit: event_loop.slow_callback_duration() };
    event_loop.warn(&ExceptionContext::new("slow callback", Some(&slow)));
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
        self.trace.debug.report.set(enabled.then_some(report_slow));
    }

    /// Whether debug mode is on. asyncio: `loop.get_debug()`.
    pub fn get_debug(&self) -> bool {
        self.trace.debug.is_on()
    }

    /// From how long on debug mode calls a step slow.
    ///
    /// asyncio: the attribute `loop.slow_callback_duration`.
    pub fn slow_callback_duration(&self) -> Duration {
        self.trace.debug.limit()
    }

    /// Says from how long on debug mode calls a step slow; with zero, all are.
    /// What is longer than 584 years becomes that.
    ///
    /// asyncio: the attribute `loop.slow_callback_duration`.
    pub fn set_slow_callback_duration(&self, duration: Duration) {
        self.trace.debug.set_limit(duration);
    }
}
