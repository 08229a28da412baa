//! Waiting for room, for an item, and for all work to be done.

use super::error::{GetError, GetNowaitError, PutError, PutNowaitError};
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
}

impl<I: Items> Future for Put<'_, I> {
    type Output = Result<(), PutError<I::Item>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.into_ref().get_ref();
        // Polled again after its end: there is nothing to wait for.
        let Some(item) = this.item.take() else { return Poll::Pending };
        let result = match this.queue.put_nowait(item) {
            Ok(()) => Ok(()),
            Err(PutNowaitError::ShutDown(item)) => Err(PutError(item)),
            Err(PutNowaitError::Full(item)) => {
                this.item.set(Some(item));
                // SAFETY: Pinned by this future; Same List: it borrows the queue.
                unsafe { this.queue.putters.wait(&this.waiter, cx.waker()) };
                return Poll::Pending;
            }
        };
        // SAFETY: Same List.
        unsafe { this.queue.putters.leave(&this.waiter) };
        Poll::Ready(result)
    }
}

impl<I: Items> Drop for Put<'_, I> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: Same List.
        if unsafe { self.queue.putters.leave(&self.waiter) } && !self.queue.full() {
            self.queue.putters.call();
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
}

impl<I: Items> Future for Get<'_, I> {
    type Output = Result<I::Item, GetError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.into_ref().get_ref();
        let result = match this.queue.get_nowait() {
            Ok(item) => Ok(item),
            Err(GetNowaitError::ShutDown) => Err(GetError),
            Err(GetNowaitError::Empty) => {
                // SAFETY: Pinned by this future; Same List: it borrows the queue.
                unsafe { this.queue.getters.wait(&this.waiter, cx.waker()) };
                return Poll::Pending;
            }
        };
        // SAFETY: Same List.
        unsafe { this.queue.getters.leave(&this.waiter) };
        Poll::Ready(result)
    }
}

impl<I: Items> Drop for Get<'_, I> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: Same List.
        if unsafe { self.queue.getters.leave(&self.waiter) } && !self.queue.empty() {
            self.queue.getters.call();
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
        if !this.waiter.is_linked() {
            // Who was taken out of the list is told that all was done, even if more was put since.
            if this.waiter.was_taken() || this.queue.unfinished.get() == 0 {
                return Poll::Ready(());
            }
            // SAFETY: Pinned by this future; Same List: it borrows the queue.
            unsafe { this.queue.joiners.add(&this.waiter) };
        }
        this.waiter.set_waker(cx.waker());
        Poll::Pending
    }
}

impl<I: Items> Drop for Join<'_, I> {
    fn drop(&mut self) {
        // SAFETY: Same List.
        unsafe { self.queue.joiners.remove(&self.waiter) };
    }
}
