//! The lock.

extern crate std;

use super::{SLOTS, Waiting};
use crate::sync::{Lock, LockGuard, ReleaseError};
use core::task::Poll;
use proptest::prelude::*;
use std::collections::VecDeque;
use std::vec::Vec;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Begins to acquire, or polls one that waits already.
    Acquire(usize),
    TryAcquire(usize),
    /// Drops a wait or a guard.
    Drop(usize),
    Forget(usize),
    Release,
}

fn step() -> impl Strategy<Value = Step> {
    let slot = 0..SLOTS;
    prop_oneof![
        6 => slot.clone().prop_map(Step::Acquire),
        1 => slot.clone().prop_map(Step::TryAcquire),
        4 => slot.clone().prop_map(Step::Drop),
        1 => slot.prop_map(Step::Forget),
        1 => Just(Step::Release),
    ]
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Holder {
    Guard(usize),
    Nobody,
    /// It was forgotten.
    Kept,
}

struct Model {
    holder: Holder,
    promised: Option<usize>,
    queue: VecDeque<usize>,
}

impl Model {
    fn free(&self) -> bool {
        self.holder == Holder::Nobody && self.promised.is_none() && self.queue.is_empty()
    }

    fn released(&mut self) {
        self.holder = Holder::Nobody;
        self.promised = self.queue.pop_front();
    }

    fn waits(&self, slot: usize) -> bool {
        self.promised == Some(slot) || self.queue.contains(&slot)
    }
}

#[derive(Default)]
enum Slot<'a> {
    #[default]
    Idle,
    Waits(Waiting<'a, LockGuard<'a, u32>>),
    Holds(LockGuard<'a, u32>),
}

struct Run<'a> {
    lock: &'a Lock<u32>,
    slots: [Slot<'a>; SLOTS],
    model: Model,
}

impl<'a> Run<'a> {
    fn take(&mut self, step: Step) {
        let lock = self.lock;
        match step {
            Step::Acquire(slot) => {
                let expected = match &self.slots[slot] {
                    Slot::Holds(_) => return,
                    Slot::Idle => {
                        self.slots[slot] = Slot::Waits(Waiting::new(lock.acquire()));
                        let free = self.model.free();
                        if !free {
                            self.model.queue.push_back(slot);
                        }
                        free
                    }
                    Slot::Waits(_) => self.model.promised == Some(slot),
                };
                assert_eq!(self.poll(slot), expected, "slot {slot}");
            }
            Step::TryAcquire(slot) => {
                if matches!(self.slots[slot], Slot::Idle) {
                    let guard = lock.try_acquire();
                    assert_eq!(guard.is_some(), self.model.free());
                    if let Some(guard) = guard {
                        self.slots[slot] = Slot::Holds(guard);
                        self.model.holder = Holder::Guard(slot);
                    }
                }
            }
            Step::Drop(slot) => {
                match core::mem::take(&mut self.slots[slot]) {
                    Slot::Idle => return,
                    Slot::Waits(_) | Slot::Holds(_) => {}
                }
                if self.model.holder == Holder::Guard(slot) {
                    self.model.released();
                } else if self.model.promised == Some(slot) {
                    self.model.promised = self.model.queue.pop_front();
                } else {
                    self.model.queue.retain(|&other| other != slot);
                }
            }
            Step::Forget(slot) => {
                if let Slot::Holds(_) = self.slots[slot]
                    && let Slot::Holds(guard) = core::mem::take(&mut self.slots[slot])
                {
                    LockGuard::forget(guard);
                    self.model.holder = Holder::Kept;
                }
            }
            Step::Release => {
                let expected = match self.model.holder {
                    Holder::Kept => Ok(()),
                    Holder::Guard(_) => Err(ReleaseError::Guarded),
                    Holder::Nobody => Err(ReleaseError::NotAcquired),
                };
                assert_eq!(lock.release(), expected);
                if expected.is_ok() {
                    self.model.released();
                }
            }
        }
        self.check();
    }

    /// Polls a wait, and says whether it has the lock now.
    fn poll(&mut self, slot: usize) -> bool {
        let Slot::Waits(waiting) = &mut self.slots[slot] else { return false };
        let Poll::Ready(mut guard) = waiting.poll() else { return false };
        *guard += 1;
        self.slots[slot] = Slot::Holds(guard);
        self.model.holder = Holder::Guard(slot);
        if self.model.promised == Some(slot) {
            self.model.promised = None;
        }
        true
    }

    fn check(&self) {
        assert_eq!(self.lock.locked(), self.model.holder != Holder::Nobody);
        for (number, slot) in self.slots.iter().enumerate() {
            if let Slot::Waits(waiting) = slot {
                assert!(self.model.waits(number));
                assert_eq!(waiting.woken(), self.model.promised == Some(number), "slot {number}");
            }
        }
    }

    /// Lets everybody have it who waits, in order.
    fn finish(mut self) {
        let expected: Vec<usize> =
            self.model.promised.iter().chain(&self.model.queue).copied().collect();
        let mut served = Vec::new();
        match self.model.holder {
            Holder::Guard(slot) => self.take(Step::Drop(slot)),
            Holder::Kept => self.take(Step::Release),
            Holder::Nobody => {}
        }
        while let Some(slot) =
            self.slots.iter().position(|slot| matches!(slot, Slot::Waits(it) if it.woken()))
        {
            assert!(self.poll(slot));
            served.push(slot);
            self.take(Step::Drop(slot));
        }
        assert_eq!(served, expected);
        assert!(self.lock.try_acquire().is_some());
    }
}

proptest! {
    #[test]
    fn the_lock_agrees_with_its_model(steps in prop::collection::vec(step(), 1..80)) {
        let lock = Lock::with_value(0);
        let model = Model { holder: Holder::Nobody, promised: None, queue: VecDeque::new() };
        let mut run = Run { lock: &lock, slots: Default::default(), model };
        steps.into_iter().for_each(|step| run.take(step));
        run.finish();
    }
}
