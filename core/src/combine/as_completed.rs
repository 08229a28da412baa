//! Taking results one after the other, as tasks end.

use super::Either;
use super::select::select;
use super::tasks::{Completed, EachTask, IntoTasks, start};
use crate::error::ScheduleError;
use crate::task::sleep_until;
use crate::time::{Duration, Instant};
use crate::timeouts::TimeoutError;
use core::future::poll_fn;

/// Makes tasks of all, and gives their results one after the other, first
/// ended first, each with the task's number in the order given.
///
/// ```no_run
/// # #[cfg(feature = "alloc")] mod example {
/// # use molen_core as molen;
/// # type Result<T> = core::result::Result<T, Box<dyn core::error::Error>>;
/// # async fn fetch(_: &'static str) -> &'static str { "" }
/// # async fn example(first: &'static str, second: &'static str) -> Result<()> {
/// use molen::as_completed;
///
/// let mut pages = as_completed([fetch(first), fetch(second)])?;
/// while let Some((number, page)) = pages.next().await {
///     println!("{number}: {}", page?);
/// }
/// # Ok(()) } }
/// ```
///
/// The tasks begin now. With a `Vec` (which needs an allocator) results come in
/// the very order in which the tasks ended; with an array, those that ended since
/// the last look come in the order given.
///
/// asyncio: `as_completed()`, in its asynchronous form. Its plain form, which
/// gives awaitables that are each good for one result, would borrow the tasks more than once.
///
/// # Errors
///
/// [`ScheduleError`] with the number of the first that could not be started, as
/// for [`gather`](super::gather()).
///
/// # Cancellation
///
/// Dropping it, also after a timeout, leaves the tasks running; so does a cancel
/// of who waits.
pub fn as_completed<T>(tasks: T) -> Result<AsCompleted<T::Children>, ScheduleError<usize>>
where
    T: IntoTasks,
    T::Children: EachTask,
{
    Ok(AsCompleted(start(tasks)?))
}

/// Tasks whose results are taken as they end: what [`as_completed`] returns.
#[must_use = "results are taken by `next`"]
pub struct AsCompleted<C>(C);

impl<C: EachTask> AsCompleted<C> {
    /// The next result, and the number of its task; `None` when all were taken.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost: a result leaves with the poll that is ready.
    pub async fn next(&mut self) -> Option<Completed<C::Output>> {
        poll_fn(|cx| self.0.poll_next(cx)).await
    }

    /// Gives up at `timeout` from now, by the clock of the running loop; a
    /// zero timeout gives the tasks one turn.
    ///
    /// asyncio: `as_completed(.., timeout=..)`.
    pub fn timeout(self, timeout: Duration) -> AsCompletedWithin<C> {
        let now = crate::schedule::current().map_or(Instant::ZERO, |running| running.time());
        AsCompletedWithin { tasks: self, deadline: now.saturating_add(timeout) }
    }
}

/// [`AsCompleted`] with a timeout for all results together.
#[must_use = "results are taken by `next`"]
pub struct AsCompletedWithin<C> {
    tasks: AsCompleted<C>,
    deadline: Instant,
}

impl<C: EachTask> AsCompletedWithin<C> {
    /// The next result, and the number of its task; `None` when all were taken.
    /// A result that is there together with the timeout comes first.
    ///
    /// # Errors
    ///
    /// [`TimeoutError::Elapsed`] when the time is over. The tasks go on, and results
    /// that are there later can still be taken from
    /// [`into_inner`](Self::into_inner).
    ///
    /// # Cancellation
    ///
    /// Nothing is lost, and its timer is gone.
    ///
    /// # Panics
    ///
    /// When it has to wait and no event loop runs on this thread.
    pub async fn next(&mut self) -> Result<Option<Completed<C::Output>>, TimeoutError> {
        match select((self.tasks.next(), sleep_until(self.deadline))).await {
            Either::First(next) => Ok(next),
            Either::Second(()) => Err(TimeoutError::Elapsed),
        }
    }

    /// The tasks, without the timeout.
    pub fn into_inner(self) -> AsCompleted<C> {
        self.tasks
    }
}
