//! Tasks: futures that the loop runs, and what they wait for.
//!
//! | file | concept |
//! |---|---|
//! | `state`, `header`, `cell`, `owner`, `list` | a task in memory and what may happen to it |
//! | `heap`, `pool` | where tasks live: on the heap, in statics |
//! | `handle`, `joiner` | awaiting, cancelling and aborting a task |
//! | [`cancel`] | what cancelling is, and catching it |
//! | `builder`, `factory`, `context`, `spawned` | how tasks are created |
//! | `task_ref`, `name`, `extras` | tasks as others see them; names; what few tasks have |
//! | [`graph`] | who awaits whom: call graphs, `ps`, `pstree` |
//! | `sleep` | waiting for a time |
//! | `promise` | asyncio's Future |

mod builder;
pub mod cancel;
pub(crate) mod cell;
#[cfg(feature = "alloc")]
mod context;
#[cfg(feature = "alloc")]
mod detach;
#[cfg(feature = "threads")]
pub(crate) mod ended;
#[cfg(feature = "alloc")]
pub(crate) mod extras;
#[cfg(feature = "alloc")]
mod factory;
pub mod graph;
mod handle;
pub(crate) mod header;
#[cfg(feature = "alloc")]
pub(crate) mod heap;
pub(crate) mod joiner;
pub(crate) mod list;
mod name;
pub(crate) mod owner;
pub mod pool;
mod promise;
mod sleep;
mod spawned;
pub(crate) mod state;
mod task_ref;

pub use builder::{Builder, NewTask, Start, TaskRefused};
pub use cancel::{CancelMessage, Cancelled, catch_cancel};
#[cfg(feature = "alloc")]
pub(crate) use context::inherited;
#[cfg(feature = "alloc")]
pub use context::{Context, ContextVar, NoContext, Token, copy_context};
#[cfg(feature = "alloc")]
pub use factory::{TaskFactory, eager_task_factory};
pub use graph::{CallGraph, capture_call_graph, print_call_graph};
pub use handle::Task;
pub use name::TaskName;
pub use pool::Call;
pub use promise::{Promise, PromiseError, WaitPromise};
pub use sleep::{Sleep, SleepUntil, YieldNow, current_time, sleep, sleep_until, yield_now};
pub use spawned::Spawned;

#[cfg(feature = "alloc")]
pub use task_ref::all_tasks;
pub use task_ref::{TaskRef, current_task};

use crate::error::ScheduleError;
use crate::schedule::EventLoop;
use core::ptr::NonNull;

/// The loop and the task that run on this thread.
pub(crate) fn current<'a>() -> Option<(&'a EventLoop, NonNull<header::Header>)> {
    let event_loop = crate::schedule::current()?;
    Some((event_loop, event_loop.running_task()?))
}

/// What can become a task: a future where there is a heap, and a call of a
/// `#[molen::task]` function everywhere.
pub trait IntoTask: Sized {
    /// What the task ends with.
    type Output: 'static;

    /// Makes it a task of `event_loop`.
    ///
    /// # Errors
    ///
    /// [`ScheduleError`] with the value when the loop is closed or the pool is full.
    fn spawn_on(self, event_loop: &EventLoop) -> Result<Task<Self::Output>, ScheduleError<Self>>;

    /// Whether it is a task already, which others may have begun.
    fn has_begun(&self) -> bool {
        false
    }

    /// Makes it a task of `event_loop` that begins as `new` says. For [`Builder`].
    ///
    /// # Errors
    ///
    /// As [`spawn_on`](Self::spawn_on).
    fn spawn_with(
        self,
        event_loop: &EventLoop,
        new: NewTask,
    ) -> Result<Task<Self::Output>, ScheduleError<Self>>;
}

#[cfg(feature = "alloc")]
impl<F> IntoTask for F
where
    F: core::future::Future + 'static,
    F::Output: 'static,
{
    type Output = F::Output;

    #[inline]
    fn spawn_on(self, event_loop: &EventLoop) -> Result<Task<F::Output>, ScheduleError<F>> {
        heap::spawn(event_loop, self)
    }

    fn spawn_with(
        self,
        event_loop: &EventLoop,
        new: NewTask,
    ) -> Result<Task<F::Output>, ScheduleError<F>> {
        heap::spawn_with(event_loop, self, new)
    }
}

impl EventLoop {
    /// Makes `task` a task of this loop. Its first step is in the next batch.
    ///
    /// asyncio: `loop.create_task()`.
    ///
    /// # Errors
    ///
    /// [`ScheduleError`] with the value when the loop is closed, or the pool
    /// of a `#[molen::task]` function is full.
    #[inline]
    pub fn create_task<T: IntoTask>(&self, task: T) -> Result<Task<T::Output>, ScheduleError<T>> {
        #[cfg(feature = "alloc")]
        if self.creates_otherwise() {
            return Builder::new().create_task_on(self, task);
        }
        task.spawn_on(self)
    }
}

/// Makes `task` a task of `event_loop` that is not the program's: it is not among
/// [`all_tasks`], so a clear-up leaves it alone, and no task factory is asked. It
/// ends by itself or with the loop.
///
/// For backends, and for what drives connections.
///
/// # Errors
///
/// As [`EventLoop::create_task`].
#[cfg(feature = "alloc")]
pub fn create_hidden_task<T: IntoTask>(
    event_loop: &EventLoop,
    task: T,
) -> Result<Task<T::Output>, ScheduleError<T>> {
    let task = task.spawn_on(event_loop)?;
    task.hide();
    Ok(task)
}

/// Makes `task` a task of the running loop. Its first step is in the next batch.
///
/// asyncio: `asyncio.create_task()`.
///
/// # Errors
///
/// [`ScheduleError`] with the value, as [`EventLoop::create_task`]; and when no
/// loop runs on this thread.
#[inline]
pub fn create_task<T: IntoTask>(task: T) -> Result<Task<T::Output>, ScheduleError<T>> {
    match crate::schedule::current() {
        Some(event_loop) => event_loop.create_task(task),
        None => Err(ScheduleError::NoRunningLoop(task)),
    }
}
