//! Waiting for the first of any number of futures.

use super::maybe_done::each;
use crate::error::NothingToWaitFor;
use alloc::boxed::Box;
use core::future::{Future, IntoFuture};
use core::pin::Pin;
use core::task::{Context, Poll};

/// Runs any number of futures at once, in place, until the first is ready, and
/// returns its number and output. The others are dropped; to go on with them,
/// pass them as `&mut`, as in `select_all(tasks.iter_mut())`.
///
/// # Errors
///
/// [`NothingToWaitFor`] when there are none.
///
/// # Cancellation
///
/// As for [`select`](super::select()).
pub fn select_all<I>(
    futures: I,
) -> Result<SelectAll<<I::Item as IntoFuture>::IntoFuture>, NothingToWaitFor>
where
    I: IntoIterator,
    I::Item: IntoFuture,
{
    let futures: Box<[_]> = futures.into_iter().map(IntoFuture::into_future).collect();
    if futures.is_empty() {
        return Err(NothingToWaitFor);
    }
    Ok(SelectAll(Box::into_pin(futures)))
}

/// The future of [`select_all`].
#[must_use = "futures do nothing unless awaited"]
pub struct SelectAll<F>(Pin<Box<[F]>>);

impl<F: Future> Future for SelectAll<F> {
    type Output = (usize, F::Output);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        for (number, future) in each(self.0.as_mut()).enumerate() {
            if let Poll::Ready(output) = future.poll(cx) {
                return Poll::Ready((number, output));
            }
        }
        Poll::Pending
    }
}
