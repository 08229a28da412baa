//! Task groups: tasks that are all over when the block that created them is.
//!
//! ```text
//!            run: first poll          body is over            last task is over
//!  NotEntered ─────────────▶ Entered ──────────────▶ Exiting ──────────────────▶ Finished
//!                              │                        │
//!                              │ a task or the body fails, a cancel comes, `cancel()`
//!                              ▼                        ▼
//!                            Aborting: tasks are cancelled, the body is asked to end;
//!                                      no task is taken any more ──────────────▶ Finished
//! ```
//!
//! | what happened | how `run` ends |
//! |---|---|
//! | all is well | `Ok(Some(value of the body))` |
//! | tasks or the body failed | `Err` with every failure, in order |
//! | the waiting task was cancelled | its tasks are cancelled and waited for, then the cancel goes on |
//! | both | `Err`; the cancel is delivered where the task next waits |
//! | [`cancel`](TaskGroup::cancel) | `Ok(None)`; a body that is over before: `Ok(Some(…))` |
//!
//! Tasks that are cancelled by others are no failure. The body is asked to end
//! by the same means as by a cancel of its task: code in it that
//! [catches](crate::catch_cancel) may clean up.
//!
//! [`TaskGroup`] needs an allocator and takes any number of tasks;
//! [`BoundedTaskGroup`] takes a fixed number of static tasks.
//!
//! asyncio: `asyncio.TaskGroup`, `ExceptionGroup`.

mod bounded;
#[cfg(feature = "alloc")]
mod group;
#[cfg(feature = "alloc")]
mod member;
mod run;

pub use bounded::{BoundedExceptionGroup, BoundedTaskGroup, MemberId};
#[cfg(feature = "alloc")]
pub use group::{ExceptionGroup, TaskGroup};

use crate::error::ScheduleError;
use core::cell::Cell;
use core::fmt;

/// What failed in a group.
pub enum Exception<E> {
    /// A task, or the body, ended with this.
    Error(E),
    /// A task panicked.
    #[cfg(feature = "threads")]
    Panicked(crate::platform::Payload),
}

impl<E: fmt::Display> fmt::Display for Exception<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(error) => error.fmt(f),
            #[cfg(feature = "threads")]
            Self::Panicked(payload) => {
                write!(f, "a task panicked: {}", crate::platform::panic_message(payload))
            }
        }
    }
}

impl<E: fmt::Debug> fmt::Debug for Exception<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(error) => f.debug_tuple("Error").field(error).finish(),
            #[cfg(feature = "threads")]
            Self::Panicked(payload) => {
                f.debug_tuple("Panicked").field(&crate::platform::panic_message(payload)).finish()
            }
        }
    }
}

/// Why [`run`](TaskGroup::run) did not end well.
pub enum TaskGroupError<G> {
    /// Tasks or the body failed. asyncio: `ExceptionGroup`.
    Exceptions(G),
    /// The group was run before. asyncio: `RuntimeError`.
    AlreadyEntered,
    /// It is awaited by code that is not a task's. asyncio: `RuntimeError`.
    NoTask,
}

impl<G: fmt::Display> fmt::Display for TaskGroupError<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exceptions(group) => group.fmt(f),
            Self::AlreadyEntered => {
                f.write_str("cannot run the task group: it has been run before")
            }
            Self::NoTask => {
                f.write_str("cannot run the task group: no task of a running event loop awaits it")
            }
        }
    }
}

impl<G: fmt::Debug> fmt::Debug for TaskGroupError<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exceptions(group) => f.debug_tuple("Exceptions").field(group).finish(),
            Self::AlreadyEntered => f.write_str("AlreadyEntered"),
            Self::NoTask => f.write_str("NoTask"),
        }
    }
}

impl<G: fmt::Debug + fmt::Display> core::error::Error for TaskGroupError<G> {}

/// Why a group did not take a task, which comes back.
pub enum CreateError<T> {
    /// The group is not run yet.
    NotEntered(T),
    /// It is shutting down: something failed, or it was cancelled.
    ShuttingDown(T),
    /// It is over.
    Finished(T),
    /// All places of a [`BoundedTaskGroup`] are taken.
    Full(T),
    /// The loop did not take it.
    Schedule(ScheduleError<T>),
}

impl<T> CreateError<T> {
    /// What was to become a task.
    pub fn into_inner(self) -> T {
        match self {
            Self::NotEntered(it) | Self::ShuttingDown(it) | Self::Finished(it) | Self::Full(it) => {
                it
            }
            Self::Schedule(error) => error.into_inner(),
        }
    }
}

impl<T> fmt::Display for CreateError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotEntered(_) => "cannot create a task in the group: it has not been entered",
            Self::ShuttingDown(_) => "cannot create a task in the group: it is shutting down",
            Self::Finished(_) => "cannot create a task in the group: it is finished",
            Self::Full(_) => "cannot create a task in the group: every place is in use",
            Self::Schedule(error) => return error.fmt(f),
        })
    }
}

impl<T> fmt::Debug for CreateError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<T> core::error::Error for CreateError<T> {}

/// What a group is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    NotEntered,
    Entered,
    Aborting,
    Finished,
}

/// What both kinds of group are to whoever runs them.
trait Members {
    /// All that failed.
    type Errors;
    /// What one task fails with.
    type Error;

    fn phase(&self) -> &Cell<Phase>;

    /// Looks after tasks that have ended; says who is to be told of others.
    fn look(&self, waker: &core::task::Waker);

    /// The body is over: who `waker` wakes awaits the tasks from now on, and
    /// call graphs are to say so.
    fn await_all(&self, _waker: &core::task::Waker) {}

    /// Something failed, or the group was cancelled.
    fn must_abort(&self) -> bool;

    /// Cancels the tasks that have not ended.
    fn abort(&self);

    /// Whether every task has ended.
    fn all_ended(&self) -> bool;

    /// What failed, with what the body ended with if that is an error; `None`
    /// when nothing did.
    fn take_errors(&self, body: Option<Self::Error>) -> Option<Self::Errors>;
}

/// What `phase` says against taking a task.
fn admit<T>(phase: Phase, task: T) -> Result<T, CreateError<T>> {
    match phase {
        Phase::Entered => Ok(task),
        Phase::NotEntered => Err(CreateError::NotEntered(task)),
        Phase::Aborting => Err(CreateError::ShuttingDown(task)),
        Phase::Finished => Err(CreateError::Finished(task)),
    }
}
