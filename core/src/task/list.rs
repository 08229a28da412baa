//! Tasks in the order in which they were added: a loop's unfinished tasks, so
//! that `close` finds them.

use super::header::Header;
use core::cell::Cell;
use core::ptr::{NonNull, null};

/// A doubly linked list through the headers' links; loop's thread only.
///
/// # Invariants
///
/// * **Listed**: a task is added once, when it is started, and removed before
///   its memory is given back or used for another task.
pub(crate) struct TaskList {
    first: Cell<*const Header>,
    last: Cell<*const Header>,
}

impl TaskList {
    pub(crate) const fn new() -> TaskList {
        TaskList { first: Cell::new(null()), last: Cell::new(null()) }
    }

    /// The task created first among those that are left.
    pub(crate) fn first(&self) -> Option<NonNull<Header>> {
        NonNull::new(self.first.get().cast_mut())
    }

    #[inline]
    pub(crate) fn add(&self, task: NonNull<Header>) {
        let last = self.last.replace(task.as_ptr());
        // SAFETY: Listed: the task is alive and not in the list, its neighbours are.
        unsafe {
            let links = &task.as_ref().links;
            links.before.set(last);
            links.after.set(null());
            match last.as_ref() {
                Some(last) => last.links.after.set(task.as_ptr()),
                None => self.first.set(task.as_ptr()),
            }
        }
    }

    #[inline]
    pub(crate) fn remove(&self, task: NonNull<Header>) {
        // SAFETY: Listed: the task is in the list, and its neighbours are alive.
        unsafe {
            let links = &task.as_ref().links;
            let (before, after) = (links.before.get(), links.after.get());
            match before.as_ref() {
                Some(before) => before.links.after.set(after),
                None => self.first.set(after),
            }
            match after.as_ref() {
                Some(after) => after.links.before.set(before),
                None => self.last.set(before),
            }
        }
    }
}
