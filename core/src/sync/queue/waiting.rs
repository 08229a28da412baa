//! Waiting for room, for an item, and for all work to be done.

use super::error::{GetError, PutError};
use super::{Items, QueueOf};
use crate::sync::wait_list::Waiter;
use core::cell::Cell;
use core::future::Future;
use core::marker::PhantomPinned;
use core::pin::Pin;
use core::task::{Context, Poll};

/// The future of [`QueueOf::put`].
#[must_use = "futures do nothing unless awaited"]
pub struct Put<'a, I: Items> {
    queue: &'a QueueOf<I>,
    item: Cell<Option<I::Item>>,
    waiter: Waiter,
    _pin: PhantomPinned,
}

impl<'a, I: Items> Put<'a, I> {
    pub(super) const fn new(queue: &'a QueueOf<I>, item: I::Item) -> Put<'a, I> {
        let item = Cell::new(Some(item));
        Put { queue, item, waiter: Waiter::new(), _pin: PhantomPinned }
    }

    /// Leaves before anything was put.
    #[inline(never)]
    fn give_up(&self) {
        // SAFETY: Same List.
        if unsafe { self.queue.putters.leave(&self.waiter) } && !self.queue.full() {
            self.queue.putters.call();
        }
    }
}

impl<I: Items> Put<'_, I> {
    /// The queue is full, or shut down. Out of line, so that a put that has room is small.
    ///
    /// # Safety
    ///
    /// The future is pinned.
    #[inline(never)]
    unsafe fn wait(&self, item: I::Item, cx: &Context<'_>) -> Poll<Result<(), PutError<I::Item>>> {
        let queue = self.queue;
        // SAFETY: Pinned by this future; Same List: it borrows the queue.
        if unsafe { queue.stock.books.refuses(&queue.putters, &self.waiter, cx.waker()) } {
            self.waiter.set_outside();
            return Poll::Ready(Err(PutError(item)));
        }
        self.item.set(Some(item));
        Poll::Pending
    }
}

impl<I: Items> Future for Put<'_, I> {
    type Output = Result<(), PutError<I::Item>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.into_ref().get_ref();
        // Polled again after its end: there is nothing to wait for.
        let Some(item) = this.item.take() else { return Poll::Pending };
        let queue = this.queue;
        let Err(item) = queue.stock.put(item) else {
            // SAFETY: Same List.
            unsafe { queue.putters.leave_and_call(&this.waiter, &queue.getters) };
            return Poll::Ready(Ok(()));
        };
        // SAFETY: pinned, as this is.
        unsafe { this.wait(item, cx) }
    }
}

impl<I: Items> Drop for Put<'_, I> {
    #[inline]
    fn drop(&mut self) {
        if self.waiter.is_linked() {
            self.give_up();
        }
    }
}

/// The future of [`QueueOf::get`].
#[must_use = "futures do nothing unless awaited"]
pub struct Get<'a, I: Items> {
    queue: &'a QueueOf<I>,
    waiter: Waiter,
    _pin: PhantomPinned,
}

impl<'a, I: Items> Get<'a, I> {
    pub(super) const fn new(queue: &'a QueueOf<I>) -> Get<'a, I> {
        Get { queue, waiter: Waiter::new(), _pin: PhantomPinned }
    }

    /// Leaves before anything was got.
    #[inline(never)]
    fn give_up(&self) {
        // SAFETY: Same List.
        if unsafe { self.queue.getters.leave(&self.waiter) } && !self.queue.empty() {
            self.queue.getters.call();
        }
    }
}

impl<I: Items> Future for Get<'_, I> {
    type Output = Result<I::Item, GetError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.into_ref().get_ref();
        let queue = this.queue;
        if let Some(item) = queue.stock.get() {
            // SAFETY: Same List.
            unsafe { queue.getters.leave_and_call(&this.waiter, &queue.putters) };
            return Poll::Ready(Ok(item));
        }
        let books = &queue.stock.books;
        // SAFETY: Pinned by this future; Same List: it borrows the queue.
        if unsafe { books.refuses(&queue.getters, &this.waiter, cx.waker()) } {
            this.waiter.set_outside();
            return Poll::Ready(Err(GetError));
        }
        Poll::Pending
    }
}

impl<I: Items> Drop for Get<'_, I> {
    #[inline]
    fn drop(&mut self) {
        if self.waiter.is_linked() {
            self.give_up();
        }
    }
}

/// The future of [`QueueOf::join`].
#[must_use = "futures do nothing unless awaited"]
pub struct Join<'a, I: Items> {
    queue: &'a QueueOf<I>,
    waiter: Waiter,
    _pin: PhantomPinned,
}

impl<'a, I: Items> Join<'a, I> {
    pub(super) const fn new(queue: &'a QueueOf<I>) -> Join<'a, I> {
        Join { queue, waiter: Waiter::new(), _pin: PhantomPinned }
    }
}

impl<I: Items> Future for Join<'_, I> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.into_ref().get_ref();
        // Who was taken out of the list is told that all was done, even if more was put since.
        let done = this.queue.stock.unfinished() == 0 && !this.waiter.is_linked();
        if done || this.waiter.was_taken() {
            return Poll::Ready(());
        }
        // SAFETY: Pinned by this future; Same List: it borrows the queue.
        unsafe { this.queue.joiners.wait(&this.waiter, cx.waker()) };
        Poll::Pending
    }
}

impl<I: Items> Drop for Join<'_, I> {
    fn drop(&mut self) {
        // SAFETY: Same List.
        unsafe { self.queue.joiners.remove(&self.waiter) };
    }
}
