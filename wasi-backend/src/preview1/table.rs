//! The descriptors that the loop may wait for: a table of fixed size.
//!
//! ```text
//!            insert                        a task waits
//!   free ─────────────▶ registered ────────────────────▶ subscribed at the next poll
//!     ▲                   │    ▲                              │
//!     └──── remove ───────┘    └── an event, or an error ─────┘
//! ```
//!
//! Only what a task waits for is given to the host, so a descriptor that the
//! host cannot poll does no harm until somebody asks for it.

use core::cell::Cell;
use molen_core::Full;
use molen_core::io::{Interest, Ready, Registration};
use wasi::{Errno, Fd};

/// How many descriptors can be registered at a time.
pub const CAPACITY: usize = 64;

/// One place of the table.
pub(super) struct Slot {
    in_use: Cell<bool>,
    fd: Cell<Fd>,
    pub(super) registration: Registration,
    read_error: Cell<Option<Errno>>,
    write_error: Cell<Option<Errno>>,
}

impl Slot {
    const fn new() -> Slot {
        Slot {
            in_use: Cell::new(false),
            fd: Cell::new(0),
            registration: Registration::new(),
            read_error: Cell::new(None),
            write_error: Cell::new(None),
        }
    }

    /// The descriptor that is registered here.
    pub(super) fn fd(&self) -> Fd {
        self.fd.get()
    }

    /// Notes that polling for `direction` failed, and wakes who waits for it.
    pub(super) fn fail(&self, direction: Ready, errno: Errno) {
        if direction.contains(Ready::READABLE) {
            self.read_error.set(Some(errno));
        }
        if direction.contains(Ready::WRITABLE) {
            self.write_error.set(Some(errno));
        }
        self.registration.set_ready(direction);
    }

    /// Why polling for reading failed, once.
    pub(super) fn take_read_error(&self) -> Option<Errno> {
        self.read_error.take()
    }

    /// Why polling for writing failed, once.
    pub(super) fn take_write_error(&self) -> Option<Errno> {
        self.write_error.take()
    }
}

/// All that is registered.
pub(super) struct Table {
    slots: [Slot; CAPACITY],
}

impl Table {
    pub(super) const fn new() -> Table {
        Table { slots: [const { Slot::new() }; CAPACITY] }
    }

    /// Registers `fd`.
    ///
    /// # Errors
    ///
    /// [`Full`] with the descriptor when [`CAPACITY`] are registered.
    pub(super) fn insert(&self, fd: Fd) -> Result<&Slot, Full<Fd>> {
        let slot = self.slots.iter().find(|slot| !slot.in_use.get()).ok_or(Full(fd))?;
        slot.in_use.set(true);
        slot.fd.set(fd);
        Ok(slot)
    }

    /// Whether another descriptor can be registered.
    pub(super) fn has_room(&self) -> bool {
        self.slots.iter().any(|slot| !slot.in_use.get())
    }

    /// Whether `fd` is registered.
    pub(super) fn contains(&self, fd: Fd) -> bool {
        self.slots.iter().any(|slot| slot.in_use.get() && slot.fd.get() == fd)
    }

    /// Makes the slot free, and forgets all that was known of its descriptor.
    pub(super) fn remove(&self, slot: &Slot) {
        slot.registration.forget(Ready::BOTH);
        slot.registration.clear(Ready::BOTH);
        slot.read_error.set(None);
        slot.write_error.set(None);
        slot.in_use.set(false);
    }

    /// The slot of that number, if something is registered there.
    pub(super) fn get(&self, index: usize) -> Option<&Slot> {
        self.slots.get(index).filter(|slot| slot.in_use.get())
    }

    /// Calls `f` for what tasks wait for, from slot `first` on and around.
    pub(super) fn for_each_waiting(&self, first: usize, mut f: impl FnMut(usize, Fd, Interest)) {
        for step in 0..CAPACITY {
            let index = (first + step) % CAPACITY;
            if let Some(slot) = self.get(index) {
                let interest = slot.registration.interest();
                if !interest.is_none() {
                    f(index, slot.fd(), interest);
                }
            }
        }
    }
}
