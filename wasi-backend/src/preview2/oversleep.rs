//! Hosts that sleep longer than they are asked to.
//!
//! wasmtime ends waits of WASI 0.2 on a grid of a millisecond, a step after the
//! one that was asked for: 1 ns takes 1.1 ms, 1 ms takes 2.1. So the host is
//! asked for a step less than there is time. One that turns out to be exact is
//! asked for the whole from then on:
//!
//! ```text
//!  a step less ── a wait ended less than half a step late ──▶ the whole
//! ```
//!
//! The wait that finds this out ends early, which costs one more; the loop looks
//! at the clock before it fires anything.

use core::cell::Cell;

/// What wasmtime 46 to 50 adds, in nanoseconds.
const STEP: u64 = 1_100_000;

/// What has been found out about the host.
pub(super) struct Oversleep {
    /// When the last wait should have ended, on the clock.
    asked_until: Cell<u64>,
    exact: Cell<bool>,
}

impl Oversleep {
    pub(super) const fn new() -> Oversleep {
        Oversleep { asked_until: Cell::new(0), exact: Cell::new(false) }
    }

    /// What to ask for at `now` in order to sleep for `nanos`: at least 1 ns.
    pub(super) fn ask_for(&self, nanos: u64, now: u64) -> u64 {
        let less = if self.exact.get() { 0 } else { STEP };
        let ask = nanos.saturating_sub(less).max(1);
        self.asked_until.set(now.saturating_add(ask));
        ask
    }

    /// Notes that the wait ended `now`.
    pub(super) fn ended(&self, now: u64) {
        if now.saturating_sub(self.asked_until.get()) < STEP / 2 {
            self.exact.set(true);
        }
    }
}
