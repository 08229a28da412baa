//! The timer wheel: which timer is next, for any number of timers, in constant time.
//!
//! The wheel knows no clock and runs nothing. Time is a number of *ticks* since the clock's beginning, a
//! plain `u64`: nanoseconds on a desktop, whatever the alarm counts on a microcontroller. Its owner, the
//! loop, puts in [nodes](TimerNode) with deadlines, asks for the [next deadline](SizedWheel::next_deadline)
//! before it sleeps, and afterwards [pops](SizedWheel::pop_due) what is due. It promises
//!
//! - **never early**: a timer is popped when `deadline <= now`, not before;
//! - **in order** of (deadline, order of insertion), however far the clock has jumped (asyncio promises no
//!   order for equal deadlines);
//! - **O(1)** insert, remove and next deadline, and O(1) amortised per fired timer: a timer is moved at most
//!   once per level before it fires, and mostly only once, when it becomes due;
//! - **no end**: a deadline may be any number. [`NEVER`] never comes.
//!
//! # How it turns
//!
//! Write a deadline as digits, in base 64 (16 on 32-bit targets). Compare it with `elapsed`, the time up to
//! which the wheel has turned: the highest digit in which they differ says the *level*, the deadline's digit
//! there says the *slot*. With base 10, for the sake of reading, and `elapsed` = 4 2 7:
//!
//! ```text
//!   deadline  4 2 9   level 0, slot 9       due within the current ten: each slot is one tick
//!   deadline  4 5 1   level 1, slot 5       due within the current hundred: each slot is ten ticks
//!   deadline  8 0 0   level 2, slot 8
//!   deadline 14 2 9   far                   more digits than there are levels: one list for all of them
//!   deadline  4 2 3   due                   not later than elapsed: one list, in order
//! ```
//!
//! Within a level all occupied slots lie *after* `elapsed`'s own digit, and every slot of a level is earlier
//! than every slot of the levels above. So the next timer is in the first occupied slot of the lowest level
//! that has any: two bitmaps and two trailing-zero counts find it. The life of a timer:
//!
//! ```text
//!                insert                    deadline > elapsed
//!   unlinked ──────────────┬───────────────────────────────► in a slot ◄─┐ its slot is reached but the timer
//!      ▲ ▲                 │ deadline <= elapsed              or far    ─┘ is not due: to a lower level
//!      │ │ pop_due         ▼                                    │ │
//!      │ └──────────────  due ◄─────────────────────────────────┘ │
//!      │                   │        elapsed reaches it            │
//!      └───────────────────┴───── remove ─────────────────────────┘
//! ```
//!
//! # Why it is in order
//!
//! Where a node is depends on nothing but its deadline and `elapsed` (**Placed**, below). Nodes of equal
//! deadline are therefore always in the same list, whenever they were inserted. Insertion appends; when
//! `elapsed` moves into a slot, *all* its nodes are placed anew, first to last, into lists of lower levels, all
//! of which are empty then. So equal deadlines keep their order of insertion until they fire. The same holds
//! for the far list, and with no levels at all, when it is the only one.
//!
//! Of different deadlines, those in earlier slots fire earlier; those in the same slot get separated before
//! they fire. Only the `due` list can come to hold several deadlines in any order: those of timers that were
//! inserted when already overdue. These are put in behind the last one that is not later.
//!
//! # What it costs
//!
//! A node is unlinked by two stores; its slot's bit in the bitmap stays until the slot is found to be empty.
//! Each level remembers its earliest deadline, so that arming and firing near timers never looks at the far
//! ones. When the timer that defined it is removed, the first occupied slot is scanned, up to [`SCAN`] nodes
//! of it. If the slot is longer than that, its beginning serves as deadline: one early wake-up at most, per
//! slot and level, at which the slot is spread over the lower levels.
//!
//! `elapsed` does not walk from slot to slot: it jumps to the next deadline, or to `now` if that is earlier,
//! and only the slot it lands in is placed anew. A timer with nobody near it goes from its slot straight to
//! `due`. While the wheel is empty `elapsed` rests.
//!
//! Two things are not O(1). The far list is gone through as a whole when `elapsed` comes into the earliest
//! far timer's span of the top level, and when that timer is removed. Give the wheel enough levels that few
//! timers are far: each multiplies the span by its slots. 11 levels of 64 slots, or 16 of 16, leave none. With 4
//! levels of 16 the span is 65 536 ticks, with no level it is one tick, which is right for a handful of timers:
//! the list *is* the queue then. And an overdue timer is compared with those that are due as well, from the
//! back: one step if overdue timers are inserted in order of deadline, n steps in the worst case.
//!
//! # Invariants
//!
//! **Pinned**, **Linked**, **One owner** and **One thread** are those of the nodes, named in `list.rs`.
//! Memory safety further depends on
//!
//! - **Lent**: the slice given to [`attach`](SizedWheel::attach) outlives the wheel's use of it, and is this
//!   wheel's alone;
//! - **Slots**: a slot's number is below the number of slots of its level. It is made in `place`, by a mask, and
//!   kept in the level's bitmap;
//!
//! and the order of timers, but no more than that, on
//!
//! - **Placed**: each node is in the list that `place` would now put it into;
//! - **Advancing**: `elapsed` never decreases and never reaches [`NEVER`].

