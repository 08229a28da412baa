//! A job in memory: what executors run, and what tasks await.
//!
//! # Invariants
//!
//! * **Two Sides**: a cell has one runner (a [`Job`]) and one awaiter (a
//!   [`RunInExecutor`]); each is dropped once, and the one that leaves last,
//!   as the state says, frees the cell.
//! * **Owner's Turn**: a side touches the function, the outcome and the waker
//!   only when the table in `state` says that they are its own.

use super::error::{JobError, Refused};
use super::state::{Cancel, Claim, Finish, JobState, Offer, Withdraw};
use crate::atomic::TurnCell;
use crate::platform::catch_unwind;
use alloc::boxed::Box;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::{Context, Poll, Waker};

type Outcome<T> = Result<T, JobError>;

/// What both sides of a job share.
struct JobCell<F, T> {
    state: JobState,
    waker: TurnCell<Option<Waker>>,
    stage: TurnCell<Stage<F, T>>,
}

enum Stage<F, T> {
    Function(F),
    Outcome(Outcome<T>),
    Empty,
}

impl<F, T> JobCell<F, T> {
    /// Takes out what the stage holds.
    ///
    /// # Safety
    ///
    /// *Owner's Turn*.
    unsafe fn take(&self) -> Stage<F, T> {
        // SAFETY: the caller's promise.
        self.stage.with_mut(|stage| unsafe { core::mem::replace(&mut *stage, Stage::Empty) })
    }

    /// Writes the outcome, and tells the awaiter.
    ///
    /// # Safety
    ///
    /// *Owner's Turn*: the runner has claimed it, and taken the function out.
    unsafe fn complete(&self, outcome: Outcome<T>) {
        // SAFETY: the caller's promise: no DONE yet.
        self.stage.with_mut(|stage| unsafe { *stage = Stage::Outcome(outcome) });
        match self.state.finish() {
            // SAFETY: Owner's Turn: WAKER was set at DONE.
            Finish::Wake => self.waker.with(|waker| unsafe {
                if let Some(waker) = &*waker {
                    waker.wake_by_ref();
                }
            }),
            Finish::Seen => {}
            // SAFETY: Owner's Turn: CANCELLED came before DONE.
            Finish::Unwanted => drop(unsafe { self.take() }),
        }
    }
}

/// The runner's view.
trait Runnable {
    fn state(&self) -> &JobState;

    /// Calls the function and tells the awaiter.
    ///
    /// # Safety
    ///
    /// *Owner's Turn*: the runner has claimed it.
    unsafe fn run(&self);

    /// Drops the function and tells the awaiter.
    ///
    /// # Safety
    ///
    /// *Owner's Turn*: the runner has claimed it.
    unsafe fn give_up(&self);
}

impl<F: FnOnce() -> T, T> Runnable for JobCell<F, T> {
    fn state(&self) -> &JobState {
        &self.state
    }

    unsafe fn run(&self) {
        // SAFETY: the caller's promise.
        let Stage::Function(function) = (unsafe { self.take() }) else { return };
        let (mut function, mut value) = (Some(function), None);
        let caught = catch_unwind(&mut || value = function.take().map(|function| function()));
        let outcome = match (caught, value) {
            (Err(payload), _) => Err(JobError::Panicked(payload)),
            (Ok(()), Some(value)) => Ok(value),
            (Ok(()), None) => Err(JobError::Cancelled),
        };
        // SAFETY: the caller's promise; the function is out.
        unsafe { self.complete(outcome) }
    }

    unsafe fn give_up(&self) {
        // SAFETY: the caller's promise.
        let _function = unsafe { self.take() };
        // SAFETY: as above. The function goes last: its destructor may panic.
        unsafe { self.complete(Err(JobError::Cancelled)) }
    }
}

/// The awaiter's view.
trait Awaited<T> {
    fn state(&self) -> &JobState;

    fn waker(&self) -> &TurnCell<Option<Waker>>;

    /// Takes the outcome out.
    ///
    /// # Safety
    ///
    /// *Owner's Turn*: it is DONE, and was not cancelled before.
    unsafe fn take_outcome(&self) -> Outcome<T>;

    /// Drops the function or the outcome, and with them what they refer to.
    ///
    /// # Safety
    ///
    /// *Owner's Turn*.
    unsafe fn empty(&self);
}

