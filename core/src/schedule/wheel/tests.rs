//! What the wheel promises, one case each. The harness at the end is shared with the model.

extern crate std;

use std::boxed::Box;
use std::vec::Vec;
use std::{ptr::NonNull, vec};

use super::{NEVER, SCAN, SizedLevel, SizedWheel, TimerNode};

const SECOND: u64 = 1_000_000_000;

/// Runs a case on wheels of every kind: no level, few, enough; slots as on 32-bit and on 64-bit targets.
fn on_every_wheel(case: impl Fn(&mut dyn Timers)) {
    for levels in [0, 1, 2, 4, 16] {
        case(&mut Harness::<16>::new(levels));
    }
    for levels in [0, 1, 2, 4, 11] {
        case(&mut Harness::<64>::new(levels));
    }
}

#[test]
fn a_new_wheel_is_empty_and_has_no_deadline() {
    on_every_wheel(|timers| {
        assert!(timers.is_empty());
        assert_eq!(timers.next_deadline(), None);
        assert_eq!(timers.fire(NEVER), []);
    });
}

#[test]
fn a_timer_fires_at_its_deadline_and_not_a_tick_early() {
    on_every_wheel(|timers| {
        for deadline in [1, 15, 16, 63, 64, 4095, 4096, 65_535, 65_536, 5 * SECOND, 1 << 60] {
            let timer = timers.insert(deadline);
            assert_eq!(timers.next_deadline(), Some(deadline));
            assert_eq!(timers.fire(deadline - 1), []);
            assert_eq!(timers.next_deadline(), Some(deadline));
            assert_eq!(timers.fire(deadline), [timer]);
            assert!(timers.is_empty());
        }
    });
}

#[test]
fn six_timers_with_one_deadline_fire_in_order_of_scheduling() {
    on_every_wheel(|timers| {
        for _ in 0..6 {
            timers.insert(5 * SECOND);
        }
        assert_eq!(timers.fire(7 * SECOND), [0, 1, 2, 3, 4, 5]);
    });
}

#[test]
fn equal_deadlines_stay_in_order_though_some_were_scheduled_closer_to_it() {
    on_every_wheel(|timers| {
        let deadline = 70_000;
        for now in [0, 10_000, 65_535, 65_536, 69_000, 69_990, 69_999] {
            assert_eq!(timers.fire(now), []);
            timers.insert(deadline);
        }
        assert_eq!(timers.fire(deadline), [0, 1, 2, 3, 4, 5, 6]);
    });
}

#[test]
fn a_jump_of_the_clock_fires_all_in_order_of_deadline() {
    on_every_wheel(|timers| {
        let deadlines = [3, 1 << 50, 17, 5_000, 4, 1 << 33, 65_537, 17];
        let _ids = deadlines.map(|deadline| timers.insert(deadline));
        assert_eq!(timers.fire(1 << 55), [0, 4, 2, 7, 3, 6, 5, 1]);
    });
}

#[test]
fn when_the_first_timer_is_cancelled_the_next_deadline_is_exactly_the_second() {
    on_every_wheel(|timers| {
        let first = timers.insert(5 * SECOND);
        let second = timers.insert(10 * SECOND);
        assert_eq!(timers.next_deadline(), Some(5 * SECOND));
        assert!(timers.remove(first));
        assert_eq!(timers.next_deadline(), Some(10 * SECOND));
        assert_eq!(timers.fire(10 * SECOND), [second]);
    });
}

#[test]
fn cancelling_first_last_middle_and_only_timers_of_a_slot_leaves_the_others() {
    on_every_wheel(|timers| {
        for cancelled in
            [&[0_usize][..], &[2], &[4], &[0, 1], &[3, 4], &[0, 2, 4], &[4, 3, 2, 1, 0]]
        {
            let deadline = timers.elapsed() + 100;
            let ids = [(); 5].map(|()| timers.insert(deadline));
            cancelled.iter().for_each(|&index| assert!(timers.remove(ids[index])));
            let left: Vec<_> =
                (0..5).filter(|index| !cancelled.contains(index)).map(|index| ids[index]).collect();
            assert_eq!(timers.fire(deadline), left);
        }
    });
}

