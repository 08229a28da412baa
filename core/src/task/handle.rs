//! The handle of a task.

use super::cancel::{self, CancelMessage, Cancelled};
use super::cell::{abort_later, abort_or_cancel};
use super::header::{Header, stage};
use super::name::{self, TaskName};
use super::state::{self, CANCELLED, DONE, HANDLE, OUTPUT};
use super::task_ref::TaskRef;
#[cfg(feature = "alloc")]
use crate::error::ScheduleError;
use crate::error::{Full, TaskError};
#[cfg(feature = "alloc")]
use crate::schedule::{CallbackResult, Handle};
use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::{Context, Poll};

/// A task that runs on the loop: await it for its result, cancel it, or drop
/// the handle and let it go on by itself.
///
/// The loop owns its tasks. Dropping the handle neither stops the task nor
/// lets it be forgotten; only its result is.
///
/// asyncio: `asyncio.Task`.
///
/// # Cancellation
///
/// Dropping the future of `task.await` (it is `&mut task` or the handle) leaves
/// the task running; the result stays in the handle.
#[must_use = "dropping the handle is fine, say so: `drop(create_task(..))` or `.detach()`"]
pub struct Task<T> {
    task: NonNull<Header>,
    output: PhantomData<*mut T>,
}

impl<T> Task<T> {
    /// A handle for `task`.
    ///
    /// # Safety
    ///
    /// The caller gives one reference away, `HANDLE` is set, `T` is the output
    /// of the task's future.
    pub(crate) unsafe fn from_raw(task: NonNull<Header>) -> Task<T> {
        Task { task, output: PhantomData }
    }

    /// Its address.
    pub(super) fn header_ptr(&self) -> NonNull<Header> {
        self.task
    }

    /// Gives it a context, before its first step.
    #[cfg(feature = "alloc")]
    pub(super) fn set_context(&self, context: super::Context) {
        super::context::give(self.header(), context);
    }

    fn header(&self) -> &Header {
        // SAFETY: the handle owns a reference.
        unsafe { self.task.as_ref() }
    }

    #[cfg(not(feature = "threads"))]
    pub(crate) fn node(&self) -> NonNull<crate::schedule::node::Node> {
        self.task.cast()
    }

    /// Lets the task go on without a handle. A result is dropped; a panic is
    /// reported to the loop's exception handler.
    pub fn detach(self) {}

    /// Has `all_tasks` leave it out.
    #[cfg(feature = "alloc")]
    pub(super) fn hide(&self) {
        self.header().joiner.extras_or_new().hide();
    }

    /// The task, without its type.
    pub fn task_ref(&self) -> TaskRef {
        // SAFETY: the handle owns a reference.
        unsafe { TaskRef::of(self.task) }
    }

    /// What it is called, if it was given a name. asyncio: `Task.get_name()`.
    pub fn name(&self) -> Option<TaskName> {
        name::get(self.header())
    }

    /// Gives it a name. asyncio: `Task.set_name()`.
    ///
    /// # Errors
    ///
    /// Without an allocator: [`Full`] when 16 tasks have names already.
    pub fn set_name(&self, name: impl Into<TaskName>) -> Result<(), Full<TaskName>> {
        name::set(self.header(), name.into())
    }

    /// Asks the task to end, at its next step; [`cancel`](super::cancel) says
    /// how. Returns whether it had not ended yet.
    ///
    /// A task that has not begun never begins. A value that becomes ready
    /// together with the cancel is dropped: the cancel wins.
    ///
    /// asyncio: `Task.cancel()`.
    pub fn cancel(&self) -> bool {
        // SAFETY: the handle owns a reference; handles do not leave the thread.
        unsafe { cancel::cancel(self.task, None) }
    }

