//! Accepting that outlives everything but the end of the listener.
//!
//! ```text
//!  accepting ──connection──▶ returned
//!   ▲  ▲  │ │
//!   │  │  │ └─ listener gone ──▶ returned as an error
//!   │  │  └─── later ──▶ reported ─▶ not accepting ──1 s──┐
//!   │  └──────────────────────────────────────────────────┘
//!   └── of one connection ──▶ the next one
//! ```
//!
//! A connection that cannot be taken stays in the system's queue, so the
//! listener stays readable: trying again at once would spin. Nobody is lost
//! meanwhile but those whom the queue has no room for.
//!
//! Whoever serves is never to stop without a word because of an error that
//! nobody has thought of. So what is not known to be the end of the listener is
//! not taken for it: it is reported, and tried again.

use super::source::{AcceptSource, End, SourceError, accept};
use crate::schedule::{EventLoop, ExceptionContext, current};
use crate::task::{sleep, yield_now};
use crate::time::Duration;
use core::fmt;

/// How long a listener rests after it could not take a connection.
///
/// asyncio: `constants.ACCEPT_RETRY_DELAY`.
pub const ACCEPT_RETRY_DELAY: Duration = Duration::from_secs(1);

/// What is to be done when a connection was not accepted.
///
/// ```
/// # use molen_core as molen;
/// use molen::io::AcceptFailure;
/// use molen::io::source::SourceError;
///
/// assert_eq!(AcceptFailure::of(SourceError::NoDescriptors), AcceptFailure::TryLater);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AcceptFailure {
    /// Take the next one: what failed was a connection, and is over with it.
    TryNext,
    /// Rest, and try again: something is lacking, or wrong in a way that is not known.
    TryLater,
    /// Give up: the listener is no more, or can never accept.
    ListenerGone,
}

impl AcceptFailure {
    /// What `error` of [`try_accept`](AcceptSource::try_accept) asks for.
    ///
    /// asyncio: `BlockingIOError`, `InterruptedError` and `ConnectionAbortedError`
    /// are passed over, `EMFILE`, `ENFILE`, `ENOBUFS` and `ENOMEM` tried again in a
    /// second, and others reported each time that the listener is found readable,
    /// which is at once.
    pub const fn of(error: SourceError) -> AcceptFailure {
        match error {
            SourceError::WouldBlock
            | SourceError::Interrupted
            | SourceError::ConnectionReset
            | SourceError::ConnectionRefused
            | SourceError::TimedOut => AcceptFailure::TryNext,
            SourceError::NoDescriptors
            | SourceError::AddressInUse
            | SourceError::AddressNotAvailable
            | SourceError::Overrun(_)
            | SourceError::Os(_) => AcceptFailure::TryLater,
            SourceError::Closed
            | SourceError::NoRunningLoop
            | SourceError::ForeignLoop
            | SourceError::Unsupported(_) => AcceptFailure::ListenerGone,
        }
    }
}

/// Takes the next connection, waiting for one, whatever befalls those before:
/// what is [over with its connection](AcceptFailure::TryNext) is passed over;
/// when [something is lacking](AcceptFailure::TryLater), as descriptors, it
/// tells the loop's exception handler, accepts nothing for
/// [`ACCEPT_RETRY_DELAY`], and goes on.
///
/// asyncio: what servers of `create_server` do.
///
/// # Errors
///
/// The source's that say that it is [no more](AcceptFailure::ListenerGone);
/// [`NoRunningLoop`](SourceError::NoRunningLoop) also when there is no loop whose
/// clock could be waited for.
///
/// # Cancellation
///
/// Nothing is lost: a connection is taken only in the step that returns it.
pub async fn accept_with_backoff<S: AcceptSource + ?Sized>(
    source: &S,
) -> Result<S::Connection, SourceError> {
    loop {
        let error = match accept(source).await {
            Ok(connection) => return Ok(connection),
            Err(error) => error,
        };
        match AcceptFailure::of(error) {
            // Others have a turn: there may be many.
            AcceptFailure::TryNext => yield_now().await,
            AcceptFailure::TryLater => {
                let event_loop = current().ok_or(SourceError::NoRunningLoop)?;
                let message = "cannot accept a connection now; trying again in a second";
                report(event_loop, message, source, error);
                sleep(ACCEPT_RETRY_DELAY).await;
            }
            AcceptFailure::ListenerGone => return Err(error),
        }
    }
}

/// Reports what has befallen the listener `source`.
#[cold]
pub(crate) fn report<S: AcceptSource + ?Sized>(
    event_loop: &EventLoop,
    message: &str,
    source: &S,
    cause: SourceError,
) {
    let text = fmt::from_fn(|f| {
        if let Some(address) = source.address(End::Local) {
            return write!(f, "listening on {address}: {cause}");
        }
        #[cfg(feature = "std")]
        if let Some(address) = source.unix_address(End::Local) {
            return write!(f, "listening on {address}: {cause}");
        }
        write!(f, "{cause}")
    });
    event_loop.call_exception_handler(&ExceptionContext::new(message, Some(&text)));
}
