//! asyncio's Future: a result that somebody will set.
//!
//! (`Future` is the language's trait, so the class is `Promise` here.)
//!
//! ```text
//!            set_result ──▶ Done(value)
//!  Pending ─ set_exception ▶ Failed(exception)
//!            cancel ───────▶ Cancelled
//! ```
//!
//! Completing runs nothing: it makes the waiting tasks ready, in the order in
//! which they began to wait, and then the done callbacks, in the order in which
//! they were added. Any number may wait; each gets a clone of the value.
//!
//! A promise is used by reference: on the stack, in a static of a program
//! without a heap, or in an `Rc`.

use crate::error::{InvalidState, ScheduleError};
use crate::schedule::node::Chain;
use crate::schedule::{CallbackResult, EventLoop, ExceptionContext, Handle, LoopMemory, current};
use crate::sync::wait_list::{WaitList, Waiter};
use core::cell::{Cell, RefCell};
use core::convert::Infallible;
use core::fmt;
use core::future::Future;
use core::marker::PhantomPinned;
use core::pin::Pin;
use core::task::{Context, Poll};

/// A result that somebody will set. `E` is what it may fail with.
///
/// ```no_run
/// # use molen_core as molen;
/// # futures::executor::block_on(async {
/// use molen::Promise;
/// use std::rc::Rc;
///
/// // For one who sets it and one who waits: `sync::oneshot::channel` will do.
/// let closed: Rc<Promise<u32>> = Rc::default();
/// let of_a_protocol = closed.clone();
/// of_a_protocol.set_result(7)?;
/// assert_eq!(closed.wait().await?, 7);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
///
/// asyncio: `asyncio.Future`.
pub struct Promise<T, E: fmt::Display = Infallible> {
    outcome: RefCell<Outcome<T, E>>,
    /// A failure that nobody has looked at yet.
    unread: Cell<bool>,
    waiters: WaitList,
    callbacks: Cell<Chain>,
    owner: RefCell<Option<LoopMemory>>,
}

enum Outcome<T, E> {
    Pending,
    Done(T),
    Failed(E),
    Cancelled,
}

/// How waiting for a promise ends without a value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PromiseError<E> {
    /// The promise was cancelled.
    Cancelled,
    /// It failed with this.
    Failed(E),
    /// It belongs to another event loop. asyncio: `RuntimeError`.
    ForeignLoop,
}

impl<E: fmt::Display> fmt::Display for PromiseError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled => f.write_str("the promise was cancelled"),
            Self::Failed(exception) => exception.fmt(f),
            Self::ForeignLoop => {
                f.write_str("cannot wait for the promise: it belongs to another event loop")
            }
        }
    }
}

impl<E: fmt::Display + fmt::Debug> core::error::Error for PromiseError<E> {}

impl<T, E: fmt::Display> Promise<T, E> {
    /// A pending promise. It belongs to the loop where it is first waited for
    /// or given a done callback.
    ///
    /// asyncio: `loop.create_future()`.
    pub const fn new() -> Promise<T, E> {
        Promise {
            outcome: RefCell::new(Outcome::Pending),
            unread: Cell::new(false),
            waiters: WaitList::new(),
            callbacks: Cell::new(Chain::EMPTY),
            owner: RefCell::new(None),
        }
    }

    fn complete(&self, outcome: Outcome<T, E>) -> Result<(), InvalidState> {
        if self.done() {
            return Err(InvalidState::Done);
        }
        /// The done callbacks, which come after those who wait, also if the
        /// waker of one of those panics.
        struct Then<'a, T, E: fmt::Display>(&'a Promise<T, E>);
        impl<T, E: fmt::Display> Drop for Then<'_, T, E> {
            fn drop(&mut self) {
                let callbacks = self.0.callbacks.replace(Chain::EMPTY);
                if let Some(owner) = self.0.owner.borrow().as_ref() {
                    owner.run_done_callbacks(callbacks);
                }
            }
        }
        *self.outcome.borrow_mut() = outcome;
        let _then = Then(self);
        self.waiters.wake_all();
        Ok(())
    }

    /// Sets the value. asyncio: `Future.set_result()`.
    ///
    /// # Errors
    ///
    /// [`InvalidState::Done`] when it is complete already; the value is dropped.
    pub fn set_result(&self, value: T) -> Result<(), InvalidState> {
        self.complete(Outcome::Done(value))
    }

    /// Makes it fail. asyncio: `Future.set_exception()`.
    ///
    /// If nobody ever looks at the exception, the loop's handler is told when
    /// the promise is dropped.
    ///
    /// # Errors
    ///
    /// [`InvalidState::Done`] when it is complete already.
    pub fn set_exception(&self, exception: E) -> Result<(), InvalidState> {
        self.complete(Outcome::Failed(exception))?;
        self.unread.set(true);
        Ok(())
    }

    /// Cancels it; false when it was complete already. Either way a failure
    /// that nobody looked at is no longer reported.
    ///
    /// asyncio: `Future.cancel()`.
    pub fn cancel(&self) -> bool {
        self.unread.set(false);
        self.complete(Outcome::Cancelled).is_ok()
    }

    /// Whether it is complete, in any way. asyncio: `Future.done()`.
    pub fn done(&self) -> bool {
        !matches!(*self.outcome.borrow(), Outcome::Pending)
    }

    /// Whether it was cancelled. asyncio: `Future.cancelled()`.
    pub fn cancelled(&self) -> bool {
        matches!(*self.outcome.borrow(), Outcome::Cancelled)
    }

    /// Has `callback` called through `call_soon` when it is complete, also if
    /// it is complete already; never from inside this call.
    ///
    /// asyncio: `Future.add_done_callback()`.
    ///
    /// # Errors
    ///
    /// [`ScheduleError`] with the callback: no loop runs on this thread, or it
    /// is another one than before, or it has no room.
    pub fn add_done_callback<F, R>(&self, callback: F) -> Result<Handle, ScheduleError<F>>
    where
        F: FnOnce() -> R + 'static,
        R: CallbackResult,
    {
        let Some(event_loop) = current().filter(|running| self.belongs_to(running)) else {
            return Err(ScheduleError::NoRunningLoop(callback));
        };
        if self.done() {
            return event_loop.call_soon(callback);
        }
        let mut callbacks = self.callbacks.get();
        let handle = event_loop.call_when_done(callback, &mut callbacks)?;
        self.callbacks.set(callbacks);
        Ok(handle)
    }

    /// Takes a done callback back. False, with no effect, when completion has
    /// scheduled it already.
    ///
    /// asyncio: `Future.remove_done_callback()`.
    pub fn remove_done_callback(&self, handle: &Handle) -> bool {
        let removable = !self.done() && !handle.cancelled();
        if removable {
            handle.cancel();
        }
        removable
    }

    /// Whether it is, or now becomes, one of `event_loop`'s.
    fn belongs_to(&self, event_loop: &EventLoop) -> bool {
        let mut owner = self.owner.borrow_mut();
        owner.get_or_insert_with(|| LoopMemory::of(event_loop)).is(event_loop)
    }
}

