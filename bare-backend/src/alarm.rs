//! The one rule for setting an alarm.
//!
//! An alarm that is set to a moment that has just passed may never ring: the compare register holds a value
//! that the counter has left behind, and the next match is a whole turn of the counter away. Every port that
//! wrote its own arming loop got this wrong once (embassy #6528, #3758). So ports here only *program* the
//! hardware, and [`arm`] decides:
//!
//! ```text
//!   program(deadline) ──▶ now() again ──▶ now < deadline: Armed::Set      the interrupt will come
//!                                    └──▶ now ≥ deadline: Armed::Passed   do not sleep, it is due
//! ```
//!
//! Both orders of "interrupt" and "second look" are right: if the deadline passes between the two steps the
//! second look sees it; if it passes after the second look, the compare register was already in place.

use molen_core::Instant;
use molen_core::io::Clock;

/// A monotonic clock with one alarm.
///
/// `now` may be called from any context, also from interrupt handlers and inside critical sections, and shows
/// [`Instant::ZERO`] before the clock is started.
pub trait Alarm: Clock {
    /// Asks the hardware to raise its interrupt when the clock shows `deadline`, in place of what was asked for before.
    ///
    /// The interrupt may come earlier: hardware counts only so far, and the loop looks at the clock anyway. If
    /// the deadline has passed already, it may never come. That is why this is called by [`arm`] only.
    fn program(&self, deadline: Instant);

    /// Whether an interrupt comes at least every so often by itself, so that no alarm is ever needed and none can
    /// be missed.
    const TICKS_BY_ITSELF: bool = false;
}

/// What became of a request for an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "an alarm whose time has passed does not ring: sleeping on it could last for ever"]
pub enum Armed {
    /// The interrupt will come at the deadline or before.
    Set,
    /// The deadline has passed; the interrupt may never come.
    Passed,
}

/// Sets `alarm` to `deadline` and tells whether that moment has passed meanwhile.
#[inline]
pub fn arm<A: Alarm>(alarm: &A, deadline: Instant) -> Armed {
    if A::TICKS_BY_ITSELF {
        return Armed::Set;
    }
    alarm.program(deadline);
    if alarm.now() >= deadline { Armed::Passed } else { Armed::Set }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::cell::Cell;

    /// A clock that a slow bus lets go on by `cost` ns during each access, with an alarm that only matches exactly.
    struct Slow {
        time: Cell<u64>,
        cost: u64,
        compare: Cell<Option<u64>>,
    }

    impl Clock for Slow {
        fn now(&self) -> Instant {
            self.time.set(self.time.get() + self.cost);
            Instant::from_nanos(self.time.get())
        }
    }

    impl Alarm for Slow {
        fn program(&self, deadline: Instant) {
            let deadline = deadline.as_nanos();
            self.time.set(self.time.get() + self.cost);
            self.compare.set((deadline > self.time.get()).then_some(deadline));
        }
    }

    #[test]
    fn set_means_that_the_interrupt_comes() {
        for cost in [0, 1, 7, 100] {
            for ahead in 0..300 {
                let alarm = Slow { time: Cell::new(1_000), cost, compare: Cell::new(None) };
                match arm(&alarm, Instant::from_nanos(1_000 + ahead)) {
                    Armed::Set => assert_eq!(alarm.compare.get(), Some(1_000 + ahead)),
                    Armed::Passed => assert!(alarm.time.get() >= 1_000 + ahead),
                }
            }
        }
    }
}
