//! A platform for the core's own unit tests, which in a build of the whole
//! workspace have the feature `threads` and no backend.

extern crate std;

use core::cell::Cell;
use core::ptr::null;
use molen_core::EventLoop;
use molen_core::platform::{Payload, Platform};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

struct OfTests;

std::thread_local! {
    static CURRENT: Cell<*const EventLoop> = const { Cell::new(null()) };
}

impl Platform for OfTests {
    fn thread_token() -> usize {
        CURRENT.with(|current| core::ptr::from_ref(current).addr())
    }

    fn current() -> *const EventLoop {
        CURRENT.get()
    }

    fn set_current(running: *const EventLoop) {
        CURRENT.set(running);
    }

    fn catch_unwind(f: &mut dyn FnMut()) -> Result<(), Payload> {
        catch_unwind(AssertUnwindSafe(f))
    }

    fn resume_unwind(payload: Payload) -> ! {
        resume_unwind(payload)
    }
}

molen_core::set_platform!(OfTests);
