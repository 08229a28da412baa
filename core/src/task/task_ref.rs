//! A task as others see it: without its result, and without its type.

use super::cancel::{self, CancelMessage};
use super::header::Header;
use super::name::{self, TaskName};
use super::state::{self, CANCELLED, DONE};
use crate::error::Full;
use crate::schedule::EventLoop;
use core::fmt;
use core::ptr::NonNull;

/// A task of this thread, whatever its result is: what [`current_task`] and
/// `all_tasks` give.
///
/// It does not keep the task going, nor does it end it when dropped. Where
/// tasks are in statics, a place may have another task in it by now; then
/// this one is done, and what is asked of it has no effect. (A place is told
/// apart from its next 127 tasks.)
///
/// asyncio: the `Task` object as `current_task()` and `all_tasks()` return it.
pub struct TaskRef {
    task: NonNull<Header>,
    #[cfg(not(feature = "threads"))]
    generation: u8,
}

impl TaskRef {
    /// A task.
    ///
    /// # Safety
    ///
    /// It is alive, and this is its loop's thread.
    pub(crate) unsafe fn of(task: NonNull<Header>) -> TaskRef {
        // SAFETY: the caller's promise.
        unsafe {
            state::retain(task);
            TaskRef {
                task,
                #[cfg(not(feature = "threads"))]
                generation: task.as_ref().state.generation(),
            }
        }
    }

    #[cfg(feature = "trace")]
    pub(crate) fn header_address(&self) -> NonNull<Header> {
        self.task
    }

    /// The task, unless it has given its place to another.
    pub(super) fn header(&self) -> Option<&Header> {
        // SAFETY: the reference that `of` made, or a static.
        let header = unsafe { self.task.as_ref() };
        #[cfg(not(feature = "threads"))]
        if header.state.generation() != self.generation {
            return None;
        }
        Some(header)
    }

    /// The task, unless it has ended.
    fn unfinished(&self) -> Option<&Header> {
        self.header().filter(|header| !header.has(DONE))
    }

    /// A number that no other task of the program has as long as this is kept.
    pub fn id(&self) -> usize {
        self.task.addr().get()
    }

    /// What it is called, if it was given a name. asyncio: `Task.get_name()`.
    pub fn name(&self) -> Option<TaskName> {
        self.header().and_then(name::get)
    }

    /// Gives it a name. asyncio: `Task.set_name()`.
    ///
    /// # Errors
    ///
    /// Without an allocator: [`Full`] when 16 tasks have names already.
    pub fn set_name(&self, name: impl Into<TaskName>) -> Result<(), Full<TaskName>> {
        match self.header() {
            Some(header) => name::set(header, name.into()),
            None => Ok(()),
        }
    }

    /// Asks it to end, as [`Task::cancel`](super::Task::cancel).
    pub fn cancel(&self) -> bool {
        // SAFETY: the reference; it stays on the thread.
        self.unfinished().is_some_and(|_| unsafe { cancel::cancel(self.task, None) })
    }

    /// Asks it to end and says why, as [`Task::cancel_with`](super::Task::cancel_with).
    pub fn cancel_with(&self, message: impl Into<CancelMessage>) -> bool {
        let message = Some(message.into());
        // SAFETY: the reference; it stays on the thread.
        self.unfinished().is_some_and(|_| unsafe { cancel::cancel(self.task, message) })
    }

    /// How many cancels stand, as [`Task::cancelling`](super::Task::cancelling).
    pub fn cancelling(&self) -> u8 {
        self.header().map_or(0, |header| header.state.cancels())
    }

    /// Takes one cancel back, as [`Task::uncancel`](super::Task::uncancel).
    pub fn uncancel(&self) -> u8 {
        self.header().map_or(0, cancel::uncancel)
    }

    /// Whether it has ended, in any way.
    pub fn done(&self) -> bool {
        self.unfinished().is_none()
    }

