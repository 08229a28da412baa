//! The module's clock and selector, and its imports.
//!
//! # Invariants
//!
//! * **One Thread**: a preview-1 module has one thread of control and no
//!   interrupts, so its statics are never used twice at a time.
//! * **Valid Lists**: what is given to the host are slices, with their lengths.

use super::poll::{self, PollOneoff, Poller};
use super::table::{Slot, Table};
use crate::pace::Pace;
use core::cell::Cell;
use molen_core::io::{Clock, SelectError, Selector, Wait};
use molen_core::schedule::{EventLoop, ExceptionContext, HandlerFailed};
use molen_core::time::Instant;
use wasi::{Errno, Event, Subscription};

/// The clock and the selector of preview 1. There is one, a static.
pub struct Preview1 {
    latest: Cell<u64>,
    pace: Pace,
    /// Waits for descriptors as well, once one has been registered. A module
    /// that registers none does not contain the code for it.
    descriptors: Cell<Option<SelectWithDescriptors>>,
}

type SelectWithDescriptors = fn(&Pace, Option<u64>) -> Result<(), SelectError>;

// SAFETY: One Thread.
unsafe impl Sync for Preview1 {}

/// The module's backend: what a loop of one's own is started with.
///
/// ```ignore
/// static LOOP: EventLoop = EventLoop::new();
/// let event_loop = LOOP.start(&BACKEND)?;
/// ```
pub static BACKEND: Preview1 =
    Preview1 { latest: Cell::new(0), pace: Pace::new(), descriptors: Cell::new(None) };

struct Descriptors {
    table: Table,
    poller: Poller,
}

// SAFETY: One Thread.
unsafe impl Sync for Descriptors {}

static DESCRIPTORS: Descriptors = Descriptors { table: Table::new(), poller: Poller::new() };

/// The module's registered descriptors.
pub(super) fn table() -> &'static Table {
    BACKEND.descriptors.set(Some(|pace, timeout| {
        DESCRIPTORS.poller.select(&Host, &DESCRIPTORS.table, pace, timeout)
    }));
    &DESCRIPTORS.table
}

/// Whether reading `slot` would not block, as far as the host tells the truth.
pub(super) fn confirm_readable(slot: &Slot) -> bool {
    DESCRIPTORS.poller.confirm_readable(&Host, slot)
}

/// Whether some task waits for a descriptor. A host that drives the module
/// cannot tell; see [`reactor`](crate::reactor).
pub fn waits_for_descriptors() -> bool {
    let mut waits = false;
    if BACKEND.descriptors.get().is_some() {
        DESCRIPTORS.table.for_each_waiting(0, |_, _, _| waits = true);
    }
    waits
}

/// `poll_oneoff` as the host has it.
struct Host;

impl PollOneoff for Host {
    fn poll_oneoff(
        &self,
        subscriptions: &[Subscription],
        events: &mut [Event],
    ) -> Result<usize, Errno> {
        let count = subscriptions.len().min(events.len());
        // SAFETY: Valid Lists; there is room for `count` events.
        unsafe { wasi::poll_oneoff(subscriptions.as_ptr(), events.as_mut_ptr(), count) }
    }
}

impl Clock for Preview1 {
    /// The host's monotonic clock, kept from going back. A clock that fails
    /// stands still.
    fn now(&self) -> Instant {
        // SAFETY: it has no pointers to get wrong.
        let now = unsafe { wasi::clock_time_get(wasi::CLOCKID_MONOTONIC, 1) }.unwrap_or(0);
        let now = now.max(self.latest.get());
        self.latest.set(now);
        Instant::from_nanos(now)
    }
}

impl Selector for Preview1 {
    fn select(&self, _event_loop: &EventLoop, wait: Wait) -> Result<(), SelectError> {
        let timeout = self.pace.timeout(wait, || self.now());
        match self.descriptors.get() {
            Some(select) => select(&self.pace, timeout),
            None => poll::sleep(&Host, timeout),
        }
    }

    fn report(&self, context: &ExceptionContext<'_>) -> Result<(), HandlerFailed> {
        say("molen: ")?;
        context.write_to(&mut say)?;
        say("\n")
    }
    // No `last_resort`: when standard error cannot be written, there is nothing
    // simpler to write to.
}

/// Writes all of `text` to standard error.
fn say(text: &str) -> Result<(), HandlerFailed> {
    super::stdio::write_all(2, text.as_bytes()).map_err(|_| HandlerFailed)
}
