//! Waiting for all of a fixed number of futures.

use super::for_each_tuple;
use super::maybe_done::{MaybeDone, as_slice, each};
use core::future::{Future, IntoFuture};
use core::pin::Pin;
use core::task::{Context, Poll};

/// Several futures that [`join`] waits for: a tuple of two to eight, or an array.
pub trait JoinAll {
    /// All outputs, in the order of the futures.
    type Output;
    /// The futures, each replaced by its output when it is ready.
    type State;

    /// Nothing has been polled yet.
    fn into_state(self) -> Self::State;

    /// Polls each that is not ready.
    fn poll_all(state: Pin<&mut Self::State>, cx: &mut Context<'_>) -> Poll<Self::Output>;
}

/// Runs several futures at once, in place, and waits until all are ready.
///
/// ```
/// # use molen_core as molen;
/// # use core::future::{Future, ready};
/// # let mut test = core::pin::pin!(async {
/// use molen::combine::join;
///
/// let (number, text) = join((ready(1), ready("one"))).await;
/// let [first, second] = join([ready(1), ready(2)]).await;
/// # assert_eq!((number, text, first, second), (1, "one", 1, 2));
/// # });
/// # let waker = core::task::Waker::noop();
/// # assert!(test.as_mut().poll(&mut core::task::Context::from_waker(waker)).is_ready());
/// ```
///
/// Each is polled in the order given. Nothing is allocated. asyncio has this
/// by tasks only: `gather`.
///
/// # Cancellation
///
/// Dropping it drops the futures that are not ready, and the outputs of those
/// that are; to keep one, pass it as `&mut`.
#[inline]
pub fn join<J: JoinAll>(futures: J) -> Join<J> {
    Join(futures.into_state())
}

/// The future of [`join`].
#[must_use = "futures do nothing unless awaited"]
pub struct Join<J: JoinAll>(J::State);

impl<J: JoinAll> Future for Join<J> {
    type Output = J::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<J::Output> {
        // SAFETY: Pinned (maybe_done): the only field, which is not moved.
        let state = unsafe { self.map_unchecked_mut(|this| &mut this.0) };
        J::poll_all(state, cx)
    }
}

macro_rules! join_tuple {
    ($either:ident: $($variant:ident $type:ident $name:ident),*) => {
        impl<$($type: IntoFuture),*> JoinAll for ($($type,)*) {
            type Output = ($($type::Output,)*);
            type State = ($(MaybeDone<$type::IntoFuture>,)*);

            #[inline]
            fn into_state(self) -> Self::State {
                let ($($name,)*) = self;
                ($(MaybeDone::Running($name.into_future()),)*)
            }

            #[inline]
            fn poll_all(state: Pin<&mut Self::State>, cx: &mut Context<'_>) -> Poll<Self::Output> {
                // SAFETY: Pinned (maybe_done): each element stays where it is.
                let ($($name,)*) = unsafe {
                    let ($($name,)*) = state.get_unchecked_mut();
                    ($(Pin::new_unchecked($name),)*)
                };
                $(let mut $name = $name;)*
                let mut done = true;
                $(done &= $name.as_mut().poll(cx);)*
                if !done {
                    return Poll::Pending;
                }
                // SAFETY: each has just said that its output is there.
                Poll::Ready(unsafe { ($($name.take_done(),)*) })
            }
        }
    };
}
for_each_tuple!(join_tuple);

impl<F: IntoFuture, const N: usize> JoinAll for [F; N] {
    type Output = [F::Output; N];
    type State = [MaybeDone<F::IntoFuture>; N];

    #[inline]
    fn into_state(self) -> Self::State {
        self.map(|future| MaybeDone::Running(future.into_future()))
    }

    #[inline]
    fn poll_all(mut state: Pin<&mut Self::State>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut done = true;
        for child in each(as_slice(state.as_mut())) {
            done &= child.poll(cx);
        }
        if !done {
            return Poll::Pending;
        }
        // SAFETY: Pinned (maybe_done): what is moved out is no future.
        let slots = unsafe { state.get_unchecked_mut() };
        // SAFETY: as above; and each has just said that its output is there.
        Poll::Ready(slots.each_mut().map(|slot| unsafe { Pin::new_unchecked(slot).take_done() }))
    }
}

/// All of them, if all are there.
#[inline]
pub(super) fn all<T, const N: usize>(options: [Option<T>; N]) -> Option<[T; N]> {
    if options.iter().any(Option::is_none) {
        return None;
    }
    // SAFETY: none of them is `None`, as has just been seen.
    Some(options.map(|option| unsafe { option.unwrap_unchecked() }))
}