use core::cell::Cell;
use core::ptr::{self, NonNull};

mod level;
pub(super) mod list;
#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;

use level::Summary;
pub use level::{SLOTS, SizedLevel};
pub use list::TimerNode;
use list::{List, NodeRef};

/// The wheel of this target's size. See the [module](self).
pub type Wheel = SizedWheel<SLOTS>;

/// The level of this target's size: storage for a [`Wheel`].
pub type Level = SizedLevel<SLOTS>;

/// The deadline of a timer that never fires. It can be inserted and removed as any other.
pub const NEVER: u64 = u64::MAX;

/// How many nodes of a slot are looked at, at most, to find the earliest deadline among them.
///
/// Long enough to be exact in all but crowds, and short enough to be a constant: some 500 instructions.
pub const SCAN: usize = 64;

/// Instead of a level's number: the node is due.
const DUE: u32 = u32::MAX;

/// A timer wheel whose levels have `SLOTS` slots; use it as [`Wheel`].
///
/// A new one is all zero bytes and works: it keeps its timers in one list. [`attach`](Self::attach) gives it
/// levels. 56 bytes on 32-bit targets, 72 on 64-bit. Once it has had a timer, it must not be moved.
pub struct SizedWheel<const SLOTS: usize> {
    elapsed: Cell<u64>,
    levels: Cell<*const SizedLevel<SLOTS>>,
    level_count: Cell<u32>,
    /// One bit for each level that may have nodes, and the bit after them for `far`.
    occupied: Cell<u32>,
    /// Nodes with `deadline <= elapsed`, in order.
    due: List,
    /// Nodes that differ from `elapsed` above the top level, all in one slot.
    far: SizedLevel<1>,
}

/// The nodes that come first, when none is due: one slot of a level, or the far list.
struct First<'a> {
    level: u32,
    summary: &'a Summary,
    list: &'a List,
    /// The earliest deadline in the list, or a lower bound of it that lies in the same slot.
    earliest: u64,
}

/// A level, or the far list as a level of one slot.
struct Row<'a> {
    summary: &'a Summary,
    slots: &'a [List],
}

impl<const SLOTS: usize> SizedWheel<SLOTS> {
    const BITS: u32 = SizedLevel::<SLOTS>::BITS;

    /// An empty wheel at time 0, without levels.
    pub const fn new() -> Self {
        Self {
            elapsed: Cell::new(0),
            levels: Cell::new(ptr::null()),
            level_count: Cell::new(0),
            occupied: Cell::new(0),
            due: List::new(),
            far: SizedLevel::new(),
        }
    }

    /// Gives the wheel its levels, lowest first. More than cover all of time (11 of 64 slots, 16 of 16) are
    /// left unused.
    ///
    /// # Safety
    ///
    /// The wheel is empty. The levels are new and are used by no other wheel; they are neither moved,
    /// dropped nor borrowed mutably before the last use of this one (**Lent**).
    pub unsafe fn attach(&self, levels: &[SizedLevel<SLOTS>]) {
        debug_assert!(self.is_empty(), "levels given to a timer wheel that already has timers");
        let useful = u64::BITS.div_ceil(Self::BITS);
        self.levels.set(levels.as_ptr());
        self.level_count.set(levels.len().min(useful as usize) as u32);
    }

