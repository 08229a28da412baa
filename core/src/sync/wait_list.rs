//! Those who wait for one thing, in order of arrival; each keeps its own
//! place in its own future and leaves it when dropped.
//!
//! ```text
//!            wait               take_first
//!  Outside ───────▶ Standing ───────────────▶ Taken
//!     ▲  ▲            │                         │
//!     │  └── remove ──┘                         │
//!     └──────────────── forget ─────────────────┘
//! ```
//!
//! A waiter may carry something (`P`): how much it waits for, or where it is
//! in what it waits for. In a [`Line`](super::line) who was called stays linked.
//!
//! The list is one word. The first waiter knows the last one, as who is before
//! it; so whoever is alone, as most are, comes and goes without a neighbour's
//! being looked at.
//!
//! # Invariants
//!
//! * **Pinned**: a waiter that is linked (*standing* or *called*) does not
//!   move, and is unlinked before it is dropped.
//! * **Same List**: a waiter is removed from the list that it was added to, or
//!   moved to last, which is alive; a list that is dropped has no waiters,
//!   because waiters borrow what holds it.
//! * **Set Links**: the links of a waiter that is linked are set; those of any
//!   other may be anything. `after` of the last is null. `before` of
//!   the first is the last, unless it is alone: then it may be anything.
//! * **Set Waker**: the waker of a waiter that stands is set, and owned by it;
//!   that of any other may be anything.

use crate::schedule::wake_contained;
use core::cell::Cell;
use core::mem::MaybeUninit;
use core::ptr::{NonNull, from_ref, null};
use core::task::Waker;

/// Where a waiter is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In no list.
    Outside,
    /// In a list, with a waker.
    Standing,
    /// In a list, and its waker was woken.
    Called,
    /// It was the first of its list, and was taken out.
    Taken,
}

/// Set at times, and otherwise anything, so that a new waiter is a byte and
/// not five words: with all of them a `get` that need not wait took 18 ns
/// instead of 7.
struct Unset<T>(Cell<MaybeUninit<T>>);

impl<T> Unset<T> {
    const fn new() -> Unset<T> {
        Unset(Cell::new(MaybeUninit::uninit()))
    }

    /// What was set before is forgotten, and not dropped.
    #[inline]
    fn set(&self, value: T) {
        self.0.set(MaybeUninit::new(value));
    }

    /// # Safety
    ///
    /// It is set; from now on it is not.
    #[inline]
    unsafe fn take(&self) -> T {
        // SAFETY: the caller's promise.
        unsafe { self.0.replace(MaybeUninit::uninit()).assume_init() }
    }
}

impl<T: Copy> Unset<T> {
    /// # Safety
    ///
    /// It is set.
    #[inline]
    unsafe fn get(&self) -> T {
        // SAFETY: the caller's promise.
        unsafe { self.0.get().assume_init() }
    }
}

/// A place in a list.
pub(crate) struct Waiter<P = ()> {
    before: Unset<*const Waiter<P>>,
    after: Unset<*const Waiter<P>>,
    waker: Unset<Waker>,
    place: Cell<Place>,
    carried: P,
}

impl Waiter {
    #[inline]
    pub(crate) const fn new() -> Waiter {
        Waiter::carrying(())
    }
}

impl<P> Waiter<P> {
    #[inline]
    pub(crate) const fn carrying(carried: P) -> Waiter<P> {
        Waiter {
            before: Unset::new(),
            after: Unset::new(),
            waker: Unset::new(),
            place: Cell::new(Place::Outside),
            carried,
        }
    }

    pub(crate) fn carried(&self) -> &P {
        &self.carried
    }

    #[inline]
    pub(super) fn place(&self) -> Place {
        self.place.get()
    }