    /// Whether it has ended by cancel or abort.
    pub fn cancelled(&self) -> bool {
        self.header().is_some_and(|header| header.has(CANCELLED))
    }

    /// Notes that who `waker` wakes awaits it, unless somebody does already.
    #[cfg(feature = "alloc")]
    pub(crate) fn await_by(&self, waker: &core::task::Waker) {
        if let Some(header) = self.unfinished() {
            header.joiner.set_if_nobody_waits(waker);
        }
    }

    /// The task that awaits it, if one does. asyncio: `future_add_to_awaited_by`.
    pub fn awaited_by(&self) -> Option<TaskRef> {
        let waiting = self.unfinished()?.joiner.waiting_task()?;
        // SAFETY: the joiner owns a reference, or it is in a static.
        Some(unsafe { TaskRef::of(waiting) })
    }
}

impl Clone for TaskRef {
    fn clone(&self) -> TaskRef {
        // SAFETY: the reference that `of` made.
        unsafe { state::retain(self.task) };
        TaskRef { ..*self }
    }
}

impl Drop for TaskRef {
    fn drop(&mut self) {
        // SAFETY: the reference that `of` made.
        unsafe { state::release(self.task) }
    }
}

impl PartialEq for TaskRef {
    /// Whether both are the same task.
    fn eq(&self, other: &TaskRef) -> bool {
        #[cfg(not(feature = "threads"))]
        if self.generation != other.generation {
            return false;
        }
        self.task == other.task
    }
}

impl Eq for TaskRef {}

impl fmt::Display for TaskRef {
    /// Its name, or `task` and its number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => name.fmt(f),
            None => write!(f, "task {:#x}", self.id()),
        }
    }
}

impl fmt::Debug for TaskRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match (self.done(), self.cancelled()) {
            (_, true) => "cancelled",
            (true, _) => "done",
            _ => "pending",
        };
        write!(f, "TaskRef({self}, {state})")
    }
}

/// The task that runs: `None` in a callback, and outside of a loop.
///
/// asyncio: `asyncio.current_task()`.
pub fn current_task() -> Option<TaskRef> {
    let (_, task) = super::current()?;
    // SAFETY: it runs, here.
    Some(unsafe { TaskRef::of(task) })
}

/// The unfinished tasks of the running loop, in the order in which they were
/// created; none where no loop runs.
///
/// asyncio: `asyncio.all_tasks()`.
#[cfg(feature = "alloc")]
pub fn all_tasks() -> alloc::vec::Vec<TaskRef> {
    crate::schedule::current().map(EventLoop::all_tasks).unwrap_or_default()
}

impl EventLoop {
    /// Its unfinished tasks, in the order in which they were created. Those
    /// by which servers accept and some sources are waited for are not the
    /// program's, and are not among them.
    ///
    /// asyncio: `asyncio.all_tasks(loop)`.
    #[cfg(feature = "alloc")]
    pub fn all_tasks(&self) -> alloc::vec::Vec<TaskRef> {
        let mut tasks = alloc::vec::Vec::new();
        self.tasks.for_each(|task| {
            // SAFETY: a task in the list is alive.
            if !unsafe { task.as_ref() }.is_hidden() {
                // SAFETY: as above.
                tasks.push(unsafe { TaskRef::of(task) });
            }
        });
        tasks
    }

    /// Calls `visit` with each unfinished task, in no particular order.
    ///
    /// asyncio: `asyncio.all_tasks(loop)`, for programs without an allocator.
    pub fn for_each_task(&self, visit: impl FnMut(TaskRef)) {
        #[cfg(feature = "alloc")]
        self.all_tasks().into_iter().for_each(visit);
        #[cfg(not(feature = "alloc"))]
        {
            let mut visit = visit;
            // SAFETY: tasks are in statics.
            self.tasks.for_each(|task| visit(unsafe { TaskRef::of(task) }));
        }
    }
}
