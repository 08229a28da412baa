//! A task's state: what may happen to it next, and who keeps it alive.
//!
//! ```text
//!              wake                       run
//!   Waiting ─────────▶ Queued ───────────────────▶ Running
//!      ▲                                           │  │  │
//!      └───────────── Pending, not woken ──────────┘  │  │
//!                          Queued ◀── Pending, woken ─┘  │
//!                                         Ready, cancel, │
//!                                         abort, panic   ▼
//!                                                       Done
//! ```
//!
//! The flags below are for the loop's thread alone. What other threads may do
//! to a task (wake it, copy and drop its wakers) is in the two forms of
//! [`State`], one with threads and one without; both have the same face.

#[cfg(not(feature = "threads"))]
mod single;
#[cfg(feature = "threads")]
mod threads;

#[cfg(not(feature = "threads"))]
pub(crate) use single::*;
#[cfg(feature = "threads")]
pub(crate) use threads::*;

#[cfg(feature = "alloc")]
use super::header::Header;
#[cfg(feature = "alloc")]
use core::ptr::NonNull;

/// It is in the ready queue or in the running batch, once. Set by the wake
/// that puts it there; cleared just before its poll, so that a wake during the
/// poll counts.
pub(crate) const QUEUED: u8 = 1 << 0;
/// It has ended; its future is gone. Never cleared but by a new task in the
/// same static.
pub(crate) const DONE: u8 = 1 << 1;
/// `cancel` was called and has not been delivered. Delivered at the next step.
pub(crate) const CANCEL: u8 = 1 << 2;
/// A [`Task`](super::Task) handle exists, so the output is kept.
pub(crate) const HANDLE: u8 = 1 << 3;
/// It ended by cancellation or abort. Only with `DONE`.
pub(crate) const CANCELLED: u8 = 1 << 4;
/// It ended by a panic, whose payload is stored. Only with `DONE`.
#[cfg(feature = "threads")]
pub(crate) const PANICKED: u8 = 1 << 5;
/// What it ended with (value or payload) is stored and not yet taken. Only with `DONE`.
pub(crate) const OUTPUT: u8 = 1 << 6;

/// It is done, but somebody may still refer to it: it is in the loop's list of
/// ended tasks. Only with `DONE`.
#[cfg(feature = "threads")]
pub(crate) const ENDED: u8 = 1 << 7;

/// Frees a task that nobody refers to any more.
///
/// # Safety
///
/// No reference is left; the task is `DONE` and unlinked.
#[cfg(feature = "alloc")]
unsafe fn free(task: NonNull<Header>) {
    // SAFETY: Right Table (schedule::node): a header's table is a task's.
    let table = unsafe { super::header::table(task) };
    // SAFETY: the caller's promise.
    unsafe { (table.free)(task) }
}
