//! Those who wait for one thing, in order of arrival; each keeps its own
//! place in its own future and leaves it when dropped.
//!
//! # Invariants
//!
//! * **Pinned**: a waiter that is linked does not move, and is unlinked before
//!   it is dropped.
//! * **Same List**: a waiter is removed from the list that it was added to,
//!   which is alive; a list that is dropped has no waiters, because waiters
//!   borrow what holds it.

use core::cell::Cell;
use core::ptr::{NonNull, null};
use core::task::Waker;

/// A place in a list.
pub(crate) struct Waiter {
    before: Cell<*const Waiter>,
    after: Cell<*const Waiter>,
    linked: Cell<bool>,
    waker: Cell<Option<Waker>>,
}

impl Waiter {
    pub(crate) const fn new() -> Waiter {
        Waiter {
            before: Cell::new(null()),
            after: Cell::new(null()),
            linked: Cell::new(false),
            waker: Cell::new(None),
        }
    }

    pub(crate) fn is_linked(&self) -> bool {
        self.linked.get()
    }

    pub(crate) fn set_waker(&self, waker: &Waker) {
        match self.waker.take() {
            Some(old) if old.will_wake(waker) => self.waker.set(Some(old)),
            _ => self.waker.set(Some(waker.clone())),
        }
    }
}

/// The waiters.
pub(crate) struct WaitList {
    first: Cell<*const Waiter>,
    last: Cell<*const Waiter>,
}

impl WaitList {
    pub(crate) const fn new() -> WaitList {
        WaitList { first: Cell::new(null()), last: Cell::new(null()) }
    }

    /// Adds `waiter` as the last.
    ///
    /// # Safety
    ///
    /// *Pinned* and *Same List*; it is not linked.
    pub(crate) unsafe fn add(&self, waiter: &Waiter) {
        let last = self.last.replace(waiter);
        waiter.before.set(last);
        waiter.after.set(null());
        waiter.linked.set(true);
        // SAFETY: Pinned: what is linked is alive.
        match unsafe { last.as_ref() } {
            Some(last) => last.after.set(waiter),
            None => self.first.set(waiter),
        }
    }

    /// Takes `waiter` out, if it is linked.
    ///
    /// # Safety
    ///
    /// *Same List*.
    pub(crate) unsafe fn remove(&self, waiter: &Waiter) {
        if !waiter.linked.replace(false) {
            return;
        }
        let (before, after) = (waiter.before.get(), waiter.after.get());
        // SAFETY: Pinned: its neighbours are linked, so alive.
        unsafe {
            match before.as_ref() {
                Some(before) => before.after.set(after),
                None => self.first.set(after),
            }
            match after.as_ref() {
                Some(after) => after.before.set(before),
                None => self.last.set(before),
            }
        }
    }

    /// Takes the first waiter out and returns its waker.
    pub(crate) fn take_first(&self) -> Option<Option<Waker>> {
        let first = NonNull::new(self.first.get().cast_mut())?;
        // SAFETY: Pinned and Same List: it is linked here.
        unsafe {
            self.remove(first.as_ref());
            Some(first.as_ref().waker.take())
        }
    }

    /// Takes all out, waking each in order of arrival.
    pub(crate) fn wake_all(&self) {
        while let Some(waker) = self.take_first() {
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

/// What a [`Line`](super::line) needs to call waiters who stay linked.
impl Waiter {
    /// Whether its waker was taken since it was last set.
    pub(crate) fn has_no_waker(&self) -> bool {
        let waker = self.waker.take();
        let none = waker.is_none();
        self.waker.set(waker);
        none
    }

    pub(crate) fn take_waker(&self) -> Option<Waker> {
        self.waker.take()
    }

    /// The waiter behind this one; null for the last. Only of use while linked.
    pub(crate) fn next(&self) -> *const Waiter {
        self.after.get()
    }
}

/// What a [`Line`](super::line) needs to call waiters who stay linked.
impl WaitList {
    /// The waiter who came first of all; null if there is none.
    pub(crate) fn first(&self) -> *const Waiter {
        self.first.get()
    }
}