#[test]
fn cancelling_twice_or_after_firing_does_nothing() {
    on_every_wheel(|timers| {
        let (cancelled, fired) = (timers.insert(9), timers.insert(9));
        assert!(timers.remove(cancelled));
        assert!(!timers.remove(cancelled));
        assert_eq!(timers.fire(9), [fired]);
        assert!(!timers.remove(fired));
        assert!(timers.is_empty());
    });
}

#[test]
fn timers_scheduled_for_the_past_are_due_at_once_in_order_of_deadline() {
    on_every_wheel(|timers| {
        timers.turn_to(1_000);
        let deadlines = [700, 1_000, 0, 1_001, 700, 999, 0, 300];
        let _ids = deadlines.map(|deadline| timers.insert(deadline));
        assert_eq!(timers.next_deadline(), Some(0));
        assert_eq!(timers.fire(1_000), [2, 6, 7, 0, 4, 5, 1]);
        assert_eq!(timers.next_deadline(), Some(1_001));
        assert_eq!(timers.fire(1_001), [3]);
    });
}

#[test]
fn an_overdue_timer_can_be_cancelled() {
    on_every_wheel(|timers| {
        timers.turn_to(1_000);
        let ids = [700, 600, 500].map(|deadline| timers.insert(deadline));
        assert!(timers.remove(ids[2]));
        assert_eq!(timers.next_deadline(), Some(600));
        assert!(timers.remove(ids[0]));
        assert_eq!(timers.fire(1_000), [ids[1]]);
    });
}

#[test]
fn timers_inserted_during_a_drain_come_out_in_their_turn() {
    on_every_wheel(|timers| {
        let (early, late) = (timers.insert(100), timers.insert(300));
        assert_eq!(timers.pop_due(1_000), Some(early));
        let between = timers.insert(200);
        let overdue = timers.insert(50);
        let future = timers.insert(1_001);
        let same = timers.insert(300);
        assert_eq!(timers.pop_due(1_000), Some(overdue));
        assert_eq!(timers.pop_due(1_000), Some(between));
        assert_eq!(timers.pop_due(1_000), Some(late));
        assert_eq!(timers.pop_due(1_000), Some(same));
        assert_eq!(timers.pop_due(1_000), None);
        assert_eq!(timers.next_deadline(), Some(1_001));
        assert_eq!(timers.fire(1_001), [future]);
    });
}

#[test]
fn timers_cancelled_during_a_drain_do_not_come_out() {
    on_every_wheel(|timers| {
        let ids = [100, 100, 100, 200, 5_000_000].map(|deadline| timers.insert(deadline));
        assert_eq!(timers.pop_due(NEVER), Some(ids[0]));
        assert!(timers.remove(ids[1]));
        assert!(timers.remove(ids[3]));
        assert_eq!(timers.fire(NEVER), [ids[2], ids[4]]);
    });
}

#[test]
fn never_does_not_come_and_the_tick_before_it_does() {
    on_every_wheel(|timers| {
        let never = timers.insert(NEVER);
        assert_eq!(timers.next_deadline(), None);
        let last = timers.insert(NEVER - 1);
        assert_eq!(timers.next_deadline(), Some(NEVER - 1));
        assert_eq!(timers.fire(NEVER), [last]);
        assert_eq!((timers.elapsed(), timers.next_deadline()), (NEVER - 1, None));
        let still_never = timers.insert(NEVER);
        assert_eq!(timers.fire(NEVER), []);
        assert!(!timers.is_empty());
        assert!(timers.remove(never));
        assert!(timers.remove(still_never));
        assert!(timers.is_empty());
    });
}

#[test]
fn a_clock_that_goes_backwards_neither_moves_the_wheel_back_nor_fires_early() {
    on_every_wheel(|timers| {
        timers.turn_to(1_000);
        let (due, future) = (timers.insert(900), timers.insert(1_001));
        assert_eq!(timers.fire(10), [due]);
        assert_eq!(timers.elapsed(), 1_000);
        assert_eq!(timers.fire(1_001), [future]);
    });
}

