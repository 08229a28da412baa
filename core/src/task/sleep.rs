//! Waiting for a time, and giving others a turn.

use crate::schedule::timer::Timer;
use crate::time::{Duration, Instant};
use core::future::Future;
use core::marker::PhantomPinned;
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
    Sleep { state: State::After(delay), timer: Timer::new(), _pin: PhantomPinned }
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
pub fn sleep_until(when: Instant) -> Sleep {
    Sleep { state: State::Until(when), timer: Timer::new(), _pin: PhantomPinned }
}

/// The future of [`sleep`] and [`sleep_until`].
#[must_use = "futures do nothing unless awaited"]
pub struct Sleep {
    timer: Timer,
    state: State,
    _pin: PhantomPinned,
}

/// Not begun, or begun: then the timer knows.
enum State {
    After(Duration),
    Until(Instant),
    Set,
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // SAFETY: nothing is moved out of it.
        let this = unsafe { self.get_unchecked_mut() };
        let when = match this.state {
            State::Set => {
                return if this.timer.is_set() {
                    this.timer.set_waker(cx.waker());
                    Poll::Pending
                } else {
                    Poll::Ready(())
                };
            }
            State::Until(when) => when,
            State::After(delay) => {
                let Some(event_loop) = crate::schedule::current() else {
                    panic!("sleep: no event loop is running on this thread");
                };
                event_loop.time().saturating_add(delay)
            }
        };
        let Some(event_loop) = crate::schedule::current() else {
            panic!("sleep_until: no event loop is running on this thread");
        };
        this.state = State::Set;
        this.timer.set_waker(cx.waker());
        // SAFETY: pinned until dropped, and the timer's drop takes it out.
        unsafe { this.timer.set(event_loop, when) };
        Poll::Pending
    }
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
