//! The task of a server's stream connection: the user's handler, whose failure
//! is reported.
//!
//! An `async` block around the handler's future would hold it twice: where it
//! was captured and where it is awaited. There are ten thousand of these.
//!
//! # Invariants
//!
//! * **Pinned With It**: the field of a [`Reporting`] is pinned as the `Reporting`
//!   is: it is never moved out or handed out otherwise.

use crate::schedule::{CallbackResult, ExceptionContext};
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

pub(super) struct Reporting<H>(pub(super) H);

impl<H: Future<Output: CallbackResult>> Future for Reporting<H> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // SAFETY: Pinned With It.
        let handler = unsafe { self.map_unchecked_mut(|this| &mut this.0) };
        handler.poll(cx).map(|result| {
            result.report(|error| {
                if let Some(event_loop) = crate::schedule::current() {
                    event_loop.call_exception_handler(&ExceptionContext::new(
                        "the handler of a stream connection failed",
                        Some(error),
                    ));
                }
            });
        })
    }
}
