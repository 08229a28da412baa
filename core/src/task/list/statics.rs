//! A singly linked list: tasks are in statics, and those stay.
//!
//! A static is put in when a task is first started in it, and stays in until the
//! loop closes, whatever tasks it has meanwhile.

use crate::task::header::Header;
use crate::task::state::DONE;
use core::cell::Cell;
use core::ptr::{NonNull, null};

/// The next in a loop's list; the last one's is itself. Null when in none.
pub(crate) struct Links(Cell<*const Header>);

impl Links {
    pub(crate) const fn new() -> Links {
        Links(Cell::new(null()))
    }
}

/// A list through the headers' links, the one put in last first.
///
/// # Invariants
///
/// * **Listed**: what is in the list is the header of a static in which a
///   task was started.
pub(crate) struct TaskList {
    first: Cell<*const Header>,
}

impl TaskList {
    pub(crate) const fn new() -> TaskList {
        TaskList { first: Cell::new(null()) }
    }

    /// Puts `task`'s static in, if it is not in the list yet.
    #[inline]
    pub(crate) fn add(&self, task: NonNull<Header>) {
        // SAFETY: Listed.
        let link = unsafe { &task.as_ref().links.0 };
        if link.get().is_null() {
            let task = task.as_ptr().cast_const();
            let next = self.first.replace(task);
            link.set(if next.is_null() { task } else { next });
        }
    }

    /// Turns the list round, so that what was put in first comes first.
    pub(crate) fn turn_round(&self) {
        let mut done: *const Header = null();
        while let Some(task) = self.take_first() {
            // SAFETY: Listed.
            let link = unsafe { &task.as_ref().links.0 };
            let task = task.as_ptr().cast_const();
            link.set(if done.is_null() { task } else { done });
            done = task;
        }
        self.first.set(done);
    }

    /// Calls `visit` with each static's task that is not done.
    pub(crate) fn for_each(&self, mut visit: impl FnMut(NonNull<Header>)) {
        let mut next = NonNull::new(self.first.get().cast_mut());
        while let Some(task) = next {
            // SAFETY: Listed.
            let header = unsafe { task.as_ref() };
            if !header.has(DONE) {
                visit(task);
            }
            let after = header.links.0.get();
            let is_last = core::ptr::eq(after, task.as_ptr());
            next = if is_last { None } else { NonNull::new(after.cast_mut()) };
        }
    }

    fn take_first(&self) -> Option<NonNull<Header>> {
        let task = NonNull::new(self.first.get().cast_mut())?;
        // SAFETY: Listed.
        let next = unsafe { task.as_ref() }.links.0.replace(null());
        self.first.set(if next == task.as_ptr().cast_const() { null() } else { next });
        Some(task)
    }

    /// A task stays in its static, and the static in the list.
    #[inline]
    pub(crate) fn remove(&self, _task: NonNull<Header>) {}

    /// Takes statics out up to and including one whose task is not done.
    pub(crate) fn next_unfinished(&self) -> Option<NonNull<Header>> {
        while let Some(task) = self.take_first() {
            // SAFETY: Listed.
            if !unsafe { task.as_ref() }.has(DONE) {
                return Some(task);
            }
        }
        None
    }
}
