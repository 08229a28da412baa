//! Tasks of a loop that are done, but that somebody still refers to.
//!
//! A handle or waker on the loop's own thread frees such a task when it is the
//! last to go. One on another thread cannot know that it is the last; what it
//! leaves behind is swept out when the list has doubled since the last sweep,
//! so a sweep costs nothing on the average.

use super::header::{Header, table};
use super::list::TaskList;
use super::state::ENDED;
use core::cell::Cell;
use core::ptr::NonNull;

/// A list shorter than this is not worth sweeping.
const FEW: usize = 64;

/// The list; loop's thread only.
pub(crate) struct EndedTasks {
    list: TaskList,
    count: Cell<usize>,
    sweep_at: Cell<usize>,
}

impl EndedTasks {
    pub(crate) const fn new() -> EndedTasks {
        EndedTasks { list: TaskList::new(), count: Cell::new(0), sweep_at: Cell::new(FEW) }
    }

    /// Adds a task that is done and in no other list.
    pub(crate) fn add(&self, task: NonNull<Header>) {
        if self.count.get() >= self.sweep_at.get() {
            self.sweep();
        }
        self.count.set(self.count.get() + 1);
        // SAFETY: a task that has just ended is alive.
        unsafe { task.as_ref() }.set(ENDED);
        self.list.add(task);
    }

    /// Takes `task` out, if it is there.
    pub(crate) fn remove(&self, task: &Header) {
        if task.has(ENDED) {
            task.clear(ENDED);
            self.count.set(self.count.get() - 1);
            self.list.remove(NonNull::from(task));
        }
    }

    /// Takes the first one out.
    pub(crate) fn take_first(&self) -> Option<NonNull<Header>> {
        let first = self.list.first()?;
        // SAFETY: Listed (list): it is alive.
        self.remove(unsafe { first.as_ref() });
        Some(first)
    }

    /// Frees what nobody refers to any more.
    #[cold]
    fn sweep(&self) {
        let mut next = self.list.first();
        while let Some(task) = next {
            // SAFETY: Listed; its successor is read before it is freed.
            unsafe {
                next = TaskList::after(task);
                if task.as_ref().state.is_unreferenced() {
                    (table(task).free)(task);
                }
            }
        }
        self.sweep_at.set((self.count.get() * 2).max(FEW));
    }
}
