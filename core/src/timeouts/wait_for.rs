//! Waiting for a task, and cancelling it when it takes too long.

use super::timeout::{TimeoutError, timeout};
use crate::error::{ScheduleError, TaskError};
use crate::task::{Cancelled, IntoTask, Task, catch_cancel, create_task};
use crate::time::Duration;
use core::fmt;

/// Why [`wait_for`] gives no value.
pub enum WaitForError<T> {
    /// The time was over; the task has been cancelled and has ended. asyncio: `TimeoutError`.
    Elapsed,
    /// The task was cancelled by others, or it panicked.
    Task(TaskError),
    /// It could not be made a task.
    NotCreated(ScheduleError<T>),
    /// It is awaited by code that is not a task's.
    NoTask,
}

impl<T> fmt::Display for WaitForError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Elapsed => TimeoutError::Elapsed.fmt(f),
            Self::Task(error) => error.fmt(f),
            Self::NotCreated(error) => error.fmt(f),
            Self::NoTask => TimeoutError::NoTask.fmt(f),
        }
    }
}

impl<T> fmt::Debug for WaitForError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<T> core::error::Error for WaitForError<T> {}

/// Makes `task` a task (or takes one that is [`spawned`](Task::spawned)) and waits
/// for it, at most for `delay`; `None` for without an end. When the time is
/// over it is cancelled **and waited for**: its clean-up is over when this returns.
///
/// What the task ends with all the same counts more than the time: a value, or its own error. With no
/// time at all, a future is never begun; a task that is done gives its result.
///
/// asyncio: `asyncio.wait_for()`. To limit a future in place, without a task:
/// [`timeout`].
///
/// # Errors
///
/// [`WaitForError`].
///
/// # Cancellation
///
/// A cancel of the waiting task cancels the task and waits for it, and then
/// goes on. Dropping this cancels the task, and does not wait.
pub async fn wait_for<T: IntoTask>(
    task: T,
    delay: impl Into<Option<Duration>>,
) -> Result<T::Output, WaitForError<T>> {
    let delay = delay.into();
    let no_time = delay == Some(Duration::ZERO);
    if no_time && !task.has_begun() {
        return Err(WaitForError::Elapsed);
    }
    let mut owned =
        CancelOnDrop { task: create_task(task).map_err(WaitForError::NotCreated)?, running: true };
    let task = &mut owned.task;
    let mut outer = None;
    if no_time && !task.done() {
        task.cancel();
    } else {
        match catch_cancel(timeout(delay, &mut *task)).await {
            Ok(Ok(result)) => {
                // It has ended, or it is the task that awaits this, by mistake:
                // that is told, and goes on.
                owned.running = false;
                return result.map_err(WaitForError::Task);
            }
            Ok(Err(TimeoutError::Elapsed)) => {}
            Ok(Err(_)) => return Err(WaitForError::NoTask),
            Err(cancelled) => outer = Some(cancelled),
        }
        task.cancel();
    }
    let result = wait_out(task, &mut outer).await;
    if let Some(cancelled) = outer {
        match cancelled.propagate().await {}
    }
    match result {
        Err(TaskError::Cancelled(_)) => Err(WaitForError::Elapsed),
        result => result.map_err(WaitForError::Task),
    }
}

/// Waits until a task that was cancelled has ended. A cancel that comes
/// meanwhile is handed to it too, and kept in `outer`.
async fn wait_out<T>(task: &mut Task<T>, outer: &mut Option<Cancelled>) -> Result<T, TaskError> {
    loop {
        match catch_cancel(&mut *task).await {
            Ok(result) => return result,
            Err(cancelled) => {
                *outer = Some(cancelled);
                task.cancel();
            }
        }
    }
}

/// A task that is cancelled when nobody waits for it any more.
struct CancelOnDrop<T> {
    task: Task<T>,
    running: bool,
}

impl<T> Drop for CancelOnDrop<T> {
    fn drop(&mut self) {
        if self.running {
            self.task.cancel();
        }
    }
}