    /// The time up to which the wheel has turned, in ticks: not later than the latest `now` that it was told.
    pub fn elapsed(&self) -> u64 {
        self.elapsed.get()
    }

    /// Whether no timer is in the wheel, not even one that never fires.
    pub fn is_empty(&self) -> bool {
        self.due.first().is_none() && self.first().is_none()
    }

    /// Puts a node in, to be popped at `deadline` (in ticks), or at once if that is past already.
    ///
    /// To move a timer to another deadline, [`remove`](Self::remove) and insert it: it then queues behind
    /// those which already have that deadline.
    ///
    /// O(1). Only a node whose deadline lies before [`elapsed`](Self::elapsed) is compared with those that
    /// are due as well, from the last one to its place among them.
    ///
    /// # Safety
    ///
    /// The node is not linked (**One owner**). Until it is popped or removed it stays where it is, alive and
    /// never borrowed mutably, and so does the wheel, for the rest of its life (**Pinned**). `node` may be used
    /// to reach whatever the caller of [`pop_due`](Self::pop_due) will reach through it.
    pub unsafe fn insert(&self, node: NonNull<TimerNode>, deadline: u64) {
        // SAFETY: Pinned, by this function's contract.
        let node = unsafe { NodeRef::new(node) };
        debug_assert!(!node.is_linked(), "a timer node was inserted while it is in a wheel");
        node.set_deadline(deadline);
        self.place(node);
    }

    /// Takes a node out before it fires. Returns whether it was in the wheel; if not, nothing happens.
    ///
    /// # Safety
    ///
    /// `node` points to a live node, which is in this wheel or in none (**One owner**).
    pub unsafe fn remove(&self, node: NonNull<TimerNode>) -> bool {
        // SAFETY: alive by this function's contract, and Pinned if it is linked.
        let node = unsafe { NodeRef::new(node) };
        if !node.is_linked() {
            return false;
        }
        // SAFETY: just asked.
        unsafe { node.unlink() };
        let level = self.level_of(node.deadline());
        if level != DUE {
            self.row(level).summary.forget(node.deadline());
        }
        true
    }

    /// When the loop must next call [`pop_due`](Self::pop_due), in ticks; `None` if no timer will ever fire.
    ///
    /// Never later than the earliest deadline, and equal to it unless its slot was found to have more than
    /// [`SCAN`] nodes: then it may be the slot's beginning, once for each level at most. It can lie in the
    /// past.
    pub fn next_deadline(&self) -> Option<u64> {
        if let Some(node) = self.due.first() {
            return Some(node.deadline());
        }
        let First { earliest, .. } = self.first()?;
        (earliest != NEVER).then_some(earliest)
    }

    /// Pops the first timer, by (deadline, order of insertion), if its deadline is not later than `now`.
    ///
    /// To fire all that is due, call it until it returns `None`. Nodes may be inserted and removed between the
    /// calls: what is inserted with a deadline up to `now` comes out in the same series of calls, in its
    /// turn. Whoever inserts a due timer for each that is popped must therefore bound the series; the
    /// wheel itself does no unbounded work. If `now` lies before [`elapsed`](Self::elapsed), the latter counts.
    ///
    /// The result is the pointer that was given to [`insert`](Self::insert); its node is not linked any more.
    pub fn pop_due(&self, now: u64) -> Option<NonNull<TimerNode>> {
        let now = now.max(self.elapsed.get());
        loop {
            if let Some(node) = self.due.first() {
                // SAFETY: it is in `due`.
                unsafe { node.unlink() };
                return Some(node.as_ptr());
            }
            let first = self.first()?;
            if first.earliest == NEVER {
                return None; // And `elapsed` stays below it (Advancing).
            }
            if first.earliest <= now
                && let Some(node) = first.list.only()
                && node.deadline() == first.earliest
            {
                // Alone in its slot, as most are on a small machine: it need not go by way of `due`.
                self.elapsed.set(first.earliest);
                first.summary.earliest.set(Summary::UNKNOWN);
                // SAFETY: it is in the slot.
                unsafe { node.unlink() };
                return Some(node.as_ptr());
            }
            self.elapsed.set(first.earliest.min(now));
            // Is `elapsed` now outside the slot of the earliest node? (For `far`: outside its span of the top
            // level.) Then all is Placed: the digits that led to each node's level have not changed.
            if self.level_of(first.earliest) == first.level {
                return None;
            }
            // Otherwise the slot's nodes belong to lower levels, or are due.
            first.summary.earliest.set(Summary::UNKNOWN);
            first.list.drain(|node| self.place(node));
        }
    }

