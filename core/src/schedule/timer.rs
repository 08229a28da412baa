//! A timer: a place in a loop's wheel and the waker to call when it is due.
//!
//! Both kinds of timer are one: a sleeping task's waker is the task's, and a
//! delayed callback's waker puts the callback in the ready queue.
//!
//! # Invariants
//!
//! * **Set In Owner**: while the node is linked, it is in the wheel of `owner`,
//!   which is alive: a loop that closes empties its wheel.

use super::EventLoop;
use super::wheel::TimerNode;
use crate::time::Instant;
use core::cell::Cell;
use core::ptr::{NonNull, null};
use core::task::Waker;

/// One timer, embedded in what waits. `repr(C)`: the node comes first.
#[repr(C)]
pub(crate) struct Timer {
    node: TimerNode,
    waker: Cell<Option<Waker>>,
    owner: Cell<*const EventLoop>,
}

impl Timer {
    pub(crate) const fn new() -> Timer {
        Timer { node: TimerNode::new(), waker: Cell::new(None), owner: Cell::new(null()) }
    }

    /// Whether it is in a wheel: set, and not yet due.
    #[inline]
    pub(crate) fn is_set(&self) -> bool {
        self.node.is_linked()
    }

    /// Says who is to be woken.
    #[inline]
    pub(crate) fn set_waker(&self, waker: &Waker) {
        match self.waker.take() {
            Some(old) if old.will_wake(waker) => self.waker.set(Some(old)),
            old => {
                self.waker.set(Some(waker.clone()));
                drop(old);
            }
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
        self.owner.set(event_loop);
        // SAFETY: the caller's promise.
        unsafe { event_loop.wheel.insert(NonNull::from(&self.node), event_loop.tick_at(when)) };
    }

    /// Takes it out of its wheel; false when it was not in one.
    #[inline]
    pub(crate) fn unset(&self) -> bool {
        if !self.is_set() {
            return false;
        }
        // SAFETY: Set In Owner.
        unsafe { (*self.owner.get()).wheel.remove(NonNull::from(&self.node)) }
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
    fn drop(&mut self) {
        self.unset();
    }
}
