//! A doubly linked list: where tasks are freed one by one.

use crate::task::header::Header;
use crate::task::state::DONE;
use core::cell::Cell;
use core::ptr::{NonNull, null};

/// The neighbours in a loop's list of tasks.
pub(crate) struct Links {
    before: Cell<*const Header>,
    after: Cell<*const Header>,
}

impl Links {
    pub(crate) const fn new() -> Links {
        Links { before: Cell::new(null()), after: Cell::new(null()) }
    }
}

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

    /// The task added first among those that are left.
    pub(crate) fn first(&self) -> Option<NonNull<Header>> {
        NonNull::new(self.first.get().cast_mut())
    }

    /// The one added after `task`.
    ///
    /// # Safety
    ///
    /// *Listed*.
    #[cfg(feature = "threads")]
    pub(crate) unsafe fn after(task: NonNull<Header>) -> Option<NonNull<Header>> {
        // SAFETY: the caller's promise.
        NonNull::new(unsafe { task.as_ref() }.links.after.get().cast_mut())
    }

    /// Calls `visit` with each, in order of creation; it takes none out.
    pub(crate) fn for_each(&self, mut visit: impl FnMut(NonNull<Header>)) {
        let mut next = self.first();
        while let Some(task) = next {
            visit(task);
            // SAFETY: Listed.
            next = NonNull::new(unsafe { task.as_ref() }.links.after.get().cast_mut());
        }
    }

    /// Whether a task is being ended at this moment: it is done, and still here.
    pub(crate) fn has_ending(&self) -> bool {
        let mut ending = false;
        // SAFETY: Listed.
        self.for_each(|task| ending |= unsafe { task.as_ref() }.has(DONE));
        ending
    }

    /// It is in order of creation already.
    #[cfg(not(feature = "threads"))]
    pub(crate) fn turn_round(&self) {}

    /// A task that is not done, of a list in which there are no others.
    pub(crate) fn next_unfinished(&self) -> Option<NonNull<Header>> {
        self.first()
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
