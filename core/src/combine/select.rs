//! Waiting for the first of a fixed number of futures.

use super::either::{Either, Either3, Either4, Either5, Either6, Either7, Either8};
use super::for_each_tuple;
use super::maybe_done::{as_slice, each};
use core::future::{Future, IntoFuture};
use core::pin::Pin;
use core::task::{Context, Poll};

/// Several futures of which [`select`] waits for the first: a tuple of two to
/// eight, or an array.
pub trait SelectFirst {
    /// Which was ready, and its output: an [`Either`] of a tuple, a number and
    /// the output of an array.
    type Output;
    /// The futures.
    type State;

    /// Nothing has been polled yet.
    fn into_state(self) -> Self::State;

    /// Polls in order until one is ready.
    fn poll_first(state: Pin<&mut Self::State>, cx: &mut Context<'_>) -> Poll<Self::Output>;
}

/// Runs several futures at once, in place, until the first is ready; the
/// others are dropped. Of several that are ready together, the first in the
/// order given wins.
///
/// ```
/// # use molen_core as molen;
/// # use core::future::{Future, pending, ready};
/// # let mut test = core::pin::pin!(async {
/// use molen::combine::{Either, select};
///
/// match select((pending::<u8>(), ready("ready"))).await {
///     Either::First(number) => unreachable!("{number}"),
///     Either::Second(text) => assert_eq!(text, "ready"),
/// }
/// assert_eq!(select([ready(1), ready(2)]).await, (0, 1));
/// # });
/// # let waker = core::task::Waker::noop();
/// # assert!(test.as_mut().poll(&mut core::task::Context::from_waker(waker)).is_ready());
/// ```
///
/// [`select!`](crate::select!) is the same with the arms of a `match`. An
/// array of no futures is refused by the compiler: it would wait for ever.
///
/// ```compile_fail,E0080
/// # use molen_core as molen;
/// let none: [core::future::Ready<u8>; 0] = [];
/// molen::combine::select(none);
/// ```
///
/// asyncio: `wait(.., return_when=FIRST_COMPLETED)`, which is by tasks and drops nothing.
///
/// # Cancellation
///
/// The losers are dropped before `select` returns, and all of them when it is
/// dropped itself. Dropping is how Rust cancels: what a loser had half done is
/// lost unless its own section *Cancellation* says otherwise. To go on with a
/// loser later, pass it as `&mut`.
#[inline]
pub fn select<S: SelectFirst>(futures: S) -> Select<S> {
    Select(futures.into_state())
}

/// The future of [`select`].
#[must_use = "futures do nothing unless awaited"]
pub struct Select<S: SelectFirst>(S::State);

impl<S: SelectFirst> Future for Select<S> {
    type Output = S::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<S::Output> {
        // SAFETY: Pinned (maybe_done): the only field, which is not moved.
        let state = unsafe { self.map_unchecked_mut(|this| &mut this.0) };
        S::poll_first(state, cx)
    }
}

macro_rules! select_tuple {
    ($either:ident: $($variant:ident $type:ident $name:ident),*) => {
        impl<$($type: IntoFuture),*> SelectFirst for ($($type,)*) {
            type Output = $either<$($type::Output),*>;
            type State = ($($type::IntoFuture,)*);

            #[inline]
            fn into_state(self) -> Self::State {
                let ($($name,)*) = self;
                ($($name.into_future(),)*)
            }

            #[inline]
            fn poll_first(
                state: Pin<&mut Self::State>,
                cx: &mut Context<'_>,
            ) -> Poll<Self::Output> {
                // SAFETY: Pinned (maybe_done): each element stays where it is.
                let ($($name,)*) = unsafe {
                    let ($($name,)*) = state.get_unchecked_mut();
                    ($(Pin::new_unchecked($name),)*)
                };
                $(
                    if let Poll::Ready(output) = $name.poll(cx) {
                        return Poll::Ready($either::$variant(output));
                    }
                )*
                Poll::Pending
            }
        }
    };
}
for_each_tuple!(select_tuple);

impl<F: IntoFuture, const N: usize> SelectFirst for [F; N] {
    type Output = (usize, F::Output);
    type State = [F::IntoFuture; N];

    #[inline]
    fn into_state(self) -> Self::State {
        const { assert!(N > 0, "select of no futures would wait for ever") };
        self.map(F::into_future)
    }

