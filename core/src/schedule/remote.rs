//! What other threads may do to a loop: post a callback, and thereby wake it.
//!
//! ```text
//!  loop:    swap asleep to true ─▶ look at the inbox ─▶ select ─▶ swap to false
//!  thread:  push into inbox ─▶ swap asleep to false: was true ─▶ unpark
//! ```
//!
//! Each swap sees the one before it and all that its thread did before. So
//! either the thread's swap comes second and finds the sleeper, or the loop's
//! does, and its look finds the entry. A busy loop is never unparked, so
//! posting to it costs no system call.

use super::event_loop::EventLoop;
use super::posted::{self, PostedHandle};
use crate::atomic::Ordering;
use crate::error::ScheduleError;
use crate::io::Wait;
use core::cell::UnsafeCell;
use core::fmt;
use core::ptr::NonNull;
use core::task::Waker;

/// Who is told that a sleeping loop has something to do.
///
/// Written once, before the loop is known to other threads.
pub(crate) struct Unparker(UnsafeCell<Option<Waker>>);

impl Unparker {
    pub(super) const fn new() -> Unparker {
        Unparker(UnsafeCell::new(None))
    }

    fn get(&self) -> Option<&Waker> {
        // SAFETY: written only by `set_unparker`, before anybody reads it.
        unsafe { (*self.0.get()).as_ref() }
    }
}

impl EventLoop {
    /// Says who ends the selector's sleep when another thread posts something:
    /// the backend's wake-up, or a host's "call me" hook. Only the first call
    /// counts, and it must come before the loop is first run or shared.
    pub fn set_unparker(&self, unparker: Waker) {
        // One `LoopRef` and nothing else: no other thread knows the loop.
        if self.unparker.get().is_none() && self.references.load(Ordering::Relaxed) == 1 {
            // SAFETY: nobody reads it yet.
            unsafe { *self.unparker.0.get() = Some(unparker) };
        }
    }

    /// Wakes the loop if it sleeps. From any thread.
    pub(crate) fn unpark(&self) {
        if self.asleep.swap(false, Ordering::AcqRel)
            && let Some(unparker) = self.unparker.get()
        {
            unparker.wake_by_ref();
        }
    }

    /// Says that the loop will sleep; how long it may, after a last look.
    pub(super) fn prepare_to_sleep(&self, wait: Wait) -> Wait {
        if wait == Wait::No {
            return Wait::No;
        }
        self.asleep.swap(true, Ordering::AcqRel);
        if self.inbox.is_empty() { wait } else { Wait::No }
    }

    /// Has other threads call the unparker from now until the next turn, for
    /// the host may sleep; whether something was posted before that.
    pub(super) fn rest_between_turns(&self) -> bool {
        self.prepare_to_sleep(Wait::Forever) == Wait::No
    }

    pub(super) fn awake(&self) {
        if self.asleep.load(Ordering::Relaxed) {
            self.asleep.swap(false, Ordering::AcqRel);
        }
        self.take_in();
    }

    /// A handle to the loop for other threads.
    pub fn remote(&self) -> Remote {
        self.references.fetch_add(1, Ordering::Relaxed);
        Remote { event_loop: NonNull::from(self) }
    }
}

/// A loop as other threads see it: they may post callbacks, nothing else.
///
/// It does not keep the loop open, only in memory.
pub struct Remote {
    event_loop: NonNull<EventLoop>,
}

// SAFETY: only the inbox, the sleeper's flag, the unparker and the count of
// references are used through it, all made for several threads.
unsafe impl Send for Remote {}
// SAFETY: as above.
unsafe impl Sync for Remote {}

impl Remote {
    pub(super) fn event_loop(&self) -> &EventLoop {
        // SAFETY: kept in memory by the reference that this handle counts for.
        unsafe { self.event_loop.as_ref() }
    }

    /// Whether this thread is the loop's, and the loop is not closed.
    pub fn is_of_this_thread(&self) -> bool {
        self.event_loop().is_home()
    }

    /// Has `callback` called on the loop's thread, soon, and wakes the loop.
    ///
    /// What one thread posts runs in the order of posting.
    ///
    /// asyncio: `loop.call_soon_threadsafe()`.
    ///
    /// # Errors
    ///
    /// [`ScheduleError::Closed`] with the callback when the loop is closed.
    pub fn call_soon_threadsafe<F>(&self, callback: F) -> Result<PostedHandle, ScheduleError<F>>
    where
        F: FnOnce() + Send + 'static,
    {
        posted::post(self.event_loop(), callback)
    }
}

impl Clone for Remote {
    fn clone(&self) -> Remote {
        self.event_loop().remote()
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        // SAFETY: the reference that `remote` counted.
        unsafe { super::loop_ref::release(self.event_loop) }
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Remote(..)")
    }
}
