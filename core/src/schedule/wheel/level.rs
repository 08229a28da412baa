//! One level of the wheel: a row of slots, and what is known about them as a whole.

use core::cell::Cell;

use super::list::List;

/// How many slots the [`Level`](super::Level)s of this target have: one machine word has a bit for each
/// on a 64-bit machine, and a level stays within 150 bytes on a 32-bit one.
pub const SLOTS: usize = if cfg!(target_pointer_width = "64") { 64 } else { 16 };

/// A level of `SLOTS` slots; the application allocates [`Level`](super::Level)s, of its target's size.
///
/// Level 0's slots are one tick wide, each further level's `SLOTS` times as wide as those below. All bytes
/// of a new level are zero, so that a `static` one is in `.bss`: 1040 bytes on 64-bit targets, 144 on 32-bit.
#[repr(C)]
pub struct SizedLevel<const SLOTS: usize> {
    pub(super) summary: Summary,
    pub(super) slots: [List; SLOTS],
}

/// What is known of a level without a look at its nodes.
pub(super) struct Summary {
    /// The earliest deadline of the level, or a lower bound of it if the first slot is long;
    /// [`Summary::UNKNOWN`] until somebody asks, after the node that defined it has gone. It means nothing
    /// while no slot is occupied.
    pub(super) earliest: Cell<u64>,
    /// One bit for each slot that may have nodes: set by insertion, cleared when the slot is found empty.
    pub(super) occupied: Cell<usize>,
}

impl<const SLOTS: usize> SizedLevel<SLOTS> {
    /// Bits of a deadline that select the slot.
    pub(super) const BITS: u32 = {
        assert!(SLOTS.is_power_of_two() && SLOTS <= usize::BITS as usize);
        SLOTS.trailing_zeros()
    };

    /// A level without timers.
    pub const fn new() -> Self {
        let summary = Summary { earliest: Cell::new(Summary::UNKNOWN), occupied: Cell::new(0) };
        Self { summary, slots: [const { List::new() }; SLOTS] }
    }
}

impl<const SLOTS: usize> Default for SizedLevel<SLOTS> {
    fn default() -> Self {
        Self::new()
    }
}

impl Summary {
    /// Not a deadline that occurs in a level: those are all later than `elapsed`, so at least 1. Being the
    /// smallest number, it survives insertions.
    pub(super) const UNKNOWN: u64 = 0;

    /// Notes that a node with this deadline has come into a slot.
    pub(super) fn occupy(&self, slot: usize, deadline: u64) {
        let occupied = self.occupied.get();
        self.occupied.set(occupied | 1 << slot);
        if occupied == 0 || deadline < self.earliest.get() {
            self.earliest.set(deadline);
        }
    }

    /// Notes that a node with this deadline has been taken out.
    pub(super) fn forget(&self, deadline: u64) {
        if deadline == self.earliest.get() {
            self.earliest.set(Self::UNKNOWN);
        }
    }
}
