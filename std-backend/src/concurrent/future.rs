//! A result for all threads.
//!
//! ```text
//!              set_result, set_exception; its task ends
//!  Pending ───────────────────────────────────────────▶ Done ── result ──▶ Taken
//!     │ cancel, any thread                                ▲
//!     └───────────────────────────────────────────────────┘
//! ```
//!
//! One lock guards it. It is held for a few instructions, never while a waker
//! or a done callback is called, or a value is dropped.

use super::error::ConcurrentError;
use molen_core::InvalidState;
use molen_core::schedule::Remote;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

type Outcome<T> = Result<T, ConcurrentError>;
type Callback<T> = Box<dyn FnOnce(&ConcurrentFuture<T>) + Send>;

/// A result that another thread will set: the future of
/// [`run_coroutine_threadsafe`](super::run_coroutine_threadsafe), or one of
/// one's own making.
///
/// Copies are the same future. Dropping all of them cancels nothing. The value
/// is given out once.
///
/// asyncio: `concurrent.futures.Future`.
pub struct ConcurrentFuture<T> {
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    done: Condvar,
    /// The loop that runs what this is the future of.
    loop_of_task: Option<Remote>,
}

struct State<T> {
    stage: Stage<T>,
    callbacks: Vec<Callback<T>>,
    wakers: Vec<(u64, Waker)>,
    /// The number of the next who waits.
    next_waiter: u64,
    /// The task that is to be cancelled with this.
    task: Option<Waker>,
}

enum Stage<T> {
    Pending,
    Done(Outcome<T>),
    Cancelled,
    Taken,
}

impl<T> ConcurrentFuture<T> {
    /// A pending future that no task belongs to: somebody will
    /// [set its result](Self::set_result).
    pub fn new() -> ConcurrentFuture<T> {
        ConcurrentFuture::of(None)
    }

