//! How long a busy loop goes without a look at the selector and the timers.
//!
//! A look costs a system call or two, so it waits for the backend's
//! [`PollBudget`](crate::io::PollBudget) to be used up. On microcontrollers,
//! which have no system calls and few bytes for code, only callbacks are counted.

#[cfg(feature = "alloc")]
pub(super) use budgeted::{Busy, budget};
#[cfg(not(feature = "alloc"))]
pub(super) use counted::{Busy, budget};

/// Callbacks between two looks at the clock.
const CLOCK_EVERY: u32 = 32;

#[cfg(feature = "alloc")]
mod budgeted {
    use super::CLOCK_EVERY;
    use crate::io::{Backend, PollBudget};
    use crate::time::Instant;

    pub(in super::super) type Budget = PollBudget;

    pub(in super::super) fn budget(backend: &dyn Backend) -> Budget {
        backend.poll_budget()
    }

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
        pub(in super::super) fn new(budget: Budget) -> Busy {
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

    /// So many callbacks.
    pub(in super::super) type Budget = u32;

    pub(in super::super) fn budget(backend: &dyn Backend) -> Budget {
        let budget = backend.poll_budget();
        // No clock is read: few callbacks stand for the time, where it is limited.
        let limit = if budget.nanos == u32::MAX { u32::MAX } else { CLOCK_EVERY };
        budget.callbacks.clamp(1, limit)
    }

    pub(in super::super) struct Busy(u32);

    impl Busy {
        #[inline]
        pub(in super::super) fn new(budget: Budget) -> Busy {
            Busy(budget)
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
