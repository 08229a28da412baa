//! A loop inside a host that has a loop of its own.
//!
//! A reactor module has no `main`: it exports functions, and the host calls
//! one of them when time has come. That function makes one [`turn`], which
//! never waits, and returns when the host should call next:
//!
//! ```text
//!   host ── loop_turn() ──▶ module: one turn of the wheel
//!        ◀── 4 000 000 ───  "call me in 4 ms"
//!   host waits, does its own work …
//! ```
//!
//! | result | meaning |
//! |---|---|
//! | n > 0 | nothing is ready; the next timer is due in n nanoseconds |
//! | [`DESCRIPTORS`] | nothing is ready and no timer is set, but descriptors are waited for: call when they may be ready |
//! | 0, [`WORK_READY`] | something is ready: call again soon |
//! | −1, [`IDLE`] | nothing is ready and nothing is waited for: call after giving the module work |
//! | −2, [`FAILED`] | the turn failed: the loop is closed, it runs already, or waiting failed |
//!
//! A host that calls too early or too late harms nothing: what is due is
//! decided by the clock.

use molen_core::{Duration, EventLoop};

/// Something is ready already: the host should call again soon.
pub const WORK_READY: i64 = 0;
/// Nothing is ready, no timer is set and no descriptor is waited for.
pub const IDLE: i64 = -1;
/// The turn failed. [`EventLoop::turn`] itself says why.
pub const FAILED: i64 = -2;
/// Only descriptors are waited for.
pub const DESCRIPTORS: i64 = i64::MAX;

/// Makes one turn without waiting; returns when the host should make the next
/// one, in nanoseconds or as one of the codes of this [module](self).
///
/// `waits_for_descriptors` is asked when no timer is set; give
/// the backend's `waits_for_descriptors`.
pub fn turn(event_loop: &EventLoop, waits_for_descriptors: impl FnOnce() -> bool) -> i64 {
    match event_loop.turn(Some(Duration::ZERO)) {
        Err(_) => FAILED,
        Ok(turn) if turn.more => WORK_READY,
        Ok(_) => match event_loop.next_deadline() {
            Some(when) => nanoseconds(when.saturating_since(event_loop.time())),
            None if waits_for_descriptors() => DESCRIPTORS,
            None => IDLE,
        },
    }
}

/// `delay` as a result of `turn`: what became due meanwhile is work.
fn nanoseconds(delay: Duration) -> i64 {
    i64::try_from(delay.as_nanos()).unwrap_or(i64::MAX - 1).min(i64::MAX - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_far_deadline_is_not_mistaken_for_a_code() {
        assert_eq!(nanoseconds(Duration::MAX), i64::MAX - 1);
        assert_eq!(nanoseconds(Duration::from_nanos(u64::MAX)), i64::MAX - 1);
        assert_ne!(nanoseconds(Duration::MAX), DESCRIPTORS);
    }

    #[test]
    fn what_is_due_now_is_work_that_is_ready() {
        assert_eq!(nanoseconds(Duration::ZERO), WORK_READY);
        assert_eq!(nanoseconds(Duration::from_nanos(1)), 1);
    }
}
