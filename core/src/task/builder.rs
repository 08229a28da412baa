//! Creating tasks otherwise than `create_task` does: named, eager, in a
//! context of their own; and what a loop's task factory decides about all of them.

use super::state;
use super::{IntoTask, Task, TaskName};
use crate::error::ScheduleError;
use crate::schedule::EventLoop;
use core::fmt;

#[cfg(feature = "alloc")]
use super::context::Context;

/// When a new task has its first step.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Start {
    /// In the next batch.
    #[default]
    Soon,
    /// Inside of the call that creates it, if that is made by the loop's own
    /// code; a task that never waits is done when the call returns, and has
    /// never been in the queue. asyncio: `eager_start=True`.
    Eager,
}

/// How to create a task.
///
/// ```ignore
/// let task = molen::task::Builder::new().name("fetch").eager().create_task(fetch(url))?;
/// ```
///
/// asyncio: the keyword arguments of `create_task(coro, name=, context=, eager_start=)`.
#[derive(Clone, Default, Debug)]
pub struct Builder {
    name: Option<TaskName>,
    start: Start,
    #[cfg(feature = "alloc")]
    context: Option<Context>,
}

impl Builder {
    /// As `create_task` does it.
    pub fn new() -> Builder {
        Builder::default()
    }

    /// The task's name. asyncio: `name=`.
    #[must_use]
    pub fn name(self, name: impl Into<TaskName>) -> Builder {
        Builder { name: Some(name.into()), ..self }
    }

    /// The first step is taken inside of `create_task`. asyncio: `eager_start=True`.
    #[must_use]
    pub fn eager(self) -> Builder {
        Builder { start: Start::Eager, ..self }
    }

    /// The task shares this context, instead of having a copy of the present
    /// one. asyncio: `context=`.
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn context(self, context: Context) -> Builder {
        Builder { context: Some(context), ..self }
    }

    /// Makes `task` a task of the running loop.
    ///
    /// # Errors
    ///
    /// [`ScheduleError`] with the value, as [`create_task`](crate::create_task);
    /// [`ScheduleError::Refused`] when the loop's task factory refuses it;
    /// without an allocator [`ScheduleError::Full`] when 16 tasks have names already.
    pub fn create_task<T: IntoTask>(self, task: T) -> Result<Task<T::Output>, ScheduleError<T>> {
        match crate::schedule::current() {
            Some(event_loop) => self.create_task_on(event_loop, task),
            None => Err(ScheduleError::NoRunningLoop(task)),
        }
    }

    /// Makes `task` a task of `event_loop`.
    ///
    /// # Errors
    ///
    /// As [`create_task`](Self::create_task).
    pub fn create_task_on<T: IntoTask>(
        self,
        event_loop: &EventLoop,
        task: T,
    ) -> Result<Task<T::Output>, ScheduleError<T>> {
        #[cfg(feature = "alloc")]
        let this = match event_loop.ask_task_factory(self) {
            Ok(builder) => builder,
            Err(TaskRefused) => return Err(ScheduleError::Refused(task)),
        };
        #[cfg(not(feature = "alloc"))]
        let this = self;
        this.start_on(event_loop, task)
    }

    fn start_on<T: IntoTask>(
        self,
        event_loop: &EventLoop,
        task: T,
    ) -> Result<Task<T::Output>, ScheduleError<T>> {
        if self.name.is_some() && !super::name::has_room() {
            return Err(ScheduleError::Full(task));
        }
        let is_current =
            crate::schedule::current().is_some_and(|running| core::ptr::eq(running, event_loop));
        task.spawn_with(
            event_loop,
            NewTask {
                name: self.name,
                start: if is_current { self.start } else { Start::Soon },
                #[cfg(feature = "alloc")]
                context: self.context.or_else(|| super::context::inherited(event_loop)),
            },
        )
    }
}

/// What a task has before its first step, and when that is.
#[derive(Debug)]
pub struct NewTask {
    name: Option<TaskName>,
    start: Start,
    #[cfg(feature = "alloc")]
    context: Option<Context>,
}

impl NewTask {
    /// Begins a task that is neither queued nor begun.
    ///
    /// # Safety
    ///
    /// It is so, and is one of `event_loop`'s, which is open.
    pub(super) unsafe fn begin<T>(self, event_loop: &EventLoop, task: Task<T>) -> Task<T> {
        #[cfg(feature = "alloc")]
        if let Some(context) = self.context {
            task.set_context(context);
        }
        if let Some(name) = self.name {
            // There is room: the builder has asked.
            let _ = task.set_name(name);
        }
        // SAFETY: the handle owns a reference.
        unsafe { crate::trace::task_created(task.header_ptr()) };
        match self.start {
            // SAFETY: the handle owns a reference.
            Start::Soon => unsafe { state::wake_by_ref(task.header_ptr()) },
            // SAFETY: the caller's promise.
            Start::Eager => unsafe { event_loop.run_eagerly(task.header_ptr().cast()) },
        }
        task
    }
}

/// A task factory refuses to create a task.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TaskRefused;

impl fmt::Display for TaskRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the loop's task factory refused to create the task")
    }
}

impl core::error::Error for TaskRefused {}
