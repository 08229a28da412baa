//! A race whose attempts begin one after the other.
//!
//! ```text
//!  attempt 0  ├──────────────────────✗ failed
//!  attempt 1  ┊ delay ├──────✗ failed: the next begins at once
//!  attempt 2  ┊       ┊      ├──────────────✓ won
//!  attempt 3  ┊       ┊      ┊ delay ├──────┘ dropped
//! ```
//!
//! RFC 8305, "Happy Eyeballs", connects in this way.

use super::join::all;
use super::maybe_done::{MaybeDone, as_slice, each};
use crate::task::{Sleep, sleep};
use crate::time::Duration;
#[cfg(feature = "alloc")]
use alloc::{boxed::Box, vec::Vec};
use core::fmt;
use core::future::{Future, IntoFuture};
use core::ops::Range;
use core::pin::Pin;
use core::task::{Context, Poll};

/// What [`staggered_race`] can run: an array or, with an allocator, a `Vec` of
/// futures that end with a `Result`.
pub trait Attempts {
    /// One attempt.
    type Future: Future<Output = Result<Self::Value, Self::Error>>;
    /// What an attempt succeeds with.
    type Value;
    /// What an attempt fails with.
    type Error;
    /// The error of each attempt that failed.
    type Errors;
    /// The errors of all attempts.
    type AllErrors;
    /// The attempts, where they stay.
    type State;

    /// None has begun.
    fn into_state(self) -> Self::State;
    /// All attempts.
    fn slots(state: Pin<&mut Self::State>) -> Pin<&mut [MaybeDone<Self::Future>]>;
    /// Takes the error of each that failed.
    fn errors(state: Pin<&mut Self::State>) -> Self::Errors;
    /// The errors of all, if all failed.
    fn all_errors(errors: Self::Errors) -> Option<Self::AllErrors>;
}

impl<F, T, E, const N: usize> Attempts for [F; N]
where
    F: IntoFuture<Output = Result<T, E>>,
{
    type Future = F::IntoFuture;
    type Value = T;
    type Error = E;
    type Errors = [Option<E>; N];
    type AllErrors = [E; N];
    type State = [MaybeDone<F::IntoFuture>; N];

    fn into_state(self) -> Self::State {
        self.map(|attempt| MaybeDone::Running(attempt.into_future()))
    }

    fn slots(state: Pin<&mut Self::State>) -> Pin<&mut [MaybeDone<Self::Future>]> {
        as_slice(state)
    }

    fn errors(state: Pin<&mut Self::State>) -> [Option<E>; N] {
        let mut errors = [const { None }; N];
        for (error, slot) in errors.iter_mut().zip(each(as_slice(state))) {
            *error = slot.take().and_then(Result::err);
        }
        errors
    }

    fn all_errors(errors: [Option<E>; N]) -> Option<[E; N]> {
        all(errors)
    }
}

#[cfg(feature = "alloc")]
impl<F, T, E> Attempts for Vec<F>
where
    F: IntoFuture<Output = Result<T, E>>,
{
    type Future = F::IntoFuture;
    type Value = T;
    type Error = E;
    type Errors = Vec<Option<E>>;
    type AllErrors = Vec<E>;
    type State = Pin<Box<[MaybeDone<F::IntoFuture>]>>;

    fn into_state(self) -> Self::State {
        let running = |attempt: F| MaybeDone::Running(attempt.into_future());
        Box::into_pin(self.into_iter().map(running).collect())
    }

    fn slots(state: Pin<&mut Self::State>) -> Pin<&mut [MaybeDone<Self::Future>]> {
        state.get_mut().as_mut()
    }

    fn errors(state: Pin<&mut Self::State>) -> Vec<Option<E>> {
        each(state.get_mut().as_mut()).map(|slot| slot.take().and_then(Result::err)).collect()
    }

    fn all_errors(errors: Vec<Option<E>>) -> Option<Vec<E>> {
        errors.into_iter().collect()
    }
}

/// An attempt of a [`staggered_race`] succeeded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RaceWon<T, Errors> {
    /// What it succeeded with.
    pub value: T,
    /// Its number in the order given, from 0.
    pub number: usize,
    /// For each attempt, the error that it had failed with; `None` for the
    /// winner, and for those that were still running or had not begun.
    pub errors: Errors,
}

/// All attempts of a [`staggered_race`] failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RaceLost<Errors> {
    /// Their errors, in the order given.
    pub errors: Errors,
}

impl<Errors> fmt::Display for RaceLost<Errors> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("all attempts of a staggered race failed")
    }
}

impl<Errors: fmt::Debug> core::error::Error for RaceLost<Errors> {}

