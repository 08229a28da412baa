//! A timeout around any future.
//!
//! # Invariants
//!
//! * **Pinned**: scope and timer stay where they are until the timeout is
//!   dropped, which takes them out of their lists.

use super::deadline::{Deadline, Phase};
use crate::schedule::EventLoop;
use crate::schedule::timer::Timer;
use crate::task::cancel::CancelMessage;
use crate::task::cancel::scope::{self, Scope, Scoped};
use crate::task::header::Header;
use crate::time::{Duration, Instant};
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::{Context, Poll, Waker};

/// Why a timeout gives no value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum TimeoutError {
    /// The time was over before the value was there. asyncio: `TimeoutError`.
    Elapsed,
    /// It was not polled by a task of a running loop, so that nothing could be
    /// cancelled and no timer set. asyncio: `RuntimeError`.
    NoTask,
    /// The [`Deadline`] was used before. asyncio: `RuntimeError`.
    AlreadyEntered,
}

impl fmt::Display for TimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Elapsed => "timed out",
            Self::NoTask => "cannot wait with a timeout: no task of a running event loop awaits it",
            Self::AlreadyEntered => "cannot wait with the deadline: it has been waited with before",
        })
    }
}

impl core::error::Error for TimeoutError {}

/// Waits for `future`, at most for `delay` from the first poll; `None` for without an end.
///
/// asyncio: `async with asyncio.timeout(delay)`. tokio: `timeout`.
///
/// # Errors
///
/// [`TimeoutError`].
///
/// # Cancellation
///
/// A cancel of the task goes by this to what catches it inside or around.
/// Dropping it drops the future.
pub fn timeout<F: IntoFuture>(
    delay: impl Into<Option<Duration>>,
    future: F,
) -> Timeout<F::IntoFuture> {
    let deadline = delay.into().map_or(Deadline::never(), Deadline::after);
    Timeout(Limit::new(deadline, future.into_future()))
}

/// Waits for `future`, at most until the loop's clock shows `when`; `None` for without an end.
///
/// asyncio: `async with asyncio.timeout_at(when)`. tokio: `timeout_at`.
///
/// # Errors
///
/// [`TimeoutError`].
///
/// # Cancellation
///
/// As for [`timeout`].
pub fn timeout_at<F: IntoFuture>(
    when: impl Into<Option<Instant>>,
    future: F,
) -> Timeout<F::IntoFuture> {
    let deadline = when.into().map_or(Deadline::never(), Deadline::at);
    Timeout(Limit::new(deadline, future.into_future()))
}

impl Deadline {
    /// Waits for `future`, at most until this deadline, wherever it is moved to meanwhile.
    ///
    /// asyncio: `async with timeout(…) as cm`.
    ///
    /// # Errors
    ///
    /// [`TimeoutError`].
    ///
    /// # Cancellation
    ///
    /// As for [`timeout`].
    pub fn limit<F: IntoFuture>(&self, future: F) -> Limit<&Deadline, F::IntoFuture> {
        Limit::new(self, future.into_future())
    }
}

/// The future of [`timeout`] and [`timeout_at`].
#[must_use = "futures do nothing unless awaited"]
pub struct Timeout<F>(Limit<Deadline, F>);

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, TimeoutError>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: the field is pinned with the whole.
        unsafe { self.map_unchecked_mut(|this| &mut this.0) }.poll(cx)
    }
}

impl<F> fmt::Debug for Timeout<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Timeout").field(&self.0.limits.deadline()).finish()
    }
}

/// A deadline, owned or shared.
pub trait HeldDeadline {
    #[doc(hidden)]
    fn deadline(&self) -> &Deadline;

    /// Remembers whom to tell of a change, if there can be one.
    #[doc(hidden)]
    fn tell_of_changes(&self, waker: &Waker);
}

impl HeldDeadline for Deadline {
    fn deadline(&self) -> &Deadline {
        self
    }

    fn tell_of_changes(&self, _: &Waker) {}
}

impl HeldDeadline for &Deadline {
    fn deadline(&self) -> &Deadline {
        self
    }

    fn tell_of_changes(&self, waker: &Waker) {
        self.set_waker(waker);
    }
}