    /// [`cancel`](Self::cancel), saying why: whoever catches the cancel or
    /// awaits the task is told. Of two messages before delivery the second stays.
    ///
    /// asyncio: `Task.cancel(msg)`.
    pub fn cancel_with(&self, message: impl Into<CancelMessage>) -> bool {
        // SAFETY: as for `cancel`.
        unsafe { cancel::cancel(self.task, Some(message.into())) }
    }

    /// How many `cancel`s stand: calls of [`cancel`](Self::cancel) less calls
    /// of [`uncancel`](Self::uncancel). It stays at 31 (without threads at 15).
    ///
    /// asyncio: `Task.cancelling()`.
    pub fn cancelling(&self) -> u8 {
        self.header().state.cancels()
    }

    /// Takes one `cancel` back and returns how many are left. At zero, a
    /// cancel that was not yet delivered is withdrawn.
    ///
    /// asyncio: `Task.uncancel()`.
    pub fn uncancel(&self) -> u8 {
        cancel::uncancel(self.header())
    }

    /// Drops the task's future now, without giving it a step to clean up. A
    /// task that aborts itself ends at the end of its step, and so does one
    /// that is aborted by the eager first step of a task that it creates:
    /// nothing catches that. Returns whether it had not ended yet.
    ///
    /// tokio: `JoinHandle::abort`; asyncio has no such call.
    pub fn abort(&self) -> bool {
        // SAFETY: Outlives Tasks (EventLoop).
        let event_loop = unsafe { self.header().owner() };
        if event_loop.is_suspended(self.task.cast()) {
            // SAFETY: the handle owns a reference; handles do not leave the thread.
            return unsafe { abort_later(self.task) };
        }
        self.end()
    }

    /// [`abort`](Self::abort), where no eager step can be the caller.
    pub(crate) fn end(&self) -> bool {
        // SAFETY: the handle owns a reference; handles do not leave the thread.
        unsafe { abort_or_cancel(self.task) }
    }

    /// Has `callback` called through `call_soon` when the task has ended, also
    /// if it has ended already; never from inside this call.
    ///
    /// asyncio: `Task.add_done_callback()`.
    ///
    /// # Errors
    ///
    /// [`ScheduleError`] with the callback when the loop is closed.
    #[cfg(feature = "alloc")]
    pub fn add_done_callback<F, R>(&self, callback: F) -> Result<Handle, ScheduleError<F>>
    where
        F: FnOnce() -> R + 'static,
        R: CallbackResult,
    {
        // SAFETY: Outlives Tasks (EventLoop).
        let event_loop = unsafe { self.header().owner() };
        if self.done() {
            return event_loop.call_soon(callback);
        }
        let extras = self.header().joiner.extras_or_new();
        let mut callbacks = extras.callbacks().get();
        let handle = event_loop.call_when_done(callback, &mut callbacks)?;
        extras.callbacks().set(callbacks);
        Ok(handle)
    }

    /// Takes a done callback back. False, with no effect, when the end of the
    /// task has scheduled it already. asyncio: `Task.remove_done_callback()`.
    #[cfg(feature = "alloc")]
    pub fn remove_done_callback(&self, handle: &Handle) -> bool {
        let removable = !self.done() && !handle.cancelled();
        if removable {
            handle.cancel();
        }
        removable
    }

    /// Whether it has ended, in any way. asyncio: `Task.done()`.
    pub fn done(&self) -> bool {
        self.header().has(DONE)
    }

    /// Whether it has ended by [`cancel`](Self::cancel) or
    /// [`abort`](Self::abort). asyncio: `Task.cancelled()`.
    pub fn cancelled(&self) -> bool {
        self.header().has(CANCELLED)
    }

    /// The value that it ended with, which stays in the handle. `None` while
    /// it runs, when it ended without a value, and when that was taken.
    ///
    /// asyncio: `Task.result()`, which raises in these cases.
    pub fn result(&self) -> Option<&T> {
        if !self.header().has(OUTPUT) || self.panicked() {
            return None;
        }
        // SAFETY: Stage: OUTPUT is set, and only `&mut self` takes it out;
        // `from_raw` promised the type.
        Some(unsafe { stage(self.task).cast().as_ref() })
    }

