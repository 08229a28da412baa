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

use super::wait_list::{Place, WaitList, Waiter};
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

// Whoever waits is most often alone: then neither coming, nor being called, nor
// leaving looks at a neighbour. Those are inlined, or can be; what is for
// several who wait at once is not.
impl Line {
    pub(crate) const fn new() -> Line {
        Line { all: WaitList::new(), next: Cell::new(null()) }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Has `waiter` wait where nobody else does.
    ///
    /// # Safety
    ///
    /// *Pinned* and *Same List*; the line is empty.
    #[inline]
    pub(crate) unsafe fn wait_alone(&self, waiter: &Waiter, waker: &Waker) {
        // SAFETY: the caller's promise.
        unsafe { self.all.add_alone(waiter) };
        // Called Before holds with the very first, whoever came while the
        // waker was cloned, which is somebody's code.
        waiter.stand(waker.clone());
        self.next.set(waiter);
    }

    /// Has `waiter` wait: as the last if it is new, else where it stands.
    ///
    /// # Safety
    ///
    /// *Pinned* and *Same List*.
    #[inline(never)]
    pub(crate) unsafe fn wait_among(&self, waiter: &Waiter, waker: &Waker) {
        match waiter.place() {
            // SAFETY: the caller's promise.
            Place::Outside | Place::Taken => unsafe {
                self.all.add(waiter, waker);
                if self.next.get().is_null() {
                    self.next.set(waiter);
                }
            },
            Place::Standing => waiter.set_waker(waker),
            // It was called in vain. Who is before `next` and who behind is not
            // known; from the very first on, Called Before holds in any case.
            Place::Called => {
                waiter.stand(waker.clone());
                self.next.set(self.all.first());
            }
        }
    }

    /// Calls the first who was not called, if there is one.
    #[inline]
    pub(crate) fn call(&self) {
        if !self.next.get().is_null() {
            self.call_from_next();
        }
    }

    #[inline]
    fn call_from_next(&self) {
        // SAFETY: Pinned: who is linked is alive; `leave` moves `next` on.
        while let Some(waiter) = unsafe { self.next.get().as_ref() } {
            // SAFETY: Called Before: `next` is linked.
            self.next.set(unsafe { waiter.behind() });
            if waiter.place() == Place::Standing {
                // SAFETY: it stands.
                return unsafe { waiter.stand_no_more(Place::Called) }.wake();
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
        if !waiter.is_linked() {
            return false;
        }
        // SAFETY: the caller's promise; it is linked.
        let called = unsafe { self.leave_place(waiter) };
        // It is already; but now the compiler knows that nothing is left to drop.
        waiter.set_outside();
        called
    }

    /// `waiter` has got something: takes it out, if it is in, and calls the
    /// first of `others`, whom that is for.
    ///
    /// # Safety
    ///
    /// *Same List*.
    #[inline]
    pub(crate) unsafe fn leave_and_call(&self, waiter: &Waiter, others: &Line) {
        if waiter.place() != Place::Outside || !others.next.get().is_null() {
            // SAFETY: the caller's promise.
            unsafe { self.leave_and_call_next(waiter, others) };
            // It is already; but now the compiler knows that nothing is left to drop.
            waiter.set_outside();
        }
    }

    /// # Safety
    ///
    /// *Same List*.
    unsafe fn leave_and_call_next(&self, waiter: &Waiter, others: &Line) {
        if waiter.place() != Place::Outside {
            // SAFETY: the caller's promise; it is linked.
            unsafe { self.leave_place(waiter) };
        }
        others.call();
    }

    /// # Safety
    ///
    /// *Same List*; it is linked.
    #[inline]
    unsafe fn leave_place(&self, waiter: &Waiter) -> bool {
        if waiter.place() == Place::Called && self.all.is_alone(waiter) {
            self.all.clear();
            self.next.set(null());
            waiter.set_outside();
            return true;
        }
        // SAFETY: the caller's promise; it is linked.
        unsafe { self.leave_others(waiter) }
    }

    /// # Safety
    ///
    /// *Same List*; it is linked.
    #[inline(never)]
    unsafe fn leave_others(&self, waiter: &Waiter) -> bool {
        // SAFETY: the caller's promise.
        unsafe {
            if self.next.get() == from_ref(waiter) {
                self.next.set(waiter.behind());
            }
            self.all.unlink(waiter);
        }
        let called = waiter.place() == Place::Called;
        if called {
            waiter.set_outside();
        } else {
            // SAFETY: it stands. The waker is dropped at the end, as that is
            // somebody's code.
            drop(unsafe { waiter.stand_no_more(Place::Outside) });
        }
        called
    }
}