impl<F, T> Awaited<T> for JobCell<F, T> {
    fn state(&self) -> &JobState {
        &self.state
    }

    fn waker(&self) -> &TurnCell<Option<Waker>> {
        &self.waker
    }

    unsafe fn take_outcome(&self) -> Outcome<T> {
        // SAFETY: the caller's promise.
        match unsafe { self.take() } {
            Stage::Outcome(outcome) => outcome,
            _ => Err(JobError::Taken),
        }
    }

    unsafe fn empty(&self) {
        // SAFETY: the caller's promise.
        drop(unsafe { self.take() });
    }
}

/// A function on its way to a thread of an [`Executor`](super::Executor).
///
/// Dropping it without running it drops the function; who waits for it gets
/// [`JobError::Cancelled`].
pub struct Job {
    cell: NonNull<dyn Runnable>,
}

// SAFETY: `submit` made it of a function and a result that may go to another
// thread; the state is made for two threads.
unsafe impl Send for Job {}

impl Job {
    fn cell(&self) -> &dyn Runnable {
        // SAFETY: Two Sides: the runner has not left.
        unsafe { self.cell.as_ref() }
    }

    /// Calls the function, unless it was cancelled, and has its value awaited.
    ///
    /// Its panic ends here; whoever awaits it gets that too.
    pub fn run(self) {
        if self.cell().state().claim() == Claim::Run {
            // What may still panic is a waker of another runtime, or the
            // destructor of what nobody wants; the thread goes on.
            // SAFETY: Owner's Turn: claimed.
            let caught = catch_unwind(&mut || unsafe { self.cell().run() });
            // A payload whose destructor panics would end the thread after all.
            core::mem::forget(caught);
        }
        core::mem::ManuallyDrop::new(self).leave();
    }

    /// Whether it was cancelled; then running it does nothing, and an executor
    /// may drop it to make room.
    pub fn is_cancelled(&self) -> bool {
        self.cell().state().is_cancelled()
    }

    /// The runner's side is over; nothing follows but forgetting it.
    fn leave(&self) {
        if self.cell().state().runner_leaves() {
            // SAFETY: Two Sides: the awaiter left before.
            drop(unsafe { Box::from_raw(self.cell.as_ptr()) });
        }
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        struct Leave<'a>(&'a Job);
        impl Drop for Leave<'_> {
            fn drop(&mut self) {
                self.0.leave();
            }
        }
        let leave = Leave(self);
        if leave.0.cell().state().claim() == Claim::Run {
            // SAFETY: Owner's Turn: claimed.
            unsafe { leave.0.cell().give_up() }
        }
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("cancelled", &self.is_cancelled()).finish()
    }
}

/// The value of a function that an executor runs; the future of
/// [`run_in_executor`](super::run_in_executor).
///
/// # Cancellation
///
/// Dropping it takes a job that has not begun out: its function is dropped
/// here and now, and never runs. One that runs cannot be stopped; its value is
/// dropped on its thread, and nothing is posted to the loop, which may be
/// closed by then.
///
/// # Errors
///
/// It ends with [`JobError`] when the function panicked, or when the executor
/// dropped it.
#[must_use = "dropping it cancels the function if it has not begun"]
pub struct RunInExecutor<T> {
    /// `None` once the outcome was taken.
    cell: Option<NonNull<dyn Awaited<T>>>,
}

// SAFETY: the value may go to another thread, and so may the function, which
// its `cancel` drops, as `submit` saw to; the state is made for two threads.
unsafe impl<T: Send> Send for RunInExecutor<T> {}

impl<T> RunInExecutor<T> {
    /// Whether the function has ended, in any way.
    pub fn done(&self) -> bool {
        // SAFETY: Two Sides: the awaiter has not left.
        self.cell.is_none_or(|cell| unsafe { cell.as_ref() }.state().is_done())
    }

    /// Cancels it, as dropping does; true when the function had not begun, and
    /// so never will.
    ///
    /// asyncio: `concurrent.futures.Future.cancel()`.
    pub fn cancel(mut self) -> bool {
        self.leave()
    }

