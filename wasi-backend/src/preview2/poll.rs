//! One `poll` a turn, over the pollables that tasks wait for.
//!
//! * A pollable is asked by `poll` and never by `ready()`, which says no for
//!   what is ready once wasmtime's budget of 128 polls a task is used up.
//! * For the same reason `poll` reports at most some 128 of those that are
//!   ready. So the list begins, the next time, behind the last one reported:
//!   those in front cannot starve those behind.
//! * Reporting so many uses the budget up, and reads and writes find that they
//!   would block although they would not: a crowd that is ready all the time
//!   would never be read. So after a long report the component yields once.
//! * The time is one pollable, made for this wait: only a new one makes
//!   wasmtime let its other tasks go on, even if the duration is zero.
//! * An empty list would trap, and is never given.

use super::linger;
use super::selector::sleep;
use super::watch::Watches;
use crate::pace::Pace;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicUsize, Ordering};
use molen_core::io::{Ready, Registration, SelectError};
use wasip2::clocks::monotonic_clock::{self, subscribe_duration};
use wasip2::io::poll::{Pollable, poll};

/// The entry of the table that is asked about first.
static FIRST: AtomicUsize = AtomicUsize::new(0);

/// After so many events there is too little left of wasmtime's budget of 128.
const LONG_REPORT: usize = 32;

/// Waits once for what tasks wait for, and at most `timeout` nanoseconds.
pub(super) fn select(
    watches: &Watches,
    pace: &Pace,
    timeout: Option<u64>,
) -> Result<(), SelectError> {
    linger::release();
    let Some(events) = watches.with(|entries| {
        let first = FIRST.load(Ordering::Relaxed).min(entries.len());
        let (before, from) = entries.split_at(first);
        let mut asked = Vec::new();
        let mut list = Vec::<&Pollable>::new();
        let numbered = (first..).zip(from).chain((0..).zip(before));
        for (index, entry) in numbered {
            for (direction, pollable) in entry.iter().flat_map(|entry| entry.waiting()) {
                asked.push((index, direction));
                list.push(pollable);
            }
        }
        if list.is_empty() {
            return None;
        }
        let timer = timeout.map(subscribe_duration);
        list.extend(timer.as_ref());
        let mut events = Vec::<(Rc<Registration>, Ready)>::new();
        for position in poll(&list) {
            // The timer's position is behind all that were asked: the clock
            // says better than it what is due.
            let Some(&(index, direction)) = asked.get(position as usize) else {
                continue;
            };
            if let Some(Some(entry)) = entries.get(index) {
                events.push((entry.registration.clone(), direction));
                FIRST.store(index + 1, Ordering::Relaxed);
            }
        }
        Some(events)
    }) else {
        return sleep(timeout);
    };
    if !events.is_empty() {
        pace.news();
    }
    if events.len() >= LONG_REPORT {
        subscribe_duration(0).block();
    }
    // Wakers may run anything, so the table is not borrowed here.
    for (registration, direction) in events {
        registration.set_ready(direction);
    }
    Ok(())
}

/// How long `drain` waits at most, in nanoseconds.
const DRAIN: u64 = 1_000_000_000;

/// Lets the host write what dropped connections have left to be written; for
/// a component that is about to end, and would take it along. It gives up on
/// who does not read.
pub(super) fn drain(watches: &Watches, pace: &Pace) {
    let end = monotonic_clock::now().saturating_add(DRAIN);
    while linger::release() {
        let left = end.saturating_sub(monotonic_clock::now());
        if left == 0 || select(watches, pace, Some(left)).is_err() {
            return;
        }
    }
}
