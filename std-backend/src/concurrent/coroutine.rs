//! Coroutines that another thread's loop runs.

use super::error::ConcurrentError;
use super::future::ConcurrentFuture;
use molen_core::platform::panic_message;
use molen_core::schedule::{ExceptionContext, Remote};
use molen_core::{ScheduleError, current_task, get_running_loop};
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// What [`run_coroutine_threadsafe`] takes: a future that may go to another
/// thread, or a function that makes, over there, one that may not.
///
/// `Kind` tells the two apart; it is never written.
pub trait Coroutine<Kind>: Send + 'static {
    /// The future that the loop runs.
    type Future: Future<Output = Self::Output> + 'static;
    /// What it ends with.
    type Output: Send + 'static;

    /// The future, made on the loop's thread.
    fn start(self) -> Self::Future;
}

impl<F> Coroutine<()> for F
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    type Future = F;
    type Output = F::Output;

    fn start(self) -> F {
        self
    }
}

impl<M, F> Coroutine<fn() -> F> for M
where
    M: FnOnce() -> F + Send + 'static,
    F: Future + 'static,
    F::Output: Send + 'static,
{
    type Future = F;
    type Output = F::Output;

    fn start(self) -> F {
        self()
    }
}

/// Has the loop of `remote` run `coroutine` as a task. From any thread; the
/// result can be waited for on all of them.
///
/// A cancel of the future is one of the task, and the other way round. What
/// goes wrong before there is a task (the loop is closed, the function that
/// makes the future panics) ends the future too. If the loop is closed while
/// the task is not done, the future is cancelled.
///
/// ```
/// # mod molen { pub use {molen_core::*, molen_std::{net, *}}; }
/// use molen::{Duration, get_running_loop, sleep};
/// use molen::{new_event_loop, run_coroutine_threadsafe};
/// use std::rc::Rc;
///
/// let event_loop = new_event_loop()?;
/// let remote = event_loop.remote();
/// let thread = std::thread::spawn(move || {
///     let coroutine = || async {
///         let text = Rc::new("made over there");
///         sleep(Duration::from_millis(1)).await;
///         text.len()
///     };
///     let length = run_coroutine_threadsafe(coroutine, &remote).result(None);
///     let stop = || get_running_loop().map_or((), |it| it.stop());
///     remote.call_soon_threadsafe(stop).map_or((), drop);
///     length
/// });
/// event_loop.run_forever()?;
/// assert!(matches!(thread.join(), Ok(Ok(15))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// asyncio: `asyncio.run_coroutine_threadsafe()`.
pub fn run_coroutine_threadsafe<C, Kind>(
    coroutine: C,
    remote: &Remote,
) -> ConcurrentFuture<C::Output>
where
    C: Coroutine<Kind>,
{
    let future = ConcurrentFuture::of(Some(remote.clone()));
    let guard = UnlessDone {
        future: future.clone(),
        reason: || ConcurrentError::NotCreated(ScheduleError::Closed(())),
    };
    // A closed loop refuses it, and one that closes drops it; so goes the guard.
    drop(remote.call_soon_threadsafe(move || make_task(coroutine, guard)));
    future
}

/// Tells the future that no task will end it, unless it is done.
struct UnlessDone<T> {
    future: ConcurrentFuture<T>,
    reason: fn() -> ConcurrentError,
}

impl<T> Drop for UnlessDone<T> {
    fn drop(&mut self) {
        // Refused when it is done already.
        let _ = self.future.set_exception((self.reason)());
    }
}

/// On the loop's thread: makes the task.
fn make_task<C, Kind>(coroutine: C, mut guard: UnlessDone<C::Output>)
where
    C: Coroutine<Kind>,
{
    // Cancelled before it began, or no loop runs, which cannot be here.
    let Some(event_loop) = get_running_loop().ok().filter(|_| !guard.future.done()) else { return };
    let report = |message: &str, error: &dyn fmt::Display| {
        event_loop.call_exception_handler(&ExceptionContext::new(message, Some(error)));
    };
    let future = guard.future.clone();
    match catch_unwind(AssertUnwindSafe(|| coroutine.start())) {
        Err(payload) => {
            let text = panic_message(&payload);
            report("making the coroutine of run_coroutine_threadsafe panicked", &text);
            let _ = future.set_exception(ConcurrentError::Panicked(payload));
        }
        Ok(coroutine) => {
            guard.reason = || ConcurrentError::Cancelled;
            match event_loop.create_task(run(coroutine, guard)) {
                Ok(task) => task.detach(),
                Err(error) => {
                    report("making the task of run_coroutine_threadsafe failed", &error);
                    let mut task = None;
                    let error = error.map(|it| task = Some(it));
                    let _ = future.set_exception(ConcurrentError::NotCreated(error));
                    // Only now, because this would cancel the future.
                    drop(task);
                }
            }
        }
    }
}

/// The task: runs the coroutine and tells the future how it ended.
///
/// It tells also when it is dropped, which is how tasks end that are cancelled
/// or aborted, and those of a loop that is closed.
async fn run<F: Future>(coroutine: F, guard: UnlessDone<F::Output>) {
    let guard = guard;
    let mut coroutine = pin!(coroutine);
    let (mut known, mut asked) = (false, false);
    let outcome = poll_fn(|cx| {
        // A task's waker is always the same.
        let cancelled = if known {
            !asked && guard.future.cancelled()
        } else {
            known = true;
            guard.future.belongs_to(cx.waker())
        };
        if cancelled {
            asked = true;
            if ask_to_end() {
                // The cancel comes first, and wakes the task again.
                return Poll::Pending;
            }
        }
        let polled = catch_unwind(AssertUnwindSafe(|| coroutine.as_mut().poll(cx)));
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
            Err(payload) => Poll::Ready(Err(ConcurrentError::Panicked(payload))),
        }
    })
    .await;
    // Refused when somebody cancelled it meanwhile; then nobody wants the value.
    let _ = match outcome {
        Ok(value) => guard.future.set_result(value),
        Err(error) => guard.future.set_exception(error),
    };
}

/// Has the running task cancelled as soon as it does not run, so that the
/// cancel reaches the innermost place where it waits.
fn ask_to_end() -> bool {
    let (Some(task), Ok(event_loop)) = (current_task(), get_running_loop()) else { return false };
    event_loop
        .call_soon(move || {
            task.cancel();
        })
        .is_ok()
}
