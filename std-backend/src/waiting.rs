//! A task's wait for a descriptor that the loop does not own.
//!
//! ```text
//!           poll               event             poll
//!   idle ─────────▶ waits ───────────────▶ woken ─────▶ idle: ready
//!     ▲               │ drop                 │ drop
//!     └───────────────┴── the registration ends with the last who uses it
//! ```
//!
//! It shares the [`Watch`] of its descriptor with the callbacks of `add_reader` and `add_writer`
//! and with other tasks, so neither takes an event away from the other. An event is a hint:
//! whoever is woken tries again.

use crate::descriptor::RawDescriptor;
use crate::selector::StdSelector;
use crate::waiters::Ticket;
use crate::watches::{Half, Refused, Watch};
use core::task::{Context, Poll};
use std::rc::Rc;

/// One task's wait for one direction, as often as it likes.
pub(crate) struct Waiting<'a> {
    selector: &'a StdSelector,
    descriptor: RawDescriptor,
    half: Half,
    watch: Option<Rc<Watch>>,
    ticket: Option<Ticket>,
}

impl<'a> Waiting<'a> {
    pub(crate) fn new(
        selector: &'a StdSelector,
        descriptor: RawDescriptor,
        half: Half,
    ) -> Waiting<'a> {
        Waiting { selector, descriptor, half, watch: None, ticket: None }
    }

    /// Ready when there was an event since the poll that began to wait; the
    /// poll after that begins anew.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        if let (Some(watch), Some(ticket)) = (&self.watch, self.ticket) {
            if watch.waiters(self.half).still_waits(ticket, cx.waker()) {
                return Poll::Pending;
            }
            self.ticket = None;
            return Poll::Ready(Ok(()));
        }
        let known = self.watch.take();
        let (watch, ticket) =
            self.selector.join_watch(self.descriptor, self.half, cx.waker(), known)?;
        self.watch = Some(watch);
        self.ticket = Some(ticket);
        Poll::Pending
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let Some(watch) = self.watch.take() else { return };
        if let Some(ticket) = self.ticket {
            watch.waiters(self.half).leave(ticket);
        }
        self.selector.end_unless_used(&watch);
    }
}
