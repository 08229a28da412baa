//! Running several tasks at once, for all their values or the first error.
//!
//! ```text
//!            all ended                              ──▶ values, in order
//!  Waiting ─ one failed ─────────── others go on    ──▶ its error
//!     │
//!     │ cancel of who waits: each child is cancelled
//!     ▼
//!  Cancelling ─ all ended                           ──▶ the cancel goes on
//!     │ ▲
//!     └─┘ another cancel: each child is cancelled again
//! ```

use super::tasks::{ChildTasks, IntoTasks, TryChildTasks, start};
use crate::error::{ScheduleError, TaskError};
use crate::task::Cancelled;
use crate::task::cancel::Propagate;
use crate::task::cancel::scope::{Scope, Scoped};
use core::convert::Infallible;
use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::pin::Pin;
use core::task::{Context, Poll};

/// Why a gather ended before all of its tasks had a value.
#[derive(Debug)]
pub enum GatherError<E = Infallible> {
    /// A task ended without a value: it was cancelled, or panicked.
    Task {
        /// The task's number in the order given, from 0.
        number: usize,
        /// How it ended.
        error: TaskError,
    },
    /// A task of [`try_gather`] returned this error.
    Failed {
        /// The task's number in the order given, from 0.
        number: usize,
        /// What it returned.
        error: E,
    },
}

impl<E> GatherError<E> {
    /// The number of the task that failed, in the order given, from 0.
    pub fn number(&self) -> usize {
        match self {
            Self::Task { number, .. } | Self::Failed { number, .. } => *number,
        }
    }
}

impl<E: fmt::Display> fmt::Display for GatherError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Task { number, error } => write!(f, "task {number} of a gather: {error}"),
            Self::Failed { number, error } => {
                write!(f, "task {number} of a gather failed: {error}")
            }
        }
    }
}

impl<E: core::error::Error + 'static> core::error::Error for GatherError<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Task { error, .. } => Some(error),
            Self::Failed { error, .. } => Some(error),
        }
    }
}

/// Makes tasks of all, and waits for all their values, in the order given. Of
/// none, it is ready at once.
///
/// ```no_run
/// # #[cfg(feature = "alloc")] mod example {
/// # use molen_core as molen;
/// # type Result<T> = core::result::Result<T, Box<dyn core::error::Error>>;
/// # async fn fetch(_: &'static str) {}
/// # async fn count_lines(_: &'static str) -> usize { 0 }
/// # async fn example(url: &'static str, path: &'static str, urls: Vec<&'static str>) -> Result<()> {
/// use molen::gather;
///
/// let (page, count) = gather((fetch(url), count_lines(path)))?.await?;
/// let pages = gather(urls.into_iter().map(fetch).collect::<Vec<_>>())?.await?;
/// # Ok(()) } }
/// ```
///
/// The tasks begin now, also before this is awaited. If one ends without a
/// value (cancelled, or by a panic), gather ends with that; the others go on,
/// and nobody asks for their results.
///
/// What a task returns is its value, also if that is a `Result`. asyncio's
/// exceptions are `Err`s in Rust, so there are these forms:
///
/// | asyncio | for tasks that return | here | gives |
/// |---|---|---|---|
/// | `gather(..)` | `T` | `gather(..)` | all `T`, or how the first ended without one |
/// | `gather(..)` | `Result<T, E>` | [`try_gather`]`(..)` | all `T`, or the first `E` |
/// | `gather(.., return_exceptions=True)` | `T` | `gather(..)`[`.return_exceptions()`](Gather::return_exceptions) | each `Result<T, TaskError>` |
///
/// A task that runs already is given as `task.spawned()`. The same task twice
/// is not possible: a task has one handle.
///
/// # Errors
///
/// [`ScheduleError`] with the number of the first that could not be started: the loop is
/// closed, none runs, or a pool is full. None of the others runs then.
/// [`GatherError`] when awaited.
///
/// # Cancellation
///
/// A cancel of the task that awaits it cancels the tasks; when all have ended,
/// the cancel goes on to what is around, and their results are dropped. (A
/// child that refuses to be cancelled therefore delays it.) Each further cancel
/// is handed to them as well. Dropping it cancels the tasks and waits for none.
pub fn gather<T: IntoTasks>(tasks: T) -> Result<Gather<T::Children, Values>, ScheduleError<usize>> {
    start(tasks).map(Gather::new)
}

