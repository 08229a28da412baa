//! What has happened to a job, in six bits that two sides share.
//!
//! A job has two sides: the *runner*, which is the executor's, and the
//! *awaiter*, which is the future that the loop's task holds.
//!
//! ```text
//!           runner claims              runner finishes
//!  queued ────────────────▶ STARTED ───────────────────▶ STARTED|DONE
//!    │ awaiter cancels         │ awaiter cancels
//!    ▼                         ▼
//!  CANCELLED               STARTED|CANCELLED ──────────▶ all three: unwanted
//! ```
//!
//! * `STARTED`: the runner has the function. Set once, by the runner.
//! * `DONE`: the outcome is in the cell. Set once, by the runner, which has
//!   `STARTED` it before.
//! * `CANCELLED`: the awaiter wants nothing any more. Set once, by the awaiter.
//! * `WAKER`: a waker is in the cell for the runner to call. Set and cleared
//!   by the awaiter alone.
//! * `RUNNER_LEFT`, `AWAITER_LEFT`: that side will not touch the cell again.
//!
//! Every transition is one atomic step that returns what its side must do, so
//! neither side ever waits for the other. Who owns what, by the order of the bits:
//!
//! | what | the runner's | the awaiter's |
//! |---|---|---|
//! | the function | `STARTED` came before `CANCELLED` | `CANCELLED` came first |
//! | the outcome | `CANCELLED` came before `DONE`, or no `DONE` yet | `DONE` came first |
//! | the waker | to look at: `WAKER` was set at `DONE`, until `RUNNER_LEFT` | otherwise |
//! | the memory | it leaves last | it leaves last |

use crate::atomic::{AtomicU32, Ordering};

const STARTED: u32 = 1 << 0;
const DONE: u32 = 1 << 1;
const CANCELLED: u32 = 1 << 2;
const WAKER: u32 = 1 << 3;
const RUNNER_LEFT: u32 = 1 << 4;
const AWAITER_LEFT: u32 = 1 << 5;

/// The bits.
pub(super) struct JobState(AtomicU32);

/// What a runner that claims the job must do.
#[derive(PartialEq, Eq)]
#[must_use]
pub(super) enum Claim {
    /// The function is its own: call it.
    Run,
    /// The function is gone.
    Cancelled,
}

/// What a runner that has written the outcome must do.
#[must_use]
pub(super) enum Finish {
    /// Call the waker in the cell.
    Wake,
    /// Nothing: the awaiter will see it.
    Seen,
    /// Drop the outcome.
    Unwanted,
}

/// What an awaiter that wrote its waker must do.
#[must_use]
pub(super) enum Offer {
    /// Wait.
    Waiting,
    /// Take the outcome.
    Done,
}

/// What an awaiter that took its waker back may do.
#[must_use]
pub(super) enum Withdraw {
    /// Replace it.
    Replace,
    /// Take the outcome, and leave the waker: the runner may be looking at it.
    Done,
}

/// What an awaiter that cancels must do.
#[must_use]
pub(super) enum Cancel {
    /// Drop the function, and its waker.
    Function,
    /// Drop its waker: the function is being called.
    Waker,
    /// Drop the outcome.
    Outcome,
}

impl JobState {
    /// A job whose two sides are there.
    pub(super) fn new() -> JobState {
        JobState(AtomicU32::new(0))
    }

    /// The runner wants to call the function.
    pub(super) fn claim(&self) -> Claim {
        if self.0.fetch_or(STARTED, Ordering::AcqRel) & CANCELLED == 0 {
            Claim::Run
        } else {
            Claim::Cancelled
        }
    }

    /// The runner has written the outcome.
    pub(super) fn finish(&self) -> Finish {
        let before = self.0.fetch_or(DONE, Ordering::AcqRel);
        if before & CANCELLED != 0 {
            Finish::Unwanted
        } else if before & WAKER != 0 {
            Finish::Wake
        } else {
            Finish::Seen
        }
    }

    /// The runner goes; true when it is the last, and must free the cell.
    #[must_use]
    pub(super) fn runner_leaves(&self) -> bool {
        self.0.fetch_or(RUNNER_LEFT, Ordering::AcqRel) & AWAITER_LEFT != 0
    }

    /// The awaiter goes; true when it is the last, and must free the cell.
    #[must_use]
    pub(super) fn awaiter_leaves(&self) -> bool {
        self.0.fetch_or(AWAITER_LEFT, Ordering::AcqRel) & RUNNER_LEFT != 0
    }

    /// Whether the outcome is there.
    pub(super) fn is_done(&self) -> bool {
        self.0.load(Ordering::Acquire) & DONE != 0
    }

    /// Whether the awaiter has cancelled it.
    pub(super) fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed) & CANCELLED != 0
    }

    /// Whether the awaiter's waker is in the cell. Awaiter only.
    pub(super) fn has_waker(&self) -> bool {
        self.0.load(Ordering::Relaxed) & WAKER != 0
    }

    /// The awaiter has written its waker.
    pub(super) fn offer_waker(&self) -> Offer {
        if self.0.fetch_or(WAKER, Ordering::AcqRel) & DONE == 0 {
            Offer::Waiting
        } else {
            Offer::Done
        }
    }

    /// The awaiter wants to replace its waker.
    pub(super) fn withdraw_waker(&self) -> Withdraw {
        if self.0.fetch_and(!WAKER, Ordering::AcqRel) & DONE == 0 {
            Withdraw::Replace
        } else {
            Withdraw::Done
        }
    }

    /// The awaiter wants nothing any more.
    pub(super) fn cancel(&self) -> Cancel {
        let before = self.0.fetch_or(CANCELLED, Ordering::AcqRel);
        if before & DONE != 0 {
            Cancel::Outcome
        } else if before & STARTED != 0 {
            // Its `finish` sees CANCELLED and leaves the waker alone.
            Cancel::Waker
        } else {
            Cancel::Function
        }
    }
}
