//! Threads, unwinding and a default executor, for the core's link-time hook.

use crate::executor::ThreadPoolExecutor;
use core::cell::Cell;
use core::ptr::null;
use molen_core::EventLoop;
use molen_core::executor::DefaultExecutorRef;
use molen_core::platform::{Payload, Platform};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

pub(crate) struct Std;

thread_local! {
    /// Its address tells this thread from all others that live.
    static CURRENT: Cell<*const EventLoop> = const { Cell::new(null()) };
}

impl Platform for Std {
    #[inline]
    fn thread_token() -> usize {
        CURRENT.with(|current| core::ptr::from_ref(current).addr())
    }

    #[inline]
    fn current() -> *const EventLoop {
        CURRENT.get()
    }

    #[inline]
    fn set_current(running: *const EventLoop) {
        CURRENT.set(running);
    }

    #[inline]
    fn catch_unwind(f: &mut dyn FnMut()) -> Result<(), Payload> {
        // The core marks what panicked as done, and never polls it again.
        catch_unwind(AssertUnwindSafe(f))
    }

    fn resume_unwind(payload: Payload) -> ! {
        resume_unwind(payload)
    }

    fn new_default_executor() -> DefaultExecutorRef {
        Some(Arc::new(ThreadPoolExecutor::default()))
    }
}

molen_core::set_platform!(Std);