/// [`gather`] for tasks that return `Result`s: all values, or the first error.
///
/// ```no_run
/// # #[cfg(feature = "alloc")] mod example {
/// # use molen_core as molen;
/// # type Result<T> = core::result::Result<T, Box<dyn core::error::Error>>;
/// # async fn load_user(_: u8) -> core::result::Result<u8, core::fmt::Error> { Ok(1) }
/// # async fn load_posts(_: u8) -> core::result::Result<u8, core::fmt::Error> { Ok(1) }
/// # async fn example(id: u8) -> Result<()> {
/// # use molen::try_gather;
/// let (user, posts) = try_gather((load_user(id), load_posts(id)))?.await?;
/// # Ok(()) } }
/// ```
///
/// The others go on after an error; asyncio marks their later exceptions as
/// seen, and here too nobody is told of them. Only a panic is reported.
///
/// # Errors
///
/// As for [`gather`], and [`GatherError::Failed`] with the first `Err`.
///
/// # Cancellation
///
/// As for [`gather`].
pub fn try_gather<T>(tasks: T) -> Result<Gather<T::Children, TryValues>, ScheduleError<usize>>
where
    T: IntoTasks,
    T::Children: TryChildTasks,
{
    start(tasks).map(Gather::new)
}

/// How a gather ends. The three ways are types of their own, so that each
/// gather has the type of its result.
pub trait GatherOutcome<C> {
    /// What it ends with.
    type Output;

    /// What it ends with although not all tasks have ended.
    fn early(children: &mut C) -> Option<Self::Output>;
    /// What it ends with when all tasks have.
    fn complete(children: &mut C) -> Option<Self::Output>;
}

/// [`gather`]'s way to end.
pub struct Values;
/// [`try_gather`]'s way to end.
pub struct TryValues;
/// The way to end of [`return_exceptions`](Gather::return_exceptions).
pub struct Results;

impl<C: ChildTasks> GatherOutcome<C> for Values {
    type Output = Result<C::Values, GatherError>;

    fn early(children: &mut C) -> Option<Self::Output> {
        let (number, error) = children.take_error()?;
        Some(Err(GatherError::Task { number, error }))
    }

    fn complete(children: &mut C) -> Option<Self::Output> {
        children.take_values().map(Ok)
    }
}

impl<C: TryChildTasks> GatherOutcome<C> for TryValues {
    type Output = Result<C::TryValues, GatherError<C::Error>>;

    fn early(children: &mut C) -> Option<Self::Output> {
        Some(Err(match children.take_failure()? {
            (number, Ok(error)) => GatherError::Failed { number, error },
            (number, Err(error)) => GatherError::Task { number, error },
        }))
    }

    fn complete(children: &mut C) -> Option<Self::Output> {
        children.take_try_values().map(Ok)
    }
}

impl<C: ChildTasks> GatherOutcome<C> for Results {
    type Output = C::Results;

    fn early(_children: &mut C) -> Option<Self::Output> {
        None
    }

    fn complete(children: &mut C) -> Option<Self::Output> {
        children.take_results()
    }
}

/// The future of [`gather`] and [`try_gather`].
#[must_use = "dropping it cancels the tasks"]
pub struct Gather<C: ChildTasks, O> {
    family: Family<C>,
    scope: Scope,
    stage: Stage,
    outcome: PhantomData<O>,
}

