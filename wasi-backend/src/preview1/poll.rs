//! One `poll_oneoff` a turn, and what to do with what it says.
//!
//! ```text
//!   what tasks wait for + at most one clock ──▶ poll_oneoff
//!        │                                        │
//!        │ neither: nothing to wait for           ├─ events: hints, each to its slot
//!        │                                        ├─ an event with an error: to its slot
//!        ▼                                        └─ the whole call failed: each alone,
//!   never a call with n = 0                          with a clock of 0 ns; the error
//!                                                    goes to the one that causes it
//! ```
//!
//! The clock subscription is relative and monotonic (absolute ones hang on
//! Node, realtime ones fail on wasmtime 46), and there is never more than one
//! (hosts report one of several that are due, or all, or some that are not).
//! Its event is ignored: the loop reads the clock.
//!
//! # Invariants
//!
//! * **Not Re-entered**: the buffers are used by `select` only, which runs in a
//!   turn, and core refuses a turn within a turn.

use super::table::{CAPACITY, Slot, Table};
use crate::pace::Pace;
use core::cell::{Cell, UnsafeCell};
use molen_core::io::{Ready, SelectError};
use wasi::{Errno, Event, Subscription, SubscriptionClock, SubscriptionFdReadwrite};

/// Each slot in both directions, and the clock.
const SUBSCRIPTIONS: usize = 2 * CAPACITY + 1;

/// What the clock's subscription is called; no slot has this number.
const CLOCK: u64 = u64::MAX;

/// The host call; the tests have another.
pub(super) trait PollOneoff {
    /// Waits for one of `subscriptions`, and says how many events it wrote.
    fn poll_oneoff(
        &self,
        subscriptions: &[Subscription],
        events: &mut [Event],
    ) -> Result<usize, Errno>;
}

/// What is asked of the host, and what it answered.
struct Buffers {
    subscriptions: [Subscription; SUBSCRIPTIONS],
    events: [Event; SUBSCRIPTIONS],
}

/// Polls the host for what a table says that tasks wait for.
pub(super) struct Poller {
    buffers: UnsafeCell<Buffers>,
    /// The slot that is asked about first; moves on with each poll, since a
    /// host may report only the first few that are ready.
    first: Cell<usize>,
    /// Whether the last poll was about several descriptors.
    crowded: Cell<bool>,
}

impl Poller {
    pub(super) const fn new() -> Poller {
        Poller {
            buffers: UnsafeCell::new(Buffers {
                subscriptions: [BLANK; SUBSCRIPTIONS],
                events: [NO_EVENT; SUBSCRIPTIONS],
            }),
            first: Cell::new(0),
            crowded: Cell::new(false),
        }
    }

    /// Waits once for what tasks wait for, and at most `timeout` nanoseconds.
    pub(super) fn select(
        &self,
        host: &impl PollOneoff,
        table: &Table,
        pace: &Pace,
        timeout: Option<u64>,
    ) -> Result<(), SelectError> {
        // SAFETY: Not Re-entered.
        let Buffers { subscriptions, events } = unsafe { &mut *self.buffers.get() };
        let descriptors = self.subscribe(table, subscriptions);
        self.crowded.set(descriptors > 1);
        if descriptors == 0 {
            return sleep(host, timeout);
        }
        let count = match timeout {
            None => descriptors,
            Some(nanos) => {
                subscriptions[descriptors] = clock(nanos);
                descriptors + 1
            }
        };
        // Nothing of the last poll may be taken for news where a host writes
        // fewer or shorter records than it says.
        events[..count].fill(NO_EVENT);
        match host.poll_oneoff(&subscriptions[..count], &mut events[..count]) {
            Ok(reported) => {
                for event in &events[..reported.min(count)] {
                    if deliver(table, event) {
                        pace.news();
                    }
                }
                Ok(())
            }
            Err(wasi::ERRNO_INTR | wasi::ERRNO_AGAIN) => Ok(()),
            Err(errno) => {
                pace.news();
                ask_each(host, table, &subscriptions[..descriptors], errno)
            }
        }
    }

    /// Whether `slot` can be read, for one who would block if it cannot.
    ///
    /// wasi-common reports every descriptor of the list when one of them is
    /// ready. Of a list of one it says the truth, so what was reported in
    /// company is asked about again, alone.
    pub(super) fn confirm_readable(&self, host: &impl PollOneoff, slot: &Slot) -> bool {
        if !self.crowded.get() {
            return true;
        }
        let subscription = descriptor(0, slot.fd(), Ready::READABLE);
        let mut events = [NO_EVENT; 2];
        match host.poll_oneoff(&[subscription, clock(0)], &mut events) {
            Ok(_) => events.iter().any(|event| event.userdata == subscription.userdata),
            // Reading it says what it is.
            Err(_) => true,
        }
    }

