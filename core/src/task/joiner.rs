//! Who waits for a task to end: one waker, in one word where there is a heap.
//!
//! Nearly always the waiter is another of our tasks, whose address is enough.
//! A foreign waker is two words; with `alloc` it is boxed, without it is
//! stored as it is.
//!
//! Where there is a heap the same word leads to what few tasks have, so that
//! the others pay nothing for it. Each takes the word's place and keeps what was there:
//!
//! ```text
//!  word ─▶ the first cancel scope ─▶ extras ─▶ who waits
//!          (in the task's future)    (a box)
//! ```

#[cfg(not(feature = "alloc"))]
pub(crate) use whole::Joiner;
#[cfg(feature = "alloc")]
pub(crate) use word::Joiner;

#[cfg(feature = "alloc")]
mod word {
    use crate::schedule::EventLoop;
    use crate::task::cancel::scope::Scope;
    use crate::task::extras::Extras;
    use crate::task::header::{self, Header};
    use crate::task::state;
    use alloc::boxed::Box;
    use core::cell::Cell;
    use core::ptr::{NonNull, null, null_mut};
    use core::task::Waker;

    // What a word's address is that of, in its two lowest bits; what it points to
    // is aligned to four bytes or more.
    const KIND: usize = 3;
    /// A `Box<Waker>`. (A task that waits is 0.)
    const BOXED: usize = 1;
    /// A `Box<Extras>`.
    const EXTRAS: usize = 2;
    /// The first cancel scope of the task, which is not owned.
    const SCOPE: usize = 3;

    fn kind(word: *mut ()) -> usize {
        word.addr() & KIND
    }

    fn tagged<T>(pointer: *const T, kind: usize) -> *mut () {
        pointer.cast_mut().cast::<()>().map_addr(|address| address | kind)
    }

    fn address<T>(word: *mut ()) -> *mut T {
        word.map_addr(|address| address & !KIND).cast()
    }

    /// Null, a task with a reference of its own, a box, or a scope.
    pub(crate) struct Joiner(Cell<*mut ()>);

    impl Joiner {
        pub(crate) const fn new() -> Joiner {
            Joiner(Cell::new(null_mut()))
        }

        /// The word below the scopes.
        #[inline]
        fn below_scopes(&self) -> &Cell<*mut ()> {
            let word = self.0.get();
            if kind(word) != SCOPE {
                return &self.0;
            }
            // SAFETY: Pinned (cancel::scope): a scope in the list is alive.
            unsafe { &(*address::<Scope>(word)).below }
        }

        /// The word that says who waits.
        #[inline]
        fn waiter(&self) -> &Cell<*mut ()> {
            if kind(self.0.get()) < EXTRAS { &self.0 } else { self.waiter_below() }
        }

        #[cold]
        fn waiter_below(&self) -> &Cell<*mut ()> {
            match self.extras() {
                Some(extras) => &extras.joiner,
                None => self.below_scopes(),
            }
        }

        /// The first scope; null when there is none.
        pub(crate) fn first_scope(&self) -> *const Scope {
            let word = self.0.get();
            if kind(word) == SCOPE { address(word) } else { null() }
        }

        /// Makes `scope` the first; null takes the last one out. The one that was is alive.
        pub(crate) fn set_first_scope(&self, scope: *const Scope) {
            let below = self.below_scopes().replace(null_mut());
            self.0.set(match scope.is_null() {
                true => below,
                false => {
                    // SAFETY: Pinned (cancel::scope).
                    unsafe { &(*scope).below }.set(below);
                    tagged(scope, SCOPE)
                }
            });
        }

        /// What few tasks have, if this one has it.
        pub(crate) fn extras(&self) -> Option<&Extras> {
            let word = self.below_scopes().get();
            // SAFETY: a box that `extras_or_new` leaked, owned by this joiner.
            (kind(word) == EXTRAS).then(|| unsafe { &*address::<Extras>(word) })
        }

        /// What few tasks have.
        pub(crate) fn extras_or_new(&self) -> &Extras {
            if let Some(extras) = self.extras() {
                return extras;
            }
            let cell = self.below_scopes();
            let extras: &Extras = Box::leak(Box::new(Extras::new(cell.get())));
            cell.set(tagged(extras, EXTRAS));
            extras
        }

        /// Remembers `waker` in place of whoever waited before.
        #[inline]
        pub(crate) fn set(&self, waker: &Waker) {
            let word = match header::task_of(waker) {
                Some(task) if self.waiter().get() == task.as_ptr().cast() => return,
                Some(task) => {
                    // SAFETY: the borrowed waker owns a reference.
                    unsafe { state::retain(task) };
                    task.as_ptr().cast()
                }
                None => tagged(Box::into_raw(Box::new(waker.clone())), BOXED),
            };
            // Looked for now: cloning a foreign waker may have moved it.
            drop(Waiter::from_word(self.waiter().replace(word)));
        }

        /// Remembers `waker`, unless somebody waits already.
        pub(crate) fn set_if_nobody_waits(&self, waker: &Waker) {
            if self.waiter().get().is_null() {
                self.set(waker);
            }
        }

        /// The task that waits, if one of ours does.
        pub(crate) fn waiting_task(&self) -> Option<NonNull<Header>> {
            let word = self.waiter().get();
            if kind(word) == 0 {
                return NonNull::new(word.cast());
            }
            // SAFETY: a box that `set` leaked, owned by this joiner.
            let waker = unsafe { &*address::<Waker>(word) };
            // A combinator of many tells its children apart by wakers of its own.
            header::task_of(crate::combine::parent_of(waker)?)
        }

