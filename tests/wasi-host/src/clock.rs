//! The virtual clock: nothing but the script moves it.
//!
//! ```text
//!            wait until t (poll_oneoff, blocking read)          cost per call
//!                          │                                        │
//!   monotonic ─────────────┴────────────▶ max(t, …) ◀───────────────┘
//!        │        a step planned at s ≤ t is taken on the way: the clock leaps, as after a suspend
//!        └─ + offset ─▶ realtime         a realtime step changes only the offset
//! ```
//!
//! The monotonic clock starts at zero, counts nanoseconds and saturates at `u64::MAX` (584 years).

use std::collections::VecDeque;
use std::time::Duration;

/// A duration in nanoseconds, saturating.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// A scripted change of the clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockStep {
    /// Both clocks leap forward by this much, as when the machine was suspended or the host thread starved.
    Leap(Duration),
    /// Only the realtime clock is set, to this time since the Unix epoch, as by NTP.
    SetRealtime(Duration),
}

/// See the module's documentation.
#[derive(Debug, Clone)]
pub(crate) struct VirtualClock {
    now: u64,
    /// realtime = now + offset. Signed and wide, because realtime may be set to before the monotonic reading.
    offset: i128,
    /// Sorted by time; equal times in script order.
    steps: VecDeque<(u64, ClockStep)>,
}

impl VirtualClock {
    pub(crate) fn new(realtime: Duration) -> Self {
        VirtualClock { now: 0, offset: i128::from(nanos(realtime)), steps: VecDeque::new() }
    }

    pub(crate) fn set_realtime(&mut self, realtime: Duration) {
        self.offset = i128::from(nanos(realtime)) - i128::from(self.now);
    }

    pub(crate) fn plan(&mut self, at: Duration, step: ClockStep) {
        let at = nanos(at);
        let place = self.steps.partition_point(|(time, _)| *time <= at);
        self.steps.insert(place, (at, step));
    }

    pub(crate) fn monotonic(&self) -> u64 {
        self.now
    }

    pub(crate) fn realtime(&self) -> u64 {
        // Clamped to what 64 bits of nanoseconds can say.
        (i128::from(self.now) + self.offset).clamp(0, i128::from(u64::MAX)) as u64
    }

    /// Lets time pass until `until`, or a little further if a planned leap lies before it.
    pub(crate) fn advance_to(&mut self, until: u64) {
        while let Some(&(at, step)) = self.steps.front() {
            if at > until.max(self.now) {
                break;
            }
            self.steps.pop_front();
            self.now = self.now.max(at);
            match step {
                ClockStep::Leap(by) => self.now = self.now.saturating_add(nanos(by)),
                ClockStep::SetRealtime(time) => self.set_realtime(time),
            }
        }
        self.now = self.now.max(until);
    }

    /// The time of the next planned step: a blocked call looks at its deadlines again there.
    pub(crate) fn next_step(&self) -> Option<u64> {
        self.steps.front().map(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn a_wait_moves_both_clocks() {
        let mut clock = VirtualClock::new(Duration::from_secs(100));
        clock.advance_to(5 * MS);
        assert_eq!(clock.monotonic(), 5 * MS);
        assert_eq!(clock.realtime(), 100_000 * MS + 5 * MS);
        clock.advance_to(3 * MS);
        assert_eq!(clock.monotonic(), 5 * MS, "the monotonic clock does not go back");
    }

    #[test]
    fn a_leap_on_the_way_makes_the_wait_late() {
        let mut clock = VirtualClock::new(Duration::ZERO);
        clock.plan(Duration::from_millis(4), ClockStep::Leap(Duration::from_millis(10)));
        clock.advance_to(5 * MS);
        assert_eq!(clock.monotonic(), 14 * MS);
    }

    #[test]
    fn setting_realtime_leaves_monotonic_alone() {
        let mut clock = VirtualClock::new(Duration::from_secs(50));
        clock.plan(Duration::from_millis(1), ClockStep::SetRealtime(Duration::from_secs(2)));
        clock.advance_to(3 * MS);
        assert_eq!(clock.monotonic(), 3 * MS);
        assert_eq!(clock.realtime(), 2_002 * MS);
    }

    #[test]
    fn the_end_of_time_saturates() {
        let mut clock = VirtualClock::new(Duration::MAX);
        clock.plan(Duration::ZERO, ClockStep::Leap(Duration::MAX));
        clock.advance_to(u64::MAX);
        assert_eq!(clock.monotonic(), u64::MAX);
        assert_eq!(clock.realtime(), u64::MAX);
    }
}