    /// Fills the list with what tasks wait for; returns how many there are.
    fn subscribe(&self, table: &Table, list: &mut [Subscription; SUBSCRIPTIONS]) -> usize {
        let first = self.first.get();
        self.first.set((first + 1) % CAPACITY);
        let mut count = 0;
        table.for_each_waiting(first, |index, fd, interest| {
            for direction in [Ready::READABLE, Ready::WRITABLE] {
                if interest.contains(direction) {
                    list[count] = descriptor(index, fd, direction);
                    count += 1;
                }
            }
        });
        count
    }
}

/// Waits for the time alone.
///
/// Hosts wait most exactly for a single clock.
pub(super) fn sleep(host: &impl PollOneoff, timeout: Option<u64>) -> Result<(), SelectError> {
    match timeout {
        None => Err(SelectError::NothingToWaitFor),
        // Nobody to ask about, and no time to wait.
        Some(0) => Ok(()),
        Some(nanos) => match host.poll_oneoff(&[clock(nanos)], &mut [NO_EVENT]) {
            Ok(_) | Err(wasi::ERRNO_INTR | wasi::ERRNO_AGAIN) => Ok(()),
            Err(errno) => Err(SelectError::Os(i32::from(errno.raw()))),
        },
    }
}

/// Hands an event to its slot, and says whether it was one of a slot: the
/// clock's and those that the host invented are nobody's.
fn deliver(table: &Table, event: &Event) -> bool {
    let Some((slot, direction)) = subscriber(table, event.userdata) else {
        return false;
    };
    match event.error {
        wasi::ERRNO_SUCCESS | wasi::ERRNO_INTR | wasi::ERRNO_AGAIN => {
            slot.registration.set_ready(direction);
        }
        errno => slot.fail(direction, errno),
    }
    true
}

/// Finds out on whose account a whole poll failed with `errno`.
#[cold]
fn ask_each(
    host: &impl PollOneoff,
    table: &Table,
    subscriptions: &[Subscription],
    errno: Errno,
) -> Result<(), SelectError> {
    let mut explained = false;
    for subscription in subscriptions {
        let mut events = [NO_EVENT; 2];
        match host.poll_oneoff(&[*subscription, clock(0)], &mut events) {
            Ok(reported) => {
                for event in &events[..reported.min(2)] {
                    explained |= deliver(table, event);
                }
            }
            Err(wasi::ERRNO_INTR | wasi::ERRNO_AGAIN) => {}
            Err(errno) => {
                if let Some((slot, direction)) = subscriber(table, subscription.userdata) {
                    slot.fail(direction, errno);
                }
                explained = true;
            }
        }
    }
    if explained { Ok(()) } else { Err(SelectError::Os(i32::from(errno.raw()))) }
}

/// What the lists are full of before anything is asked: all zero, so that
/// they take no bytes of the module.
const BLANK: Subscription = Subscription {
    userdata: 0,
    u: wasi::SubscriptionU {
        tag: 0,
        u: wasi::SubscriptionUU { fd_read: SubscriptionFdReadwrite { file_descriptor: 0 } },
    },
};

/// As `BLANK`.
const NO_EVENT: Event = Event {
    userdata: 0,
    error: wasi::ERRNO_SUCCESS,
    type_: wasi::EVENTTYPE_CLOCK,
    fd_readwrite: wasi::EventFdReadwrite { nbytes: 0, flags: 0 },
};

/// Relative, monotonic, as exact as the host can.
const fn clock(nanos: u64) -> Subscription {
    let clock =
        SubscriptionClock { id: wasi::CLOCKID_MONOTONIC, timeout: nanos, precision: 0, flags: 0 };
    Subscription {
        userdata: CLOCK,
        u: wasi::SubscriptionU {
            tag: wasi::EVENTTYPE_CLOCK.raw(),
            u: wasi::SubscriptionUU { clock },
        },
    }
}

fn descriptor(index: usize, fd: wasi::Fd, direction: Ready) -> Subscription {
    let file_descriptor = SubscriptionFdReadwrite { file_descriptor: fd };
    let (bit, tag, u) = if direction.contains(Ready::WRITABLE) {
        let u = wasi::SubscriptionUU { fd_write: file_descriptor };
        (1, wasi::EVENTTYPE_FD_WRITE.raw(), u)
    } else {
        let u = wasi::SubscriptionUU { fd_read: file_descriptor };
        (0, wasi::EVENTTYPE_FD_READ.raw(), u)
    };
    // From 2 on: what is zero was not written by the host.
    Subscription { userdata: (index as u64 + 1) << 1 | bit, u: wasi::SubscriptionU { tag, u } }
}

/// Whose subscription it was: the reverse of `descriptor`.
fn subscriber(table: &Table, userdata: u64) -> Option<(&Slot, Ready)> {
    let index = (userdata >> 1).checked_sub(1)?;
    let slot = table.get(usize::try_from(index).ok()?)?;
    let direction = if userdata & 1 == 1 { Ready::WRITABLE } else { Ready::READABLE };
    Some((slot, direction))
}
