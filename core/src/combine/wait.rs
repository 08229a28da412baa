//! Waiting for tasks without taking their results.

use crate::error::{NothingToWaitFor, TaskError};
use crate::task::{Sleep, Task, sleep};
use crate::time::Duration;
#[cfg(feature = "alloc")]
use alloc::vec::Vec;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

/// When [`wait`] returns.
///
/// asyncio: the argument `return_when`.
pub struct ReturnWhen<T> {
    until: Until<T>,
}

enum Until<T> {
    First,
    FirstWhere(fn(&Task<T>) -> bool),
    All,
}

impl<T> ReturnWhen<T> {
    /// When any task has ended, in any way.
    pub const FIRST_COMPLETED: ReturnWhen<T> = ReturnWhen { until: Until::First };
    /// When all tasks have ended.
    pub const ALL_COMPLETED: ReturnWhen<T> = ReturnWhen { until: Until::All };
}

impl<T, E> ReturnWhen<Result<T, E>> {
    /// When any task has ended with an `Err` or a panic; if none does, when all
    /// have ended. That a task was cancelled is no such end.
    pub const FIRST_EXCEPTION: ReturnWhen<Result<T, E>> =
        ReturnWhen { until: Until::FirstWhere(failed) };
}

fn failed<T, E>(task: &Task<Result<T, E>>) -> bool {
    task.panicked() || task.result().is_some_and(Result::is_err)
}

impl<T> Until<T> {
    /// Whether `task`, which has ended, ends the wait.
    fn is_met_by(&self, task: &Task<T>) -> bool {
        match self {
            Until::First => true,
            Until::FirstWhere(met) => met(task),
            Until::All => false,
        }
    }
}

/// Tasks that [`wait`] can wait for: a `&mut` slice or array of [`Task`]s, or,
/// with an allocator, a `Vec` of them.
pub trait WaitFor {
    /// What the tasks end with.
    type Value;
    /// Which have ended: how many, of borrowed tasks; of a `Vec`, two `Vec`s.
    type Output;

    /// The tasks.
    fn tasks(&mut self) -> &mut [Task<Self::Value>];
    /// Tells those that have ended from those that have not.
    fn classify(self) -> Self::Output;
}

/// How many of the tasks that were waited for have ended. Which, each
/// [`Task::done`] says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Waited {
    /// How many have ended.
    pub done: usize,
    /// How many have not.
    pub pending: usize,
}

fn count<T>(tasks: &[Task<T>]) -> Waited {
    let done = tasks.iter().filter(|task| task.done()).count();
    Waited { done, pending: tasks.len() - done }
}

impl<T> WaitFor for &mut [Task<T>] {
    type Value = T;
    type Output = Waited;

    fn tasks(&mut self) -> &mut [Task<T>] {
        self
    }

    fn classify(self) -> Waited {
        count(self)
    }
}

impl<T, const N: usize> WaitFor for &mut [Task<T>; N] {
    type Value = T;
    type Output = Waited;

    fn tasks(&mut self) -> &mut [Task<T>] {
        self.as_mut_slice()
    }

    fn classify(self) -> Waited {
        count(self)
    }
}

#[cfg(feature = "alloc")]
impl<T> WaitFor for Vec<Task<T>> {
    type Value = T;
    /// Those that have ended, and those that have not, both in the order given.
    type Output = (Vec<Task<T>>, Vec<Task<T>>);

    fn tasks(&mut self) -> &mut [Task<T>] {
        self
    }

    fn classify(self) -> Self::Output {
        self.into_iter().partition(Task::done)
    }
}

/// Why nothing was waited for.
#[derive(Debug)]
#[non_exhaustive]
pub enum WaitError {
    /// There were no tasks. asyncio: `ValueError`.
    NothingToWaitFor,
    /// A task cannot be waited for here: it is of another loop, or it is the
    /// one that waits.
    Task {
        /// Its number in the order given, from 0.
        number: usize,
        /// Why not.
        error: TaskError,
    },
}

impl fmt::Display for WaitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            WaitError::NothingToWaitFor => NothingToWaitFor.fmt(f),
            WaitError::Task { number, error } => {
                write!(f, "cannot wait for task {number}: {error}")
            }
        }
    }
}

impl core::error::Error for WaitError {}

