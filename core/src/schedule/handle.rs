//! Scheduling callbacks, and the handles one gets for them.

use super::callback::{self, MissedTicks, Once, Repeat, Repeatedly, Slot};
use super::event_loop::EventLoop;
use super::exception::CallbackResult;
use super::node::Chain;
use crate::error::ScheduleError;
use crate::time::{Duration, Instant};
use core::cmp::Ordering;
use core::fmt;
use core::marker::PhantomData;
use core::ops::Deref;
use core::ptr::NonNull;

/// A scheduled callback. Dropping the handle leaves it scheduled.
///
/// asyncio: `asyncio.Handle`.
pub struct Handle {
    pub(super) slot: NonNull<Slot>,
    not_send: PhantomData<*const ()>,
}

impl Handle {
    pub(super) fn slot(&self) -> &Slot {
        // SAFETY: Counted (callback): the handle owns a reference.
        unsafe { self.slot.as_ref() }
    }

    /// Keeps the callback from running (again), and drops it with all that it
    /// captured. Idempotent; no effect once it has run.
    ///
    /// asyncio: `Handle.cancel()`.
    pub fn cancel(&self) {
        // SAFETY: the handle owns a reference.
        unsafe { callback::cancel(self.slot) }
    }

    /// Whether it was cancelled. asyncio: `Handle.cancelled()`.
    pub fn cancelled(&self) -> bool {
        callback::is_cancelled(self.slot())
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the handle's reference.
        unsafe { callback::release(self.slot) }
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("cancelled", &self.cancelled()).finish()
    }
}

/// A callback scheduled for a time. Handles compare by that time alone.
///
/// asyncio: `asyncio.TimerHandle`.
pub struct TimerHandle(Handle);

impl TimerHandle {
    /// The time for which it is, or was last, scheduled.
    ///
    /// asyncio: `TimerHandle.when()`.
    pub fn when(&self) -> Instant {
        self.0.slot().when()
    }
}

impl Deref for TimerHandle {
    type Target = Handle;

    fn deref(&self) -> &Handle {
        &self.0
    }
}

impl PartialEq for TimerHandle {
    fn eq(&self, other: &TimerHandle) -> bool {
        self.when() == other.when()
    }
}

impl Eq for TimerHandle {}

impl PartialOrd for TimerHandle {
    fn partial_cmp(&self, other: &TimerHandle) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for TimerHandle {
    fn cmp(&self, other: &TimerHandle) -> Ordering {
        self.when().cmp(&other.when())
    }
}

impl fmt::Debug for TimerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimerHandle")
            .field("when", &self.when())
            .field("cancelled", &self.cancelled())
            .finish()
    }
}

impl EventLoop {
    pub(super) fn handle(&self, slot: NonNull<Slot>) -> Handle {
        Handle { slot, not_send: PhantomData }
    }

    /// Has `callback` called once, in the next batch, after everything that is
    /// ready already. It is never called from inside this call.
    ///
    /// A callback may return a `Result`; its error goes to the exception
    /// handler. asyncio: `loop.call_soon()`.
    ///
    /// # Errors
    ///
    /// [`ScheduleError`] with the callback when the loop is closed, or its
    /// store has no slot for it.
    pub fn call_soon<F, R>(&self, callback: F) -> Result<Handle, ScheduleError<F>>
    where
        F: FnOnce() -> R + 'static,
        R: CallbackResult,
    {
        let slot = self.store_callback::<F, Once<R>>(callback)?;
        // SAFETY: just begun.
        unsafe { callback::enqueue(slot, self) };
        Ok(self.handle(slot))
    }

    /// Keeps `callback` at the end of `chain`, to be called when somebody
    /// makes that chain ready.
    pub(crate) fn call_when_done<F, R>(
        &self,
        callback: F,
        chain: &mut Chain,
    ) -> Result<Handle, ScheduleError<F>>
    where
        F: FnOnce() -> R + 'static,
        R: CallbackResult,
    {
        let slot = self.store_callback::<F, Once<R>>(callback)?;
        // SAFETY: In One Chain: it is new; the loop's reference is the chain's.
        unsafe { chain.push(slot.cast()) };
        Ok(self.handle(slot))
    }

    /// Has `callback` called once, when `delay` has passed, never before.
    ///
    /// With a delay of zero it still goes through the timers, and so runs
    /// after all that is ready. asyncio: `loop.call_later()`.
    ///
    /// # Errors
    ///
    /// As [`call_soon`](Self::call_soon).
    pub fn call_later<F, R>(
        &self,
        delay: Duration,
        callback: F,
    ) -> Result<TimerHandle, ScheduleError<F>>
    where
        F: FnOnce() -> R + 'static,
        R: CallbackResult,
    {
        self.call_at(self.time().saturating_add(delay), callback)
    }

    /// Has `callback` called once, when the loop's clock shows `when`, never
    /// before. Callbacks for one time are called in the order of scheduling.
    ///
    /// asyncio: `loop.call_at()`, which does not promise that order.
    ///
    /// # Errors
    ///
    /// As [`call_soon`](Self::call_soon).
    pub fn call_at<F, R>(&self, when: Instant, callback: F) -> Result<TimerHandle, ScheduleError<F>>
    where
        F: FnOnce() -> R + 'static,
        R: CallbackResult,
    {
        let slot = self.store_callback::<F, Once<R>>(callback)?;
        // SAFETY: just begun.
        unsafe { callback::arm(slot, self, when) };
        Ok(TimerHandle(self.handle(slot)))
    }

    /// Has `callback` called every `interval`, first when one has passed,
    /// until it is cancelled. Calls are due at multiples of the interval, so
    /// they do not drift; `missed` says what becomes of those that passed
    /// while the loop was busy.
    ///
    /// PEP 3156's first drafts had this call; asyncio has not.
    ///
    /// # Errors
    ///
    /// As [`call_soon`](Self::call_soon).
    pub fn call_repeatedly<F, R>(
        &self,
        interval: Duration,
        missed: MissedTicks,
        callback: F,
    ) -> Result<TimerHandle, ScheduleError<F>>
    where
        F: FnMut() -> R + 'static,
        R: CallbackResult,
    {
        let slot = self
            .store_callback::<_, Repeatedly<R>>(Repeat { callback, interval, missed })
            .map_err(|error| error.map(|repeat| repeat.callback))?;
        let first = self.time().saturating_add(interval);
        // SAFETY: just begun.
        unsafe { callback::arm(slot, self, first) };
        Ok(TimerHandle(self.handle(slot)))
    }
}
