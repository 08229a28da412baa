//! Holding on to a loop, and finding the one that runs.

use super::event_loop::EventLoop;
use crate::error::NoRunningLoop;
use core::fmt;
use core::marker::PhantomData;
use core::ops::Deref;
use core::ptr::NonNull;

/// A loop that one holds on to. Copies name the same loop; it stays on its thread.
///
/// Where loops live on the heap, the last copy closes the loop when it is
/// dropped.
pub struct LoopRef {
    event_loop: NonNull<EventLoop>,
    not_send: PhantomData<*const ()>,
}

impl Deref for LoopRef {
    type Target = EventLoop;

    #[inline]
    fn deref(&self) -> &EventLoop {
        // SAFETY: a static, or kept in memory by what `handles` counts.
        unsafe { self.event_loop.as_ref() }
    }
}

impl fmt::Debug for LoopRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        EventLoop::fmt(self, f)
    }
}

impl PartialEq for LoopRef {
    /// Whether both are the same loop.
    fn eq(&self, other: &LoopRef) -> bool {
        self.event_loop == other.event_loop
    }
}

impl LoopRef {
    fn new_handle(event_loop: &EventLoop) -> LoopRef {
        #[cfg(feature = "threads")]
        event_loop.handles.set(event_loop.handles.get() + 1);
        LoopRef { event_loop: NonNull::from(event_loop), not_send: PhantomData }
    }
}

impl Clone for LoopRef {
    fn clone(&self) -> LoopRef {
        LoopRef::new_handle(self)
    }
}

#[cfg(not(feature = "threads"))]
impl LoopRef {
    pub(super) fn of_static(event_loop: &'static EventLoop) -> LoopRef {
        LoopRef::new_handle(event_loop)
    }
}

#[cfg(feature = "threads")]
impl LoopRef {
    /// A new loop of this thread, which `backend` will turn, with a timer
    /// wheel that tells every nanosecond of the clock apart.
    ///
    /// asyncio: `new_event_loop()`.
    pub fn new(backend: alloc::rc::Rc<dyn crate::io::Backend>) -> LoopRef {
        let event_loop = alloc::boxed::Box::new(EventLoop::new(backend));
        // SAFETY: no timer is set, and a box's contents do not move.
        unsafe { event_loop.timers.attach() };
        LoopRef {
            event_loop: NonNull::from(alloc::boxed::Box::leak(event_loop)),
            not_send: PhantomData,
        }
    }
}

#[cfg(feature = "threads")]
impl Drop for LoopRef {
    fn drop(&mut self) {
        let handles = self.handles.get() - 1;
        self.handles.set(handles);
        if handles == 0 {
            // A running loop holds a handle of its own, so it does not run.
            let _ = self.close();
            // SAFETY: the reference that stands for all handles.
            unsafe { release(self.event_loop) }
        }
    }
}

/// Gives up one of the references that keep a loop in memory.
///
/// # Safety
///
/// The caller owns it.
#[cfg(feature = "threads")]
pub(super) unsafe fn release(event_loop: NonNull<EventLoop>) {
    use crate::atomic::Ordering;
    // SAFETY: alive, by the caller's reference.
    if unsafe { event_loop.as_ref() }.references.fetch_sub(1, Ordering::AcqRel) == 1 {
        // SAFETY: nobody is left; `LoopRef::new` leaked it.
        drop(unsafe { alloc::boxed::Box::from_raw(event_loop.as_ptr()) });
    }
}

/// The loop that runs on this thread.
///
/// asyncio: `get_running_loop()`.
///
/// # Errors
///
/// [`NoRunningLoop`] outside of `run_…` and `turn`.
pub fn get_running_loop() -> Result<LoopRef, NoRunningLoop> {
    current().map(LoopRef::new_handle).ok_or(NoRunningLoop)
}

/// The loop that runs on this thread, for as long as the caller's step lasts.
#[inline]
pub(crate) fn current<'a>() -> Option<&'a EventLoop> {
    // SAFETY: set by `enter` for the time that the loop runs, during which it
    // is borrowed and so kept in memory.
    unsafe { crate::platform::current().as_ref() }
}
