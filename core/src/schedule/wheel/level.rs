//! One level of the wheel: a row of slots, and what is known about them as a whole.

use core::cell::Cell;

use super::list::List;

/// How many slots the [`Level`](super::Level)s of this target have: one machine word has a bit for each
/// on a 64-bit machine, and a level stays below a hundred bytes on a 32-bit one.
pub const SLOTS: usize = if cfg!(target_pointer_width = "64") {
    64
} else {
    16
};

/// A level of `SLOTS` slots; the application allocates [`Level`](super::Level)s, of its target's size.
///
/// Level 0's slots are one tick wide, each further level's `SLOTS` times as wide as those below. All bytes
/// of a new level are zero, so that a `static` one is in `.bss`: 528 bytes on 64-bit targets, 80 on 32-bit.
pub struct SizedLevel<const SLOTS: usize> {
    pub(super) summary: Summary,
    pub(super) slots: [List; SLOTS],
}

/// What `next_deadline` wants to know of a level without a look at its nodes.
pub(super) struct Summary {
    /// A lower bound of the deadlines in the first occupied slot, and exact unless that slot is long;
    /// [`Summary::UNKNOWN`] when the node that defined it has gone, until somebody asks.
    pub(super) earliest: Cell<u64>,
    /// One bit for each slot that has nodes.
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
        let summary = Summary {
            earliest: Cell::new(Summary::UNKNOWN),
            occupied: Cell::new(0),
        };
        Self {
            summary,
            slots: [const { List::new() }; SLOTS],
        }
    }
}

impl<const SLOTS: usize> Default for SizedLevel<SLOTS> {
    fn default() -> Self {
        Self::new()
    }
}

impl Summary {
    /// Not a deadline that occurs in a level: those are all later than `elapsed`, so at least 1. Being the
    /// smallest number, it stays in place when [`Summary::occupy`] takes a minimum with it.
    pub(super) const UNKNOWN: u64 = 0;

    /// Notes that a node with this deadline has come into a slot.
    pub(super) fn occupy(&self, slot: u32, deadline: u64) {
        let bit = 1_usize << slot;
        let occupied = self.occupied.get();
        if occupied & (bit - 1) == 0 && (occupied & bit == 0 || deadline < self.earliest.get()) {
            self.earliest.set(deadline);
        }
        self.occupied.set(occupied | bit);
    }

    /// Notes that a slot has become empty.
    pub(super) fn vacate(&self, slot: u32) {
        let bit = 1_usize << slot;
        let occupied = self.occupied.get() & !bit;
        if occupied & (bit - 1) == 0 {
            self.earliest.set(Self::UNKNOWN);
        }
        self.occupied.set(occupied);
    }
}
