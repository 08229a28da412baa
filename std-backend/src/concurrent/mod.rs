//! Results that travel between threads: coroutines that one thread has another
//! one's loop run, and the futures that both hold.
//!
//! ```text
//!  any thread                                   the loop's thread
//!  run_coroutine_threadsafe(make, &remote)
//!     ├─ make ──────── call_soon_threadsafe ───▶ create_task(make())
//!     └─ ConcurrentFuture ◀── value, panic, ──── the task ends
//!          result, cancel,     cancelled, no task     ▲
//!          wrap_future ────────── cancel ─────────────┘
//! ```
//!
//! | file | concept |
//! |---|---|
//! | `future` | [`ConcurrentFuture`]: a result for all threads |
//! | `error` | how it ends without a value |
//! | `wrap` | awaiting it on a loop |
//! | `coroutine` | [`run_coroutine_threadsafe`] |

mod coroutine;
mod error;
mod future;
mod wrap;

pub use coroutine::{Coroutine, run_coroutine_threadsafe};
pub use error::ConcurrentError;
pub use future::ConcurrentFuture;
pub use wrap::{WrapFuture, wrap_future};
