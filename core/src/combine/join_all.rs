//! Waiting for all of any number of futures.

use super::children::{Children, poll_woken};
use super::maybe_done::{MaybeDone, at, each};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::future::{Future, IntoFuture};
use core::pin::Pin;
use core::task::{Context, Poll};

/// From how many children on it pays to know which one was woken: it costs an
/// allocation more, and a few nanoseconds for each wake.
const MANY: usize = 48;

/// Runs any number of futures at once, in place, and waits until all are
/// ready; their outputs come in the order of the futures. Of none, it is ready at once.
///
/// ```
/// # use core::future::{Future, ready};
/// # #[cfg(feature = "alloc")] {
/// # use molen_core as molen;
/// # let mut test = core::pin::pin!(async {
/// use molen::combine::join_all;
///
/// assert_eq!(join_all((1..=3).map(ready)).await, [1, 2, 3]);
/// # });
/// # let waker = core::task::Waker::noop();
/// # assert!(test.as_mut().poll(&mut core::task::Context::from_waker(waker)).is_ready());
/// # }
/// ```
///
/// # Cancellation
///
/// As for [`join`](super::join()).
pub fn join_all<I>(futures: I) -> JoinVec<<I::Item as IntoFuture>::IntoFuture>
where
    I: IntoIterator,
    I::Item: IntoFuture,
{
    let running = |future: I::Item| MaybeDone::Running(future.into_future());
    let slots: Box<[_]> = futures.into_iter().map(running).collect();
    JoinVec { left: slots.len(), slots: Box::into_pin(slots), children: None }
}

/// The future of [`join_all`].
#[must_use = "futures do nothing unless awaited"]
pub struct JoinVec<F: Future> {
    slots: Pin<Box<[MaybeDone<F>]>>,
    /// How many are not ready; counted only where there are [`MANY`].
    left: usize,
    children: Option<Children>,
}

impl<F: Future> JoinVec<F> {
    /// Polls all; whether all are ready.
    fn poll_few(&mut self, cx: &mut Context<'_>) -> bool {
        let mut done = true;
        for child in each(self.slots.as_mut()) {
            done &= child.poll(cx);
        }
        done
    }

    /// Polls those that were woken; whether all are ready.
    #[inline(never)]
    fn poll_many(&mut self, cx: &mut Context<'_>) -> bool {
        let JoinVec { slots, left, children } = self;
        poll_woken(children, slots.len(), cx, |number, cx| {
            if let Some(slot) = at(slots.as_mut(), number)
                && slot.is_running()
                && slot.poll(cx)
            {
                *left -= 1;
            }
        });
        self.left == 0
    }
}

impl<F: Future> Future for JoinVec<F> {
    type Output = Vec<F::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Vec<F::Output>> {
        let done = if self.slots.len() < MANY { self.poll_few(cx) } else { self.poll_many(cx) };
        if !done {
            return Poll::Pending;
        }
        let slots = self.slots.as_mut();
        let mut outputs = Vec::with_capacity(slots.len());
        outputs.extend(each(slots).filter_map(MaybeDone::take));
        Poll::Ready(outputs)
    }
}
