//! The pollables that the loop may wait for, and who waits for them.
//!
//! A pollable is made once for a stream or socket and kept until that goes:
//! making one for each wait would cost two more host calls. They are in one
//! table, from which the [`Watch`] of the source takes them before the source
//! drops what they are children of.

use super::selector::watches;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::task::{Context, Poll};
use molen_core::io::{Interest, Ready, Registration};
use wasip2::io::poll::Pollable;

/// What a source can be waited for with.
pub(super) struct Entry {
    pub(super) registration: Rc<Registration>,
    read: Option<Pollable>,
    write: Option<Pollable>,
}

impl Entry {
    /// The pollables of the directions that somebody waits for.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (Ready, &Pollable)> {
        let interest = self.registration.interest();
        let read = self.read.as_ref().filter(|_| interest.contains(Ready::READABLE));
        let write = self.write.as_ref().filter(|_| interest.contains(Ready::WRITABLE));
        let read = read.map(|pollable| (Ready::READABLE, pollable));
        read.into_iter().chain(write.map(|pollable| (Ready::WRITABLE, pollable)))
    }
}

/// The table.
pub(super) struct Watches {
    entries: RefCell<Vec<Option<Entry>>>,
}

impl Watches {
    pub(super) const fn new() -> Watches {
        Watches { entries: RefCell::new(Vec::new()) }
    }

    /// Calls `f` with the table. Nothing may be added or removed meanwhile.
    pub(super) fn with<T>(&self, f: impl FnOnce(&[Option<Entry>]) -> T) -> T {
        f(&self.entries.borrow())
    }

    /// Whether some task waits for something.
    pub(super) fn any_waiting(&self) -> bool {
        self.with(|entries| entries.iter().flatten().any(|entry| entry.waiting().next().is_some()))
    }

    fn insert(&self, entry: Entry) -> usize {
        let entries = &mut *self.entries.borrow_mut();
        match entries.iter().position(Option::is_none) {
            Some(index) => {
                entries[index] = Some(entry);
                index
            }
            None => {
                entries.push(Some(entry));
                entries.len() - 1
            }
        }
    }

    fn remove(&self, index: usize) {
        let removed = self.entries.borrow_mut().get_mut(index).and_then(Option::take);
        // What it drops may be a waker; the table is not borrowed any more.
        drop(removed);
    }
}

/// A source's place in the table. Dropping it drops the pollables.
pub(super) struct Watch {
    index: usize,
    registration: Rc<Registration>,
}

impl Watch {
    /// Watches by `read` for reading and by `write` for writing.
    pub(super) fn new(read: Option<Pollable>, write: Option<Pollable>) -> Watch {
        let registration = Rc::new(Registration::new());
        let entry = Entry { registration: registration.clone(), read, write };
        Watch { index: watches().insert(entry), registration }
    }

    /// Waits until any direction of `interest` may be ready.
    pub(super) fn poll_ready(&self, cx: &mut Context<'_>, interest: Interest) -> Poll<()> {
        self.registration.poll_ready(cx, interest)
    }

    /// Notes that `directions` would block.
    pub(super) fn clear(&self, directions: Ready) {
        self.registration.clear(directions);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        watches().remove(self.index);
    }
}
