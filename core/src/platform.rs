//! What the core must know of the thread it runs on, by a typed link-time hook.
//!
//! Without the feature `threads` there is one thread of control; this module
//! then keeps the running loop (without an allocator: the one that is open) in a
//! static and has nothing for backends to do.
//!
//! With it, exactly one crate of the program (a backend) implements
//! [`Platform`] and names the type in [`set_platform!`](crate::set_platform).
//! None, or two, is a link error that names `__molen_…`.

#[cfg(feature = "threads")]
pub use threads::*;

#[cfg(not(feature = "threads"))]
pub(crate) use single::*;

#[cfg(feature = "threads")]
mod threads {
    use crate::executor::DefaultExecutorRef;
    use crate::schedule::EventLoop;
    use alloc::boxed::Box;
    use core::any::Any;

    /// What a panic carried.
    pub type Payload = Box<dyn Any + Send + 'static>;

    /// What the core asks of a platform with threads.
    pub trait Platform {
        /// A number other than 0 that no other living thread has.
        fn thread_token() -> usize;

        /// The pointer last given to [`set_current`](Self::set_current) on this thread; null at first.
        fn current() -> *const EventLoop;

        /// Remembers the loop that runs on this thread.
        fn set_current(running: *const EventLoop);

        /// Runs `f`; a panic in it ends here and is returned.
        fn catch_unwind(f: &mut dyn FnMut()) -> Result<(), Payload>;

        /// Goes on with a panic that [`catch_unwind`](Self::catch_unwind) stopped.
        fn resume_unwind(payload: Payload) -> !;

        /// An executor for a loop that needs one and was given none. Made at
        /// the first [`run_in_executor`](crate::run_in_executor) of a loop, so
        /// that programs without it do not contain it.
        fn new_default_executor() -> DefaultExecutorRef {
            None
        }
    }

    /// The text of a panic, when it has one.
    pub fn panic_message(payload: &Payload) -> &str {
        if let Some(text) = payload.downcast_ref::<&'static str>() {
            text
        } else if let Some(text) = payload.downcast_ref::<alloc::string::String>() {
            text
        } else {
            "(a value that is not text)"
        }
    }

    // SAFETY (all six): `set_platform!` defines them with these signatures,
    // and the linker refuses a program with none or two of them.
    unsafe extern "Rust" {
        safe fn __molen_thread_token() -> usize;
        safe fn __molen_current() -> *const EventLoop;
        safe fn __molen_set_current(running: *const EventLoop);
        safe fn __molen_catch_unwind(f: &mut dyn FnMut()) -> Result<(), Payload>;
        safe fn __molen_resume_unwind(payload: Payload) -> !;
        safe fn __molen_new_default_executor() -> DefaultExecutorRef;
    }

    #[inline(always)]
    pub(crate) fn thread_token() -> usize {
        __molen_thread_token()
    }

    #[inline(always)]
    pub(crate) fn current() -> *const EventLoop {
        __molen_current()
    }

    pub(crate) fn set_current(running: *const EventLoop) {
        __molen_set_current(running);
    }

    /// Whether a loop runs on this thread.
    pub(crate) fn runs_one(_entering: &EventLoop) -> bool {
        !current().is_null()
    }

    pub(crate) fn resume_unwind(payload: Payload) -> ! {
        __molen_resume_unwind(payload)
    }

    pub(crate) fn new_default_executor() -> DefaultExecutorRef {
        __molen_new_default_executor()
    }

    pub(crate) fn catch_unwind(f: &mut dyn FnMut()) -> Result<(), Payload> {
        __molen_catch_unwind(f)
    }

    /// Makes `$platform`, a [`Platform`], the program's platform.
    #[macro_export]
    macro_rules! set_platform {
        ($platform:ty) => {
            const _: () = {
                use $crate::executor::DefaultExecutorRef;
                use $crate::platform::{Payload, Platform};
                use $crate::schedule::EventLoop;

                #[unsafe(no_mangle)]
                #[inline]
                fn __molen_thread_token() -> usize {
                    <$platform as Platform>::thread_token()
                }
                #[unsafe(no_mangle)]
                #[inline]
                fn __molen_current() -> *const EventLoop {
                    <$platform as Platform>::current()
                }
                #[unsafe(no_mangle)]
                #[inline]
                fn __molen_set_current(running: *const EventLoop) {
                    <$platform as Platform>::set_current(running)
                }
                #[unsafe(no_mangle)]
                #[inline]
                fn __molen_catch_unwind(f: &mut dyn FnMut()) -> Result<(), Payload> {
                    <$platform as Platform>::catch_unwind(f)
                }
                #[unsafe(no_mangle)]
                fn __molen_resume_unwind(payload: Payload) -> ! {
                    <$platform as Platform>::resume_unwind(payload)
                }
                #[unsafe(no_mangle)]
                fn __molen_new_default_executor() -> DefaultExecutorRef {
                    <$platform as Platform>::new_default_executor()
                }
            };
        };
    }
}

#[cfg(all(feature = "alloc", not(feature = "threads")))]
mod single {
    use crate::schedule::EventLoop;
    use core::ptr::null_mut;
    use core::sync::atomic::{AtomicPtr, Ordering};

    static CURRENT: AtomicPtr<EventLoop> = AtomicPtr::new(null_mut());

    #[inline(always)]
    pub(crate) fn current() -> *const EventLoop {
        CURRENT.load(Ordering::Relaxed)
    }

    #[inline(always)]
    pub(crate) fn set_current(running: *const EventLoop) {
        CURRENT.store(running.cast_mut(), Ordering::Relaxed);
    }

    /// Whether a loop runs.
    pub(crate) fn runs_one(_entering: &EventLoop) -> bool {
        !current().is_null()
    }

    /// Any number of loops may be open.
    pub(crate) fn may_open(_event_loop: &'static EventLoop) -> bool {
        true
    }
}

#[cfg(not(feature = "alloc"))]
mod single {
    use crate::schedule::EventLoop;
    use core::ptr::{null, null_mut};
    use core::sync::atomic::{AtomicPtr, Ordering};

    /// The loop that was started last.
    static OPENED: AtomicPtr<EventLoop> = AtomicPtr::new(null_mut());

    /// The loop that was started last; null at first.
    #[inline(always)]
    pub(crate) fn opened() -> *const EventLoop {
        OPENED.load(Ordering::Relaxed)
    }

    /// That loop if it runs, else null.
    #[inline(always)]
    pub(crate) fn current() -> *const EventLoop {
        let opened = opened();
        // SAFETY: null or a static.
        match unsafe { opened.as_ref() } {
            Some(event_loop) if event_loop.is_running() => opened,
            _ => null(),
        }
    }

    /// Whether a loop runs: it can only be the one that is open.
    #[inline(always)]
    pub(crate) fn runs_one(entering: &EventLoop) -> bool {
        entering.is_running()
    }

    /// The loop's own mark says that it runs.
    #[inline(always)]
    pub(crate) fn set_current(_running: *const EventLoop) {}

    /// Makes `event_loop` the open one, unless another is.
    pub(crate) fn may_open(event_loop: &'static EventLoop) -> bool {
        // SAFETY: null or a static.
        if let Some(before) = unsafe { opened().as_ref() }
            && !core::ptr::eq(before, event_loop)
            && !before.is_closed()
        {
            return false;
        }
        OPENED.store(core::ptr::from_ref(event_loop).cast_mut(), Ordering::Relaxed);
        true
    }
}
