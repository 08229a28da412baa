//! The future of `run_until_complete` as a task like any other, so that
//! spawning and joining never have to wake anything but tasks.
//!
//! It may borrow from the caller's stack, which a task may not; so the task is
//! only a pointer to it, and is ended before `run_until_complete` returns.

use crate::schedule::EventLoop;
use crate::task::Task;
use core::future::Future;
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::{Context, Poll};

/// The task that stands for the caller's future.
struct Root {
    future: NonNull<dyn Future<Output = ()>>,
    event_loop: NonNull<EventLoop>,
}

impl Future for Root {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // SAFETY: `RootGuard` ends this task before its borrows end.
        let (future, event_loop) =
            unsafe { (Pin::new_unchecked(&mut *self.future.as_ptr()), self.event_loop.as_ref()) };
        let unwinding = StopUnlessForgotten(event_loop);
        let polled = future.poll(cx);
        if polled.is_pending() {
            core::mem::forget(unwinding);
        }
        polled
    }
}

/// Stops the loop when dropped: the root is ready, or panicked.
struct StopUnlessForgotten<'a>(&'a EventLoop);

impl Drop for StopUnlessForgotten<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl Drop for Root {
    /// Stops the loop that runs for a root that was cancelled.
    fn drop(&mut self) {
        // SAFETY: as for `poll`.
        let event_loop = unsafe { self.event_loop.as_ref() };
        if event_loop.is_running() {
            event_loop.stop();
        }
    }
}

/// The root task, which ends with this.
pub(super) struct RootGuard<'a> {
    task: Task<()>,
    event_loop: &'a EventLoop,
}

impl<'a> RootGuard<'a> {
    /// Makes `future` the root; `None` when the place for it is taken.
    pub(super) fn start(
        event_loop: &'a EventLoop,
        future: Pin<&'a mut (dyn Future<Output = ()> + 'a)>,
    ) -> Option<RootGuard<'a>> {
        // SAFETY: not moved; only the lifetime is forgotten, and the guard,
        // which is not leaked here, ends the task within it.
        let future = unsafe {
            core::mem::transmute::<
                NonNull<dyn Future<Output = ()> + 'a>,
                NonNull<dyn Future<Output = ()>>,
            >(NonNull::from(future.get_unchecked_mut()))
        };
        let root = Root { future, event_loop: NonNull::from(event_loop) };
        Some(RootGuard { task: spawn(event_loop, root)?, event_loop })
    }

    /// Whether the root was cancelled.
    pub(super) fn cancelled(&self) -> bool {
        self.task.cancelled()
    }

    /// What the root panicked with, if it did.
    #[cfg(feature = "threads")]
    pub(super) fn panic(&mut self) -> Option<crate::platform::Payload> {
        match self.task.take_result() {
            Some(Err(crate::TaskError::Panicked(payload))) => Some(payload),
            _ => None,
        }
    }
}

impl Drop for RootGuard<'_> {
    fn drop(&mut self) {
        self.task.abort();
        #[cfg(not(feature = "threads"))]
        self.event_loop.remove_from_ready(self.task.node());
        let _ = self.event_loop;
    }
}

#[cfg(feature = "threads")]
fn spawn(event_loop: &EventLoop, root: Root) -> Option<Task<()>> {
    Some(crate::task::heap::spawn_open(event_loop, root))
}

/// One loop at a time runs, so one place is enough; linked in only if used.
#[cfg(not(feature = "threads"))]
fn spawn(event_loop: &EventLoop, root: Root) -> Option<Task<()>> {
    use crate::task::pool::StaticCell;
    static ROOT: StaticCell<Root> = StaticCell::new();
    ROOT.spawn(event_loop, root).ok()
}
