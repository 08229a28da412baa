//! How long a busy loop goes without a look at the selector and the timers.
//!
//! A look costs a system call or two, so it waits for the backend's
//! [`PollBudget`](crate::io::PollBudget) to be used up. On microcontrollers,
//! which have no system calls and few bytes for code, it is a number.

#[cfg(feature = "alloc")]
pub(super) use budgeted::Busy;
#[cfg(not(feature = "alloc"))]
pub(super) use counted::Busy;

/// Callbacks between two looks at the clock.
const CLOCK_EVERY: u32 = 32;

#[cfg(feature = "alloc")]
mod budgeted {
    use super::CLOCK_EVERY;
    use crate::io::{Backend, PollBudget};
    use crate::time::Instant;

    pub(in super::super) struct Busy {
        /// How many callbacks may run before [`is_over`](Self::is_over) is asked.
        left: u32,
        /// How many more may run until the selector is looked at.
        after: u32,
        budget: PollBudget,
        since: Instant,
    }

    impl Busy {
        #[inline]
        pub(in super::super) fn new(backend: &dyn Backend) -> Busy {
            let budget = backend.poll_budget();
            let callbacks = budget.callbacks.max(1);
            let left = callbacks.min(CLOCK_EVERY);
            Busy { left, after: callbacks - left, budget, since: Instant::FAR_FUTURE }
        }

        #[inline]
        pub(in super::super) fn left(&mut self) -> &mut u32 {
            &mut self.left
        }

        /// Whether it is time to look.
        #[inline]
        pub(in super::super) fn is_over(&mut self, backend: &dyn Backend) -> bool {
            self.left == 0 && (self.after == 0 || self.is_late(backend))
        }

        fn is_late(&mut self, backend: &dyn Backend) -> bool {
            self.left = self.after.min(CLOCK_EVERY);
            self.after -= self.left;
            let now = backend.now();
            self.since = self.since.min(now);
            now.as_nanos() - self.since.as_nanos() >= u64::from(self.budget.nanos)
        }
    }
}

#[cfg(not(feature = "alloc"))]
mod counted {
    use super::CLOCK_EVERY;
    use crate::io::Backend;

    pub(in super::super) struct Busy(u32);

    impl Busy {
        #[inline]
        pub(in super::super) fn new(_backend: &dyn Backend) -> Busy {
            Busy(CLOCK_EVERY)
        }

        #[inline]
        pub(in super::super) fn left(&mut self) -> &mut u32 {
            &mut self.0
        }

        #[inline]
        pub(in super::super) fn is_over(&mut self, _backend: &dyn Backend) -> bool {
            self.0 == 0
        }
    }
}
