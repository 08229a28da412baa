//! Waiting for a time, and giving others a turn.

use crate::schedule::timer::Timer;
use crate::time::{Duration, Instant, span};
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

/// Waits for `delay`, never less.
///
/// The time runs from the first poll, as with asyncio's coroutine. A delay of
/// zero gives every other ready task a turn. asyncio: `asyncio.sleep()`.
///
/// # Cancellation
///
/// Dropping it takes its timer out of the wheel at once; nothing is left behind.
///
/// # Panics
///
/// When it is awaited on a thread where no event loop runs (asyncio raises
/// `RuntimeError`).
#[inline]
pub fn sleep(delay: Duration) -> Sleep {
    Sleep(Timer::before(span(delay)))
}

/// Waits until the loop's clock shows `when`, never less.
///
/// A time that is past still gives every other ready task a turn.
///
/// # Cancellation
///
/// As for [`sleep`].
///
/// # Panics
///
/// As for [`sleep`].
#[inline]
pub fn sleep_until(when: Instant) -> SleepUntil {
    SleepUntil(Timer::before(when.as_nanos()))
}

/// The future of [`sleep`]. Until its first poll the timer holds the delay.
#[must_use = "futures do nothing unless awaited"]
pub struct Sleep(Timer);

/// The future of [`sleep_until`].
#[must_use = "futures do nothing unless awaited"]
pub struct SleepUntil(Timer);

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sleep")
    }
}

impl fmt::Debug for SleepUntil {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SleepUntil")
    }
}

impl Future for Sleep {
    type Output = ();

    // Made again for each task, but what is left of it there is one look.
    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0.is_over() {
            return Poll::Ready(());
        }
        // SAFETY: pinned until dropped.
        unsafe { wait_for(&self.0, cx) };
        Poll::Pending
    }
}

/// Sets a timer that holds a delay, if it is not set yet; says who is to be woken.
///
/// # Safety
///
/// It does not move until it is dropped, which takes it out.
#[inline(never)]
unsafe fn wait_for(timer: &Timer, cx: &Context<'_>) {
    timer.set_waker(cx.waker());
    if !timer.was_set() {
        let Some(event_loop) = crate::schedule::current() else {
            panic!("sleep: no event loop is running on this thread");
        };
        // SAFETY: the current loop runs; the caller's promise.
        unsafe {
            let now = event_loop.time_while_running();
            timer.set(event_loop, now.after(timer.ticks()));
        }
    }
}

impl Future for SleepUntil {
    type Output = ();

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.0.is_over() {
            return Poll::Ready(());
        }
        // SAFETY: pinned until dropped.
        unsafe { wait_until(&self.0, cx) };
        Poll::Pending
    }
}

/// As [`wait_for`], for a timer that holds a deadline.
///
/// # Safety
///
/// As there.
#[inline(never)]
unsafe fn wait_until(timer: &Timer, cx: &Context<'_>) {
    timer.set_waker(cx.waker());
    if !timer.was_set() {
        let Some(event_loop) = crate::schedule::current() else {
            panic!("sleep_until: no event loop is running on this thread");
        };
        // SAFETY: the caller's promise.
        unsafe { timer.set(event_loop, Instant::from_nanos(timer.ticks())) };
    }
}

/// The time on the clock of the loop that runs on this thread, by which
/// [`sleep_until`] sleeps: `current_time() + delay` is a deadline.
///
/// asyncio: `get_running_loop().time()`; the name is trio's.
///
/// # Panics
///
/// When no event loop runs on this thread, as [`sleep`]. Where that may be,
/// [`get_running_loop`](crate::get_running_loop) gives an error.
pub fn current_time() -> Instant {
    let Some(event_loop) = crate::schedule::current() else {
        panic!("current_time: no event loop is running on this thread");
    };
    event_loop.time()
}

/// Gives every other ready task a turn. asyncio: `await asyncio.sleep(0)`.
///
/// # Cancellation
///
/// Nothing is lost.
pub fn yield_now() -> YieldNow {
    YieldNow { yielded: false }
}

/// The future of [`yield_now`].
#[must_use = "futures do nothing unless awaited"]
pub struct YieldNow {
    yielded: bool,
}

impl Future for YieldNow {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.yielded {
            return Poll::Ready(());
        }
        self.yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
