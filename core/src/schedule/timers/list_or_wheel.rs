//! One sorted list, until the program brings a wheel; then the list is its
//! forecourt.
//!
//! ```text
//!                 next
//!   list           │  wheel
//!       a ≤ b      │  all others, none before `next`
//! ```
//!
//! With a wheel the list has the first timers, one or two of them, and so a
//! task that sleeps for a short time, as most do, never gets to the wheel: arming
//! and firing cost the same few steps however many sleep longer. A timer that
//! is before `next` goes into the list; if they are three then, the last one
//! (with those of the same deadline) moves to the wheel and is the new `next`.
//!
//! A timer is taken out by unlinking it, wherever it is. A wheel is not told: it
//! may keep the deadline of a cancelled timer until that slot is looked at,
//! which costs one early wake-up at most.
//!
//! # Invariants
//!
//! * **Sorted**: the list is in order of deadline and, where that is equal, of
//!   insertion. Without a wheel every timer is in it.
//! * **Behind**: no timer in the wheel is before `next`, and all in the list are.
//! * **Given**: a wheel store that a loop has was given to `set_wheel`, which
//!   filled in its table of functions.

use crate::schedule::EventLoop;
use crate::schedule::wheel::list::{List, NodeRef};
use crate::schedule::wheel::{Level, NEVER, TimerNode, Wheel};
use crate::time::Instant;
use core::cell::Cell;
use core::ptr::NonNull;

pub(crate) struct Timers {
    list: List,
    wheel: Cell<Option<&'static Shared>>,
}

/// A timer wheel of `N` levels, for a `static`.
///
/// ```ignore
/// static WHEEL: WheelStore<6> = WheelStore::new();
/// LOOP.set_wheel(&WHEEL, 10);
/// ```
///
/// It serves one loop; loops that are given the same one fire each other's
/// timers.
#[repr(C)]
pub struct WheelStore<const N: usize> {
    shared: Shared,
    levels: [Level; N],
}

/// What the loop knows of a [`WheelStore`].
struct Shared {
    wheel: Wheel,
    /// *Behind*; in nanoseconds.
    next: Cell<u64>,
    functions: Cell<Option<&'static Functions>>,
    tick_shift: Cell<u8>,
}

/// The wheel's code, for the linker to leave out.
struct Functions {
    insert: unsafe fn(&Shared, &List, NodeRef, Instant),
    /// While the list is empty, as are the next two.
    next_deadline: fn(&Shared) -> Instant,
    pop_due: fn(&Shared, Instant) -> Option<NonNull<TimerNode>>,
    pop_any: fn(&Shared) -> Option<NonNull<TimerNode>>,
}

// SAFETY: where stores are used there is one thread of control, and
// interrupts do not touch timers.
unsafe impl<const N: usize> Sync for WheelStore<N> {}

impl<const N: usize> WheelStore<N> {
    /// A wheel without timers: all zero, for a static.
    pub const fn new() -> Self {
        WheelStore {
            shared: Shared {
                wheel: Wheel::new(),
                next: Cell::new(0),
                functions: Cell::new(None),
                tick_shift: Cell::new(0),
            },
            levels: [const { Level::new() }; N],
        }
    }
}

impl<const N: usize> Default for WheelStore<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl Shared {
    const FUNCTIONS: &'static Functions = &Functions {
        insert: Shared::insert,
        next_deadline: Shared::next_deadline,
        pop_due: Shared::pop_due,
        pop_any: |this| this.wheel.pop_any(),
    };

    /// # Safety
    ///
    /// The node is Pinned and in no list.
    unsafe fn insert(&self, list: &List, node: NodeRef, when: Instant) {
        let when = self.round_up(when.as_nanos());
        if when >= self.next.get() {
            // SAFETY: the caller's promise.
            return unsafe { self.insert_behind(node, when) };
        }
        node.set_deadline(when);
        node.insert(list.gap_from_front_for(when));
        // It had two nodes at most, so this is the last.
        if let Some(last) = list.third() {
            let next = last.deadline();
            self.next.set(next);
            // With it those before it that have the same deadline, or they would come to be behind it.
            while let Some(node) = list.first_not_before(next) {
                // SAFETY: it is in the list, and then in none.
                unsafe {
                    node.unlink();
                    self.insert_behind(node, next);
                }
            }
        }
    }

    /// Puts a node in the wheel.
    ///
    /// # Safety
    ///
    /// The node is Pinned and in no list.
    #[inline(never)]
    unsafe fn insert_behind(&self, node: NodeRef, when: u64) {
        let tick = if when == NEVER { NEVER } else { when >> self.tick_shift.get() };
        // SAFETY: the caller's promise.
        unsafe { self.wheel.insert(node.as_ptr(), tick) };
    }

    fn next_deadline(&self) -> Instant {
        if self.next.get() != NEVER {
            let tick = self.wheel.next_deadline().unwrap_or(NEVER);
            let shift = self.tick_shift.get();
            // Not a saturating multiplication: that needs 128 bits, and a
            // library function where there are none.
            let beyond = tick > NEVER >> shift;
            self.next.set(if beyond { NEVER } else { tick << shift });
        }
        Instant::from_nanos(self.next.get())
    }

    fn pop_due(&self, now: Instant) -> Option<NonNull<TimerNode>> {
        if now.as_nanos() < self.next.get() {
            return None;
        }
        let node = self.wheel.pop_due(now.as_nanos() >> self.tick_shift.get());
        self.next_deadline();
        node
    }

    /// The first nanosecond of a tick that is not before `when`.
    fn round_up(&self, when: u64) -> u64 {
        match self.tick_shift.get() {
            0 => when,
            shift => {
                let rest = (1u64 << shift) - 1;
                when.checked_add(rest).map_or(NEVER, |when| when & !rest)
            }
        }
    }

    #[inline]
    fn functions(&self) -> &'static Functions {
        // SAFETY: Given.
        unsafe { self.functions.get().unwrap_unchecked() }
    }
}

