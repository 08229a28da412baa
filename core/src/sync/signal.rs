//! The latest value, from an interrupt or another thread to a task.
//!
//! ```text
//!            signal                 wait, try_take, reset
//!  nothing ─────────▶ a value ────────────────────────────▶ nothing
//!                      ▲   │ signal: the newer value replaces it
//!                      └───┘
//! ```
//!
//! For what is worth knowing only in its newest form: a reading, a button, a
//! configuration. If each value counts, use a [`Channel`](super::Channel).

use super::guarded::{Guarded, const_fn};
use core::fmt;
use core::future::Future;
use core::mem::replace;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

/// The latest value, for one task that waits for it.
///
/// It is used by reference, in a static or an `Arc`. [`signal`](Self::signal)
/// may be called from interrupts and other threads, and never waits. One task
/// at a time may wait; if a second one does, the first is woken and has to be
/// polled again to wait, so that nobody sleeps for ever, but both are busy.
///
/// Where interrupts are, the program provides the critical section (see the
/// crate `critical-section`). With threads nothing is needed.
pub struct Signal<T> {
    state: Guarded<State<T>>,
}

enum State<T> {
    Nothing,
    Awaited(Waker),
    Signaled(T),
}

impl<T> Signal<T> {
    const_fn! {
        /// A signal without a value.
        pub fn new() -> Signal<T> {
            Signal { state: Guarded::new(State::Nothing) }
        }
    }

    /// Makes `value` the value, in place of one that nobody has taken, which
    /// is dropped, and wakes who waits.
    #[inline]
    pub fn signal(&self, value: T) {
        if let State::Awaited(waker) =
            self.state.with(|state| replace(state, State::Signaled(value)))
        {
            waker.wake();
        }
    }

    /// Takes the value, if there is one.
    #[inline]
    pub fn try_take(&self) -> Option<T> {
        let found = self.state.with(|state| match state {
            State::Signaled(_) => replace(state, State::Nothing),
            _ => State::Nothing,
        });
        if let State::Signaled(value) = found { Some(value) } else { None }
    }

    /// Drops the value, if there is one.
    pub fn reset(&self) {
        drop(self.try_take());
    }

    /// Whether there is a value.
    pub fn signaled(&self) -> bool {
        self.state.with(|state| matches!(state, State::Signaled(_)))
    }

    /// Waits for a value and takes it.
    ///
    /// # Cancellation
    ///
    /// No value is taken. The waker stays until the next value, so that the
    /// task may be woken once for nothing.
    pub fn wait(&self) -> Wait<'_, T> {
        Wait(self)
    }
}

impl<T> Default for Signal<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for Signal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signal").field("signaled", &self.signaled()).finish()
    }
}

/// The future of [`Signal::wait`].
#[must_use = "futures do nothing unless awaited"]
#[derive(Debug)]
pub struct Wait<'a, T>(&'a Signal<T>);

impl<T> Future for Wait<'_, T> {
    type Output = T;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        if let Some(value) = self.0.try_take() {
            return Poll::Ready(value);
        }
        let mut own = State::Awaited(cx.waker().clone());
        let found = self.0.state.with(|state| match state {
            // It came between the two looks.
            State::Signaled(_) => replace(state, State::Nothing),
            _ => replace(state, replace(&mut own, State::Nothing)),
        });
        match found {
            State::Signaled(value) => return Poll::Ready(value),
            State::Awaited(before) if !before.will_wake(cx.waker()) => before.wake(),
            _ => {}
        }
        Poll::Pending
    }
}
