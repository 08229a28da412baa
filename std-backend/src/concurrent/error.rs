//! How a concurrent future ends without a value.

use molen_core::ScheduleError;
use molen_core::platform::{Payload, panic_message};
use std::fmt;

/// How a [`ConcurrentFuture`](super::ConcurrentFuture) ended without a value,
/// or why its value was not given out.
#[non_exhaustive]
pub enum ConcurrentError {
    /// It was cancelled, or its task was, or the loop of its task was closed.
    ///
    /// asyncio: `CancelledError`.
    Cancelled,
    /// The coroutine, or the function that was to make it, panicked; this is
    /// what the panic carried.
    Panicked(Payload),
    /// No task was made: the loop was closed before, or refused it.
    NotCreated(ScheduleError<()>),
    /// It was not done in time; it goes on. asyncio: `TimeoutError`.
    TimedOut,
    /// The loop that is to make it done is this thread's: waiting here would
    /// never end. Await it.
    WouldBlockItsLoop,
    /// Its value was taken before.
    Taken,
}

impl ConcurrentError {
    /// Whether it was cancelled.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled)
    }
}

impl fmt::Debug for ConcurrentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ConcurrentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cancelled => "the coroutine on the other event loop was cancelled",
            Self::Panicked(payload) => {
                let text = panic_message(payload);
                return write!(f, "the coroutine on the other event loop panicked: {text}");
            }
            Self::NotCreated(error) => {
                return write!(f, "the coroutine was not made a task: {error}");
            }
            Self::TimedOut => "the concurrent future was not done in time",
            Self::WouldBlockItsLoop => {
                "cannot wait for the concurrent future here: this is the thread of the event \
                 loop that is to make it done"
            }
            Self::Taken => "the result of the concurrent future was already taken",
        })
    }
}

impl std::error::Error for ConcurrentError {}