impl EventLoop {
    /// Gives the loop a timer wheel, before the first timer is set; later it
    /// does nothing.
    ///
    /// Without one every timer is in one list, which is best for a handful.
    /// A tick is 2^`tick_shift` nanoseconds: deadlines are rounded up to it,
    /// and it should be about what the clock can tell apart. N levels tell
    /// 16^N ticks apart on 32-bit targets, 64^N on others; what lies beyond
    /// waits in a list.
    pub fn set_wheel<const N: usize>(&self, store: &'static WheelStore<N>, tick_shift: u8) {
        let shared = &store.shared;
        if self.timers.is_empty() && shared.wheel.is_empty() {
            // SAFETY: no timer is set; a static's levels stay, and are its own.
            unsafe { shared.wheel.attach(&store.levels) };
            shared.next.set(NEVER);
            shared.tick_shift.set(tick_shift.min(63));
            shared.functions.set(Some(Shared::FUNCTIONS));
            self.timers.wheel.set(Some(shared));
        }
    }
}

impl Timers {
    pub(crate) const fn new() -> Timers {
        Timers { list: List::new(), wheel: Cell::new(None) }
    }

    /// Makes them usable.
    pub(crate) fn start(&self) {
        if self.list.first().is_none() {
            self.list.close();
        }
    }

    /// Whether none is set.
    pub(crate) fn is_empty(&self) -> bool {
        self.list.first().is_none() && self.wheel.get().is_none_or(|shared| shared.wheel.is_empty())
    }

    /// Puts a node in.
    ///
    /// # Safety
    ///
    /// It is in no loop's timers; until it is out of these it neither moves
    /// nor is freed, and the loop is a static.
    pub(crate) unsafe fn insert(&self, node: NonNull<TimerNode>, when: Instant) {
        // SAFETY: Pinned (wheel::list), by the caller's promise.
        let node = unsafe { NodeRef::new(node) };
        if let Some(shared) = self.wheel.get() {
            // SAFETY: the caller's promise.
            return unsafe { (shared.functions().insert)(shared, &self.list, node, when) };
        }
        node.set_deadline(when.as_nanos());
        node.insert(self.list.gap_for(when.as_nanos()));
    }

    /// Takes a node out, whichever loop's timers it is in.
    ///
    /// # Safety
    ///
    /// It is in one's.
    #[inline]
    pub(crate) unsafe fn remove(node: NonNull<TimerNode>) {
        // SAFETY: Pinned, and linked, by the caller's promise.
        unsafe { NodeRef::new(node).unlink() }
    }

    /// When the first is due; `FAR_FUTURE` when none ever will be. With a wheel
    /// it can be earlier than the first: see there.
    ///
    /// # Safety
    ///
    /// [`start`](Self::start) was called.
    #[inline]
    pub(crate) unsafe fn next_deadline(&self) -> Instant {
        // SAFETY: the caller's promise.
        if let Some(first) = unsafe { self.list.first_of_ring() } {
            return Instant::from_nanos(first.deadline());
        }
        match self.wheel.get() {
            Some(shared) => (shared.functions().next_deadline)(shared),
            None => Instant::FAR_FUTURE,
        }
    }

    /// Takes out the first, by (deadline, order of insertion), if it is due.
    ///
    /// # Safety
    ///
    /// [`start`](Self::start) was called.
    #[inline]
    pub(crate) unsafe fn pop_due(&self, now: Instant) -> Option<NonNull<TimerNode>> {
        // SAFETY: the caller's promise.
        let Some(first) = (unsafe { self.list.first_of_ring() }) else {
            let shared = self.wheel.get()?;
            return (shared.functions().pop_due)(shared, now);
        };
        if first.deadline() > now.as_nanos() {
            return None;
        }
        // SAFETY: it is in the list.
        unsafe { first.unlink() };
        Some(first.as_ptr())
    }