/// Runs attempts, in place, until the first one succeeds. The first begins at
/// once, each further one when `delay` has passed since the one before it
/// began, or when that one has failed. Without a delay only a failure begins the next.
///
/// ```no_run
/// # use molen_core as molen;
/// # async fn connect(_: u32) -> Result<u8, core::fmt::Error> { Ok(1) }
/// # async fn example(addresses: [u32; 3]) -> Result<(), Box<dyn core::error::Error>> {
/// use molen::{Duration, staggered_race};
///
/// let delay = Duration::from_millis(250);
/// let won = staggered_race(addresses.map(connect), Some(delay)).await?;
/// println!("address {} was the first to answer", won.number);
/// # Ok(()) }
/// ```
///
/// An attempt is not polled before it begins. Losers are dropped, with all that
/// they own, before this returns; asyncio cancels them as tasks and waits for
/// their end. Of no attempts, all have failed.
///
/// asyncio: `staggered.staggered_race()`.
///
/// # Errors
///
/// [`RaceLost`] with all errors, when all failed.
///
/// # Cancellation
///
/// All attempts are dropped before whoever cancels sees the end of the task.
///
/// # Panics
///
/// When it has to wait for a delay and no event loop runs on this thread.
pub fn staggered_race<A: Attempts>(attempts: A, delay: Option<Duration>) -> StaggeredRace<A> {
    StaggeredRace { attempts: attempts.into_state(), begun: 0, delay, pause: None }
}

/// The future of [`staggered_race`].
#[must_use = "futures do nothing unless awaited"]
pub struct StaggeredRace<A: Attempts> {
    attempts: A::State,
    /// How many attempts have begun.
    begun: usize,
    delay: Option<Duration>,
    /// Until the next may begin.
    pause: Option<Sleep>,
}

/// What a look at the attempts that have begun found.
enum Round<T> {
    /// This one has succeeded.
    Won(T, usize),
    /// The last of them is under way.
    LatestRuns,
    /// The last of them has failed, or there is none.
    LatestFailed,
}

/// Polls the attempts of these numbers.
fn poll_range<T, E, F: Future<Output = Result<T, E>>>(
    slots: Pin<&mut [MaybeDone<F>]>,
    numbers: Range<usize>,
    cx: &mut Context<'_>,
) -> Round<T> {
    let mut round = Round::LatestFailed;
    for (number, mut slot) in each(slots).enumerate().take(numbers.end).skip(numbers.start) {
        if !slot.as_mut().poll(cx) {
            round = Round::LatestRuns;
            continue;
        }
        round = Round::LatestFailed;
        if let Some(value) = slot.take_success() {
            return Round::Won(value, number);
        }
    }
    round
}

/// `number` has won: drops those that run, and collects the errors of those that failed.
fn finish<A: Attempts>(
    mut attempts: Pin<&mut A::State>,
    value: A::Value,
    number: usize,
) -> RaceWon<A::Value, A::Errors> {
    for mut slot in each(A::slots(attempts.as_mut())) {
        if slot.is_running() {
            slot.set(MaybeDone::Taken);
        }
    }
    RaceWon { value, number, errors: A::errors(attempts) }
}

impl<A: Attempts> Future for StaggeredRace<A> {
    type Output = Result<RaceWon<A::Value, A::Errors>, RaceLost<A::AllErrors>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: Pinned (maybe_done): attempts and pause stay where they are.
        let (mut attempts, begun, delay, mut pause) = unsafe {
            let this = self.get_unchecked_mut();
            (
                Pin::new_unchecked(&mut this.attempts),
                &mut this.begun,
                this.delay,
                Pin::new_unchecked(&mut this.pause),
            )
        };
        let mut first = 0;
        loop {
            let slots = A::slots(attempts.as_mut());
            let count = slots.len();
            let latest_runs = match poll_range(slots, first..*begun, cx) {
                Round::Won(value, number) => {
                    return Poll::Ready(Ok(finish::<A>(attempts, value, number)));
                }
                Round::LatestRuns => true,
                Round::LatestFailed => false,
            };
            if *begun == count {
                if each(A::slots(attempts.as_mut())).any(|slot| slot.is_running()) {
                    return Poll::Pending;
                }
                let errors = A::all_errors(A::errors(attempts));
                return errors
                    .map_or(Poll::Pending, |errors| Poll::Ready(Err(RaceLost { errors })));
            }
            let due = pause.as_mut().as_pin_mut().is_some_and(|pause| pause.poll(cx).is_ready());
            if latest_runs && !due {
                return Poll::Pending;
            }
            // Those before have just been polled.
            first = *begun;
            *begun += 1;
            pause.set(delay.filter(|_| *begun < count).map(sleep));
        }
    }
}
