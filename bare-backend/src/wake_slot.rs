//! The place where a task leaves its waker for an interrupt handler.
//!
//! One slot is for one waiter: a reader, or a writer. The waker is taken out of the slot inside a critical
//! section and called outside of it, so that whatever the waker does (it may enter a critical section itself,
//! or wake a task that registers again at once) cannot dead-lock and does not lengthen interrupt latency.

use core::cell::Cell;
use core::task::Waker;
use critical_section::Mutex;

/// Room for one waker, shared by thread and interrupt handlers.
pub struct WakeSlot {
    waker: Mutex<Cell<Option<Waker>>>,
}

impl WakeSlot {
    /// An empty slot.
    pub const fn new() -> Self {
        Self { waker: Mutex::new(Cell::new(None)) }
    }

    /// Leaves `waker` to be called once by the next [`wake`](Self::wake), in place of an earlier one.
    ///
    /// What the waker waits for may have happened just before: look again after registering.
    pub fn register(&self, waker: &Waker) {
        let held = critical_section::with(|cs| self.waker.borrow(cs).take());
        let waker = match held {
            Some(held) if held.will_wake(waker) => held,
            _ => waker.clone(),
        };
        // An evicted waker is dropped here, after the critical section: a drop may free.
        let _evicted = critical_section::with(|cs| self.waker.borrow(cs).replace(Some(waker)));
    }

    /// Calls the waker that is in the slot, if there is one, and leaves the slot empty.
    pub fn wake(&self) {
        if let Some(waker) = critical_section::with(|cs| self.waker.borrow(cs).take()) {
            waker.wake();
        }
    }
}

impl Default for WakeSlot {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::Wake;

    #[derive(Default)]
    struct Count(AtomicU32);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_waker_is_called_once_and_the_last_one_counts() {
        let (first, second) = (Arc::new(Count::default()), Arc::new(Count::default()));
        let slot = WakeSlot::new();
        slot.wake();
        slot.register(&first.clone().into());
        slot.register(&second.clone().into());
        slot.register(&second.clone().into());
        slot.wake();
        slot.wake();
        assert_eq!(first.0.load(Ordering::Relaxed), 0);
        assert_eq!(second.0.load(Ordering::Relaxed), 1);
        assert_eq!(Arc::strong_count(&first), 1, "an evicted waker is dropped");
    }
}
