//! Those who wait for one thing, in order of arrival; each keeps its own
//! place in its own future and leaves it when dropped.
//!
//! ```text
//!            add                take_first
//!  Outside ───────▶ Linked ───────────────▶ Taken
//!     ▲  ▲            │                       │
//!     │  └── remove ──┘                       │
//!     └──────────────── forget ───────────────┘
//! ```
//!
//! A waiter may carry something (`P`): how much it waits for, or where it is
//! in what it waits for.
//!
//! # Invariants
//!
//! * **Pinned**: a waiter that is linked does not move, and is unlinked before
//!   it is dropped.
//! * **Same List**: a waiter is removed from the list that it was added to, or
//!   moved to last, which is alive; a list that is dropped has no waiters,
//!   because waiters borrow what holds it.
//! * **Set Links**: the links of a waiter that is linked are set; those of any
//!   other may be anything.

use core::cell::Cell;
use core::mem::MaybeUninit;
use core::ptr::{NonNull, null};
use core::task::Waker;

/// Where a waiter is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In no list.
    Outside,
    /// In a list.
    Linked,
    /// It was the first of its list, and was taken out.
    Taken,
}

/// A neighbour in the list; null at the ends. Set while linked and otherwise
/// anything, so that a new waiter is a word and not five: with all of them a
/// `get` that need not wait took 18 ns instead of 7.
struct Link<P>(Cell<MaybeUninit<*const Waiter<P>>>);

impl<P> Link<P> {
    const fn unset() -> Link<P> {
        Link(Cell::new(MaybeUninit::uninit()))
    }

    #[inline]
    fn set(&self, neighbour: *const Waiter<P>) {
        self.0.set(MaybeUninit::new(neighbour));
    }

    /// # Safety
    ///
    /// The waiter is linked, or was just now.
    #[inline]
    unsafe fn get(&self) -> *const Waiter<P> {
        // SAFETY: Set Links.
        unsafe { self.0.get().assume_init() }
    }
}

/// A place in a list.
pub(crate) struct Waiter<P = ()> {
    before: Link<P>,
    after: Link<P>,
    waker: Cell<Option<Waker>>,
    place: Cell<Place>,
    carried: P,
}

impl Waiter {
    pub(crate) const fn new() -> Waiter {
        Waiter::carrying(())
    }
}

impl<P> Waiter<P> {
    pub(crate) const fn carrying(carried: P) -> Waiter<P> {
        Waiter {
            before: Link::unset(),
            after: Link::unset(),
            waker: Cell::new(None),
            place: Cell::new(Place::Outside),
            carried,
        }
    }

    pub(crate) fn carried(&self) -> &P {
        &self.carried
    }

    #[inline]
    pub(crate) fn is_linked(&self) -> bool {
        self.place.get() == Place::Linked
    }

    /// Whether it was taken out as the first of its list, and not forgotten
    /// that since.
    #[inline]
    pub(crate) fn was_taken(&self) -> bool {
        self.place.get() == Place::Taken
    }

    /// Makes a waiter that was taken out one that can be added again.
    #[inline]
    pub(crate) fn forget_taken(&self) {
        debug_assert!(!self.is_linked());
        self.place.set(Place::Outside);
    }

    pub(crate) fn set_waker(&self, waker: &Waker) {
        match self.waker.take() {
            Some(old) if old.will_wake(waker) => self.waker.set(Some(old)),
            _ => self.waker.set(Some(waker.clone())),
        }
    }
}

/// The waiters.
pub(crate) struct WaitList<P = ()> {
    first: Cell<*const Waiter<P>>,
    last: Cell<*const Waiter<P>>,
}

impl<P> WaitList<P> {
    pub(crate) const fn new() -> WaitList<P> {
        WaitList { first: Cell::new(null()), last: Cell::new(null()) }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.first.get().is_null()
    }