    #[inline]
    pub(crate) fn is_linked(&self) -> bool {
        matches!(self.place.get(), Place::Standing | Place::Called)
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

    /// Has a waiter that stands be woken by `waker` from now on.
    #[inline]
    pub(super) fn set_waker(&self, waker: &Waker) {
        debug_assert!(self.place.get() == Place::Standing);
        // SAFETY: Set Waker; `will_wake` only compares, so that nobody changes it meanwhile.
        let stored = unsafe { (*self.waker.0.as_ptr()).assume_init_ref() };
        if !stored.will_wake(waker) {
            self.replace_waker(waker);
        }
    }

    #[cold]
    fn replace_waker(&self, waker: &Waker) {
        let new = waker.clone();
        if self.place.get() == Place::Standing {
            // SAFETY: Set Waker.
            let old = unsafe { self.waker.take() };
            self.waker.set(new);
            drop(old);
        } else {
            // Cloning was somebody's code, which had it woken.
            new.wake();
        }
    }

    /// Has it stand, to be woken by `waker`; it does not stand yet.
    #[inline]
    pub(super) fn stand(&self, waker: Waker) {
        self.waker.set(waker);
        self.place.set(Place::Standing);
    }

    /// Has it stand no longer, but be at `place`, and returns its waker.
    ///
    /// # Safety
    ///
    /// It stands.
    #[inline]
    pub(super) unsafe fn stand_no_more(&self, place: Place) -> Waker {
        self.place.set(place);
        // SAFETY: Set Waker.
        unsafe { self.waker.take() }
    }
}

/// What a [`Line`](super::line) needs to call waiters who stay linked.
impl Waiter {
    /// The waiter behind this one; null for the last.
    ///
    /// # Safety
    ///
    /// It is linked.
    #[inline]
    pub(super) unsafe fn behind(&self) -> *const Waiter {
        // SAFETY: Set Links.
        unsafe { self.after.get() }
    }

    /// Notes that it is in no list; it does not stand.
    #[inline]
    pub(super) fn set_outside(&self) {
        debug_assert!(self.place.get() != Place::Standing);
        self.place.set(Place::Outside);
    }
}

/// The waiters.
pub(crate) struct WaitList<P = ()> {
    first: Cell<*const Waiter<P>>,
}

impl<P> WaitList<P> {
    pub(crate) const fn new() -> WaitList<P> {
        WaitList { first: Cell::new(null()) }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.first.get().is_null()
    }

    /// The waiter who came first of all; null if there is none.
    #[inline]
    pub(super) fn first(&self) -> *const Waiter<P> {
        self.first.get()
    }

    /// Whether `waiter`, who is linked here, is the only one.
    #[inline]
    pub(super) fn is_alone(&self, waiter: &Waiter<P>) -> bool {
        // SAFETY: Set Links, as the list has it.
        self.first.get() == from_ref(waiter) && unsafe { waiter.after.get() }.is_null()
    }

    /// Forgets all waiters, whoever they are.
    #[inline]
    pub(super) fn clear(&self) {
        self.first.set(null());
    }

    /// Has `waiter` wait, to be woken by `waker`: as the last if it is new,
    /// else where it stands.
    ///
    /// # Safety
    ///
    /// *Pinned* and *Same List*.
    #[inline]
    pub(crate) unsafe fn wait(&self, waiter: &Waiter<P>, waker: &Waker) {
        if waiter.is_linked() {
            waiter.set_waker(waker);
        } else {
            // SAFETY: the caller's promise.
            unsafe { self.add(waiter, waker) };
        }
    }

    /// Adds `waiter` as the last.
    ///
    /// # Safety
    ///
    /// *Pinned* and *Same List*; it is not linked.
    #[inline]
    pub(super) unsafe fn add(&self, waiter: &Waiter<P>, waker: &Waker) {
        // Before anything else, as cloning is somebody's code.
        waiter.stand(waker.clone());
        // SAFETY: the caller's promise.
        unsafe { self.link(waiter) };
    }

    /// Adds `waiter`, as called, to a list that is empty.
    ///
    /// # Safety
    ///
    /// *Pinned* and *Same List*; it is not linked, and nobody else is.
    #[inline]
    pub(super) unsafe fn add_alone(&self, waiter: &Waiter<P>) {
        waiter.after.set(null());
        waiter.place.set(Place::Called);
        self.first.set(waiter);
    }

