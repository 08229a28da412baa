//! A timer: a place in a loop's wheel and the waker to call when it is due.
//!
//! Both kinds of timer are one: a sleeping task's waker is the task's, and a
//! delayed callback's waker puts the callback in the ready queue.
//!
//! # Invariants
//!
//! * **Set In Owner**: while the node is linked, it is in the timers of a loop
//!   that is alive: a loop that closes takes all out. With threads, that is
//!   `owner`, whose wheel has to know of removals.

use super::EventLoop;
use super::wheel::TimerNode;
use crate::time::Instant;
use core::cell::Cell;
use core::mem::ManuallyDrop;
use core::ptr::NonNull;
use core::task::Waker;

/// One timer, embedded in what waits. `repr(C)`: the node comes first.
#[repr(C)]
pub(crate) struct Timer {
    node: TimerNode,
    /// Dropped by the timer's own drop, so that it is not looked at twice.
    waker: ManuallyDrop<Cell<Option<Waker>>>,
    #[cfg(feature = "threads")]
    owner: Cell<*const EventLoop>,
}

impl Timer {
    /// A timer that was never set, and no number yet.
    pub(crate) const fn new() -> Timer {
        Timer::before(0)
    }

    /// A timer that keeps a number until it is set: what to set it to.
    #[inline]
    pub(crate) const fn before(ticks: u64) -> Timer {
        Timer {
            node: TimerNode::at(ticks),
            waker: ManuallyDrop::new(Cell::new(None)),
            #[cfg(feature = "threads")]
            owner: Cell::new(core::ptr::null()),
        }
    }

    /// Whether it is in a wheel: set, and not yet due.
    #[inline]
    pub(crate) fn is_set(&self) -> bool {
        self.node.is_linked()
    }

    /// Whether it was ever set.
    #[inline]
    pub(crate) fn was_set(&self) -> bool {
        self.node.was_linked()
    }

    /// Whether it was set and has come out again.
    #[inline]
    pub(crate) fn is_over(&self) -> bool {
        self.was_set() && !self.is_set()
    }

    /// The number it was made with, or what it was last set to.
    #[inline]
    pub(crate) fn ticks(&self) -> u64 {
        self.node.deadline()
    }

    /// Says who is to be woken.
    #[inline]
    pub(crate) fn set_waker(&self, waker: &Waker) {
        // SAFETY: nothing touches the cell while `will_wake` compares.
        let same =
            unsafe { &*self.waker.as_ptr() }.as_ref().is_some_and(|old| old.will_wake(waker));
        if !same {
            self.give_waker(waker.clone());
        }
    }

    /// Says who is to be woken.
    pub(crate) fn give_waker(&self, waker: Waker) {
        drop(self.waker.replace(Some(waker)));
    }

    /// Puts it in the wheel of `event_loop`.
    ///
    /// # Safety
    ///
    /// It is not set, and does not move and is not freed while it is set.
    #[inline]
    pub(crate) unsafe fn set(&self, event_loop: &EventLoop, when: Instant) {
        #[cfg(feature = "threads")]
        self.owner.set(event_loop);
        event_loop.trace.timer_set(event_loop, self, when);
        // SAFETY: the caller's promise.
        unsafe { event_loop.timers.insert(NonNull::from(&self.node), when) };
    }

    /// Takes it out of its wheel; false when it was not in one.
    #[inline]
    pub(crate) fn unset(&self) -> bool {
        if !self.is_set() {
            return false;
        }
        let node = NonNull::from(&self.node);
        #[cfg(feature = "threads")]
        // SAFETY: Set In Owner.
        unsafe {
            (*self.owner.get()).timers.remove(node);
        }
        #[cfg(not(feature = "threads"))]
        // SAFETY: Set In Owner.
        unsafe {
            super::timers::Timers::remove(node);
        }
        true
    }

    /// Wakes who waits for the timer that `node` begins.
    ///
    /// # Safety
    ///
    /// `node` has just come out of a wheel that only timers are put in.
    #[inline]
    pub(crate) unsafe fn fire(node: NonNull<TimerNode>) {
        // SAFETY: repr(C), and still alive: nothing has run since it came out.
        let timer = unsafe { node.cast::<Timer>().as_ref() };
        if let Some(waker) = timer.waker.take() {
            waker.wake();
        }
    }
}

impl Drop for Timer {
    // Every future with a timer in it has this several times; mostly it is over.
    #[inline]
    fn drop(&mut self) {
        if self.is_set() || self.waker.get_mut().is_some() {
            self.let_go();
        }
    }
}

impl Timer {
    #[cold]
    #[inline(never)]
    fn let_go(&mut self) {
        self.unset();
        drop(self.waker.take());
    }
}
