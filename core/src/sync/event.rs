//! A flag that tasks wait for.
//!
//! ```text
//!          set: wakes all who wait
//!  clear ─────────────────────────▶ set
//!    ▲                               │
//!    └──────────── clear ────────────┘
//! ```
//!
//! Who waits when the event is set has got it, even if it is cleared before
//! the task runs.
//!
//! # Invariants
//!
//! Those of `wait_list`: **Pinned**, **Same List**.

use super::wait_list::{WaitList, Waiter};
use core::cell::Cell;
use core::fmt;
use core::future::Future;
use core::marker::PhantomPinned;
use core::pin::Pin;
use core::task::{Context, Poll};

/// A flag that tasks wait for. It is clear at first.
///
/// asyncio: `asyncio.Event`.
pub struct Event {
    flag: Cell<bool>,
    waiters: WaitList,
}

impl Event {
    /// A clear event.
    pub const fn new() -> Event {
        Event { flag: Cell::new(false), waiters: WaitList::new() }
    }

    /// Whether it is set. asyncio: `Event.is_set()`.
    pub fn is_set(&self) -> bool {
        self.flag.get()
    }

    /// Sets it, and wakes all who wait, in the order in which they began to
    /// wait. asyncio: `Event.set()`.
    #[inline]
    pub fn set(&self) {
        // Who began to wait before this is all in the list: a set event has no waiters.
        if !self.flag.replace(true) {
            self.waiters.wake_all();
        }
    }

    /// Clears it: from now on tasks wait for the next [`Event::set`].
    /// asyncio: `Event.clear()`.
    pub fn clear(&self) {
        self.flag.set(false);
    }

    /// Waits until it is set. If it is already, others get no turn first.
    ///
    /// asyncio: `await event.wait()`.
    ///
    /// # Cancellation
    ///
    /// The waiter leaves the list; the event is untouched.
    #[inline]
    pub fn wait(&self) -> WaitEvent<'_> {
        WaitEvent { event: self, waiter: Waiter::new(), _pin: PhantomPinned }
    }
}

impl Default for Event {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Event").field(&if self.is_set() { "set" } else { "clear" }).finish()
    }
}

/// The future of [`Event::wait`].
#[must_use = "futures do nothing unless awaited"]
pub struct WaitEvent<'a> {
    event: &'a Event,
    waiter: Waiter,
    _pin: PhantomPinned,
}

impl Future for WaitEvent<'_> {
    type Output = ();

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.into_ref().get_ref();
        if this.event.is_set() || this.waiter.was_taken() {
            return Poll::Ready(());
        }
        // SAFETY: Pinned by this future; Same List: it borrows the event.
        unsafe { this.event.waiters.wait(&this.waiter, cx.waker()) };
        Poll::Pending
    }
}

impl Drop for WaitEvent<'_> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: Same List.
        unsafe { self.event.waiters.remove(&self.waiter) };
    }
}