        /// Wakes who waits, if anybody does. A foreign waker that panics is
        /// reported: the task that it waited for has ended all the same.
        #[inline]
        pub(crate) fn wake(&self, event_loop: &EventLoop) {
            let word = self.0.get();
            if word.is_null() {
                return;
            }
            let cell = if kind(word) < EXTRAS { &self.0 } else { self.end_attached(event_loop) };
            Waiter::from_word(cell.replace(null_mut())).wake(event_loop);
        }

        /// The task has ended: its scopes go, its done callbacks run. Returns
        /// the word that says who waits.
        #[cold]
        fn end_attached(&self, event_loop: &EventLoop) -> &Cell<*mut ()> {
            if kind(self.0.get()) == SCOPE {
                crate::task::cancel::scope::detach_all(self);
            }
            if let Some(extras) = self.extras() {
                extras.run_done_callbacks(event_loop);
            }
            self.waiter()
        }

        /// Forgets who waits.
        #[inline]
        pub(crate) fn clear(&self) {
            if !self.0.get().is_null() {
                drop(Waiter::from_word(self.waiter().replace(null_mut())));
            }
        }

        /// As new, in a static whose next task begins.
        #[cfg(not(feature = "threads"))]
        pub(crate) fn restart(&self) {
            // SAFETY: a box that `extras_or_new` leaked, taken out.
            drop(self.take_extras().map(|extras| unsafe { Box::from_raw(extras.as_ptr()) }));
        }

        /// Takes the extras out; who waits stays.
        fn take_extras(&self) -> Option<NonNull<Extras>> {
            let extras = NonNull::from(self.extras()?);
            // SAFETY: alive until the caller drops it.
            let waiter = unsafe { extras.as_ref() }.joiner.replace(null_mut());
            self.below_scopes().set(waiter);
            Some(extras)
        }
    }

    impl Drop for Joiner {
        #[inline]
        fn drop(&mut self) {
            if self.0.get().is_null() {
                return;
            }
            if kind(self.0.get()) >= EXTRAS {
                crate::task::cancel::scope::detach_all(self);
                // SAFETY: a box that `extras_or_new` leaked, taken out.
                drop(self.take_extras().map(|extras| unsafe { Box::from_raw(extras.as_ptr()) }));
            }
            self.clear();
        }
    }

    /// A word that says who waits, taken out and owned.
    enum Waiter {
        Nobody,
        Task(NonNull<Header>),
        Other(Box<Waker>),
    }

    impl Waiter {
        fn from_word(word: *mut ()) -> Waiter {
            match NonNull::new(word) {
                None => Waiter::Nobody,
                Some(task) if kind(word) == 0 => Waiter::Task(task.cast()),
                // SAFETY: a marked word is a box that `set` leaked, taken out once.
                Some(_) => Waiter::Other(unsafe { Box::from_raw(address(word)) }),
            }
        }

        fn wake(self, event_loop: &EventLoop) {
            match self {
                Waiter::Nobody => {}
                Waiter::Task(task) => {
                    core::mem::forget(self);
                    // SAFETY: `set` made the reference that is given up.
                    unsafe { state::wake(task) }
                }
                #[cfg(feature = "threads")]
                Waiter::Other(_) => {
                    let mut waiter = Some(self);
                    let woken = crate::platform::catch_unwind(&mut || {
                        if let Some(Waiter::Other(waker)) = &waiter {
                            waker.wake_by_ref();
                        }
                        // Its drop may panic as well.
                        waiter = None;
                    });
                    if let Err(payload) = woken {
                        event_loop
                            .report_panic("the waker of who awaits a task panicked", &payload);
                    }
                }
                #[cfg(not(feature = "threads"))]
                Waiter::Other(ref waker) => {
                    let _ = event_loop;
                    waker.wake_by_ref();
                }
            }
        }
    }

    impl Drop for Waiter {
        fn drop(&mut self) {
            if let Waiter::Task(task) = *self {
                // SAFETY: `set` made the reference.
                unsafe { state::release(task) }
            }
        }
    }
}

#[cfg(not(feature = "alloc"))]
mod whole {
    use crate::schedule::EventLoop;
    use crate::task::header::{self, Header};
    use core::cell::Cell;
    use core::ptr::NonNull;
    use core::task::Waker;

    /// Who waits.
    pub(crate) struct Joiner(Cell<Option<Waker>>);

    impl Joiner {
        pub(crate) const fn new() -> Joiner {
            Joiner(Cell::new(None))
        }

        /// Remembers `waker` in place of whoever waited before.
        pub(crate) fn set(&self, waker: &Waker) {
            self.0.set(Some(waker.clone()));
        }

        /// The task that waits, if one of ours does.
        pub(crate) fn waiting_task(&self) -> Option<NonNull<Header>> {
            let waker = self.0.take()?;
            let task = header::task_of(&waker);
            self.0.set(Some(waker));
            task
        }

        /// Wakes who waits, if anybody does.
        pub(crate) fn wake(&self, _event_loop: &EventLoop) {
            if let Some(waker) = self.0.take() {
                waker.wake();
            }
        }

        /// Forgets who waits.
        pub(crate) fn clear(&self) {
            self.0.set(None);
        }
    }
}