impl<T: Clone, E: fmt::Display + Clone> Promise<T, E> {
    /// What it ended with. asyncio: `Future.result()`, `Future.exception()`.
    ///
    /// # Errors
    ///
    /// [`InvalidState::Pending`] while it is pending.
    pub fn result(&self) -> Result<Result<T, PromiseError<E>>, InvalidState> {
        match &*self.outcome.borrow() {
            Outcome::Pending => Err(InvalidState::Pending),
            Outcome::Done(value) => Ok(Ok(value.clone())),
            Outcome::Cancelled => Ok(Err(PromiseError::Cancelled)),
            Outcome::Failed(exception) => {
                self.unread.set(false);
                Ok(Err(PromiseError::Failed(exception.clone())))
            }
        }
    }

    /// Waits until it is complete. If it is already, others get no turn first.
    ///
    /// # Cancellation
    ///
    /// The waiter leaves the list; the promise is untouched.
    pub fn wait(&self) -> WaitPromise<'_, T, E> {
        WaitPromise { promise: self, waiter: Waiter::new(), _pin: PhantomPinned }
    }
}

impl<'a, T: Clone, E: fmt::Display + Clone> IntoFuture for &'a Promise<T, E> {
    type Output = Result<T, PromiseError<E>>;
    type IntoFuture = WaitPromise<'a, T, E>;

    fn into_future(self) -> WaitPromise<'a, T, E> {
        self.wait()
    }
}

impl<T, E: fmt::Display> Default for Promise<T, E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, E: fmt::Display> Drop for Promise<T, E> {
    fn drop(&mut self) {
        let owner = self.owner.get_mut();
        if let Some(owner) = owner {
            owner.discard(self.callbacks.replace(Chain::EMPTY));
            if self.unread.get()
                && let Outcome::Failed(exception) = self.outcome.get_mut()
            {
                owner.report(&ExceptionContext::new(
                    "the exception of a promise was never retrieved",
                    Some(exception),
                ));
            }
        }
    }
}

impl<T, E: fmt::Display> fmt::Debug for Promise<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &*self.outcome.borrow() {
            Outcome::Pending => "pending",
            Outcome::Done(_) => "done",
            Outcome::Failed(_) => "failed",
            Outcome::Cancelled => "cancelled",
        };
        f.debug_tuple("Promise").field(&state).finish()
    }
}

/// The future of [`Promise::wait`].
#[must_use = "futures do nothing unless awaited"]
pub struct WaitPromise<'a, T, E: fmt::Display = Infallible> {
    promise: &'a Promise<T, E>,
    waiter: Waiter,
    _pin: PhantomPinned,
}

impl<T: Clone, E: fmt::Display + Clone> Future for WaitPromise<'_, T, E> {
    type Output = Result<T, PromiseError<E>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.into_ref().get_ref();
        if let Ok(result) = this.promise.result() {
            return Poll::Ready(result);
        }
        if let Some(running) = current()
            && !this.promise.belongs_to(running)
        {
            return Poll::Ready(Err(PromiseError::ForeignLoop));
        }
        // SAFETY: Pinned by this future; Same List: it borrows the promise.
        unsafe { this.promise.waiters.wait(&this.waiter, cx.waker()) };
        Poll::Pending
    }
}

impl<T, E: fmt::Display> Drop for WaitPromise<'_, T, E> {
    fn drop(&mut self) {
        // SAFETY: Same List.
        unsafe { self.promise.waiters.remove(&self.waiter) };
    }
}
