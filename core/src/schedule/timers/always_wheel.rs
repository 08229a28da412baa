//! A wheel that tells every nanosecond of all time apart.

use crate::schedule::wheel::{Level, NEVER, TimerNode, Wheel};
use crate::time::Instant;
use core::ptr::NonNull;

pub(crate) struct Timers {
    wheel: Wheel,
    levels: [Level; 11],
}

impl Timers {
    /// None. [`attach`](Self::attach) makes it usable.
    pub(crate) const fn new() -> Timers {
        Timers { wheel: Wheel::new(), levels: [const { Level::new() }; 11] }
    }

    /// Gives the wheel its levels.
    ///
    /// # Safety
    ///
    /// `self` is new, and will not be moved any more.
    pub(crate) unsafe fn attach(&self) {
        // SAFETY: no timer is set; wheel and levels live and move together.
        unsafe { self.wheel.attach(&self.levels) };
    }

    /// Puts a node in.
    ///
    /// # Safety
    ///
    /// It is in no loop's timers; until it is out of these it neither moves
    /// nor is freed.
    #[inline]
    pub(crate) unsafe fn insert(&self, node: NonNull<TimerNode>, when: Instant) {
        // SAFETY: passed on.
        unsafe { self.wheel.insert(node, when.as_nanos()) }
    }

    /// Takes a node out.
    ///
    /// # Safety
    ///
    /// It is alive, and in these timers or in none.
    #[inline]
    pub(crate) unsafe fn remove(&self, node: NonNull<TimerNode>) {
        // SAFETY: passed on.
        unsafe { self.wheel.remove(node) };
    }

    /// When the first is due; `FAR_FUTURE` when none ever will be.
    ///
    /// # Safety
    ///
    /// None: it is unsafe in the other form of this type.
    #[inline]
    pub(crate) unsafe fn next_deadline(&self) -> Instant {
        Instant::from_nanos(self.wheel.next_deadline().unwrap_or(NEVER))
    }

    /// Takes out the first, by (deadline, order of insertion), if it is due.
    ///
    /// # Safety
    ///
    /// None, as above.
    #[inline]
    pub(crate) unsafe fn pop_due(&self, now: Instant) -> Option<NonNull<TimerNode>> {
        self.wheel.pop_due(now.as_nanos())
    }

    /// Takes out any one.
    pub(crate) fn pop_any(&self) -> Option<NonNull<TimerNode>> {
        self.wheel.pop_any()
    }
}
