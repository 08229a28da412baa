//! Functions that block, run on other threads and awaited on the loop's.
//!
//! ```text
//!  loop's thread                          a thread of the executor
//!  run_in_executor(None, f)
//!     └─ job ──────────── execute ──────▶ queue ──▶ f()
//!        await ◀── waker, loop's inbox ───────────── its value, or its panic
//! ```
//!
//! A job is one allocation, shared by two sides: the executor runs it, and
//! the future [`RunInExecutor`] waits for it. Between them is a word of six
//! bits (`state`); its value reaches the loop as any wake from another thread
//! does, through the inbox, and no lock is taken on the way.
//!
//! | file | concept |
//! |---|---|
//! | `state` | what has happened to a job, and who owns what of it |
//! | `job` | the job in memory: what executors run and what tasks await |
//! | `default` | the loop's own executor, and `to_thread` |
//! | `error` | refusals, and how jobs end without a value |
//!
//! An [`Executor`] decides on which thread a job runs, and when; anything that
//! can call [`Job::run`] once is one. The backend's is a pool of threads.

mod default;
mod error;
mod job;
mod state;

pub(crate) use default::DefaultExecutor;
pub use default::{run_in_executor, to_thread};
pub use error::{JobError, Refusal, Refused, ShutdownError};
pub use job::{Job, RunInExecutor};

use alloc::sync::Arc;
use core::task::{Context, Poll};

/// What a backend makes for a loop that was given no executor.
pub type DefaultExecutorRef = Option<Arc<dyn Executor>>;

/// Who runs functions on other threads than the loop's.
///
/// An executor whose threads are not its own (an adapter to another pool) has
/// only [`execute`](Self::execute) to write.
///
/// asyncio: `concurrent.futures.Executor`.
pub trait Executor: Send + Sync {
    /// Takes a job, to be [run](Job::run) once, on whatever thread. Does not
    /// wait and does not run it here.
    ///
    /// # Errors
    ///
    /// [`Refused`] with the job.
    fn execute(&self, job: Job) -> Result<(), Refused<Job>>;

    /// Takes no more jobs from now on. Those that were taken are run, and then
    /// the threads end. Does not wait; idempotent.
    ///
    /// asyncio: `Executor.shutdown(wait=False)`.
    fn shutdown(&self) {}

    /// Ready when the executor has been shut down and none of its jobs is left;
    /// until then the waker is kept, and called once that is so.
    fn poll_shut_down(&self, cx: &mut Context<'_>) -> Poll<()> {
        let _ = cx;
        Poll::Ready(())
    }
}

/// Has `executor` call `function`, and returns the future of its value.
///
/// The future may be awaited anywhere, also where no Molen loop runs.
///
/// asyncio: `Executor.submit()`.
///
/// # Errors
///
/// [`Refused`] with the function, as the executor says.
pub fn submit<E, F, T>(executor: &E, function: F) -> Result<RunInExecutor<T>, Refused<F>>
where
    E: Executor + ?Sized,
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    job::submit(&|job| executor.execute(job), function)
}