    /// # Safety
    ///
    /// *Pinned* and *Same List*; it is not linked.
    #[inline]
    unsafe fn link(&self, waiter: &Waiter<P>) {
        waiter.after.set(null());
        // SAFETY: Pinned: who is linked is alive.
        match unsafe { self.first.get().as_ref() } {
            None => self.first.set(waiter),
            // SAFETY: the caller's promise.
            Some(first) => unsafe { self.link_behind(first, waiter) },
        }
    }

    /// # Safety
    ///
    /// As [`link`](Self::link); `first` is the first.
    #[inline(never)]
    unsafe fn link_behind(&self, first: &Waiter<P>, waiter: &Waiter<P>) {
        // SAFETY: Set Links; Pinned: who is linked is alive.
        unsafe {
            let alone = first.after.get().is_null();
            let last = if alone { from_ref(first) } else { first.before.get() };
            (*last).after.set(waiter);
            waiter.before.set(last);
        }
        first.before.set(waiter);
    }

    /// Takes `waiter` out, if it stands here.
    ///
    /// # Safety
    ///
    /// *Same List*.
    #[inline]
    pub(crate) unsafe fn remove(&self, waiter: &Waiter<P>) {
        if waiter.place.get() == Place::Standing {
            // SAFETY: the caller's promise; it stands. The waker is dropped
            // at the end, as that is somebody's code.
            unsafe {
                self.unlink(waiter);
                drop(waiter.stand_no_more(Place::Outside));
            }
        }
    }

    /// # Safety
    ///
    /// *Same List*; it is linked, in fact if not by its place.
    #[inline]
    pub(super) unsafe fn unlink(&self, waiter: &Waiter<P>) {
        if self.first.get() != from_ref(waiter) {
            // SAFETY: the caller's promise.
            return unsafe { self.unlink_behind(waiter) };
        }
        // SAFETY: Set Links; Pinned: who is linked is alive.
        unsafe {
            let after = waiter.after.get();
            self.first.set(after);
            // If that one is alone now, the last is itself; whatever is set is not looked at.
            if let Some(after) = after.as_ref() {
                after.before.set(waiter.before.get());
            }
        }
    }

    /// # Safety
    ///
    /// As [`unlink`](Self::unlink); it is not the first.
    #[inline(never)]
    unsafe fn unlink_behind(&self, waiter: &Waiter<P>) {
        // SAFETY: Set Links; Pinned: who is linked is alive; there is a first,
        // as this one is not it.
        unsafe {
            let (before, after) = (waiter.before.get(), waiter.after.get());
            (*before).after.set(after);
            let knows_it = if after.is_null() { self.first.get() } else { after };
            (*knows_it).before.set(before);
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
    pub(crate) fn take_first(&self) -> Option<Waker> {
        self.take_first_and(|_| ())
    }

    /// The same, and has `tell` look at what the waiter carries; `tell` leaves
    /// the list alone.
    #[inline]
    pub(crate) fn take_first_and(&self, tell: impl FnOnce(&P)) -> Option<Waker> {
        let first = NonNull::new(self.first.get().cast_mut())?;
        // SAFETY: Pinned and Same List: it is linked here, and stands, as
        // nobody is called in a list that is not a line.
        unsafe {
            let first = first.as_ref();
            self.unlink(first);
            tell(&first.carried);
            Some(first.stand_no_more(Place::Taken))
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
            other.link(first);
            tell(&first.carried);
        }
        true
    }

    /// Takes the first out and wakes it. False if there is none.
    #[inline]
    pub(crate) fn wake_first(&self) -> bool {
        let first = self.take_first();
        let found = first.is_some();
        if let Some(waker) = first {
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

/// Those behind one whose waker, a foreign one, has panicked: they are woken
/// all the same.
struct WakeRest<'a, P>(&'a WaitList<P>);

impl<P> Drop for WakeRest<'_, P> {
    fn drop(&mut self) {
        while let Some(waker) = self.0.take_first() {
            wake_contained(waker);
        }
    }
}