    /// Takes out any one timer, whenever it is due: for a loop that closes and must let go of all of them.
    pub fn pop_any(&self) -> Option<NonNull<TimerNode>> {
        let node = match self.due.first() {
            Some(node) => node,
            None => self.first()?.list.first()?,
        };
        // SAFETY: the node is in this wheel (One owner).
        unsafe { self.remove(node.as_ptr()) };
        Some(node.as_ptr())
    }

    /// Puts an unlinked node into the list where it belongs.
    fn place(&self, node: NodeRef) {
        let deadline = node.deadline();
        let level = self.level_of(deadline);
        let gap = if level == DUE {
            self.due.gap_for(deadline)
        } else {
            let row = self.row(level);
            let digit = (deadline >> (level * Self::BITS)) as usize;
            let slot = digit & (row.slots.len() - 1);
            self.occupied.set(self.occupied.get() | 1 << level);
            row.summary.occupy(slot, deadline);
            row.list(slot).back()
        };
        node.insert(gap);
    }

    /// The level of nodes with this deadline at the present `elapsed`: `level_count` means the far list.
    // A function of its own where code size counts more than speed.
    #[cfg_attr(target_pointer_width = "32", inline(never))]
    fn level_of(&self, deadline: u64) -> u32 {
        let elapsed = self.elapsed.get();
        if deadline <= elapsed {
            return DUE;
        }
        // The two differ, so the logarithm exists. The division is by a constant: a multiplication, or a shift.
        let level = (elapsed ^ deadline).ilog2() / Self::BITS;
        level.min(self.level_count.get())
    }

    /// The first occupied slot of the lowest occupied level.
    ///
    /// Forgets slots and levels that have become empty. Each was occupied by an insertion, which pays for this.
    fn first(&self) -> Option<First<'_>> {
        loop {
            let occupied = self.occupied.get();
            if occupied == 0 {
                return None;
            }
            let level = occupied.trailing_zeros();
            let row = self.row(level);
            let summary = row.summary;
            let list = row.list(summary.occupied.get().trailing_zeros() as usize);
            if let Some(node) = list.first() {
                if summary.earliest.get() == Summary::UNKNOWN {
                    let limit = if level < self.level_count.get() { SCAN } else { usize::MAX };
                    let width = level * Self::BITS;
                    let earliest =
                        list.earliest(limit).unwrap_or(node.deadline() >> width << width);
                    summary.earliest.set(earliest);
                }
                return Some(First { level, summary, list, earliest: summary.earliest.get() });
            }
            self.vacate(summary);
        }
    }

    /// Notes that the first slot of the lowest occupied level has lost its last node.
    fn vacate(&self, summary: &Summary) {
        let occupied = summary.occupied.get() & summary.occupied.get().wrapping_sub(1);
        summary.occupied.set(occupied);
        summary.earliest.set(Summary::UNKNOWN);
        if occupied == 0 {
            self.occupied.set(self.occupied.get() & self.occupied.get().wrapping_sub(1));
        }
    }

    /// One of the levels, or the far list.
    fn row(&self, level: u32) -> Row<'_> {
        if level < self.level_count.get() {
            // SAFETY: Lent, and the level is one of the `level_count` that were.
            let SizedLevel { summary, slots } = unsafe { &*self.levels.get().add(level as usize) };
            Row { summary, slots }
        } else {
            Row { summary: &self.far.summary, slots: &self.far.slots }
        }
    }
}

impl<'a> Row<'a> {
    /// One of the slots.
    fn list(&self, slot: usize) -> &'a List {
        debug_assert!(slot < self.slots.len());
        // SAFETY: Slots: a number of a slot is made by `place`, or found in the bitmap that `place` made.
        unsafe { self.slots.get_unchecked(slot) }
    }
}

impl<const SLOTS: usize> Default for SizedWheel<SLOTS> {
    fn default() -> Self {
        Self::new()
    }
}
