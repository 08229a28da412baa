//! Accepting that outlives a lack of descriptors.
//!
//! ```text
//!  accepting ──connection──▶ returned
//!   ▲     │
//!   │     └─ NoDescriptors ─▶ reported ─▶ not accepting ──1 s──┐
//!   └──────────────────────────────────────────────────────────┘
//! ```
//!
//! A connection that cannot be taken stays in the system's queue, so the
//! listener stays readable: trying again at once would spin. Nobody is lost
//! meanwhile but those whom the queue has no room for.

use super::source::{AcceptSource, SourceError, accept};
use crate::schedule::{ExceptionContext, current};
use crate::task::sleep;
use crate::time::Duration;

/// How long a listener rests after descriptors ran out.
///
/// asyncio: `constants.ACCEPT_RETRY_DELAY`.
pub const ACCEPT_RETRY_DELAY: Duration = Duration::from_secs(1);

/// Takes the next connection, waiting for one; when there are no descriptors
/// left for it, tells the loop's exception handler, accepts nothing for
/// [`ACCEPT_RETRY_DELAY`], and goes on.
///
/// asyncio: what servers of `create_server` do.
///
/// # Errors
///
/// The source's, but neither `WouldBlock` nor `NoDescriptors`;
/// [`NoRunningLoop`](SourceError::NoRunningLoop) when there is no loop whose
/// clock could be waited for.
///
/// # Cancellation
///
/// Nothing is lost: a connection is taken only in the step that returns it.
pub async fn accept_with_backoff<S: AcceptSource + ?Sized>(
    source: &S,
) -> Result<S::Connection, SourceError> {
    loop {
        match accept(source).await {
            Err(SourceError::NoDescriptors) => {
                let event_loop = current().ok_or(SourceError::NoRunningLoop)?;
                event_loop.call_exception_handler(&ExceptionContext::new(
                    "cannot accept a connection now; trying again in a second",
                    Some(&SourceError::NoDescriptors),
                ));
            }
            done => return done,
        }
        sleep(ACCEPT_RETRY_DELAY).await;
    }
}