/// The future of [`Deadline::limit`].
#[must_use = "futures do nothing unless awaited"]
pub struct Limit<D: HeldDeadline, F> {
    limits: Limits<D>,
    future: Option<F>,
}

/// All but the future, so that what does not depend on its type is made once.
struct Limits<D: HeldDeadline> {
    scope: Scope,
    timer: Timer,
    deadline: D,
    entered: bool,
    /// How many cancels stood when it was entered.
    baseline: u8,
    /// A cancel that is not ours came out of the future, and goes on.
    passing: bool,
}

/// What to do once the future was polled.
enum Then {
    Wait,
    /// Drop the future: a cancel ends it, ours or another, which said this.
    Drop(Option<CancelMessage>),
}

impl<D: HeldDeadline, F> Limit<D, F> {
    fn new(deadline: D, future: F) -> Limit<D, F> {
        Limit {
            limits: Limits {
                scope: Scope::passing(),
                timer: Timer::new(),
                deadline,
                entered: false,
                baseline: 0,
                passing: false,
            },
            future: Some(future),
        }
    }
}

impl<D: HeldDeadline, F: Future> Future for Limit<D, F> {
    type Output = Result<F::Output, TimeoutError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: Pinned; the future is not moved, but dropped in its place.
        let (limits, mut future) = unsafe {
            let this = self.get_unchecked_mut();
            (&mut this.limits, Pin::new_unchecked(&mut this.future))
        };
        let Some(inner) = future.as_mut().as_pin_mut() else {
            return limits.pass_on();
        };
        let expiring = match limits.before_poll() {
            Ok(expiring) => expiring,
            Err(error) => {
                future.set(None);
                return Poll::Ready(Err(error));
            }
        };
        // SAFETY: Pinned.
        let scope = unsafe { Pin::new_unchecked(&limits.scope) };
        let then = match scope.poll(cx, inner) {
            Scoped::Ready(output) => {
                future.set(None);
                limits.finish();
                return Poll::Ready(Ok(output));
            }
            Scoped::Cancelled(cancelled) => Then::Drop(cancelled.into_message()),
            Scoped::Pending => limits.after_poll(cx, expiring),
        };
        let Then::Drop(message) = then else { return Poll::Pending };
        // First, because timeouts inside take back what they counted.
        future.set(None);
        if limits.was_ours() {
            limits.over();
            return Poll::Ready(Err(TimeoutError::Elapsed));
        }
        limits.passing = true;
        limits.scope.leave();
        scope::pass_on(message);
        Poll::Pending
    }
}

/// Whether the time is over, and somebody inside has been asked to end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expiring {
    No,
    /// Nobody inside catches.
    Alone,
    /// Somebody inside does.
    Asked,
}

impl<D: HeldDeadline> Limits<D> {
    fn deadline(&self) -> &Deadline {
        self.deadline.deadline()
    }

    /// Before the future is polled: enters at the first time; later, if the
    /// time is over, asks what catches inside to end, unless a timeout inside comes first.
    fn before_poll(&mut self) -> Result<Expiring, TimeoutError> {
        let Some((event_loop, task)) = crate::task::current() else {
            return Err(TimeoutError::NoTask);
        };
        if !self.entered {
            return self.enter(event_loop, task).map(|()| Expiring::No);
        }
        if !self.scope.is_in(task) {
            // SAFETY: the running task is alive.
            self.follow(unsafe { task.as_ref() });
            // What is inside follows with this poll, and can be asked after it.
            return Ok(Expiring::No);
        }
        if !self.is_over(event_loop) {
            return Ok(Expiring::No);
        }
        let when = self.deadline().when().unwrap_or(Instant::FAR_FUTURE);
        if self.scope.earlier_timeout_inside(when, event_loop.time()) {
            return Ok(Expiring::No);
        }
        let expiring = self.expire();
        if expiring == Expiring::Alone {
            self.scope.end_after_this_poll();
        }
        Ok(expiring)
    }

    fn enter(&mut self, event_loop: &EventLoop, task: NonNull<Header>) -> Result<(), TimeoutError> {
        if self.deadline().phase() != Phase::Created {
            return Err(TimeoutError::AlreadyEntered);
        }
        self.entered = true;
        self.deadline().begin(event_loop.time());
        // SAFETY: the running task is alive.
        self.baseline = unsafe { task.as_ref() }.state.cancels();
        Ok(())
    }