    /// Adds `waiter` as the last.
    ///
    /// # Safety
    ///
    /// *Pinned* and *Same List*; it is not linked.
    pub(crate) unsafe fn add(&self, waiter: &Waiter<P>) {
        let last = self.last.replace(waiter);
        waiter.before.set(last);
        waiter.after.set(null());
        waiter.place.set(Place::Linked);
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
    pub(crate) unsafe fn remove(&self, waiter: &Waiter<P>) {
        if waiter.is_linked() {
            waiter.place.set(Place::Outside);
            // SAFETY: the caller's contract; it was linked.
            unsafe { self.unlink(waiter) };
        }
    }

    /// # Safety
    ///
    /// *Same List*; its neighbours are those of its time in the list.
    unsafe fn unlink(&self, waiter: &Waiter<P>) {
        // SAFETY: Set Links, as it was linked; Pinned: its neighbours are, so alive.
        unsafe {
            let (before, after) = (waiter.before.get(), waiter.after.get());
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

    /// What the first waiter carries.
    pub(crate) fn first_carries(&self) -> Option<P>
    where
        P: Copy,
    {
        // SAFETY: Pinned: what is linked is alive.
        unsafe { self.first.get().as_ref() }.map(|first| first.carried)
    }

    /// Takes the first waiter out and returns its waker.
    #[inline]
    pub(crate) fn take_first(&self) -> Option<Option<Waker>> {
        self.take_first_and(|_| ())
    }

    /// The same, and has `tell` look at what the waiter carries; `tell` leaves
    /// the list alone.
    #[inline]
    pub(crate) fn take_first_and(&self, tell: impl FnOnce(&P)) -> Option<Option<Waker>> {
        let first = NonNull::new(self.first.get().cast_mut())?;
        // SAFETY: Pinned and Same List: it is linked here.
        unsafe {
            let first = first.as_ref();
            first.place.set(Place::Taken);
            self.unlink(first);
            tell(&first.carried);
            Some(first.waker.take())
        }
    }

    /// Makes the first waiter the last of `other`, and has `tell` look at what
    /// it carries; `tell` leaves both lists alone. False if there is none.
    ///
    /// # Safety
    ///
    /// *Same List*: from now on it is removed from `other`, which lives as
    /// long as this list.
    pub(crate) unsafe fn move_first_to(&self, other: &WaitList<P>, tell: impl FnOnce(&P)) -> bool {
        let Some(first) = NonNull::new(self.first.get().cast_mut()) else {
            return false;
        };
        // SAFETY: Pinned; it is linked here, and then in no list.
        unsafe {
            let first = first.as_ref();
            self.unlink(first);
            other.add(first);
            tell(&first.carried);
        }
        true
    }

    /// Takes the first out and wakes it. False if there is none.
    #[inline]
    pub(crate) fn wake_first(&self) -> bool {
        let first = self.take_first();
        let found = first.is_some();
        if let Some(Some(waker)) = first {
            waker.wake();
        }
        found
    }

    /// Takes all out, waking each in order of arrival.
    pub(crate) fn wake_all(&self) {
        let rest = WakeRest(self);
        while self.wake_first() {}
        core::mem::forget(rest);
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

    /// The waiter behind this one; null for the last.
    ///
    /// # Safety
    ///
    /// It is linked.
    pub(crate) unsafe fn next(&self) -> *const Waiter {
        // SAFETY: Set Links.
        unsafe { self.after.get() }
    }

    /// Gives a waiter that has no waker, because it is new, a first one.
    #[inline]
    pub(crate) fn set_first_waker(&self, waker: &Waker) {
        self.waker.set(Some(waker.clone()));
    }
}

/// What a [`Line`](super::line) needs to call waiters who stay linked.
/// Those behind one whose waker, a foreign one, has panicked: they are woken
/// all the same.
struct WakeRest<'a, P>(&'a WaitList<P>);

impl<P> Drop for WakeRest<'_, P> {
    fn drop(&mut self) {
        while let Some(waker) = self.0.take_first() {
            waker.into_iter().for_each(crate::schedule::wake_contained);
        }
    }
}

impl WaitList {
    /// The waiter who came first of all; null if there is none.
    pub(crate) fn first(&self) -> *const Waiter {
        self.first.get()
    }
}
