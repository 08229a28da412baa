//! The items of a queue, and its books: how many that were put are not done,
//! and whether it was shut down. One word has both, so that a `put` looks once.
//!
//! ```text
//!  63 (or 31)                 2     1        0
//! ┌────────────────────────────┬────────┬──────────┐
//! │ unfinished, modulo 2^62    │ IN_USE │ SHUT_DOWN│
//! └────────────────────────────┴────────┴──────────┘
//! ```
//!
//! A program that never says `task_done` counts round and round; nobody looks.
//!
//! # Invariants
//!
//! * **One Use**: while `IN_USE` is set, and only then, somebody refers to the
//!   items. Code of theirs (an `Ord`) that comes back here finds it set.

use super::Items;
use crate::sync::line::Line;
use crate::sync::wait_list::Waiter;
use core::cell::{Cell, UnsafeCell};
use core::task::Waker;

const SHUT_DOWN: usize = 1 << 0;
const IN_USE: usize = 1 << 1;
const UNFINISHED_ONE: usize = 1 << 2;

pub(super) struct Stock<I> {
    pub(super) books: Books,
    items: UnsafeCell<I>,
}

/// How many items are not done, and what goes on.
pub(super) struct Books(Cell<usize>);

impl Books {
    /// Has `waiter` wait in `line`; or, after `shut_down`, has it leave and
    /// returns true.
    ///
    /// # Safety
    ///
    /// *Pinned* and *Same List*.
    // Neither generic nor marked: so it is a call, which keeps a `get` small
    // enough to be inlined where it is awaited; and if the program is linked
    // as one (LTO), that is inlined in its turn where the task is known, and
    // cloning its waker is no indirect call.
    pub(super) unsafe fn refuses(&self, line: &Line, waiter: &Waiter, waker: &Waker) -> bool {
        let shut_down = self.0.get() & SHUT_DOWN != 0;
        // SAFETY: the caller's promise.
        unsafe {
            if shut_down {
                line.leave(waiter);
            } else if line.is_empty() {
                line.wait_alone(waiter, waker);
            } else {
                line.wait_among(waiter, waker);
            }
        }
        shut_down
    }
}

/// Clears `IN_USE`, also when an `Ord` panics.
struct Use<'a>(&'a Cell<usize>);

impl Drop for Use<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.set(self.0.get() & !IN_USE);
    }
}

impl<I> Stock<I> {
    pub(super) const fn new(items: I) -> Stock<I> {
        Stock { books: Books(Cell::new(0)), items: UnsafeCell::new(items) }
    }

    pub(super) fn is_shut_down(&self) -> bool {
        self.books.0.get() & SHUT_DOWN != 0
    }

    pub(super) fn shut_down(&self) {
        self.books.0.set(self.books.0.get() | SHUT_DOWN);
    }

    pub(super) fn unfinished(&self) -> usize {
        self.books.0.get() / UNFINISHED_ONE
    }

    /// Counts one fewer as unfinished; how many are left, or `None` when none was.
    pub(super) fn finish_one(&self) -> Option<usize> {
        let left = self.unfinished().checked_sub(1)?;
        self.books.0.set(self.books.0.get() - UNFINISHED_ONE);
        Some(left)
    }

    /// Has `f` look at the items; `None` while they are in use.
    #[inline]
    fn with<R>(&self, f: impl FnOnce(&mut I) -> R) -> Option<R> {
        let books = self.books.0.get();
        if books & IN_USE != 0 {
            return None;
        }
        self.books.0.set(books | IN_USE);
        let _in_use = Use(&self.books.0);
        // SAFETY: One Use.
        Some(f(unsafe { &mut *self.items.get() }))
    }
}

impl<I: Items> Stock<I> {
    /// Puts `item` in and counts it as unfinished. It is given back when there
    /// is no room, when items are in use, or after `shut_down`.
    #[inline]
    pub(super) fn put(&self, item: I::Item) -> Result<(), I::Item> {
        if self.books.0.get() & (SHUT_DOWN | IN_USE) != 0 {
            return Err(item);
        }
        self.books.0.set(self.books.0.get() | IN_USE);
        let in_use = Use(&self.books.0);
        // SAFETY: One Use.
        unsafe { &mut *self.items.get() }.put(item)?;
        drop(in_use);
        self.books.0.set(self.books.0.get().wrapping_add(UNFINISHED_ONE));
        Ok(())
    }

    /// Takes the item whose turn it is, if there is one and none is in use.
    #[inline]
    pub(super) fn get(&self) -> Option<I::Item> {
        self.with(Items::get)?
    }

    /// How many items there are, and how many can be (`None` for any number).
    /// While they are in use it says that there are none and no room.
    #[inline]
    pub(super) fn level(&self) -> (usize, Option<usize>) {
        self.with(|items| (items.len(), items.maxsize())).unwrap_or((0, Some(0)))
    }
}
