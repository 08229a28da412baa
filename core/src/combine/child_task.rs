//! A task that a combinator waits for, and after it what it ended with.

use crate::error::TaskError;
use crate::task::Task;
use core::pin::Pin;
use core::task::{Context, Poll};

/// One task of a combinator.
pub enum ChildTask<T> {
    /// It has not ended, or nobody has looked yet.
    Running(Task<T>),
    /// It has ended with this.
    Ended(Result<T, TaskError>),
    /// What it ended with was taken.
    Taken,
}

// Nothing in it is ever pinned: a task is elsewhere, its output is a value.
impl<T> Unpin for ChildTask<T> {}

impl<T> ChildTask<T> {
    /// Whether it has ended; if not, whoever `cx` wakes is woken when it does.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> bool {
        let ChildTask::Running(task) = self else { return true };
        match Pin::new(task).poll(cx) {
            Poll::Ready(result) => {
                *self = ChildTask::Ended(result);
                true
            }
            Poll::Pending => false,
        }
    }

    /// Whether it has ended, as far as was looked.
    #[cfg(feature = "alloc")]
    pub(super) fn ended(&self) -> bool {
        !matches!(self, ChildTask::Running(_))
    }

    /// Asks it to end, if it has not.
    pub(super) fn cancel(&self) {
        if let ChildTask::Running(task) = self {
            task.cancel();
        }
    }

    /// Takes what it ended with.
    pub(super) fn take(&mut self) -> Option<Result<T, TaskError>> {
        match core::mem::replace(self, ChildTask::Taken) {
            ChildTask::Ended(result) => Some(result),
            other => {
                *self = other;
                None
            }
        }
    }

    /// Takes the value that it ended with; an error stays.
    pub(super) fn take_value(&mut self) -> Option<T> {
        match core::mem::replace(self, ChildTask::Taken) {
            ChildTask::Ended(Ok(value)) => Some(value),
            other => {
                *self = other;
                None
            }
        }
    }

    /// Takes the error that it ended with, if that was no value.
    pub(super) fn take_error(&mut self) -> Option<TaskError> {
        match core::mem::replace(self, ChildTask::Taken) {
            ChildTask::Ended(Err(error)) => Some(error),
            other => {
                *self = other;
                None
            }
        }
    }
}

impl<T, E> ChildTask<Result<T, E>> {
    /// Takes what it failed with: its own error, or that it ended without a value.
    pub(super) fn take_failure(&mut self) -> Option<Result<E, TaskError>> {
        match core::mem::replace(self, ChildTask::Taken) {
            ChildTask::Ended(Ok(Err(error))) => Some(Ok(error)),
            ChildTask::Ended(Err(error)) => Some(Err(error)),
            other => {
                *self = other;
                None
            }
        }
    }
}
