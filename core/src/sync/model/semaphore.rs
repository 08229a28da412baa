//! The semaphore, with and without a bound.

extern crate std;

use super::{SLOTS, Waiting};
use crate::sync::{BoundedSemaphore, Permit, ReleasedTooOften};
use core::task::Poll;
use proptest::prelude::*;
use std::collections::VecDeque;
use std::vec::Vec;

const BOUND: usize = 3;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Begins to acquire so many, or polls one that waits already.
    Acquire(usize, usize),
    TryAcquire(usize, usize),
    /// Drops a wait or a permit.
    Drop(usize),
    Forget(usize),
    Release,
}

fn step() -> impl Strategy<Value = Step> {
    let (slot, count) = (0..SLOTS, 1..=BOUND);
    prop_oneof![
        6 => (slot.clone(), count.clone()).prop_map(|(slot, count)| Step::Acquire(slot, count)),
        1 => (slot.clone(), count).prop_map(|(slot, count)| Step::TryAcquire(slot, count)),
        4 => slot.clone().prop_map(Step::Drop),
        1 => slot.prop_map(Step::Forget),
        1 => Just(Step::Release),
    ]
}

struct Model {
    permits: usize,
    forgotten: usize,
    /// Who was granted permits and has not resumed, and how many.
    granted: Vec<(usize, usize)>,
    queue: VecDeque<(usize, usize)>,
}

impl Model {
    fn has_for(&self, count: usize) -> bool {
        self.granted.is_empty() && self.queue.is_empty() && self.permits >= count
    }

    fn grant(&mut self) {
        while let Some(&(slot, count)) = self.queue.front()
            && count <= self.permits
        {
            self.queue.pop_front();
            self.permits -= count;
            self.granted.push((slot, count));
        }
    }

    fn release(&mut self, count: usize) {
        self.permits += count;
        self.grant();
    }

    fn granted_to(&self, slot: usize) -> Option<usize> {
        self.granted.iter().position(|&(other, _)| other == slot)
    }
}

#[derive(Default)]
enum Slot<'a> {
    #[default]
    Idle,
    Waits(Waiting<'a, Permit<'a, BoundedSemaphore>>),
    Holds(Permit<'a, BoundedSemaphore>),
}

struct Run<'a> {
    semaphore: &'a BoundedSemaphore,
    slots: [Slot<'a>; SLOTS],
    model: Model,
}

impl Run<'_> {
    fn take(&mut self, step: Step) {
        let semaphore = self.semaphore;
        match step {
            Step::Acquire(slot, count) => {
                let expected = match &self.slots[slot] {
                    Slot::Holds(_) => return,
                    Slot::Idle => {
                        let acquire = semaphore.acquire_many(count).unwrap();
                        self.slots[slot] = Slot::Waits(Waiting::new(acquire));
                        let enough = self.model.has_for(count);
                        if enough {
                            self.model.permits -= count;
                        } else {
                            self.model.queue.push_back((slot, count));
                        }
                        enough
                    }
                    Slot::Waits(_) => self.model.granted_to(slot).is_some(),
                };
                assert_eq!(self.poll(slot), expected, "slot {slot}");
            }
            Step::TryAcquire(slot, count) => {
                if matches!(self.slots[slot], Slot::Idle) {
                    let permit = semaphore.try_acquire_many(count);
                    assert_eq!(permit.is_some(), self.model.has_for(count));
                    if let Some(permit) = permit {
                        self.slots[slot] = Slot::Holds(permit);
                        self.model.permits -= count;
                    }
                }
            }
            Step::Drop(slot) => match core::mem::take(&mut self.slots[slot]) {
                Slot::Idle => return,
                Slot::Holds(permit) => self.model.release(permit.count()),
                Slot::Waits(_) => match self.model.granted_to(slot) {
                    Some(at) => {
                        let (_, count) = self.model.granted.remove(at);
                        self.model.release(count);
                    }
                    None => {
                        self.model.queue.retain(|&(other, _)| other != slot);
                        self.model.grant();
                    }
                },
            },
            Step::Forget(slot) => {
                if let Slot::Holds(_) = self.slots[slot]
                    && let Slot::Holds(permit) = core::mem::take(&mut self.slots[slot])
                {
                    self.model.forgotten += permit.count();
                    permit.forget();
                }
            }
            Step::Release if self.model.forgotten == 0 => {
                assert_eq!(semaphore.release(), Err(ReleasedTooOften { bound: BOUND }));
            }
            Step::Release => {
                assert_eq!(semaphore.release(), Ok(()));
                self.model.forgotten -= 1;
                self.model.release(1);
            }
        }
        self.check();
    }

    /// Polls a wait, and says whether it has its permits now.
    fn poll(&mut self, slot: usize) -> bool {
        let Slot::Waits(waiting) = &mut self.slots[slot] else { return false };
        let Poll::Ready(permit) = waiting.poll() else { return false };
        self.slots[slot] = Slot::Holds(permit);
        if let Some(at) = self.model.granted_to(slot) {
            self.model.granted.remove(at);
            self.model.grant();
        }
        true
    }

    fn check(&self) {
        let Model { permits, forgotten, granted, queue } = &self.model;
        assert_eq!(self.semaphore.available_permits(), *permits);
        let waits = !granted.is_empty() || !queue.is_empty();
        assert_eq!(self.semaphore.locked(), *permits == 0 || waits);
        let mut all = permits + forgotten + granted.iter().map(|(_, count)| count).sum::<usize>();
        for (number, slot) in self.slots.iter().enumerate() {
            match slot {
                Slot::Idle => {}
                Slot::Holds(permit) => all += permit.count(),
                Slot::Waits(waiting) => {
                    let granted = self.model.granted_to(number).is_some();
                    assert_eq!(waiting.woken(), granted, "slot {number}");
                }
            }
        }
        assert_eq!(all, BOUND);
    }

    /// Lets everybody have them who waits, in order.
    fn finish(mut self) {
        let waiting: Vec<usize> =
            self.model.granted.iter().chain(&self.model.queue).map(|&(slot, _)| slot).collect();
        let mut served = Vec::new();
        for slot in 0..SLOTS {
            if let Slot::Holds(_) = self.slots[slot] {
                self.take(Step::Drop(slot));
            }
        }
        while self.model.forgotten > 0 {
            self.take(Step::Release);
        }
        while let Some(&(slot, _)) = self.model.granted.first() {
            assert!(self.poll(slot), "it was granted");
            served.push(slot);
            self.take(Step::Drop(slot));
        }
        assert_eq!(served, waiting);
        assert!(self.semaphore.try_acquire_many(BOUND).is_some());
    }
}

proptest! {
    #[test]
    fn the_semaphore_agrees_with_its_model(steps in prop::collection::vec(step(), 1..80)) {
        let semaphore = BoundedSemaphore::new(BOUND);
        let model =
            Model { permits: BOUND, forgotten: 0, granted: Vec::new(), queue: VecDeque::new() };
        let mut run = Run { semaphore: &semaphore, slots: Default::default(), model };
        steps.into_iter().for_each(|step| run.take(step));
        run.finish();
    }
}
