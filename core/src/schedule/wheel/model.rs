//! The wheel against a model that cannot be wrong: a sorted set of (deadline, number).

extern crate std;

use std::collections::BTreeSet;
use std::vec::Vec;

use proptest::prelude::*;

use super::tests::{Harness, Timers};
use super::{NEVER, SCAN};

/// One thing that a program does with its timers.
#[derive(Clone, Debug)]
enum Step {
    Insert(When),
    /// Inserts several with one deadline, up to the run's size of a crowd.
    InsertCrowd(When, prop::sample::Index),
    /// Cancels the nth of the pending timers, counted modulo their number.
    Cancel(prop::sample::Index),
    /// Cancels the timer that defines the next deadline.
    CancelFirst,
    /// Lets time pass and pops what is due, at most this many, so that a drain may be left half done.
    Advance(When, usize),
    /// Sleeps until the next deadline, as the loop does, and pops what is due.
    Sleep,
}

/// A point in time, relative to the clock of the run.
#[derive(Clone, Copy, Debug)]
enum When {
    /// Ticks from now, of any magnitude.
    In(u64),
    Ago(u64),
    /// A multiple of this power of two, rounded up from now: the borders of slots and levels.
    NextMultipleOf(u32),
    /// Ticks before the end of time.
    BeforeNever(u64),
    /// A fixed point, so that equal deadlines meet that were inserted at different times.
    At(u64),
}

impl When {
    fn from(self, now: u64) -> u64 {
        match self {
            When::In(ticks) => now.saturating_add(ticks),
            When::Ago(ticks) => now.saturating_sub(ticks),
            When::NextMultipleOf(power) => {
                now.checked_next_multiple_of(1 << power).unwrap_or(NEVER)
            }
            When::BeforeNever(ticks) => NEVER - ticks,
            When::At(tick) => tick,
        }
    }
}

/// A number whose magnitude, not its value, is uniform.
fn magnitude(bits: u32) -> impl Strategy<Value = u64> {
    (0..=bits, any::<u64>())
        .prop_map(|(bits, random)| random & (1_u64 << bits).wrapping_sub(1) | 1_u64 << bits >> 1)
}

fn when() -> impl Strategy<Value = When> {
    prop_oneof![
        6 => (0_u64..200).prop_map(When::In),
        6 => magnitude(63).prop_map(When::In),
        3 => magnitude(40).prop_map(When::Ago),
        2 => (0_u32..64).prop_map(When::NextMultipleOf),
        1 => magnitude(20).prop_map(When::BeforeNever),
        1 => Just(When::BeforeNever(0)),
        4 => prop::sample::select(&[100, 4_096, 65_536, 70_000, 1 << 24, 1 << 40][..]).prop_map(When::At),
    ]
}

/// How far the clock moves: mostly little, now and then across many levels, rarely to the end of time.
fn pause() -> impl Strategy<Value = When> {
    prop_oneof![
        8 => (0_u64..300).prop_map(When::In),
        8 => magnitude(20).prop_map(When::In),
        4 => magnitude(50).prop_map(When::In),
        4 => (0_u32..50).prop_map(When::NextMultipleOf),
        1 => magnitude(63).prop_map(When::In),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        10 => when().prop_map(Step::Insert),
        1 => (when(), any::<prop::sample::Index>()).prop_map(|(when, count)| Step::InsertCrowd(when, count)),
        4 => any::<prop::sample::Index>().prop_map(Step::Cancel),
        2 => Just(Step::CancelFirst),
        3 => (pause(), prop_oneof![3 => Just(usize::MAX), 1 => 0_usize..4]).prop_map(|(p, most)| Step::Advance(p, most)),
        3 => Just(Step::Sleep),
    ]
}

/// A wheel and its model, going through the same steps.
struct Run<const SLOTS: usize> {
    timers: Harness<SLOTS>,
    pending: BTreeSet<(u64, usize)>,
    now: u64,
    crowd: usize,
    /// Whether so many were pending, at some time, that a slot may have been too long to look through.
    crowded: bool,
}