    /// Follows whoever holds it to another task: what it counted and asked for
    /// in the one before is taken back, and asked for anew.
    fn follow(&mut self, task: &Header) {
        if self.deadline().phase() == Phase::Expiring {
            self.take_back();
            self.deadline().set_phase(Phase::Active);
            self.scope.unexpire(self.deadline().when().unwrap_or(Instant::FAR_FUTURE));
        }
        self.baseline = task.state.cancels();
    }

    /// Takes the one cancel back that it counted. If no other stands, what was
    /// asked for is withdrawn too, and this is true.
    fn take_back(&self) -> bool {
        let Some(task) = self.scope.task() else { return false };
        let alone = task.state.remove_cancel() <= self.baseline;
        if alone {
            self.scope.withdraw();
        }
        alone
    }

    /// Whether the time is over.
    fn is_over(&self, event_loop: &EventLoop) -> bool {
        self.timer.is_over()
            && self.deadline().phase() == Phase::Active
            && self.deadline().when().is_some_and(|when| when <= event_loop.time())
    }

    fn expire(&mut self) -> Expiring {
        self.deadline().set_phase(Phase::Expiring);
        self.scope.expire();
        if self.scope.cancel_inside() { Expiring::Asked } else { Expiring::Alone }
    }

    /// After a poll that found the future pending.
    fn after_poll(&mut self, cx: &Context<'_>, mut expiring: Expiring) -> Then {
        let Some((event_loop, _)) = crate::task::current() else { return Then::Wait };
        if expiring == Expiring::No && self.is_over(event_loop) {
            expiring = self.expire();
        }
        match expiring {
            Expiring::No => {
                self.arm(event_loop, cx);
                Then::Wait
            }
            Expiring::Asked => Then::Wait,
            // Whoever is around drops it with this poll.
            Expiring::Alone if self.scope.ends_with_what_is_around() => Then::Wait,
            Expiring::Alone => Then::Drop(None),
        }
    }

    /// Sets the timer to the deadline, if it is not.
    fn arm(&mut self, event_loop: &EventLoop, cx: &Context<'_>) {
        if self.deadline().phase() != Phase::Active {
            return;
        }
        self.deadline.tell_of_changes(cx.waker());
        self.timer.set_waker(cx.waker());
        let when = self.deadline().when();
        let set = self.timer.is_set().then(|| Instant::from_nanos(self.timer.ticks()));
        if set == when {
            return;
        }
        self.timer.unset();
        self.scope.set_deadline(when.unwrap_or(Instant::FAR_FUTURE));
        if let Some(when) = when {
            // SAFETY: Pinned; not set.
            unsafe { self.timer.set(event_loop, when) };
        }
    }

    /// Whether the cancel that ended the future was this timeout's alone.
    fn was_ours(&self) -> bool {
        if self.deadline().phase() != Phase::Expiring {
            return false;
        }
        self.deadline().set_phase(Phase::Expired);
        self.take_back()
    }

    /// Each time that it is polled while a cancel goes on.
    fn pass_on<T>(&self) -> Poll<T> {
        if self.passing {
            scope::pass_on(None);
        }
        Poll::Pending
    }

    /// The future is ready.
    fn finish(&mut self) {
        let expiring = self.deadline().phase() == Phase::Expiring;
        if expiring {
            self.take_back();
        }
        self.deadline().set_phase(if expiring { Phase::Expired } else { Phase::Finished });
        self.over();
    }

    /// Nothing is waited for any more.
    fn over(&mut self) {
        self.timer.unset();
        self.scope.leave();
    }
}

impl<D: HeldDeadline> Drop for Limits<D> {
    fn drop(&mut self) {
        if !self.entered {
            return;
        }
        match self.deadline().phase() {
            Phase::Expiring => {
                self.take_back();
                self.deadline().set_phase(Phase::Expired);
            }
            Phase::Active => self.deadline().set_phase(Phase::Finished),
            Phase::Created | Phase::Expired | Phase::Finished => {}
        }
    }
}

impl<D: HeldDeadline, F> fmt::Debug for Limit<D, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Limit").field(self.limits.deadline()).finish()
    }
}