    /// Whether it ended by a panic, on platforms where that can be caught.
    #[cfg(feature = "threads")]
    pub(crate) fn panicked(&self) -> bool {
        self.header().has(state::PANICKED)
    }

    /// Whether it ended by a panic: here it cannot have.
    #[cfg(not(feature = "threads"))]
    pub(crate) fn panicked(&self) -> bool {
        false
    }

    /// What it ended with, if it has: takes the value out, once.
    ///
    /// asyncio: `Task.result()` and `Task.exception()` in one.
    pub fn take_result(&mut self) -> Option<Result<T, TaskError>> {
        self.done().then(|| self.take())
    }

    /// The outcome of a task that is `DONE`.
    fn take(&mut self) -> Result<T, TaskError> {
        let header = self.header();
        if !header.has(OUTPUT) {
            return Err(if header.has(CANCELLED) {
                TaskError::Cancelled(Cancelled::new(header.take_message()))
            } else {
                TaskError::Taken
            });
        }
        header.clear(OUTPUT);
        // SAFETY: alive, and its table is set.
        let stage = unsafe { stage(self.task) };
        #[cfg(feature = "threads")]
        if header.has(state::PANICKED) {
            // SAFETY: Stage: OUTPUT was set, and with PANICKED it is a payload.
            return Err(TaskError::Panicked(unsafe { stage.cast().read() }));
        }
        // SAFETY: Stage: OUTPUT was set; `from_raw` promised the type.
        Ok(unsafe { stage.cast().read() })
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, TaskError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let header = self.header();
        if header.has(DONE) {
            return Poll::Ready(self.take());
        }
        if let Some(running) = crate::schedule::current() {
            if !header.is_owned_by(running) {
                return Poll::Ready(Err(TaskError::ForeignLoop));
            }
            if running.is_running_node(self.task.cast()) {
                return Poll::Ready(Err(TaskError::Itself));
            }
        }
        header.joiner.set(cx.waker());
        Poll::Pending
    }
}

impl<T> Unpin for Task<T> {}

impl<T> Drop for Task<T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the handle owns a reference, and is no more.
        if unsafe { give_up(self.task) } {
            self.drop_output();
        }
        // SAFETY: the handle's reference.
        unsafe { state::release(self.task) };
    }
}

impl<T> Task<T> {
    /// Drops what the task ended with, whose mark has just been cleared.
    fn drop_output(&mut self) {
        // SAFETY: alive, and its table is set.
        let stage = unsafe { stage(self.task) };
        #[cfg(feature = "threads")]
        if self.header().has(state::PANICKED) {
            // SAFETY: Stage: with PANICKED the output is a payload.
            let payload = unsafe { stage.cast::<crate::platform::Payload>().read() };
            // SAFETY: Outlives Tasks.
            let event_loop = unsafe { self.header().owner() };
            return event_loop
                .report_panic("a task panicked and its result was never retrieved", &payload);
        }
        // SAFETY: Stage; `from_raw` promised the type.
        unsafe { stage.cast::<T>().drop_in_place() }
    }
}

/// Notes that the handle goes; whether it leaves an output for it to drop.
///
/// # Safety
///
/// The caller owns a reference.
#[cfg_attr(feature = "threads", inline)]
#[cfg_attr(not(feature = "threads"), inline(never))]
unsafe fn give_up(task: NonNull<Header>) -> bool {
    // SAFETY: the caller's reference.
    let header = unsafe { task.as_ref() };
    let before = header.state.take(HANDLE | OUTPUT);
    header.joiner.clear();
    before & OUTPUT != 0
}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match (self.done(), self.cancelled()) {
            (_, true) => "cancelled",
            (true, _) => "done",
            _ => "pending",
        };
        f.debug_tuple("Task").field(&state).finish()
    }
}