impl<const SLOTS: usize> Run<SLOTS> {
    fn take(&mut self, step: &Step) {
        match *step {
            Step::Insert(when) => self.insert(when),
            Step::InsertCrowd(when, count) => {
                (0..=count.index(self.crowd)).for_each(|_| self.insert(when))
            }
            Step::Cancel(_) | Step::CancelFirst if self.pending.is_empty() => {}
            Step::Cancel(index) => {
                let &timer = self.pending.iter().nth(index.index(self.pending.len())).unwrap();
                self.cancel(timer);
            }
            Step::CancelFirst => {
                let &timer = self.pending.first().unwrap();
                self.cancel(timer);
            }
            Step::Advance(pause, most) => {
                self.now = pause.from(self.now);
                self.drain(most);
            }
            Step::Sleep => self.sleep(),
        }
        self.check();
    }

    fn insert(&mut self, when: When) {
        let deadline = when.from(self.now);
        let id = self.timers.insert(deadline);
        self.pending.insert((deadline, id));
        self.crowded |= self.pending.len() > SCAN;
    }

    fn cancel(&mut self, timer: (u64, usize)) {
        assert!(self.timers.remove(timer.1));
        assert!(!self.timers.remove(timer.1));
        self.pending.remove(&timer);
    }

    fn drain(&mut self, most: usize) {
        for _ in 0..most {
            let due = self
                .pending
                .first()
                .copied()
                .filter(|&(deadline, _)| deadline <= self.now && deadline != NEVER);
            assert_eq!(self.timers.pop_due(self.now), due.map(|(_, id)| id), "at {}", self.now);
            let Some(due) = due else { break };
            self.pending.remove(&due);
        }
    }

    /// At most one wake-up per level is early, then something fires.
    fn sleep(&mut self) {
        let mut early = 0;
        while let Some(deadline) = self.timers.next_deadline() {
            self.now = self.now.max(deadline);
            let before = self.pending.len();
            self.drain(usize::MAX);
            if self.pending.len() < before {
                return;
            }
            early += 1;
            assert!(
                early <= self.timers.levels(),
                "the loop is woken for nothing, again and again"
            );
        }
    }

    fn check(&self) {
        assert_eq!(self.timers.is_empty(), self.pending.is_empty());
        let first = self
            .pending
            .first()
            .map(|&(deadline, _)| deadline)
            .filter(|&deadline| deadline != NEVER);
        let next = self.timers.next_deadline();
        if !self.crowded {
            assert_eq!(next, first, "no slot is long, so the deadline must be exact");
        } else if let Some(first) = first {
            assert!(next.is_some_and(|next| next <= first), "{next:?} is later than {first}");
        }
    }
}

fn run<const SLOTS: usize>(levels: usize, crowd: usize, steps: &[Step]) {
    let mut run = Run::<SLOTS> {
        timers: Harness::new(levels),
        pending: BTreeSet::new(),
        now: 0,
        crowd,
        crowded: false,
    };
    steps.iter().for_each(|step| run.take(step));
    // And all that is left comes out in order.
    run.now = NEVER;
    run.drain(usize::MAX);
    let left: Vec<_> = run.pending.iter().map(|&(deadline, _)| deadline).collect();
    assert!(left.iter().all(|&deadline| deadline == NEVER));
}

proptest! {
    #[test]
    fn agrees_with_the_model_on_16_slots(
        levels in prop::sample::select(&[0_usize, 1, 2, 4, 11, 16][..]),
        crowd in prop::sample::select(&[3_usize, 100][..]),
        steps in prop::collection::vec(step(), 1..200),
    ) {
        run::<16>(levels, crowd, &steps);
    }

    #[test]
    fn agrees_with_the_model_on_64_slots(
        levels in prop::sample::select(&[0_usize, 1, 2, 4, 11][..]),
        crowd in prop::sample::select(&[3_usize, 100][..]),
        steps in prop::collection::vec(step(), 1..200),
    ) {
        run::<64>(levels, crowd, &steps);
    }
}
