//! Callbacks that a selector makes ready each time that something happens.
//!
//! ```text
//!            make_ready             batch
//!   idle ───────────────▶ ready ───────────▶ running ──▶ idle
//!    │                      │ make_ready: still once
//!    └────── cancel ────────┴──▶ over: dropped with all that it captured
//! ```
//!
//! asyncio's selector loop appends one and the same `Handle` to its ready
//! queue at every event; this is that handle. Making it ready neither
//! allocates nor fails.

use super::callback::{self, Kind, Slot};
use super::event_loop::EventLoop;
use super::exception::CallbackResult;
use super::handle::Handle;
use crate::error::ScheduleError;
use core::fmt;
use core::marker::PhantomData;
use core::ptr::NonNull;

/// Called whenever it is made ready.
struct Standing<R>(PhantomData<R>);

impl<F: FnMut() -> R, R: CallbackResult> Kind<F> for Standing<R> {
    unsafe fn call(slot: NonNull<Slot>, event_loop: &EventLoop) {
        // SAFETY: Payload; being marked as running keeps it from being
        // dropped meanwhile.
        let callback = unsafe { &mut *callback::payload::<F>(slot) };
        callback::report_failure(event_loop, callback());
    }

    unsafe fn after(slot: NonNull<Slot>, _event_loop: &EventLoop) {
        // SAFETY: Payload; the reference that `make_ready` took for the loop.
        unsafe {
            callback::empty_if_cancelled::<F>(slot);
            callback::release(slot);
        }
    }
}

/// A callback that stands by until it is [made ready](Self::make_ready), as
/// often as that happens. Dropping this cancels it.
///
/// For selectors: asyncio's `add_reader` keeps one for each direction.
pub struct StandingCallback(Handle);

impl StandingCallback {
    /// Puts it in the ready queue, unless it is there already or cancelled.
    ///
    /// `event_loop` must be the loop that it was made by; another is ignored.
    pub fn make_ready(&self, event_loop: &EventLoop) {
        let slot = self.0.slot();
        if self.cancelled() || callback::is_queued(slot) || !callback::is_of(slot, event_loop) {
            return;
        }
        callback::retain(slot);
        // SAFETY: Counted: the reference just taken is the loop's; it is not
        // queued, and never in the wheel.
        unsafe { callback::enqueue(self.0.slot, event_loop) };
    }

    /// A handle to give to the user, who may cancel it.
    pub fn handle(&self, event_loop: &EventLoop) -> Handle {
        callback::retain(self.0.slot());
        event_loop.handle(self.0.slot)
    }

    /// Whether it is in the ready queue, and has not been called since.
    pub fn is_ready(&self) -> bool {
        callback::is_queued(self.0.slot())
    }

    /// Whether it was cancelled: it will never be called again.
    pub fn cancelled(&self) -> bool {
        self.0.cancelled()
    }
}

impl Drop for StandingCallback {
    fn drop(&mut self) {
        // Nobody is left who could make it ready.
        self.0.cancel();
    }
}

impl fmt::Debug for StandingCallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StandingCallback").field("cancelled", &self.cancelled()).finish()
    }
}

impl EventLoop {
    /// Keeps `callback`, to be called each time that it is made ready.
    ///
    /// Like all callbacks it may return a `Result`, whose error goes to the
    /// exception handler.
    ///
    /// # Errors
    ///
    /// As [`call_soon`](Self::call_soon).
    pub fn standing_callback<F, R>(&self, callback: F) -> Result<StandingCallback, ScheduleError<F>>
    where
        F: FnMut() -> R + 'static,
        R: CallbackResult,
    {
        let slot = self.store_callback::<F, Standing<R>>(callback)?;
        // SAFETY: Counted: it begins with a reference for the loop, which has
        // not scheduled it; the handle's is left.
        unsafe { callback::release(slot) };
        Ok(StandingCallback(self.handle(slot)))
    }
}