enum Stage {
    Waiting,
    Cancelling(Cancelled),
    Propagating(Propagate),
    Over,
}

impl<C: ChildTasks, O> Gather<C, O> {
    fn new(children: C) -> Gather<C, O> {
        Gather {
            family: Family { children: Some(children) },
            scope: Scope::catching(),
            stage: Stage::Waiting,
            outcome: PhantomData,
        }
    }
}

impl<C: ChildTasks> Gather<C, Values> {
    /// Waits for all tasks, however they end, and gives what each ended with.
    ///
    /// A cancel of the task that awaits it is no such result: it goes on as it
    /// does for [`gather`].
    ///
    /// asyncio: `gather(.., return_exceptions=True)`.
    pub fn return_exceptions(mut self) -> Gather<C, Results> {
        Gather {
            family: Family { children: self.family.children.take() },
            scope: Scope::catching(),
            stage: Stage::Waiting,
            outcome: PhantomData,
        }
    }
}

/// The tasks of a gather that is not over. Dropped, they are cancelled.
struct Family<C: ChildTasks> {
    children: Option<C>,
}

impl<C: ChildTasks> Family<C> {
    fn cancel(&self) {
        if let Some(children) = &self.children {
            children.cancel();
        }
    }
}

impl<C: ChildTasks> Drop for Family<C> {
    fn drop(&mut self) {
        self.cancel();
    }
}

/// Waits for the tasks, within the scope: for an outcome, or only for their end.
struct Watch<'a, C: ChildTasks, O> {
    family: &'a mut Family<C>,
    only_the_end: bool,
    outcome: PhantomData<fn() -> O>,
}

impl<C: ChildTasks, O: GatherOutcome<C>> Future for Watch<'_, C, O> {
    type Output = Option<O::Output>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let only_the_end = self.only_the_end;
        let Some(children) = &mut self.family.children else { return Poll::Pending };
        let ended = children.poll_all(cx);
        if only_the_end {
            return if ended { Poll::Ready(None) } else { Poll::Pending };
        }
        let output = O::early(children).or_else(|| ended.then(|| O::complete(children)).flatten());
        match output {
            Some(output) => {
                // Those that run go on.
                drop(self.family.children.take());
                Poll::Ready(Some(output))
            }
            None => Poll::Pending,
        }
    }
}

impl<C: ChildTasks, O: GatherOutcome<C>> Future for Gather<C, O> {
    type Output = O::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<O::Output> {
        // SAFETY: Pinned (scope): only the scope must stay, and it does.
        let (this, scope) = unsafe {
            let this = self.get_unchecked_mut();
            let scope = &raw const this.scope;
            (this, Pin::new_unchecked(&*scope))
        };
        loop {
            let only_the_end = match &mut this.stage {
                Stage::Waiting => false,
                Stage::Cancelling(_) => true,
                Stage::Propagating(propagate) => {
                    let Poll::Pending = Pin::new(propagate).poll(cx);
                    return Poll::Pending;
                }
                Stage::Over => return Poll::Pending,
            };
            let family = &mut this.family;
            let mut watch = Watch::<C, O> { family, only_the_end, outcome: PhantomData };
            match scope.poll(cx, Pin::new(&mut watch)) {
                Scoped::Pending => return Poll::Pending,
                Scoped::Ready(Some(output)) => {
                    this.stage = Stage::Over;
                    this.scope.leave();
                    return Poll::Ready(output);
                }
                Scoped::Ready(None) => {
                    drop(this.family.children.take());
                    this.scope.leave();
                    let stage = core::mem::replace(&mut this.stage, Stage::Over);
                    if let Stage::Cancelling(cancelled) = stage {
                        this.stage = Stage::Propagating(cancelled.propagate());
                    }
                }
                Scoped::Cancelled(cancelled) => {
                    this.family.cancel();
                    this.stage = Stage::Cancelling(cancelled);
                }
            }
        }
    }
}
