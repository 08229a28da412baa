//! A pool of threads: what a loop makes for itself when it is given no executor.

use super::worker::{Put, Shared};
use molen_core::executor::{Executor, Job, Refusal, Refused, RunInExecutor, submit};
use std::fmt;
use std::num::NonZero;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;

/// Threads that run functions, first come first served.
///
/// A thread is started when a function comes and none is idle, up to the
/// maximum; idle threads are used again, and stay until the pool is shut down.
/// Dropping the pool shuts it down; what is queued is run first, by threads
/// that nobody waits for.
///
/// asyncio: `concurrent.futures.ThreadPoolExecutor`.
///
/// ```
/// # mod molen { pub use {molen_core::*, molen_std::{net, *}}; }
/// use molen::run_in_executor;
/// use molen::{ThreadPoolExecutor, new_event_loop};
/// use std::num::NonZero;
///
/// let pool = ThreadPoolExecutor::new(NonZero::<usize>::MIN, "hashing");
/// let event_loop = new_event_loop()?;
/// let sum = event_loop.run_until_complete(async {
///     let job = run_in_executor(Some(&pool), || (1..=100).sum::<u32>());
///     Ok::<_, Box<dyn std::error::Error>>(job.map_err(|refused| refused.reason)?.await?)
/// })??;
/// assert_eq!(sum, 5050);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ThreadPoolExecutor {
    shared: Arc<Shared>,
    thread_name_prefix: Box<str>,
}

impl ThreadPoolExecutor {
    /// A pool of at most `max_workers` threads, none of which is started yet.
    /// They are named `thread_name_prefix`, a hyphen, and a number from 0.
    pub fn new(max_workers: NonZero<usize>, thread_name_prefix: &str) -> ThreadPoolExecutor {
        // A name with a NUL in it would be refused by the system.
        let thread_name_prefix = thread_name_prefix.replace('\0', "").into_boxed_str();
        ThreadPoolExecutor { shared: Arc::new(Shared::new(max_workers.get())), thread_name_prefix }
    }

    /// The most threads that it will have.
    pub fn max_workers(&self) -> usize {
        self.shared.max_workers
    }

    /// How many threads it has now, idle ones and others.
    pub fn workers(&self) -> usize {
        self.shared.workers()
    }

    /// How many functions wait for a thread; cancelled ones may be counted.
    pub fn queued(&self) -> usize {
        self.shared.queued()
    }

    /// Has `function` called on one of the threads, from wherever this is called.
    ///
    /// asyncio: `Executor.submit()`.
    ///
    /// # Errors
    ///
    /// [`Refused`] with the function when the pool was shut down, or has no
    /// thread and the system gives it none.
    pub fn submit<F, T>(&self, function: F) -> Result<RunInExecutor<T>, Refused<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        submit(self, function)
    }

    /// Starts thread number `number`, which [`Put::NeedsWorker`] counted.
    fn start_worker(&self, number: usize) -> Result<(), std::io::Error> {
        let shared = self.shared.clone();
        let name = format!("{}-{number}", self.thread_name_prefix);
        // Nobody joins it: `poll_shut_down` tells when it has nothing left to do.
        thread::Builder::new().name(name).spawn(move || shared.work()).map(drop)
    }
}

impl Default for ThreadPoolExecutor {
    /// As many threads as asyncio's default executor: four more than there are
    /// processors, but at most 32.
    fn default() -> ThreadPoolExecutor {
        let processors = thread::available_parallelism().map_or(1, NonZero::get);
        let workers = processors.saturating_add(4).min(32);
        ThreadPoolExecutor::new(NonZero::new(workers).unwrap_or(NonZero::<usize>::MIN), "molen")
    }
}

impl Executor for ThreadPoolExecutor {
    fn execute(&self, job: Job) -> Result<(), Refused<Job>> {
        let put = match self.shared.put(job) {
            Put::NeedsWorker(job, number) => match self.start_worker(number) {
                Ok(()) => self.shared.put_with_worker(job),
                Err(error) => {
                    let code = error.raw_os_error().unwrap_or(0);
                    let left = self.shared.put_without_worker(job);
                    return left.map_err(|job| Refused::new(job, Refusal::NoThread(code)));
                }
            },
            put => put,
        };
        match put {
            Put::Queued => Ok(()),
            Put::ShutDown(job) | Put::NeedsWorker(job, _) => {
                Err(Refused::new(job, Refusal::ShutDown))
            }
        }
    }

    fn shutdown(&self) {
        self.shared.shutdown();
    }

    fn poll_shut_down(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.shared.poll_shut_down(cx)
    }
}

impl Drop for ThreadPoolExecutor {
    fn drop(&mut self) {
        self.shared.shutdown();
    }
}

impl fmt::Debug for ThreadPoolExecutor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadPoolExecutor")
            .field("max_workers", &self.max_workers())
            .field("workers", &self.workers())
            .field("queued", &self.queued())
            .finish()
    }
}
