//! Callbacks that other threads post.
//!
//! ```text
//!            loop takes it
//!  Waiting ────────────────▶ Started (runs to its end)
//!     │ cancel, any thread
//!     ▼
//!  Cancelled (never runs)
//! ```

use super::contain;
use super::event_loop::EventLoop;
use super::inbox::{Entry, InboxLink};
use crate::atomic::{AtomicU32, Ordering};
use crate::error::ScheduleError;
use alloc::boxed::Box;
use alloc::sync::Arc;
use core::ptr::NonNull;

const WAITING: u32 = 0;
const STARTED: u32 = 1;
const CANCELLED: u32 = 2;

/// A callback on its way to the loop. Its fate is shared with its handle.
pub(crate) struct Posted {
    pub(crate) link: InboxLink,
    fate: Arc<AtomicU32>,
    callback: Box<dyn FnOnce() + Send>,
}

/// The handle of a posted callback; may be used on any thread.
///
/// asyncio: the handle that `call_soon_threadsafe()` returns.
#[derive(Debug)]
pub struct PostedHandle(Arc<AtomicU32>);

impl PostedHandle {
    /// Keeps the callback from running. False when it has started, or was
    /// cancelled before; then nothing changes.
    pub fn cancel(&self) -> bool {
        self.0.compare_exchange(WAITING, CANCELLED, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Whether it was cancelled.
    pub fn cancelled(&self) -> bool {
        self.0.load(Ordering::Acquire) == CANCELLED
    }
}

/// Leaves `callback` in the inbox of `event_loop` and wakes it.
pub(super) fn post<F>(event_loop: &EventLoop, callback: F) -> Result<PostedHandle, ScheduleError<F>>
where
    F: FnOnce() + Send + 'static,
{
    let fate = Arc::new(AtomicU32::new(WAITING));
    let callback: *mut F = Box::into_raw(Box::new(callback));
    // SAFETY: just leaked.
    let erased: Box<dyn FnOnce() + Send> = unsafe { Box::from_raw(callback) };
    let posted = Posted { link: InboxLink::new(), fate: fate.clone(), callback: erased };
    let posted = NonNull::from(Box::leak(Box::new(posted)));
    // SAFETY: Pushed Once and Kept Alive: it is new and now the inbox's.
    match unsafe { event_loop.inbox.push(Entry::Posted(posted)) } {
        Ok(()) => {
            event_loop.unpark();
            Ok(PostedHandle(fate))
        }
        Err(_) => {
            // SAFETY: refused, so it is ours again.
            let posted = *unsafe { Box::from_raw(posted.as_ptr()) };
            core::mem::forget(posted.callback);
            // SAFETY: the box that was erased above, of this type.
            Err(ScheduleError::Closed(*unsafe { Box::from_raw(callback) }))
        }
    }
}

/// Makes a posted callback ready; a closing loop drops it.
///
/// # Safety
///
/// `posted` was just taken from the inbox of `event_loop`.
pub(super) unsafe fn take_in(posted: NonNull<Posted>, event_loop: &EventLoop) {
    // SAFETY: Kept Alive (inbox): it passes to us.
    let Posted { fate, callback, .. } = *unsafe { Box::from_raw(posted.as_ptr()) };
    let run = move || {
        if fate.compare_exchange(WAITING, STARTED, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            callback();
        }
    };
    // A closed loop refuses, and the callback is dropped, as by `close`.
    let mut scheduled = Some(event_loop.call_soon(run));
    contain(Some(event_loop), "dropping a callback panicked", || scheduled = None);
}
