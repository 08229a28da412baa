//! The component's clock and selector.
//!
//! # Invariants
//!
//! * **One Thread**: a component has one thread of control and no interrupts,
//!   so its statics are never used twice at a time.

use super::oversleep::Oversleep;
use super::watch::Watches;
use crate::pace::Pace;
use core::cell::Cell;
use molen_core::io::{Clock, SelectError, Selector, Wait};
use molen_core::schedule::{EventLoop, ExceptionContext, HandlerFailed};
use molen_core::time::Instant;
use wasip2::clocks::monotonic_clock;

/// The clock and the selector of WASI 0.2. There is one, a static.
pub struct Preview2 {
    latest: Cell<u64>,
    pace: Pace,
    oversleep: Oversleep,
    /// Waits for sources as well, once there has been one. A component that
    /// has none does not contain the code for it, nor needs an allocator.
    sources: Cell<Option<&'static WithSources>>,
}

/// What is linked only where there are sources.
struct WithSources {
    select: fn(&Pace, Option<u64>) -> Result<(), SelectError>,
    drain: fn(&Pace),
}

// SAFETY: One Thread.
unsafe impl Sync for Preview2 {}

/// The component's backend: what a loop of one's own is started with.
///
/// ```ignore
/// static LOOP: EventLoop = EventLoop::new();
/// let event_loop = LOOP.start(&BACKEND)?;
/// ```
pub static BACKEND: Preview2 = Preview2 {
    latest: Cell::new(0),
    pace: Pace::new(),
    oversleep: Oversleep::new(),
    sources: Cell::new(None),
};

struct Sources(Watches);

// SAFETY: One Thread.
unsafe impl Sync for Sources {}

static SOURCES: Sources = Sources(Watches::new());

/// All that can be waited for.
pub(super) fn watches() -> &'static Watches {
    BACKEND.sources.set(Some(&WithSources {
        select: |pace, timeout| super::poll::select(&SOURCES.0, pace, timeout),
        drain: |pace| super::poll::drain(&SOURCES.0, pace),
    }));
    &SOURCES.0
}

/// Whether some task waits for a source. A host that drives the component
/// cannot tell; see [`reactor`](crate::reactor).
pub fn waits_for_descriptors() -> bool {
    BACKEND.sources.get().is_some() && SOURCES.0.any_waiting()
}

impl Preview2 {
    /// Waits, a second at most, until what dropped connections have written
    /// has left: for the end of a program.
    pub(crate) fn drain(&self) {
        if let Some(sources) = self.sources.get() {
            (sources.drain)(&self.pace);
        }
    }
}

impl Preview2 {
    /// Waits for the time alone, and ends as near to it as the host can.
    fn sleep(&self, timeout: Option<u64>) -> Result<(), SelectError> {
        let ask = timeout.map(|nanos| match nanos {
            0 => 0,
            nanos => self.oversleep.ask_for(nanos, self.now().as_nanos()),
        });
        sleep(ask)?;
        if ask > Some(0) {
            self.oversleep.ended(self.now().as_nanos());
        }
        Ok(())
    }
}

impl Clock for Preview2 {
    /// The host's monotonic clock, kept from going back.
    fn now(&self) -> Instant {
        let now = monotonic_clock::now().max(self.latest.get());
        self.latest.set(now);
        Instant::from_nanos(now)
    }
}

impl Selector for Preview2 {
    fn select(&self, _event_loop: &EventLoop, wait: Wait) -> Result<(), SelectError> {
        let timeout = self.pace.timeout(wait, || self.now());
        match self.sources.get() {
            Some(sources) => (sources.select)(&self.pace, timeout),
            None => self.sleep(timeout),
        }
    }

    fn report(&self, context: &ExceptionContext<'_>) -> Result<(), HandlerFailed> {
        say("molen: ")?;
        context.write_to(&mut say)?;
        say("\n")
    }

    fn last_resort(&self, text: &str) -> Result<(), HandlerFailed> {
        say(text)?;
        say("\n")
    }
}

/// Waits for the time alone.
pub(super) fn sleep(timeout: Option<u64>) -> Result<(), SelectError> {
    match timeout {
        None => Err(SelectError::NothingToWaitFor),
        // Nobody to ask about, and no time to wait.
        Some(0) => Ok(()),
        Some(nanos) => {
            monotonic_clock::subscribe_duration(nanos).block();
            Ok(())
        }
    }
}

/// Writes all of `text` to standard error.
fn say(text: &str) -> Result<(), HandlerFailed> {
    let stderr = super::stdio::stderr().map_err(|_| HandlerFailed)?;
    stderr.write_now(text.as_bytes()).map_err(|_| HandlerFailed)
}
