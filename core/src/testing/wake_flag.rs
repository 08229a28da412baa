//! A waker that only notes that it was called.

use core::ptr::from_ref;
// Not loom's: only loads and stores, and it must be made in a const.
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{RawWaker, RawWakerVTable, Waker};

/// What a foreign executor is to a future: a waker, and whether it was called.
///
/// Whoever polls a future by hand with it sees that the future works without a
/// Molen loop, and asks to be polled whenever it must.
///
/// ```no_run
/// # use molen_core as molen;
/// use core::{future::Future, pin::pin, task::Context};
/// use molen::testing::{WakeFlag, static_ref};
///
/// let flag = static_ref!(WakeFlag = WakeFlag::new());
/// let promise = molen::Promise::<u8>::new();
/// let mut wait = pin!(promise.wait());
/// assert!(wait.as_mut().poll(&mut Context::from_waker(&flag.waker())).is_pending());
/// assert!(!flag.take());
/// promise.set_result(7)?;
/// assert!(flag.take() && !flag.take());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// Case 1403 of the conformance suite is this example.
pub struct WakeFlag(AtomicBool);

/// The data of these wakers is a `&'static WakeFlag`.
static WAKER: RawWakerVTable =
    RawWakerVTable::new(|flag| RawWaker::new(flag, &WAKER), raise, raise, |_| {});

fn raise(flag: *const ()) {
    // SAFETY: only `WakeFlag::waker` makes such a waker, of a `&'static`.
    let flag = unsafe { &*flag.cast::<WakeFlag>() };
    flag.0.store(true, Ordering::Release);
}

impl WakeFlag {
    /// Not called yet.
    pub const fn new() -> WakeFlag {
        WakeFlag(AtomicBool::new(false))
    }

    /// A waker that raises this flag.
    pub fn waker(&'static self) -> Waker {
        // SAFETY: the data lives for ever and is shared by atomics alone, so
        // the table's functions keep `Waker`'s contract on any thread.
        unsafe { Waker::new(from_ref(self).cast(), &WAKER) }
    }

    /// Whether a waker was called since the last time that this was asked.
    pub fn take(&self) -> bool {
        // Two steps, because not every processor has them in one: a call in
        // between is about something that the caller is going to see anyway.
        let raised = self.0.load(Ordering::Acquire);
        if raised {
            self.0.store(false, Ordering::Release);
        }
        raised
    }
}

impl Default for WakeFlag {
    fn default() -> Self {
        WakeFlag::new()
    }
}