    #[inline]
    fn poll_first(state: Pin<&mut Self::State>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        for (number, future) in each(as_slice(state)).enumerate() {
            if let Poll::Ready(output) = future.poll(cx) {
                return Poll::Ready((number, output));
            }
        }
        Poll::Pending
    }
}

/// Waits, in place, for the first of two to eight futures, and goes on in its arm.
///
/// ```
/// # use molen_core as molen;
/// # use core::future::{Future, pending, ready};
/// # let mut test = core::pin::pin!(async {
/// let mut count = ready(7);
/// let text = molen::select! {
///     _ = pending::<()>() => "never",
///     number = &mut count => if number == 7 { "seven" } else { "other" },
/// };
/// assert_eq!(text, "seven");
/// # });
/// # let waker = core::task::Waker::noop();
/// # assert!(test.as_mut().poll(&mut core::task::Context::from_waker(waker)).is_ready());
/// ```
///
/// `, if condition` after a future makes an arm that is there only when that holds;
/// otherwise the future is not even made. When no arm is there, it waits for ever.
/// For an `Option` of a future: [`if_some`](crate::combine::if_some).
///
/// ```
/// # use molen_core as molen;
/// # use core::future::{Future, ready};
/// # let mut test = core::pin::pin!(async {
/// let mut work = vec![1, 2, 3];
/// let mut sum = 0;
/// while sum < 5 {
///     molen::select! {
///         next = ready(work.pop().unwrap()), if !work.is_empty() => sum += next,
///         () = ready(()) => break,
///     }
/// }
/// assert_eq!((sum, work.len()), (5, 1));
/// # });
/// # let waker = core::task::Waker::noop();
/// # assert!(test.as_mut().poll(&mut core::task::Context::from_waker(waker)).is_ready());
/// ```
///
/// (tokio's `select!` makes the future in any case, and panics without arms.)
///
/// It is a `match` on [`select`](crate::combine::select())`((..)).await`: earlier arms
/// win, the losers are dropped before the arm runs, patterns must match every
/// output, and `?`, `break` and `return` in an arm are those of the code around it.
///
/// # Cancellation
///
/// As for [`select`](crate::combine::select()).
#[macro_export]
macro_rules! select {
    // One arm after the other gets its variant; the list of enums is one longer
    // than the arms that are done, so that its head is right at the end.
    (@arms [$($done:tt)*] [$_either:ident $($eithers:ident)*] [$variant:ident $($variants:ident)*]
        $output:pat = $future:expr $(, if $condition:expr)? => $then:block $(, $($rest:tt)*)?) => {
        $crate::select!(@arms [$($done)* ($variant $output, [$future $(, if $condition)?], $then)]
            [$($eithers)*] [$($variants)*] $($($rest)*)?)
    };
    (@arms [$($done:tt)*] [$_either:ident $($eithers:ident)*] [$variant:ident $($variants:ident)*]
        $output:pat = $future:expr $(, if $condition:expr)? => $then:block $($rest:tt)+) => {
        $crate::select!(@arms [$($done)* ($variant $output, [$future $(, if $condition)?], $then)]
            [$($eithers)*] [$($variants)*] $($rest)+)
    };
    (@arms [$($done:tt)*] [$_either:ident $($eithers:ident)*] [$variant:ident $($variants:ident)*]
        $output:pat = $future:expr $(, if $condition:expr)? => $then:expr $(, $($rest:tt)*)?) => {
        $crate::select!(@arms [$($done)* ($variant $output, [$future $(, if $condition)?], $then)]
            [$($eithers)*] [$($variants)*] $($($rest)*)?)
    };
    (@arms [$(($variant:ident $output:pat, [$($branch:tt)+], $then:expr))*]
        [$either:ident $($eithers:ident)*] [$($variants:ident)*]) => {
        match $crate::combine::select(($($crate::select!(@branch $($branch)+),)*)).await {
            $($crate::combine::$either::$variant($output) => $then,)*
        }
    };
    (@branch $future:expr) => { $future };
    (@branch $future:expr, if $condition:expr) => {
        $crate::combine::if_some(if $condition { Some($future) } else { None })
    };
    ($($arms:tt)+) => {
        $crate::select!(@arms []
            [none needs_two_arms Either Either3 Either4 Either5 Either6 Either7 Either8]
            [First Second Third Fourth Fifth Sixth Seventh Eighth] $($arms)+)
    };
}
