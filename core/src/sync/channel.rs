//! Values from interrupts and other threads to a task, in order, none lost.
//!
//! ```text
//!  interrupt ─┐ try_send          ┌───────────┐  receive
//!  thread ────┼──────────────────▶│ N values  │────────────▶ one task
//!  task ──────┘ full: given back  └───────────┘  empty: waits
//! ```
//!
//! Between tasks of one thread, a [`Queue`](super::Queue) does more and costs
//! less. If only the newest value counts, use a [`Signal`](super::Signal).

use super::guarded::{Guarded, Level, const_fn};
use crate::error::Full;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use heapless::Deque;

/// Up to `N` values on their way to one task.
///
/// It is used by reference, in a static or an `Arc`. Any number may send, from
/// interrupts and other threads as well; [`try_send`](Self::try_send) never
/// waits. One task at a time may wait for a value; if a second one does, the
/// first is woken and has to be polled again to wait, so that nobody sleeps
/// for ever, but both are busy.
///
/// Where interrupts are, the program provides the critical section (see the
/// crate `critical-section`). With threads nothing is needed.
pub struct Channel<T, const N: usize> {
    level: Level,
    state: Guarded<State<T, N>>,
}

struct State<T, const N: usize> {
    values: Deque<T, N>,
    receiver: Option<Waker>,
}

impl<T, const N: usize> Channel<T, N> {
    const_fn! {
        /// An empty channel. Its room, `N`, is not 0: that is refused when compiled.
        pub fn new() -> Channel<T, N> {
            const { assert!(N > 0, "a channel needs room for one value at least") };
            let state = State { values: Deque::new(), receiver: None };
            Channel { level: Level::new(), state: Guarded::new(state) }
        }
    }

    /// Sends `value` at once, and wakes who waits.
    ///
    /// # Errors
    ///
    /// [`Full`] with the value, when `N` values are on their way.
    #[inline]
    pub fn try_send(&self, value: T) -> Result<(), Full<T>> {
        if self.level.is(N) {
            return Err(Full(value));
        }
        let (sent, receiver) = self.state.with(|state| match state.values.push_back(value) {
            Ok(()) => {
                self.level.set(state.values.len());
                (Ok(()), state.receiver.take())
            }
            Err(value) => (Err(Full(value)), None),
        });
        if let Some(receiver) = receiver {
            receiver.wake();
        }
        sent
    }

    /// Takes the next value, if there is one.
    #[inline]
    pub fn try_receive(&self) -> Option<T> {
        if self.level.is(0) {
            return None;
        }
        self.state.with(|state| self.take(state))
    }

    #[inline]
    fn take(&self, state: &mut State<T, N>) -> Option<T> {
        let value = state.values.pop_front();
        self.level.set(state.values.len());
        value
    }

    /// Waits for the next value and takes it.
    ///
    /// # Cancellation
    ///
    /// No value is taken. The waker stays until the next value, so that the
    /// task may be woken once for nothing.
    pub fn receive(&self) -> Receive<'_, T, N> {
        Receive(self)
    }

    /// How many values are on their way.
    pub fn len(&self) -> usize {
        self.state.with(|state| state.values.len())
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is no room for another.
    pub fn is_full(&self) -> bool {
        self.len() == N
    }

    /// How many can be: `N`.
    pub const fn capacity(&self) -> usize {
        N
    }
}

impl<T, const N: usize> Default for Channel<T, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, const N: usize> fmt::Debug for Channel<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("len", &self.len()).field("capacity", &N).finish()
    }
}

/// The future of [`Channel::receive`].
#[must_use = "futures do nothing unless awaited"]
#[derive(Debug)]
pub struct Receive<'a, T, const N: usize>(&'a Channel<T, N>);

impl<T, const N: usize> Future for Receive<'_, T, N> {
    type Output = T;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        if let Some(value) = self.0.try_receive() {
            return Poll::Ready(value);
        }
        let mut own = Some(cx.waker().clone());
        let (value, before) = self.0.state.with(|state| {
            // One may have come between the two looks.
            let value = self.0.take(state);
            let before = if value.is_none() {
                core::mem::replace(&mut state.receiver, own.take())
            } else {
                None
            };
            (value, before)
        });
        if let Some(value) = value {
            return Poll::Ready(value);
        }
        if let Some(before) = before
            && !before.will_wake(cx.waker())
        {
            before.wake();
        }
        Poll::Pending
    }
}