/// Waits until all of `tasks` have ended, or until
/// [`return_when`](Wait::return_when) or [`timeout`](Wait::timeout) say. Results stay in the
/// tasks, nothing is cancelled, and no task's failure is this one's.
///
/// ```no_run
/// # #[cfg(feature = "alloc")] mod example {
/// # use molen_core as molen;
/// # type Result<T> = core::result::Result<T, Box<dyn core::error::Error>>;
/// # async fn example(mut tasks: Vec<molen::Task<u8>>) -> Result<()> {
/// use molen::{Duration, ReturnWhen, wait};
///
/// let waited = wait(tasks.as_mut_slice())
///     .return_when(ReturnWhen::FIRST_COMPLETED)
///     .timeout(Duration::from_secs(1))
///     .await?;
/// for task in tasks.iter_mut().filter(|task| task.done()) {
///     println!("{:?}", task.take_result());
/// }
///
/// // Of a `Vec`, the tasks themselves.
/// let (done, pending) = wait(tasks).await?;
/// # Ok(()) } }
/// ```
///
/// Which tasks have ended is looked at when the waiting task runs again, so
/// those that ended after the one that woke it are among them. If what is
/// waited for is so already, others get no turn first.
///
/// The same task twice is not possible, as a task has one handle; and futures
/// that are not tasks cannot be given, as in asyncio since 3.11.
///
/// # Errors
///
/// [`WaitError`] when there are no tasks, or one cannot be waited for.
///
/// # Cancellation
///
/// The tasks go on. Those given by value are then without a handle.
pub fn wait<W: WaitFor>(tasks: W) -> Wait<W> {
    Wait { tasks: Some(tasks), until: Until::All, told: None, ended: 0 }
}

/// The future of [`wait`].
#[must_use = "futures do nothing unless awaited"]
pub struct Wait<W: WaitFor> {
    tasks: Option<W>,
    until: Until<W::Value>,
    /// Whom all tasks wake that have not ended.
    told: Option<Waker>,
    /// How many have ended, of those at the beginning.
    ended: usize,
}

impl<W: WaitFor> Unpin for Wait<W> {}

impl<W: WaitFor> Wait<W> {
    /// When to return.
    pub fn return_when(self, when: ReturnWhen<W::Value>) -> Wait<W> {
        Wait { until: when.until, ..self }
    }

    /// Returns when `timeout` is over, at the latest. That is no error: the
    /// tasks that have not ended then are pending. The time runs from the
    /// first poll; zero gives the tasks one turn.
    ///
    /// # Panics
    ///
    /// The future does, when it has to wait and no event loop runs on this thread.
    pub fn timeout(self, timeout: Duration) -> WaitTimeout<W> {
        WaitTimeout { wait: self, sleep: sleep(timeout) }
    }

    /// Tells those that have ended from those that have not.
    fn classify(&mut self) -> Poll<Result<W::Output, WaitError>> {
        match self.tasks.take() {
            Some(tasks) => Poll::Ready(Ok(tasks.classify())),
            None => Poll::Pending,
        }
    }
}

impl<W: WaitFor> Future for Wait<W> {
    type Output = Result<W::Output, WaitError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Wait { tasks, until, told, ended } = &mut *self;
        let Some(waiting) = tasks else { return Poll::Pending };
        let waiting = waiting.tasks();
        if waiting.is_empty() {
            return Poll::Ready(Err(WaitError::NothingToWaitFor));
        }
        *ended += waiting.iter().skip(*ended).take_while(|task| task.done()).count();
        let told_before = told.as_ref().is_some_and(|told| told.will_wake(cx.waker()));
        if *ended < waiting.len() && told_before && matches!(until, Until::All) {
            // Those behind may have ended or not: one that has not is enough to
            // know, or the cost of waiting for many would grow with the square.
            return Poll::Pending;
        }
        let (mut all, mut met) = (true, false);
        for (number, task) in waiting.iter_mut().enumerate() {
            if task.done() {
                met = met || until.is_met_by(task);
                continue;
            }
            all = false;
            // It has not ended, so there is no value that this could take out.
            if let Poll::Ready(Err(error)) = Pin::new(task).poll(cx) {
                return Poll::Ready(Err(WaitError::Task { number, error }));
            }
        }
        if !told_before {
            *told = Some(cx.waker().clone());
        }
        if all || met { self.classify() } else { Poll::Pending }
    }
}

/// The future of [`Wait::timeout`].
#[must_use = "futures do nothing unless awaited"]
pub struct WaitTimeout<W: WaitFor> {
    wait: Wait<W>,
    sleep: Sleep,
}

impl<W: WaitFor> Future for WaitTimeout<W> {
    type Output = Result<W::Output, WaitError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: Pinned (maybe_done): the sleep stays; the wait is Unpin.
        let (wait, sleep) = unsafe {
            let this = self.get_unchecked_mut();
            (&mut this.wait, Pin::new_unchecked(&mut this.sleep))
        };
        if let Poll::Ready(waited) = Pin::new(&mut *wait).poll(cx) {
            return Poll::Ready(waited);
        }
        core::task::ready!(sleep.poll(cx));
        wait.classify()
    }
}