#[test]
fn the_next_deadline_is_exact_in_a_crowd_that_nobody_leaves() {
    on_every_wheel(|timers| {
        for start in [5 * SECOND, 50 * SECOND] {
            (0..2 * SCAN as u64).rev().for_each(|nth| _ = timers.insert(start + nth));
            assert_eq!(timers.next_deadline(), Some(start));
            assert_eq!(timers.fire(start + 2 * SCAN as u64).len(), 2 * SCAN);
        }
    });
}

#[test]
fn a_crowd_that_has_left_leaves_the_next_deadline_exact() {
    on_every_wheel(|timers| {
        let crowd: Vec<_> =
            (0..2 * SCAN as u64).map(|nth| timers.insert(5 * SECOND + nth)).collect();
        let later = timers.insert(10 * SECOND);
        for timer in crowd {
            assert!(timers.remove(timer));
            assert!(timers.next_deadline().is_some_and(|next| next <= 10 * SECOND));
        }
        assert_eq!(timers.next_deadline(), Some(10 * SECOND));
        assert_eq!(timers.fire(10 * SECOND), [later]);
    });
}

#[test]
fn a_crowded_slot_costs_one_early_wake_up_per_level_and_never_a_late_one() {
    on_every_wheel(|timers| {
        let crowd: Vec<_> =
            (0..2 * SCAN as u64).rev().map(|nth| timers.insert(5 * SECOND + nth)).collect();
        // Inserting knows the minimum; cancelling it makes the wheel look.
        assert!(timers.remove(*crowd.last().unwrap()));
        let mut early = 0;
        let fired = loop {
            let next = timers.next_deadline().unwrap();
            assert!(next <= 5 * SECOND + 1);
            match timers.fire(next)[..] {
                [] => early += 1,
                [fired] => break fired,
                _ => panic!("several timers with different deadlines fired at one tick"),
            }
        };
        assert_eq!(fired, crowd[crowd.len() - 2]);
        assert!(early <= timers.levels(), "{early} early wake-ups with {} levels", timers.levels());
    });
}

#[test]
fn near_timers_come_and_go_without_a_look_at_the_far_ones() {
    on_every_wheel(|timers| {
        let sleeper = timers.insert(60 * SECOND);
        for now in (0..1_000_u64).step_by(7) {
            timers.fire(now);
            timers.insert(now + 3);
            assert_eq!(timers.next_deadline(), Some(now + 3));
            assert_eq!(timers.fire(now + 3).len(), 1);
            assert_eq!(timers.next_deadline(), Some(60 * SECOND));
        }
        assert_eq!(timers.fire(60 * SECOND), [sleeper]);
    });
}

#[test]
fn sorting_many_overdue_timers_keeps_equal_ones_in_order() {
    on_every_wheel(|timers| {
        timers.turn_to(SECOND);
        for count in [1_u64, 2, 3, 5, 8, 31, 64, 257] {
            let mut expected: Vec<_> = (0..count)
                .map(|nth| nth * 7_919 % 31)
                .map(|deadline| (deadline, timers.insert(deadline)))
                .collect();
            expected.sort();
            let expected: Vec<_> = expected.into_iter().map(|(_, id)| id).collect();
            assert_eq!(timers.fire(SECOND), expected);
        }
    });
}

#[test]
fn a_closing_loop_can_take_out_every_timer() {
    on_every_wheel(|timers| {
        timers.turn_to(100);
        let _ids =
            [5, 100, 101, 50_000, 1 << 40, NEVER, 101].map(|deadline| timers.insert(deadline));
        let mut taken: Vec<_> = core::iter::from_fn(|| timers.pop_any()).collect();
        taken.sort();
        assert_eq!(taken, [0, 1, 2, 3, 4, 5, 6]);
        assert!(timers.is_empty());
        assert_eq!(timers.next_deadline(), None);
    });
}

#[test]
fn a_node_knows_whether_it_is_linked_and_keeps_its_deadline() {
    let node = TimerNode::new();
    let wheel = SizedWheel::<64>::new();
    assert!(!node.is_linked());
    // SAFETY: the node outlives its stay in the wheel, and is borrowed shared only.
    unsafe { wheel.insert(NonNull::from(&node), 77) };
    assert!(node.is_linked());
    assert_eq!(wheel.pop_due(77), Some(NonNull::from(&node)));
    assert!(!node.is_linked());
    assert_eq!(node.deadline(), 77);
}

