//! A line: those who wait for one of many things of a kind, in order of
//! arrival. Who is called keeps the place until it has got something.
//!
//! ```text
//!            wait                call               leave
//!  (outside) ────▶ standing ───────────▶ called ───────────▶ (outside)
//!                     ▲                    │
//!                     └── wait: in vain ───┘   in the same place
//! ```
//!
//! A call says that there may be something, and gives nothing: somebody else
//! may be faster. In a [`WaitList`] whoever is called has left the list and
//! would have to begin again at its end.
//!
//! # Invariants
//!
//! Those of [`wait_list`](super::wait_list), and
//!
//! * **Called Before**: everybody before `next` was called and has not come
//!   yet; if `next` is null, everybody was.

use super::wait_list::{WaitList, Waiter};
use crate::schedule::{contain, current};
use core::cell::Cell;
use core::ptr::{from_ref, null};
use core::task::Waker;

/// Those who wait, the called ones included.
pub(crate) struct Line {
    all: WaitList,
    /// The first who may not have been called.
    next: Cell<*const Waiter>,
}

impl Line {
    pub(crate) const fn new() -> Line {
        Line { all: WaitList::new(), next: Cell::new(null()) }
    }

    // Waiting and leaving are calls, so that a `get` that need not wait is small
    // enough to be inlined where it is awaited.

    /// Has `waiter` wait: as the last if it is new, else where it stands.
    ///
    /// # Safety
    ///
    /// *Pinned* and *Same List*.
    #[inline(never)]
    pub(crate) unsafe fn wait(&self, waiter: &Waiter, waker: &Waker) {
        if !waiter.is_linked() {
            // SAFETY: the caller's promise.
            unsafe { self.all.add(waiter) };
            if self.next.get().is_null() {
                self.next.set(waiter);
            }
            return waiter.set_first_waker(waker);
        }
        if waiter.has_no_waker() {
            // It was called in vain. Who is before `next` and who behind is not
            // known; from the very first on, Called Before holds in any case.
            self.next.set(self.all.first());
        }
        waiter.set_waker(waker);
    }

    /// Calls the first who was not called, if there is one.
    #[inline]
    pub(crate) fn call(&self) {
        if !self.next.get().is_null() {
            self.call_from_next();
        }
    }

    fn call_from_next(&self) {
        // SAFETY: Pinned: who is linked is alive; `leave` moves `next` on.
        while let Some(waiter) = unsafe { self.next.get().as_ref() } {
            // SAFETY: Called Before: `next` is linked.
            self.next.set(unsafe { waiter.next() });
            if let Some(waker) = waiter.take_waker() {
                waker.wake();
                return;
            }
        }
    }

    /// Calls everybody.
    pub(crate) fn call_all(&self) {
        /// Calls those behind one whose foreign waker has panicked.
        struct CallRest<'a>(&'a Line);
        impl Drop for CallRest<'_> {
            fn drop(&mut self) {
                while !self.0.next.get().is_null() {
                    contain(current(), "a waker panicked", || self.0.call_from_next());
                }
            }
        }
        let rest = CallRest(self);
        while !self.next.get().is_null() {
            self.call_from_next();
        }
        core::mem::forget(rest);
    }

    /// Takes `waiter` out, if it is in. True if it had been called and so owes
    /// the call to somebody else, unless it got something.
    ///
    /// # Safety
    ///
    /// *Same List*.
    #[inline]
    pub(crate) unsafe fn leave(&self, waiter: &Waiter) -> bool {
        // SAFETY: the caller's promise; it is linked.
        waiter.is_linked() && unsafe { self.leave_place(waiter) }
    }

    /// # Safety
    ///
    /// *Same List*; it is linked.
    #[inline(never)]
    unsafe fn leave_place(&self, waiter: &Waiter) -> bool {
        if self.next.get() == from_ref(waiter) {
            // SAFETY: it is linked.
            self.next.set(unsafe { waiter.next() });
        }
        // SAFETY: the caller's promise.
        unsafe { self.all.remove(waiter) };
        waiter.take_waker().is_none()
    }
}