    fn leave(&mut self) -> bool {
        /// Leaves, whatever the destructors of what it drops do.
        struct Leave<T>(NonNull<dyn Awaited<T>>);
        impl<T> Drop for Leave<T> {
            fn drop(&mut self) {
                // SAFETY: Two Sides: the awaiter leaves now, and once.
                unsafe {
                    if self.0.as_ref().state().awaiter_leaves() {
                        drop(Box::from_raw(self.0.as_ptr()));
                    }
                }
            }
        }
        let Some(cell) = self.cell.take() else { return false };
        let leave = Leave(cell);
        // SAFETY: Two Sides: not left yet.
        let cell = unsafe { leave.0.as_ref() };
        let cancel = cell.state().cancel();
        let _waker = match cancel {
            // SAFETY: Owner's Turn, as `cancel` says.
            Cancel::Function | Cancel::Waker => cell.waker().with_mut(|it| unsafe { (*it).take() }),
            Cancel::Outcome => None,
        };
        if !matches!(cancel, Cancel::Waker) {
            // SAFETY: Owner's Turn, as `cancel` says.
            unsafe { cell.empty() };
        }
        matches!(cancel, Cancel::Function)
    }
}

impl<T> Future for RunInExecutor<T> {
    type Output = Result<T, JobError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(cell) = self.cell else { return Poll::Ready(Err(JobError::Taken)) };
        // SAFETY: Two Sides: the awaiter has not left.
        let cell = unsafe { cell.as_ref() };
        core::task::ready!(poll_done(cell, cx.waker()));
        // SAFETY: Owner's Turn: DONE, and not cancelled.
        let outcome = unsafe { cell.take_outcome() };
        self.leave();
        Poll::Ready(outcome)
    }
}

/// Ready when the job is done; else the runner will call `waker`. Awaiter only.
fn poll_done<T>(cell: &dyn Awaited<T>, waker: &Waker) -> Poll<()> {
    let state = cell.state();
    if state.is_done() {
        return Poll::Ready(());
    }
    if state.has_waker() {
        // SAFETY: both sides may look at it.
        let known = cell
            .waker()
            .with(|known| unsafe { (*known).as_ref() }.is_some_and(|it| it.will_wake(waker)));
        if known {
            return Poll::Pending;
        }
        if let Withdraw::Done = state.withdraw_waker() {
            return Poll::Ready(());
        }
    }
    let new = waker.clone();
    // SAFETY: Owner's Turn: WAKER is clear, and DONE did not come while it was set.
    let old = cell.waker().with_mut(|place| unsafe { (*place).replace(new) });
    let offer = state.offer_waker();
    drop(old);
    match offer {
        Offer::Waiting => Poll::Pending,
        Offer::Done => Poll::Ready(()),
    }
}

impl<T> Unpin for RunInExecutor<T> {}

impl<T> Drop for RunInExecutor<T> {
    fn drop(&mut self) {
        self.leave();
    }
}

impl<T> fmt::Debug for RunInExecutor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunInExecutor").field("done", &self.done()).finish()
    }
}

/// Makes a job of `function`, gives it to `execute`, and returns the future.
pub(super) fn submit<F, T>(
    execute: &dyn Fn(Job) -> Result<(), Refused<Job>>,
    function: F,
) -> Result<RunInExecutor<T>, Refused<F>>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let cell = Box::new(JobCell {
        state: JobState::new(),
        waker: TurnCell::new(None),
        stage: TurnCell::new(Stage::Function(function)),
    });
    let cell: NonNull<JobCell<F, T>> = NonNull::from(Box::leak(cell));
    // Both are made before anything that could panic: each frees its side.
    let awaiter = RunInExecutor { cell: Some(cell) };
    let job = Job { cell };
    let Err(refused) = execute(job) else { return Ok(awaiter) };
    // An executor that gives another job back has kept this one.
    if refused.value.cell.cast::<()>() != cell.cast() {
        return Ok(awaiter);
    }
    core::mem::forget((awaiter, refused.value));
    // SAFETY: Two Sides: both are here, and forgotten.
    let cell = *unsafe { Box::from_raw(cell.as_ptr()) };
    match cell.stage.into_inner() {
        Stage::Function(value) => Err(Refused { value, reason: refused.reason }),
        // `run` takes the job, so a job that comes back was not run.
        _ => Ok(RunInExecutor { cell: None }),
    }
}
