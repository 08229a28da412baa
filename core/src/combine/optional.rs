//! Futures that may not be there: for a branch that is not always wanted.

use core::future::{Future, IntoFuture};
use core::pin::Pin;
use core::task::{Context, Poll};

/// The future of `option`; without one it is never ready, which is what a
/// branch of [`select`](super::select()) or [`race`](super::race()) is that is not to win now.
///
/// ```
/// # use molen_core as molen;
/// # use core::future::{Future, ready};
/// # let mut test = core::pin::pin!(async {
/// use molen::combine::{if_some, race};
///
/// let (wants_one, wants_two) = (false, true);
/// let one = if_some(wants_one.then(|| ready(1)));
/// let two = if_some(wants_two.then(|| ready(2)));
/// assert_eq!(race((one, two)).await, 2);
/// # });
/// # let waker = core::task::Waker::noop();
/// # assert!(test.as_mut().poll(&mut core::task::Context::from_waker(waker)).is_ready());
/// ```
///
/// In [`select!`](crate::select!) it is written `pattern = future, if condition => …`. Where
/// no branch is there, nothing is ever ready: as tokio's `select!` without `else`, but
/// without the panic.
///
/// # Cancellation
///
/// As that of the future.
#[inline]
pub fn if_some<F: IntoFuture>(option: Option<F>) -> IfSome<F::IntoFuture> {
    IfSome(option.map(F::into_future))
}

/// The future of [`if_some`].
#[must_use = "futures do nothing unless awaited"]
pub struct IfSome<F>(Option<F>);

impl<F: Future> Future for IfSome<F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: Pinned (maybe_done): the only field, which is not moved.
        let option = unsafe { self.map_unchecked_mut(|this| &mut this.0) };
        option.as_pin_mut().map_or(Poll::Pending, |future| future.poll(cx))
    }
}

/// `Some` output of the future of `option`; without one it is ready at once,
/// with `None`: what [`join`](super::join()) need not wait for.
///
/// ```
/// # use molen_core as molen;
/// # use core::future::{Future, Ready, ready};
/// # let mut test = core::pin::pin!(async {
/// use molen::combine::{join, optional};
///
/// let absent: Option<Ready<u8>> = None;
/// let all = join((ready("one"), optional(Some(ready(2))), optional(absent)));
/// assert_eq!(all.await, ("one", Some(2), None));
/// # });
/// # let waker = core::task::Waker::noop();
/// # assert!(test.as_mut().poll(&mut core::task::Context::from_waker(waker)).is_ready());
/// ```
///
/// The crate `futures`: `OptionFuture`.
///
/// # Cancellation
///
/// As that of the future.
#[inline]
pub fn optional<F: IntoFuture>(option: Option<F>) -> Optional<F::IntoFuture> {
    Optional(option.map(F::into_future))
}

/// The future of [`optional`].
#[must_use = "futures do nothing unless awaited"]
pub struct Optional<F>(Option<F>);

impl<F: Future> Future for Optional<F> {
    type Output = Option<F::Output>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<F::Output>> {
        // SAFETY: Pinned (maybe_done): the only field, which is not moved.
        let option = unsafe { self.map_unchecked_mut(|this| &mut this.0) };
        option.as_pin_mut().map_or(Poll::Ready(None), |future| future.poll(cx).map(Some))
    }
}
