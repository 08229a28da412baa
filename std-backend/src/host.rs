//! A loop inside another loop: what a host waits for.
//!
//! ```text
//!  host:  turn(ZERO) ─▶ more? ─yes─▶ turn again
//!            ▲            │ no
//!            │            ▼
//!            └── its own wait: pollable_fd readable, or next_deadline ──┘
//! ```
//!
//! The descriptor becomes readable when a source of the loop has an event, and
//! when another thread posts something to the loop. What the host's own code
//! schedules outside of a turn moves the deadline; it asks for it before it
//! waits.

use crate::selector::{StdSelector, no_descriptors_here};
use molen_core::Unsupported;
use molen_core::schedule::EventLoop;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

/// The descriptor that becomes readable when the loop has something to do
/// before its [`next_deadline`](EventLoop::next_deadline).
///
/// libuv: `uv_backend_fd`. asyncio has no counterpart.
///
/// # Errors
///
/// [`Unsupported`] when another backend turns the loop.
pub fn pollable_fd(event_loop: &EventLoop) -> Result<BorrowedFd<'_>, Unsupported> {
    let selector = StdSelector::of(event_loop);
    selector.map(AsFd::as_fd).ok_or(no_descriptors_here("polling the event loop"))
}

impl AsRawFd for StdSelector {
    fn as_raw_fd(&self) -> RawFd {
        self.raw_fd()
    }
}

impl AsFd for StdSelector {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the selector owns the descriptor and closes it when dropped.
        unsafe { BorrowedFd::borrow_raw(self.raw_fd()) }
    }
}