    /// A pending future for a task of that loop.
    pub(super) fn of(loop_of_task: Option<Remote>) -> ConcurrentFuture<T> {
        let state = State {
            stage: Stage::Pending,
            callbacks: Vec::new(),
            wakers: Vec::new(),
            next_waiter: 0,
            task: None,
        };
        let (state, done) = (Mutex::new(state), Condvar::new());
        ConcurrentFuture { shared: Arc::new(Shared { state, done, loop_of_task }) }
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Nothing that can panic runs under the lock.
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends it, and tells everybody.
    fn complete(&self, stage: Stage<T>) -> Result<(), InvalidState> {
        let mut state = self.lock();
        if !matches!(state.stage, Stage::Pending) {
            return Err(InvalidState::Done);
        }
        let cancelled = matches!(stage, Stage::Cancelled);
        state.stage = stage;
        let callbacks = std::mem::take(&mut state.callbacks);
        let wakers = std::mem::take(&mut state.wakers);
        let task = state.task.take();
        drop(state);
        self.shared.done.notify_all();
        if let Some(task) = task
            && cancelled
        {
            task.wake();
        }
        wakers.into_iter().for_each(|(_, waker)| waker.wake());
        callbacks.into_iter().for_each(|callback| self.call(callback));
        Ok(())
    }

    fn call(&self, callback: impl FnOnce(&ConcurrentFuture<T>)) {
        // The panic's own message was written; the others are still to be told.
        let _panic = catch_unwind(AssertUnwindSafe(|| callback(self)));
    }

    /// Sets the value. asyncio: `Future.set_result()`.
    ///
    /// # Errors
    ///
    /// [`InvalidState::Done`] when it is done already; the value is dropped.
    pub fn set_result(&self, value: T) -> Result<(), InvalidState> {
        self.complete(Stage::Done(Ok(value)))
    }

    /// Makes it fail. asyncio: `Future.set_exception()`.
    ///
    /// # Errors
    ///
    /// [`InvalidState::Done`] when it is done already.
    pub fn set_exception(&self, error: ConcurrentError) -> Result<(), InvalidState> {
        match error {
            ConcurrentError::Cancelled => self.complete(Stage::Cancelled),
            error => self.complete(Stage::Done(Err(error))),
        }
    }

    /// Cancels it, from any thread, and with it the task that it belongs to;
    /// false, with no effect, when it was done already.
    ///
    /// The future is cancelled at once; the task is asked to end, and may take
    /// its time. asyncio: `Future.cancel()`.
    pub fn cancel(&self) -> bool {
        self.complete(Stage::Cancelled).is_ok()
    }

    /// Whether it is done, in any way. asyncio: `Future.done()`.
    pub fn done(&self) -> bool {
        !matches!(self.lock().stage, Stage::Pending)
    }

    /// Whether it was cancelled. asyncio: `Future.cancelled()`.
    pub fn cancelled(&self) -> bool {
        matches!(self.lock().stage, Stage::Cancelled)
    }

    /// Waits, blocking this thread, until it is done, and takes its value out.
    ///
    /// asyncio: `Future.result(timeout)`.
    ///
    /// # Errors
    ///
    /// How it ended, and [`ConcurrentError::TimedOut`],
    /// [`ConcurrentError::WouldBlockItsLoop`], [`ConcurrentError::Taken`].
    pub fn result(&self, timeout: Option<Duration>) -> Result<T, ConcurrentError> {
        // Too far off to be told from never.
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut state = self.lock();
        loop {
            if let Some(outcome) = state.take() {
                return outcome;
            }
            if self.shared.loop_of_task.as_ref().is_some_and(Remote::is_of_this_thread) {
                return Err(ConcurrentError::WouldBlockItsLoop);
            }
            let done = &self.shared.done;
            state = match deadline {
                None => done.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return Err(ConcurrentError::TimedOut);
                    }
                    done.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Has `callback` called when it is done, on the thread that makes it so;
    /// at once, here, if it is done already. A panic in it ends there.
    ///
    /// asyncio: `concurrent.futures.Future.add_done_callback()`.
    pub fn add_done_callback(&self, callback: impl FnOnce(&ConcurrentFuture<T>) + Send + 'static) {
        let mut state = self.lock();
        if let Stage::Pending = state.stage {
            return state.callbacks.push(Box::new(callback));
        }
        drop(state);
        self.call(callback);
    }

    /// Takes the outcome out if there is one; else has `waker` called once
    /// there is. `waiter` is the number under which it was given before.
    pub(super) fn take_or_wait(
        &self,
        waiter: &mut Option<u64>,
        waker: &Waker,
    ) -> Option<Outcome<T>> {
        let waker = waker.clone();
        let mut state = self.lock();
        if let Some(outcome) = state.take() {
            return Some(outcome);
        }
        let known = state.wakers.iter_mut().find(|(number, _)| Some(*number) == *waiter);
        let _replaced_outside_of_the_lock = match known {
            Some((_, old)) => Some(std::mem::replace(old, waker)),
            None => {
                let number = state.next_waiter;
                state.next_waiter += 1;
                state.wakers.push((number, waker));
                *waiter = Some(number);
                None
            }
        };
        drop(state);
        None
    }

    /// Has `task` woken when this is cancelled; whether it is, or is done, already.
    pub(super) fn belongs_to(&self, task: &Waker) -> bool {
        let task = task.clone();
        let mut state = self.lock();
        let pending = matches!(state.stage, Stage::Pending);
        if pending {
            let before = state.task.replace(task);
            drop(state);
            drop(before);
        }
        !pending
    }
}

impl<T> State<T> {
    fn take(&mut self) -> Option<Outcome<T>> {
        match std::mem::replace(&mut self.stage, Stage::Taken) {
            Stage::Pending => {
                self.stage = Stage::Pending;
                None
            }
            Stage::Cancelled => {
                self.stage = Stage::Cancelled;
                Some(Err(ConcurrentError::Cancelled))
            }
            Stage::Done(outcome) => Some(outcome),
            Stage::Taken => Some(Err(ConcurrentError::Taken)),
        }
    }
}

impl<T> Clone for ConcurrentFuture<T> {
    fn clone(&self) -> ConcurrentFuture<T> {
        ConcurrentFuture { shared: self.shared.clone() }
    }
}

impl<T> Default for ConcurrentFuture<T> {
    fn default() -> ConcurrentFuture<T> {
        ConcurrentFuture::new()
    }
}

impl<T> fmt::Debug for ConcurrentFuture<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match &self.lock().stage {
            Stage::Pending => "pending",
            Stage::Done(_) => "done",
            Stage::Cancelled => "cancelled",
            Stage::Taken => "taken",
        };
        f.debug_tuple("ConcurrentFuture").field(&format_args!("{stage}")).finish()
    }
}
