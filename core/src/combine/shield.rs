//! Keeping a task going whatever becomes of who waits for it.

use crate::error::{ScheduleError, TaskError};
use crate::task::{IntoTask, Task, create_task};
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

#[cfg(feature = "alloc")]
use crate::schedule::{EventLoop, ExceptionContext};
#[cfg(feature = "alloc")]
use core::fmt;

/// Makes a task of `task` and waits for it. A cancel of who waits leaves it
/// running; a cancel of the task itself is its result,
/// [`TaskError::Cancelled`].
///
/// ```no_run
/// # #[cfg(feature = "alloc")] mod example {
/// # use molen_core as molen;
/// # type Result<T> = core::result::Result<T, Box<dyn core::error::Error>>;
/// # async fn book(_: u8) -> core::result::Result<u8, core::fmt::Error> { Ok(1) }
/// # async fn example(order: u8) -> Result<()> {
/// use molen::shield;
///
/// // Once begun, the booking is brought to its end.
/// let booked = shield(book(order)).map_err(|_| "no loop runs")?.await??;
/// # Ok(()) } }
/// ```
///
/// A result that comes when nobody waits any more is dropped. A panic is then
/// reported to the loop's exception handler, once; an `Err` is if that was
/// asked for, with [`report_failure`](Shield::report_failure).
///
/// asyncio: `shield()`. The loop here keeps its tasks, so there is no need to.
///
/// # Errors
///
/// [`ScheduleError`] with the value, as [`create_task`].
///
/// # Cancellation
///
/// Dropping it leaves the task running.
pub fn shield<T: IntoTask>(task: T) -> Result<Shield<T::Output>, ScheduleError<T>> {
    let task = Some(create_task(task)?);
    Ok(Shield {
        task,
        #[cfg(feature = "alloc")]
        left_behind: |_| {},
    })
}

/// The future of [`shield`].
#[must_use = "dropping it leaves the task running; say so: `drop(shield(..))`"]
pub struct Shield<T> {
    task: Option<Task<T>>,
    /// What is done with a task that has not ended when this is dropped.
    #[cfg(feature = "alloc")]
    left_behind: fn(Task<T>),
}

#[cfg(feature = "alloc")]
impl<T: 'static, E: fmt::Display + 'static> Shield<Result<T, E>> {
    /// If nobody waits any more when the task fails, has its error reported to
    /// the loop's exception handler, once.
    ///
    /// asyncio always does: `exception in shielded future`.
    pub fn report_failure(mut self) -> Self {
        self.left_behind = report_when_failed;
        self
    }
}

/// Sees to it that the error of `task` is reported, now or when it fails.
#[cfg(feature = "alloc")]
fn report_when_failed<T: 'static, E: fmt::Display + 'static>(mut task: Task<Result<T, E>>) {
    // None runs when a loop that is closed drops what is left; then nobody is told.
    let Some(event_loop) = crate::schedule::current() else { return };
    if let Some(result) = task.take_result() {
        return report(event_loop, result);
    }
    let watch = async move {
        let result = task.await;
        if let Some(event_loop) = crate::schedule::current() {
            report(event_loop, result);
        }
    };
    drop(event_loop.create_task(watch));
}

#[cfg(feature = "alloc")]
fn report<T, E: fmt::Display>(event_loop: &EventLoop, result: Result<Result<T, E>, TaskError>) {
    if let Ok(Err(error)) = result {
        event_loop.call_exception_handler(&ExceptionContext::new(
            "a shielded task failed, and nobody waited for it any more",
            Some(&error),
        ));
    }
}

#[cfg(feature = "alloc")]
impl<T> Drop for Shield<T> {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            (self.left_behind)(task);
        }
    }
}

impl<T> Future for Shield<T> {
    type Output = Result<T, TaskError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(task) = &mut self.task else { return Poll::Pending };
        let result = core::task::ready!(Pin::new(task).poll(cx));
        self.task = None;
        Poll::Ready(result)
    }
}
