//! The inbox: what other threads leave for a loop.
//!
//! One lock-free stack that any thread pushes on and only the loop takes,
//! whole, turning it round into the order of arrival. Nothing is allocated by
//! a wake-up: a task carries the link itself, and its state (see
//! [`task::state`](crate::task)) sees to it that it is pushed only once.
//!
//! ```text
//!  open, empty ──push──▶ open, with entries ──take──▶ open, empty
//!       └───────────────────── close ─────────────────────┘──▶ closed
//! ```
//!
//! Pushing on a closed inbox gives the entry back.
//!
//! # Invariants
//!
//! * **Pushed Once**: an entry is pushed again only after it was taken.
//! * **Kept Alive**: a task in the inbox is kept alive by a reference that
//!   belongs to the inbox; a posted callback belongs to it altogether.

use crate::atomic::{AtomicPtr, Ordering};
use crate::schedule::posted::Posted;
use crate::task::header::Header;
use core::cell::UnsafeCell;
use core::ptr::{NonNull, null_mut, without_provenance_mut};

/// The link inside whatever can be in an inbox.
pub(crate) struct InboxLink(UnsafeCell<*mut ()>);

impl InboxLink {
    pub(crate) const fn new() -> InboxLink {
        InboxLink(UnsafeCell::new(null_mut()))
    }
}

/// What can be in an inbox.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Entry {
    /// A task that was woken, or lost a reference, elsewhere.
    Task(NonNull<Header>),
    /// A callback of `call_soon_threadsafe`.
    Posted(NonNull<Posted>),
}

/// Marks a pointer to a [`Posted`]; both types are aligned to more than 2.
const POSTED: usize = 1;
/// The head of a closed inbox: no entry has this address.
const CLOSED: usize = 2;

impl Entry {
    fn pack(self) -> *mut () {
        match self {
            Entry::Task(task) => task.as_ptr().cast(),
            Entry::Posted(posted) => posted.as_ptr().cast::<()>().map_addr(|addr| addr | POSTED),
        }
    }

    fn unpack(packed: *mut ()) -> Option<Entry> {
        if packed.addr() & POSTED == 0 {
            NonNull::new(packed.cast()).map(Entry::Task)
        } else {
            NonNull::new(packed.map_addr(|addr| addr & !POSTED).cast()).map(Entry::Posted)
        }
    }

    fn link(self) -> *mut *mut () {
        match self {
            // SAFETY: Kept Alive; only a field's address is taken.
            Entry::Task(task) => unsafe { task.as_ref() }.state.inbox_link().0.get(),
            // SAFETY: Kept Alive.
            Entry::Posted(posted) => unsafe { posted.as_ref() }.link.0.get(),
        }
    }
}

/// What other threads left for one loop.
pub(crate) struct Inbox {
    head: AtomicPtr<()>,
}

impl Inbox {
    #[cfg(not(loom))]
    pub(crate) const fn new() -> Inbox {
        Inbox { head: AtomicPtr::new(null_mut()) }
    }

    #[cfg(loom)]
    pub(crate) fn new() -> Inbox {
        Inbox { head: AtomicPtr::new(null_mut()) }
    }

    /// Whether there is nothing to take, as far as this thread can see now.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        let head = self.head.load(Ordering::Relaxed);
        head.is_null() || head.addr() == CLOSED
    }

    /// Adds `entry`, or gives it back when the inbox is closed.
    ///
    /// # Safety
    ///
    /// *Pushed Once* and *Kept Alive*.
    pub(crate) unsafe fn push(&self, entry: Entry) -> Result<(), Entry> {
        let mut seen = self.head.load(Ordering::Relaxed);
        loop {
            if seen.addr() == CLOSED {
                return Err(entry);
            }
            // SAFETY: Pushed Once makes the link ours until the exchange succeeds.
            unsafe { *entry.link() = seen };
            let packed = entry.pack();
            match self.head.compare_exchange_weak(seen, packed, Ordering::AcqRel, Ordering::Relaxed)
            {
                Ok(_) => return Ok(()),
                Err(now) => seen = now,
            }
        }
    }

    /// Takes all entries, first come first.
    pub(crate) fn take(&self) -> Entries {
        self.swap(null_mut())
    }

    /// Takes all entries and refuses new ones from now on.
    pub(crate) fn close(&self) -> Entries {
        self.swap(without_provenance_mut(CLOSED))
    }

    fn swap(&self, new: *mut ()) -> Entries {
        let mut rest = self.head.swap(new, Ordering::AcqRel);
        let mut turned = null_mut();
        if rest.addr() == CLOSED {
            self.head.store(without_provenance_mut(CLOSED), Ordering::Relaxed);
            return Entries(null_mut());
        }
        while let Some(entry) = Entry::unpack(rest) {
            // SAFETY: the swap made these links ours (Pushed Once, Kept Alive).
            let next = unsafe { *entry.link() };
            // SAFETY: as above.
            unsafe { *entry.link() = turned };
            turned = rest;
            rest = next;
        }
        Entries(turned)
    }
}

/// Entries taken from an inbox, in order of arrival. Must be used up.
#[must_use]
pub(crate) struct Entries(*mut ());

impl Iterator for Entries {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        let entry = Entry::unpack(self.0)?;
        // SAFETY: taken entries' links belong to this iterator; the link is
        // read before the entry leaves, so the receiver may free it.
        self.0 = unsafe { *entry.link() };
        Some(entry)
    }
}
