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
//!
//! Windows' selector is a completion port, which nothing else can wait for.
//! There a host turns the loop with a timeout, `turn(Some(…))`, and does its own
//! work between turns; or it gives the loop a thread of its own and talks to it
//! by a `Remote`.

use crate::descriptor::BorrowedDescriptor;
#[cfg(unix)]
use crate::selector::StdSelector;
use molen_core::Unsupported;
use molen_core::schedule::EventLoop;

/// The descriptor that becomes readable when the loop has something to do
/// before its [`next_deadline`](EventLoop::next_deadline).
///
/// libuv: `uv_backend_fd`. asyncio has no counterpart.
///
/// # Errors
///
/// [`Unsupported`] when another backend turns the loop, and on Windows.
pub fn pollable_fd(event_loop: &EventLoop) -> Result<BorrowedDescriptor<'_>, Unsupported> {
    descriptor_of(event_loop)
}

#[cfg(unix)]
fn descriptor_of(event_loop: &EventLoop) -> Result<BorrowedDescriptor<'_>, Unsupported> {
    use std::os::fd::AsFd;
    let selector = StdSelector::of(event_loop);
    selector.map(AsFd::as_fd).ok_or(crate::selector::no_descriptors_here("polling the event loop"))
}

#[cfg(windows)]
fn descriptor_of(_event_loop: &EventLoop) -> Result<BorrowedDescriptor<'_>, Unsupported> {
    Err(Unsupported {
        operation: "polling the event loop",
        platform: "Windows",
        reason: "its selector is a completion port, which cannot be polled; turn the loop with a timeout",
    })
}

#[cfg(unix)]
impl std::os::fd::AsRawFd for StdSelector {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        self.raw_fd()
    }
}

#[cfg(unix)]
impl std::os::fd::AsFd for StdSelector {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        // SAFETY: the selector owns the descriptor and closes it when dropped.
        unsafe { std::os::fd::BorrowedFd::borrow_raw(self.raw_fd()) }
    }
}