    /// Takes out any one.
    pub(crate) fn pop_any(&self) -> Option<NonNull<TimerNode>> {
        let Some(first) = self.list.first() else {
            let shared = self.wheel.get()?;
            return (shared.functions().pop_any)(shared);
        };
        // SAFETY: it is in the list.
        unsafe { first.unlink() };
        Some(first.as_ptr())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::boxed::Box;
    use std::vec::Vec;

    fn at(nanos: u64) -> Instant {
        Instant::from_nanos(nanos)
    }

    fn next(timers: &Timers) -> Instant {
        // SAFETY: each test starts its timers.
        unsafe { timers.next_deadline() }
    }

    fn pop(timers: &Timers, now: Instant) -> Option<NonNull<TimerNode>> {
        // SAFETY: each test starts its timers.
        unsafe { timers.pop_due(now) }
    }

    #[test]
    fn a_list_pops_by_deadline_and_then_by_order_of_insertion() {
        let timers = Timers::new();
        timers.start();
        let nodes = [const { TimerNode::new() }; 4];
        let nodes = nodes.each_ref().map(NonNull::from);
        for (node, when) in nodes.into_iter().zip([7, 3, 7, 3]) {
            // SAFETY: the nodes outlive the timers' use of them.
            unsafe { timers.insert(node, at(when)) };
        }
        assert_eq!(next(&timers), at(3));
        assert_eq!(pop(&timers, at(2)), None);
        assert_eq!(pop(&timers, at(9)), Some(nodes[1]));
        assert_eq!(pop(&timers, at(9)), Some(nodes[3]));
        assert_eq!(pop(&timers, at(9)), Some(nodes[0]));
        assert_eq!(pop(&timers, at(9)), Some(nodes[2]));
        assert!(timers.is_empty());
    }

    #[test]
    fn a_list_forgets_what_is_removed_and_does_not_wait_for_never() {
        let timers = Timers::new();
        timers.start();
        let nodes = [const { TimerNode::new() }; 2];
        let nodes = nodes.each_ref().map(NonNull::from);
        // SAFETY: the nodes outlive the timers' use of them.
        unsafe {
            timers.insert(nodes[0], at(1));
            timers.insert(nodes[1], Instant::FAR_FUTURE);
            Timers::remove(nodes[0]);
        }
        assert_eq!(next(&timers), Instant::FAR_FUTURE);
        assert_eq!(pop(&timers, at(u64::MAX - 1)), None);
        assert_eq!(timers.pop_any(), Some(nodes[1]));
        assert!(timers.is_empty());
    }

    /// With a wheel, what is popped and when must be as with one sorted list.
    #[test]
    fn a_wheel_behind_the_list_changes_no_order() {
        const COUNT: usize = 40;
        for (seed, tick_shift) in [(1, 0), (2, 0), (3, 4), (4, 10)] {
            let store: &'static WheelStore<3> = Box::leak(Box::new(WheelStore::new()));
            let event_loop: &'static EventLoop = Box::leak(Box::new(EventLoop::new()));
            let timers = &event_loop.timers;
            timers.start();
            event_loop.set_wheel(store, tick_shift);
            let nodes = [const { TimerNode::new() }; COUNT];
            let nodes = nodes.each_ref().map(NonNull::from);
            // (deadline, order of insertion, node)
            let mut expected = Vec::<(u64, u64, usize)>::new();
            let mut random = 0x9e37_79b9_7f4a_7c15_u64 ^ seed;
            let mut now = 0;
            for step in 0..20_000 {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                let nth = (random >> 8) as usize % COUNT;
                let spread = 1 << (4 + random % 24);
                match random >> 16 & 7 {
                    0..4 if !expected.iter().any(|timer| timer.2 == nth) => {
                        let when = now + (random >> 20) % spread;
                        // SAFETY: the nodes outlive the timers' use of them.
                        unsafe { timers.insert(nodes[nth], at(when)) };
                        expected.push((when.next_multiple_of(1 << tick_shift), step, nth));
                        expected.sort_unstable();
                    }
                    4 => {
                        if let Some(place) = expected.iter().position(|timer| timer.2 == nth) {
                            expected.remove(place);
                            // SAFETY: it is set, as the model says.
                            unsafe { Timers::remove(nodes[nth]) };
                        }
                    }
                    _ => {
                        now += (random >> 20) % spread;
                        let first = expected.first().map_or(u64::MAX, |timer| timer.0);
                        assert!(next(timers) <= at(first), "it would sleep too long");
                        while let Some(&(when, _, nth)) = expected.first()
                            && when <= now
                        {
                            expected.remove(0);
                            assert_eq!(pop(timers, at(now)), Some(nodes[nth]));
                        }
                        assert_eq!(pop(timers, at(now)), None);
                    }
                }
            }
            while timers.pop_any().is_some() {}
        }
    }
}
