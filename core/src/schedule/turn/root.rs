//! The future of `run_until_complete` as a task like any other, so that
//! spawning and joining never have to wake anything but tasks.
//!
//! It may borrow from the caller's stack, which a task may not; so the task is
//! only a pointer to it, and is ended before `run_until_complete` returns.
//!
//! ```text
//!   ready, panicked, cancelled ─▶ the task drops its Root ─▶ the future is
//!                                 dropped, and the loop told to stop
//!   stopped, selector failed ──▶ RootGuard aborts the task ─▶ as above
//! ```

use crate::schedule::EventLoop;
use crate::task::{Task, TaskRef};
use core::future::Future;
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::{Context, Poll};

/// The caller's future, whatever its type.
pub(super) trait Main {
    fn step(&mut self, cx: &mut Context<'_>) -> Poll<()>;
    /// Drops the future where it is.
    fn leave(&mut self);
}

/// A future on the caller's stack, and the place for what it ends with.
pub(super) struct MainFuture<'a, F: Future> {
    future: Pin<&'a mut Option<F>>,
    output: &'a mut Option<F::Output>,
}

impl<'a, F: Future> MainFuture<'a, F> {
    pub(super) fn new(
        future: Pin<&'a mut Option<F>>,
        output: &'a mut Option<F::Output>,
    ) -> MainFuture<'a, F> {
        MainFuture { future, output }
    }
}

impl<F: Future> Main for MainFuture<'_, F> {
    fn step(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // It is there until the task is over, and then nobody steps.
        let Some(future) = self.future.as_mut().as_pin_mut() else {
            return Poll::Pending;
        };
        future.poll(cx).map(|output| *self.output = Some(output))
    }

    fn leave(&mut self) {
        self.future.set(None);
    }
}

/// The task that stands for the caller's future.
struct Root {
    main: NonNull<dyn Main>,
    event_loop: NonNull<EventLoop>,
}

impl Future for Root {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // SAFETY: `RootGuard` ends this task before its borrows end.
        unsafe { (*self.main.as_ptr()).step(cx) }
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        /// Also when dropping the future panics.
        struct Stop<'a>(&'a EventLoop);
        impl Drop for Stop<'_> {
            fn drop(&mut self) {
                // Not for the next run, when the guard ends it.
                if self.0.is_running() {
                    self.0.stop();
                }
            }
        }
        // SAFETY: as in `poll`.
        let (main, event_loop) = unsafe { (&mut *self.main.as_ptr(), self.event_loop.as_ref()) };
        let _stop = Stop(event_loop);
        main.leave();
    }
}

/// How the root ended, as far as its output does not say it.
pub(super) enum Ended {
    #[cfg(feature = "threads")]
    Panicked(crate::platform::Payload),
    Cancelled,
    /// It has an output, or has not ended.
    Otherwise,
}

/// The root task, which ends with this.
pub(super) struct RootGuard<'a> {
    task: Task<()>,
    event_loop: &'a EventLoop,
}

impl<'a> RootGuard<'a> {
    /// Makes `main` the root; `None` when the place for it is taken.
    pub(super) fn start(
        event_loop: &'a EventLoop,
        main: &'a mut (dyn Main + 'a),
    ) -> Option<RootGuard<'a>> {
        // SAFETY: only the lifetime is forgotten, and the guard, which is not
        // leaked here, ends the task within it.
        let main = unsafe {
            core::mem::transmute::<NonNull<dyn Main + 'a>, NonNull<dyn Main>>(NonNull::from(main))
        };
        let root = Root { main, event_loop: NonNull::from(event_loop) };
        Some(RootGuard { task: spawn(event_loop, root)?, event_loop })
    }

    pub(super) fn task_ref(&self) -> TaskRef {
        self.task.task_ref()
    }

    pub(super) fn ended(&mut self) -> Ended {
        #[cfg(feature = "threads")]
        if let Some(Err(crate::TaskError::Panicked(payload))) = self.task.take_result() {
            return Ended::Panicked(payload);
        }
        if self.task.cancelled() { Ended::Cancelled } else { Ended::Otherwise }
    }
}

impl Drop for RootGuard<'_> {
    fn drop(&mut self) {
        self.task.end();
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
