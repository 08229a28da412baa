//! The loop's own executor: made when it is first needed, replaced by who
//! wants another, shut down when the loop is closed.
//!
//! ```text
//!            run_in_executor(None, …)
//!  none ────────────────────────────────▶ one
//!    ▲──────── set_default_executor ────────▲
//!    │                                      │ shutdown_default_executor, close
//!    └──────────▶ refused from then on ◀────┘
//! ```

use super::error::{JobError, Refusal, Refused, ShutdownError};
use super::job::{self, RunInExecutor};
use super::{Executor, submit};
use crate::schedule::{EventLoop, current};
use crate::task::sleep_until;
use crate::time::Duration;
use alloc::sync::Arc;
use core::cell::{Cell, RefCell};
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;

/// A loop's default executor.
pub(crate) struct DefaultExecutor {
    executor: RefCell<Option<Arc<dyn Executor>>>,
    shut_down: Cell<bool>,
}

impl DefaultExecutor {
    pub(crate) const fn new() -> DefaultExecutor {
        DefaultExecutor { executor: RefCell::new(None), shut_down: Cell::new(false) }
    }

    /// The executor, made now if there is none.
    fn get(&self) -> Result<Arc<dyn Executor>, Refusal> {
        if self.shut_down.get() {
            return Err(Refusal::ShutDown);
        }
        if let Some(executor) = &*self.executor.borrow() {
            return Ok(executor.clone());
        }
        let made = crate::platform::new_default_executor().ok_or(Refusal::NoDefaultExecutor)?;
        *self.executor.borrow_mut() = Some(made.clone());
        Ok(made)
    }

    /// Refuses jobs from now on; what was to run them is told so.
    fn shut_down(&self) -> Option<Arc<dyn Executor>> {
        self.shut_down.set(true);
        let executor = self.executor.borrow().clone();
        if let Some(executor) = &executor {
            executor.shutdown();
        }
        executor
    }
}

impl EventLoop {
    /// The loop closes: its executor is told to end, and not waited for. Tasks
    /// have been dropped before, so what they had in its queue is cancelled.
    pub(crate) fn close_default_executor(&self) {
        let shut_down = &mut || {
            self.default_executor.shut_down();
            drop(self.default_executor.executor.take());
        };
        if let Err(payload) = crate::platform::catch_unwind(shut_down) {
            self.report_panic("shutting the default executor down panicked", &payload);
        }
    }

    /// Has `executor`, or the loop's default one, call `function` on another
    /// thread; the future ends with its value.
    ///
    /// The function is on its way when this returns, also before the future is
    /// first polled. Without an executor of its own, the loop makes one when it
    /// is first needed; on desktops, a pool of up to `cpus + 4` threads, at most 32.
    ///
    /// asyncio: `loop.run_in_executor()`.
    ///
    /// # Errors
    ///
    /// [`Refused`] with the function: the loop is closed, or
    /// [`shutdown_default_executor`](Self::shutdown_default_executor) was called
    /// and no other executor is named, or the executor refuses.
    pub fn run_in_executor<F, T>(
        &self,
        executor: Option<&dyn Executor>,
        function: F,
    ) -> Result<RunInExecutor<T>, Refused<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let refuse = |job, reason| Err(Refused { value: job, reason });
        if self.is_closed() {
            return refuse(function, Refusal::LoopClosed);
        }
        if let Some(executor) = executor {
            return submit(executor, function);
        }
        match self.default_executor.get() {
            Ok(executor) => job::submit(&|job| executor.execute(job), function),
            Err(reason) => refuse(function, reason),
        }
    }

    /// Makes `executor` the loop's default one and returns the one before,
    /// which is not shut down. With `None`, a new one is made when it is needed.
    ///
    /// After [`shutdown_default_executor`](Self::shutdown_default_executor)
    /// this has no effect, as in asyncio, and `executor` is dropped.
    ///
    /// asyncio: `loop.set_default_executor()`, which takes no `None`.
    pub fn set_default_executor(
        &self,
        executor: Option<Arc<dyn Executor>>,
    ) -> Option<Arc<dyn Executor>> {
        if self.default_executor.shut_down.get() {
            return None;
        }
        self.default_executor.executor.replace(executor)
    }

    /// Shuts the default executor down and waits, while the loop goes on, until
    /// all its jobs are done. From the first poll on, jobs are refused. Asked
    /// again, it waits again.
    ///
    /// asyncio: `loop.shutdown_default_executor()`; `asyncio.run()` gives it
    /// five minutes.
    ///
    /// # Errors
    ///
    /// [`ShutdownError::TimedOut`] when they are not done within `timeout`.
    ///
    /// # Cancellation
    ///
    /// The executor stays shut down; nobody waits for its jobs any more.
    pub async fn shutdown_default_executor(
        &self,
        timeout: Option<Duration>,
    ) -> Result<(), ShutdownError> {
        let Some(executor) = self.default_executor.shut_down() else { return Ok(()) };
        let deadline = timeout.map(|timeout| self.time().saturating_add(timeout));
        let mut expired = pin!(async {
            match deadline {
                // It may be polled where no loop runs, and there `sleep_until` panics.
                Some(_) if current().is_none() => Err(ShutdownError::NoRunningLoop),
                Some(deadline) => {
                    sleep_until(deadline).await;
                    Err(ShutdownError::TimedOut)
                }
                None => core::future::pending().await,
            }
        });
        poll_fn(|cx| match executor.poll_shut_down(cx) {
            Poll::Ready(()) => Poll::Ready(Ok(())),
            Poll::Pending => expired.as_mut().poll(cx),
        })
        .await
    }
}

/// [`EventLoop::run_in_executor`] of the loop that runs on this thread.
///
/// asyncio: `get_running_loop().run_in_executor()`.
///
/// # Errors
///
/// As there, and [`Refusal::NoRunningLoop`].
pub fn run_in_executor<F, T>(
    executor: Option<&dyn Executor>,
    function: F,
) -> Result<RunInExecutor<T>, Refused<F>>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    match current() {
        Some(event_loop) => event_loop.run_in_executor(executor, function),
        None => Err(Refused { value: function, reason: Refusal::NoRunningLoop }),
    }
}

/// Calls `function` on another thread, by the default executor of the loop
/// that runs, and ends with its value. The function is sent at the first poll.
///
/// asyncio's copies the context for it. The values of a
/// [`ContextVar`](crate::task::ContextVar) need not be able to leave their
/// thread, so here the function captures those that it needs.
///
/// asyncio: `asyncio.to_thread()`.
///
/// # Errors
///
/// [`JobError`]: it panicked, or was refused.
///
/// # Cancellation
///
/// As [`RunInExecutor`]: a function that has not begun never runs.
pub async fn to_thread<F, T>(function: F) -> Result<T, JobError>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    match run_in_executor(None, function) {
        Ok(job) => job.await,
        Err(refused) => Err(JobError::Refused(refused.reason)),
    }
}
