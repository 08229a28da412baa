//! What a loop counts.

use core::fmt;
use core::time::Duration;

/// What a loop did, in one turn or since it was made.
///
/// A turn is one batch, with the look at the selector and the timers that came
/// before it; a busy loop makes several turns without such a look.
///
/// asyncio has no counterpart; tokio: `RuntimeMetrics`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Counters {
    /// Turns: 1 for a turn.
    pub turns: u64,
    /// How often the selector was asked; in one turn 0 or 1.
    pub polls: u64,
    /// Timers that were due.
    pub fired: u64,
    /// Callbacks and steps of tasks that ran, but for the first steps of eager
    /// tasks, which are part of the step that creates them.
    pub ran: u64,
    /// Wakes that made a task ready.
    pub wakes: u64,
    /// Wakes of tasks that were ready already, or had ended.
    pub redundant_wakes: u64,
    /// The longest step, as long as somebody looks on: with a tracer or in debug mode.
    pub longest_step: Duration,
}

impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "turns {}, polls {}, timers fired {}, steps {}, wakes {}, redundant wakes {}, longest step {:?}",
            self.turns,
            self.polls,
            self.fired,
            self.ran,
            self.wakes,
            self.redundant_wakes,
            self.longest_step
        )
    }
}