#[test]
fn sizes_are_as_documented() {
    let expected = if cfg!(target_pointer_width = "64") { (24, 1040, 72) } else { (16, 144, 56) };
    assert_eq!(
        (size_of::<TimerNode>(), size_of::<super::Level>(), size_of::<super::Wheel>()),
        expected
    );
}

/// A wheel whose timers are called by number, in order of insertion.
pub(super) trait Timers {
    /// Inserts a timer and returns its number.
    fn insert(&mut self, deadline: u64) -> usize;
    fn remove(&mut self, id: usize) -> bool;
    fn next_deadline(&self) -> Option<u64>;
    fn pop_due(&self, now: u64) -> Option<usize>;
    fn pop_any(&self) -> Option<usize>;
    fn elapsed(&self) -> u64;
    fn is_empty(&self) -> bool;
    fn levels(&self) -> usize;
    /// Lets an extra timer without a number fire at `now`, before any other.
    fn turn_to(&self, now: u64);

    /// Pops all that is due.
    fn fire(&self, now: u64) -> Vec<usize> {
        let mut fired = vec![];
        while let Some(id) = self.pop_due(now) {
            fired.push(id);
        }
        fired
    }
}

#[repr(C)]
struct Entry {
    node: TimerNode,
    id: usize,
}

pub(super) struct Harness<const SLOTS: usize> {
    wheel: SizedWheel<SLOTS>,
    entries: Vec<NonNull<Entry>>,
    levels: Box<[SizedLevel<SLOTS>]>,
}

impl<const SLOTS: usize> Harness<SLOTS> {
    pub(super) fn new(levels: usize) -> Self {
        let wheel = SizedWheel::new();
        let levels: Box<[_]> = (0..levels).map(|_| SizedLevel::new()).collect();
        // SAFETY: both are new, and the levels are dropped together with the wheel.
        unsafe { wheel.attach(&levels) };
        Self { wheel, entries: vec![], levels }
    }

    fn id(node: NonNull<TimerNode>) -> usize {
        // SAFETY: `insert` gave the wheel a pointer to the whole entry, which lives as long as the harness.
        unsafe { node.cast::<Entry>().as_ref() }.id
    }
}

impl<const SLOTS: usize> Timers for Harness<SLOTS> {
    fn insert(&mut self, deadline: u64) -> usize {
        let id = self.entries.len();
        let entry = NonNull::from(Box::leak(Box::new(Entry { node: TimerNode::new(), id })));
        self.entries.push(entry);
        // SAFETY: Pinned: the entry is on the heap until the harness is dropped, and only ever shared.
        unsafe { self.wheel.insert(entry.cast(), deadline) };
        id
    }

    fn remove(&mut self, id: usize) -> bool {
        // SAFETY: the entry was inserted into this wheel, and is alive.
        unsafe { self.wheel.remove(self.entries[id].cast()) }
    }

    fn next_deadline(&self) -> Option<u64> {
        self.wheel.next_deadline()
    }

    fn pop_due(&self, now: u64) -> Option<usize> {
        self.wheel.pop_due(now).map(Self::id)
    }

    fn pop_any(&self) -> Option<usize> {
        self.wheel.pop_any().map(Self::id)
    }

    fn elapsed(&self) -> u64 {
        self.wheel.elapsed()
    }

    fn is_empty(&self) -> bool {
        self.wheel.is_empty()
    }

    fn turn_to(&self, now: u64) {
        let node = TimerNode::new();
        // SAFETY: the node outlives its stay in the wheel, and is borrowed shared only.
        unsafe { self.wheel.insert(NonNull::from(&node), now) };
        assert_eq!(self.wheel.pop_due(now), Some(NonNull::from(&node)));
        assert_eq!(self.wheel.elapsed(), now);
    }

    fn levels(&self) -> usize {
        self.levels.len()
    }
}

impl<const SLOTS: usize> Drop for Harness<SLOTS> {
    fn drop(&mut self) {
        while self.wheel.pop_any().is_some() {}
        for entry in self.entries.drain(..) {
            // SAFETY: it came out of a `Box`, and no list has it any more.
            drop(unsafe { Box::from_raw(entry.as_ptr()) });
        }
    }
}
