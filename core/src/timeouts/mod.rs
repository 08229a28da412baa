//! Waiting for something, but not for ever.
//!
//! | | what is waited for | when the time is over |
//! |---|---|---|
//! | [`timeout`], [`timeout_at`] | any future, in place | code inside that [catches cancels](crate::catch_cancel) is asked to end and may clean up; else the future is dropped |
//! | [`Deadline::limit`] | the same; the time can be changed meanwhile | the same |
//! | [`wait_for`] | a task | it is cancelled, and waited for |
//!
//! Built on the task's cancel scopes and count
//! ([`task::cancel`](crate::task::cancel)), so a timeout and a cancel from
//! elsewhere are told apart: only what the timeout itself asked for becomes
//! [`TimeoutError::Elapsed`].
//!
//! ```text
//!             first poll            time is over:                 future dropped, or a cancel
//!                                   count one cancel,             comes out of it, and no other
//!   Created ───────────▶ Active ──────ask inside──────▶ Expiring ──────cancel stands──▶ Expired: Err(Elapsed)
//!                          │                              │  │
//!                          │ ready                  ready │  │ another cancel stands
//!                          ▼                              ▼  ▼
//!                       Finished: Ok(value)     Expired: Ok(value)   it goes on to what is around
//! ```
//!
//! Of timeouts one in another that are over in the same turn, the one with the
//! earlier deadline comes first, and the outer one of equals. A value that is ready
//! beats the time. A future that never waits is never timed out.
//!
//! asyncio: `asyncio.timeout()`, `timeout_at()`, `wait_for()`.

mod deadline;
mod timeout;
mod wait_for;

pub use deadline::{Deadline, RescheduleError};
pub use timeout::{Limit, Timeout, TimeoutError, timeout, timeout_at};
pub use wait_for::{WaitForError, wait_for};
