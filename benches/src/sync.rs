//! Scheduler-neutral primitives that every column runs unchanged, so that a
//! difference between two columns is a difference between two loops.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Wakes itself through the task waker, once.
#[derive(Default)]
pub struct SelfWake(bool);

impl Future for SelfWake {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0 {
            return Poll::Ready(());
        }
        self.0 = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Opens once `count` arrivals were seen.
pub struct Gate {
    left: Cell<usize>,
    waiter: RefCell<Option<Waker>>,
}

impl Gate {
    /// A gate that waits for `count` arrivals.
    pub fn new(count: usize) -> Rc<Self> {
        Rc::new(Gate { left: Cell::new(count), waiter: RefCell::new(None) })
    }

    /// Counts one arrival; the last one wakes the waiter.
    pub fn arrive(&self) {
        let left = self.left.get() - 1;
        self.left.set(left);
        if left == 0
            && let Some(waker) = self.waiter.borrow_mut().take()
        {
            waker.wake();
        }
    }

    /// Waits for the last arrival.
    pub async fn opened(&self) {
        poll_fn(|cx| {
            if self.left.get() == 0 {
                return Poll::Ready(());
            }
            *self.waiter.borrow_mut() = Some(cx.waker().clone());
            Poll::Pending
        })
        .await
    }
}

/// One-slot channel between two tasks of one thread.
pub struct Slot<T> {
    value: Cell<Option<T>>,
    reader: Cell<Option<Waker>>,
}

impl<T> Slot<T> {
    /// An empty slot.
    pub fn new() -> Rc<Self> {
        Rc::new(Slot { value: Cell::new(None), reader: Cell::new(None) })
    }

    /// Fills the slot and wakes its reader.
    pub fn put(&self, value: T) {
        self.value.set(Some(value));
        if let Some(waker) = self.reader.take() {
            waker.wake();
        }
    }

    /// Waits for a value and takes it out.
    pub async fn take(&self) -> T {
        poll_fn(|cx| match self.value.take() {
            Some(value) => Poll::Ready(value),
            None => {
                self.reader.set(Some(cx.waker().clone()));
                Poll::Pending
            }
        })
        .await
    }
}
