//! Until when something is waited for, so that it can be changed meanwhile.

use crate::time::{Duration, Instant};
use core::cell::Cell;
use core::fmt;
use core::task::Waker;

/// Until when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum When {
    /// So long after the first poll.
    After(Duration),
    At(Instant),
    Never,
}

/// What has become of a timeout.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    Created,
    Active,
    Expiring,
    Expired,
    Finished,
}

/// Until when [`limit`](Self::limit) waits: to be looked at and changed while it does.
///
/// ```ignore
/// let deadline = Deadline::after(Duration::from_secs(5));
/// let page = deadline.limit(async {
///     let head = read_head().await?;
///     deadline.reschedule(Some(event_loop.time() + body_time(&head)))?;
///     read_body(head).await
/// });
/// ```
///
/// asyncio: the `Timeout` object of `async with timeout(…) as cm`.
pub struct Deadline {
    when: Cell<When>,
    phase: Cell<Phase>,
    /// Whom to tell of a change.
    waker: Cell<Option<Waker>>,
}

impl Deadline {
    const fn new(when: When) -> Deadline {
        Deadline { when: Cell::new(when), phase: Cell::new(Phase::Created), waker: Cell::new(None) }
    }

    /// So long after the first poll.
    pub const fn after(delay: Duration) -> Deadline {
        Deadline::new(When::After(delay))
    }

    /// When the loop's clock shows `when`.
    pub const fn at(when: Instant) -> Deadline {
        Deadline::new(When::At(when))
    }

    /// Without an end, until it is rescheduled. asyncio: `timeout(None)`.
    pub const fn never() -> Deadline {
        Deadline::new(When::Never)
    }

    /// Until when: `None` for without an end, and before the first poll of a
    /// deadline that was given as a delay. asyncio: `Timeout.when()`.
    pub fn when(&self) -> Option<Instant> {
        match self.when.get() {
            When::At(when) => Some(when),
            When::After(_) | When::Never => None,
        }
    }

    /// Changes it, while it is waited for; `None` for without an end. One
    /// that is past expires in the next turn.
    ///
    /// asyncio: `Timeout.reschedule()`.
    ///
    /// # Errors
    ///
    /// [`RescheduleError`] before the first poll, and once it has expired or
    /// what was waited for is over.
    pub fn reschedule(&self, when: Option<Instant>) -> Result<(), RescheduleError> {
        match self.phase.get() {
            Phase::Active => {}
            Phase::Created => return Err(RescheduleError::NotEntered),
            Phase::Expiring | Phase::Expired => return Err(RescheduleError::Expired),
            Phase::Finished => return Err(RescheduleError::Finished),
        }
        self.when.set(when.map_or(When::Never, When::At));
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
        Ok(())
    }

    /// Whether the time was over before what was waited for. asyncio: `Timeout.expired()`.
    pub fn expired(&self) -> bool {
        matches!(self.phase.get(), Phase::Expiring | Phase::Expired)
    }

    pub(super) fn phase(&self) -> Phase {
        self.phase.get()
    }

    pub(super) fn set_phase(&self, phase: Phase) {
        self.phase.set(phase);
    }

    pub(super) fn set_waker(&self, waker: &Waker) {
        match self.waker.take() {
            Some(old) if old.will_wake(waker) => self.waker.set(Some(old)),
            _ => self.waker.set(Some(waker.clone())),
        }
    }

    /// Makes a delay count from now.
    pub(super) fn begin(&self, now: Instant) {
        if let When::After(delay) = self.when.get() {
            self.when.set(When::At(now.saturating_add(delay)));
        }
        self.phase.set(Phase::Active);
    }
}

impl fmt::Debug for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Deadline");
        debug.field("phase", &self.phase.get()).field("when", &self.when()).finish()
    }
}

/// Why a deadline cannot be changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RescheduleError {
    /// Nobody waits yet.
    NotEntered,
    /// It has expired.
    Expired,
    /// What was waited for is over.
    Finished,
}

impl fmt::Display for RescheduleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotEntered => "cannot reschedule the timeout: it has not been entered",
            Self::Expired => "cannot reschedule the timeout: it has expired",
            Self::Finished => "cannot reschedule the timeout: it is finished",
        })
    }
}

impl core::error::Error for RescheduleError {}
