//! Tasks that wait for one direction of a descriptor, each for its next event only.

use core::cell::{Cell, RefCell};
use core::task::Waker;

/// A place among those who wait; none is given out twice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Ticket(u64);

/// Those who wait, in order of arrival.
///
/// Wakers are users' code: none is cloned, called or dropped while the list is borrowed.
pub(crate) struct Waiters {
    waiting: RefCell<Vec<(Ticket, Waker)>>,
    next: Cell<u64>,
}

impl Waiters {
    pub(crate) const fn new() -> Waiters {
        Waiters { waiting: RefCell::new(Vec::new()), next: Cell::new(0) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.borrow().is_empty()
    }

    /// Takes a place.
    pub(crate) fn join(&self, waker: &Waker) -> Ticket {
        let ticket = Ticket(self.next.get());
        self.next.set(ticket.0.wrapping_add(1));
        let waker = waker.clone();
        self.waiting.borrow_mut().push((ticket, waker));
        ticket
    }

    /// Has `waker` called instead of the one before; false when that was called already.
    pub(crate) fn still_waits(&self, ticket: Ticket, waker: &Waker) -> bool {
        let Some((place, same)) = self.look(ticket, waker) else { return false };
        if !same {
            let waker = waker.clone();
            // Cloning may have woken: then the place is another's.
            let mut waiting = self.waiting.borrow_mut();
            let Some((_ticket, kept)) = waiting.get_mut(place).filter(|(its, _)| *its == ticket)
            else {
                return false;
            };
            let former = core::mem::replace(kept, waker);
            drop(waiting);
            drop(former);
        }
        true
    }

    /// Where `ticket` is, and whether its waker is as good as `waker`.
    fn look(&self, ticket: Ticket, waker: &Waker) -> Option<(usize, bool)> {
        let waiting = self.waiting.borrow();
        let place = waiting.iter().position(|(its, _waker)| *its == ticket)?;
        Some((place, waiting[place].1.will_wake(waker)))
    }

    /// Gives the place up, if it is still there.
    pub(crate) fn leave(&self, ticket: Ticket) {
        let mut waiting = self.waiting.borrow_mut();
        if let Some(place) = waiting.iter().position(|(its, _waker)| *its == ticket) {
            let left = waiting.remove(place);
            drop(waiting);
            drop(left);
        }
    }

    /// Wakes all, who then have no place any more.
    pub(crate) fn wake_all(&self) {
        let all = self.waiting.take();
        for (_ticket, waker) in all {
            waker.wake();
        }
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
    fn each_waits_for_one_event_and_may_leave_before() {
        let waiters = Waiters::new();
        let counts = [(); 3].map(|()| Arc::new(Count::default()));
        let [one, two, other] = counts.clone().map(Waker::from);
        let (first, second) = (waiters.join(&one), waiters.join(&two));
        assert!(waiters.still_waits(first, &other));
        waiters.leave(second);
        waiters.leave(second);
        assert!(!waiters.still_waits(second, &two));
        waiters.wake_all();
        waiters.wake_all();
        assert!(!waiters.still_waits(first, &other) && waiters.is_empty());
        let woken = counts.map(|count| count.0.load(Ordering::Relaxed));
        assert_eq!(woken, [0, 0, 1]);
    }
}
