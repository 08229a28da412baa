//! Who waits for a task to end: one waker, in one word where there is a heap.
//!
//! Nearly always the waiter is another of our tasks, whose address is enough.
//! A foreign waker is two words; with `alloc` it is boxed, without it is
//! stored as it is.

#[cfg(not(feature = "alloc"))]
pub(crate) use whole::Joiner;
#[cfg(feature = "alloc")]
pub(crate) use word::Joiner;

#[cfg(feature = "alloc")]
mod word {
    use crate::schedule::EventLoop;
    use crate::task::header::{self, Header};
    use crate::task::state;
    use alloc::boxed::Box;
    use core::cell::Cell;
    use core::ptr::{NonNull, null_mut};
    use core::task::Waker;

    /// Marks the address of a box; headers and wakers are aligned to more than 1.
    const BOXED: usize = 1;

    /// Null, a task with a reference of its own, or a marked `Box<Waker>`.
    pub(crate) struct Joiner(Cell<*mut ()>);

    impl Joiner {
        pub(crate) const fn new() -> Joiner {
            Joiner(Cell::new(null_mut()))
        }

        /// Remembers `waker` in place of whoever waited before.
        pub(crate) fn set(&self, waker: &Waker) {
            let word = match header::task_of(waker) {
                Some(task) if self.0.get() == task.as_ptr().cast() => return,
                Some(task) => {
                    // SAFETY: the borrowed waker owns a reference.
                    unsafe { state::retain(task) };
                    task.as_ptr().cast()
                }
                None => Box::into_raw(Box::new(waker.clone()))
                    .cast::<()>()
                    .map_addr(|addr| addr | BOXED),
            };
            drop(Waiter::from_word(self.0.replace(word)));
        }

        /// Wakes who waits, if anybody does. A foreign waker that panics is
        /// reported: the task that it waited for has ended all the same.
        #[inline]
        pub(crate) fn wake(&self, event_loop: &EventLoop) {
            let word = self.0.replace(null_mut());
            if !word.is_null() {
                Waiter::from_word(word).wake(event_loop);
            }
        }

        /// Forgets who waits.
        pub(crate) fn clear(&self) {
            drop(Waiter::from_word(self.0.replace(null_mut())));
        }
    }

    impl Drop for Joiner {
        fn drop(&mut self) {
            self.clear();
        }
    }

    /// A word of [`Joiner`], taken out and owned.
    enum Waiter {
        Nobody,
        Task(NonNull<Header>),
        Other(Box<Waker>),
    }

    impl Waiter {
        fn from_word(word: *mut ()) -> Waiter {
            match NonNull::new(word) {
                None => Waiter::Nobody,
                Some(word) if word.addr().get() & BOXED == 0 => Waiter::Task(word.cast()),
                // SAFETY: a marked word is a box that `set` leaked, taken out once.
                Some(word) => Waiter::Other(unsafe {
                    Box::from_raw(word.as_ptr().map_addr(|addr| addr & !BOXED).cast())
                }),
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
                Waiter::Other(ref waker) => {
                    let woken = crate::platform::catch_unwind(&mut || waker.wake_by_ref());
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
    use core::cell::Cell;
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
