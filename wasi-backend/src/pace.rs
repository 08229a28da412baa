//! How long a wait may be, in the host's terms.
//!
//! Hosts that count in milliseconds fire a wait of 100 µs at once. Asking again
//! for the rest would spin until the time has come. So a wait that ended early
//! and without news is followed by one of at least a millisecond.

use core::cell::Cell;
use molen_core::io::Wait;
use molen_core::time::Instant;

/// What hosts that count time coarsely count it in, in nanoseconds.
const GRID: u64 = 1_000_000;

/// The longest single wait, in nanoseconds: a day. Hosts that count
/// milliseconds in 32 bits take more than 24 days for no time at all.
const LONGEST: u64 = 24 * 60 * 60 * 1_000_000_000;

/// Remembers whether the host can wait as shortly as it was asked.
pub(crate) struct Pace {
    /// Until when the last wait should have lasted, if it brought no news;
    /// otherwise the clock's start.
    disappointed: Cell<Instant>,
}

impl Pace {
    pub(crate) const fn new() -> Pace {
        Pace { disappointed: Cell::new(Instant::ZERO) }
    }

    /// How many nanoseconds the host may wait; `None` is for ever. `now` is
    /// asked only if it matters.
    pub(crate) fn timeout(&self, wait: Wait, now: impl FnOnce() -> Instant) -> Option<u64> {
        let disappointed = self.disappointed.take();
        let when = match wait {
            Wait::No => return Some(0),
            Wait::Forever | Wait::Until(Instant::FAR_FUTURE) => return None,
            Wait::Until(when) => when,
        };
        let left = when.as_nanos().saturating_sub(now().as_nanos());
        if left == 0 {
            return Some(0);
        }
        self.disappointed.set(when);
        let early = disappointed == when;
        Some(if early { left.max(GRID) } else { left }.min(LONGEST))
    }

    /// Notes that the wait ended because something happened.
    pub(crate) fn news(&self) {
        self.disappointed.set(Instant::ZERO);
    }
}
