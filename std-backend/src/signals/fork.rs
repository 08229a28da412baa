//! What a forked child forgets: that a loop runs, and that it is woken by signals.
//!
//! The loop that ran in the thread which forked is the parent's: its selector
//! is shared with it, and what the child would do with it, it would do to the
//! parent. A child that goes on without `exec` makes a loop of its own.
//!
//! asyncio: `get_running_loop()` looks at the process's number.

use molen_core::platform::Platform;
use std::sync::Once;

/// From now on, children that are forked begin without a running loop.
pub(crate) fn forget_in_children() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the function writes a thread-local cell and atomics, which
        // needs no lock and no memory. It fails for want of memory only.
        unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    });
}

extern "C" fn in_child() {
    crate::platform::Std::set_current(core::ptr::null());
    super::delivery::forget();
    crate::interrupt::forget();
}
