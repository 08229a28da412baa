//! The barrier.

extern crate std;

use super::{SLOTS, Waiting};
use crate::sync::{Barrier, BrokenBarrier};
use core::task::Poll;
use proptest::prelude::*;
use std::collections::VecDeque;
use std::vec::Vec;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Comes, or polls one that waits already.
    Wait(usize),
    Drop(usize),
    Reset,
    Abort,
}

fn step() -> impl Strategy<Value = Step> {
    let slot = 0..SLOTS;
    prop_oneof![
        12 => slot.clone().prop_map(Step::Wait),
        3 => slot.prop_map(Step::Drop),
        1 => Just(Step::Reset),
        1 => Just(Step::Abort),
    ]
}

/// Four lists and two flags say it all.
#[derive(Default)]
struct Model {
    parties: usize,
    /// They wait for the others.
    filling: Vec<usize>,
    /// They passed as number so-and-so, unless the barrier fails them yet.
    passed: Vec<(usize, usize)>,
    /// They will fail.
    failed: Vec<usize>,
    /// They wait for those of `passed` and `failed`.
    held_back: VecDeque<usize>,
    /// They were held back when the barrier broke.
    turned_away: Vec<usize>,
    broken: bool,
    resetting: bool,
}

impl Model {
    fn busy(&self) -> bool {
        !self.passed.is_empty() || self.resetting
    }

    /// Comes; the result, if it is known at once.
    fn come(&mut self, slot: usize) -> Poll<Result<usize, BrokenBarrier>> {
        if self.broken {
            return Poll::Ready(Err(BrokenBarrier));
        }
        if self.busy() {
            self.held_back.push_back(slot);
            return Poll::Pending;
        }
        self.filling.push(slot);
        if self.filling.len() < self.parties {
            return Poll::Pending;
        }
        self.complete();
        self.passed.pop();
        self.settle();
        Poll::Ready(Ok(self.parties - 1))
    }

    fn complete(&mut self) {
        self.passed = self.filling.drain(..).enumerate().map(|(at, slot)| (slot, at)).collect();
    }

    /// Resumes; the result, if it is known.
    fn resume(&mut self, slot: usize) -> Poll<Result<usize, BrokenBarrier>> {
        let index = self.passed.iter().find(|it| it.0 == slot).map(|it| it.1);
        let fails = self.failed.contains(&slot) || self.turned_away.contains(&slot);
        match (index, fails) {
            (None, false) => return Poll::Pending,
            _ => self.remove(slot),
        }
        Poll::Ready(index.ok_or(BrokenBarrier))
    }

    fn remove(&mut self, slot: usize) {
        self.filling.retain(|&it| it != slot);
        self.passed.retain(|it| it.0 != slot);
        self.failed.retain(|&it| it != slot);
        self.held_back.retain(|&it| it != slot);
        self.turned_away.retain(|&it| it != slot);
        self.settle();
    }

    /// Lets those in who were held back, when all are gone.
    fn settle(&mut self) {
        if self.broken || !self.passed.is_empty() || !self.failed.is_empty() {
            return;
        }
        self.resetting = false;
        while let Some(slot) = self.held_back.pop_front() {
            self.filling.push(slot);
            if self.filling.len() == self.parties {
                return self.complete();
            }
        }
    }

    fn fail_all(&mut self) {
        self.failed.append(&mut self.filling);
        self.failed.extend(self.passed.drain(..).map(|it| it.0));
    }

    fn reset(&mut self) {
        self.fail_all();
        self.broken = false;
        self.resetting = !self.failed.is_empty();
    }

    fn abort(&mut self) {
        self.fail_all();
        self.turned_away.extend(self.held_back.drain(..));
        self.broken = true;
        self.resetting = false;
    }

    fn wakes(&self, slot: usize) -> bool {
        self.passed.iter().any(|it| it.0 == slot)
            || self.failed.contains(&slot)
            || self.turned_away.contains(&slot)
    }
}

struct Run<'a> {
    barrier: &'a Barrier,
    slots: [Option<Waiting<'a, Result<usize, BrokenBarrier>>>; SLOTS],
    model: Model,
}

impl Run<'_> {
    fn take(&mut self, step: Step) {
        let barrier = self.barrier;
        match step {
            Step::Wait(slot) => {
                let expected = match &self.slots[slot] {
                    None => self.model.come(slot),
                    Some(_) => self.model.resume(slot),
                };
                let waiting = self.slots[slot].get_or_insert_with(|| Waiting::new(barrier.wait()));
                let polled = waiting.poll();
                assert_eq!(polled, expected, "slot {slot}");
                if polled.is_ready() {
                    self.slots[slot] = None;
                }
            }
            Step::Drop(slot) => {
                if self.slots[slot].take().is_some() {
                    self.model.remove(slot);
                }
            }
            Step::Reset => {
                barrier.reset();
                self.model.reset();
            }
            Step::Abort => {
                barrier.abort();
                self.model.abort();
            }
        }
        self.check();
    }

    fn check(&self) {
        assert_eq!(self.barrier.broken(), self.model.broken);
        let filling = if self.model.busy() { 0 } else { self.model.filling.len() };
        assert_eq!(self.barrier.n_waiting(), filling);
        for (number, slot) in self.slots.iter().enumerate() {
            if let Some(waiting) = slot {
                assert_eq!(waiting.woken(), self.model.wakes(number), "slot {number}");
            }
        }
    }

    /// Polls those who are woken, until nobody is left but an incomplete round.
    fn finish(mut self) {
        while let Some(slot) =
            self.slots.iter().position(|slot| slot.as_ref().is_some_and(Waiting::woken))
        {
            self.take(Step::Wait(slot));
        }
        let left = self.slots.iter().flatten().count();
        assert_eq!(left, self.barrier.n_waiting());
        assert!(left < self.barrier.parties());
    }
}

proptest! {
    #[test]
    fn the_barrier_agrees_with_its_model(
        parties in 1_usize..4,
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let barrier = Barrier::new(parties).unwrap();
        let model = Model { parties, ..Model::default() };
        let mut run = Run { barrier: &barrier, slots: Default::default(), model };
        steps.into_iter().for_each(|step| run.take(step));
        run.finish();
    }
}
