//! Awaiting a concurrent future on a loop.

use super::error::ConcurrentError;
use super::future::ConcurrentFuture;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};

/// Waits for `future` without blocking the thread, on this or any other loop;
/// ends with its value, which is given out once.
///
/// asyncio: `asyncio.wrap_future()`.
///
/// # Cancellation
///
/// Dropping it cancels `future`, if that is not done: its task is asked to
/// end. One that is done stays as it is.
///
/// # Errors
///
/// As [`ConcurrentFuture::result`], without its refusals to block.
pub fn wrap_future<T>(future: &ConcurrentFuture<T>) -> WrapFuture<T> {
    WrapFuture { future: future.clone(), waiter: None }
}

/// The future of [`wrap_future`].
#[must_use = "dropping it cancels the future that it wraps"]
pub struct WrapFuture<T> {
    future: ConcurrentFuture<T>,
    /// Under which number its waker is kept.
    waiter: Option<u64>,
}

impl<T> Future for WrapFuture<T> {
    type Output = Result<T, ConcurrentError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let WrapFuture { future, waiter } = self.get_mut();
        match future.take_or_wait(waiter, cx.waker()) {
            Some(outcome) => Poll::Ready(outcome),
            None => Poll::Pending,
        }
    }
}

impl<T> Drop for WrapFuture<T> {
    fn drop(&mut self) {
        self.future.cancel();
    }
}

impl<T> IntoFuture for ConcurrentFuture<T> {
    type Output = Result<T, ConcurrentError>;
    type IntoFuture = WrapFuture<T>;

    fn into_future(self) -> WrapFuture<T> {
        WrapFuture { future: self, waiter: None }
    }
}

impl<T> fmt::Debug for WrapFuture<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WrapFuture").field(&self.future).finish()
    }
}
