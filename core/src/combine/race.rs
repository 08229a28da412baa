//! The first of several futures that end with the same type.

use super::either::{Either, Either3, Either4, Either5, Either6, Either7, Either8};
use super::for_each_tuple;
use super::select::{Select, SelectFirst, select};
use core::future::{Future, IntoFuture};
use core::pin::Pin;
use core::task::{Context, Poll};

/// What [`race`] can run: what [`select`] can, all with one type of output.
pub trait RaceFirst: SelectFirst {
    /// What each of them ends with.
    type Value;

    /// The value, whoever it came from.
    fn value(output: Self::Output) -> Self::Value;
}

/// [`select`] without asking who won: the output of the first future that is
/// ready. The others are dropped.
///
/// ```
/// # use molen_core as molen;
/// # use core::future::{Future, pending, ready};
/// # let mut test = core::pin::pin!(async {
/// use molen::combine::race;
///
/// assert_eq!(race((pending(), ready(2), ready(3))).await, 2);
/// # });
/// # let waker = core::task::Waker::noop();
/// # assert!(test.as_mut().poll(&mut core::task::Context::from_waker(waker)).is_ready());
/// ```
///
/// # Cancellation
///
/// As for [`select`].
#[inline]
pub fn race<R: RaceFirst>(futures: R) -> Race<R> {
    Race(select(futures))
}

/// The future of [`race`].
#[must_use = "futures do nothing unless awaited"]
pub struct Race<R: RaceFirst>(Select<R>);

impl<R: RaceFirst> Future for Race<R> {
    type Output = R::Value;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<R::Value> {
        // SAFETY: Pinned (maybe_done): the only field, which is not moved.
        unsafe { self.map_unchecked_mut(|this| &mut this.0) }.poll(cx).map(R::value)
    }
}

macro_rules! race_tuple {
    ($either:ident: $($variant:ident $type:ident $name:ident),*) => {
        impl<Value, $($type: IntoFuture<Output = Value>),*> RaceFirst for ($($type,)*) {
            type Value = Value;

            #[inline]
            fn value(output: Self::Output) -> Value {
                match output {
                    $($either::$variant(value) => value,)*
                }
            }
        }
    };
}
for_each_tuple!(race_tuple);

impl<F: IntoFuture, const N: usize> RaceFirst for [F; N] {
    type Value = F::Output;

    #[inline]
    fn value((_, value): (usize, F::Output)) -> F::Output {
        value
    }
}
