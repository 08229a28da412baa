//! What can go wrong, as types.
//!
//! Each error says what was being done and why it was refused. Errors about
//! something that had no room give that thing back.

use crate::task::Cancelled;
use core::fmt;

macro_rules! message {
    ($type:ty, $text:expr) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str($text)
            }
        }
        impl core::error::Error for $type {}
    };
}

/// The loop is closed; nothing can be scheduled on it or run by it any more.
///
/// asyncio: `RuntimeError: Event loop is closed`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Closed;
message!(Closed, "the event loop is closed");

/// No loop runs on this thread.
///
/// asyncio: `RuntimeError: no running event loop`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoRunningLoop;
message!(NoRunningLoop, "no event loop is running on this thread");

/// There was nothing given to wait for: no future, no task.
///
/// asyncio: `ValueError: Set of Tasks/Futures is empty.`
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NothingToWaitFor;
message!(NothingToWaitFor, "cannot wait for the first of no futures: none was given");

/// This thread has no loop: none runs, and none was set.
///
/// asyncio: `RuntimeError: There is no current event loop in thread`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoEventLoop;
message!(
    NoEventLoop,
    "this thread has no event loop: none is running, and `set_event_loop` was given none"
);

/// A bounded store has no free place; the value comes back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Full<T>(pub T);

impl<T> fmt::Debug for Full<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Full(..)")
    }
}

impl<T> fmt::Display for Full<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no free place: every slot is in use")
    }
}

impl<T> core::error::Error for Full<T> {}

/// Why a callback or task was not scheduled; what was to run comes back.
pub enum ScheduleError<T> {
    /// The loop is closed.
    Closed(T),
    /// Every slot of the loop's store, or of the task's pool, is in use.
    Full(T),
    /// The callback is larger than a slot of the loop's store.
    TooLarge(T),
    /// No loop runs on this thread, and none was named.
    NoRunningLoop(T),
    /// The loop's task factory refuses to create the task.
    #[cfg(feature = "alloc")]
    Refused(T),
}

impl<T> ScheduleError<T> {
    /// What was to be scheduled.
    pub fn into_inner(self) -> T {
        match self {
            Self::Closed(it) | Self::Full(it) | Self::TooLarge(it) | Self::NoRunningLoop(it) => it,
            #[cfg(feature = "alloc")]
            Self::Refused(it) => it,
        }
    }

    /// The same error about `other(value)`.
    pub fn map<U>(self, other: impl FnOnce(T) -> U) -> ScheduleError<U> {
        match self {
            Self::Closed(it) => ScheduleError::Closed(other(it)),
            Self::Full(it) => ScheduleError::Full(other(it)),
            Self::TooLarge(it) => ScheduleError::TooLarge(other(it)),
            Self::NoRunningLoop(it) => ScheduleError::NoRunningLoop(other(it)),
            #[cfg(feature = "alloc")]
            Self::Refused(it) => ScheduleError::Refused(other(it)),
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Closed(_) => "cannot schedule: the event loop is closed",
            Self::Full(_) => "cannot schedule: every slot is in use",
            Self::TooLarge(_) => "cannot schedule: the callback is larger than a slot of the store",
            Self::NoRunningLoop(_) => "cannot schedule: no event loop is running on this thread",
            #[cfg(feature = "alloc")]
            Self::Refused(_) => "cannot schedule: the loop's task factory refused the task",
        }
    }
}

impl<T> fmt::Debug for ScheduleError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed(_) => "Closed(..)",
            Self::Full(_) => "Full(..)",
            Self::TooLarge(_) => "TooLarge(..)",
            Self::NoRunningLoop(_) => "NoRunningLoop(..)",
            #[cfg(feature = "alloc")]
            Self::Refused(_) => "Refused(..)",
        })
    }
}

impl<T> fmt::Display for ScheduleError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl<T> core::error::Error for ScheduleError<T> {}

/// Why the loop did not run, or stopped running.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum RunError {
    /// The loop is closed.
    Closed,
    /// A loop, this one or another, already runs on this thread.
    AlreadyRunning,
    /// `stop` was called before the future was done.
    ///
    /// asyncio: `RuntimeError: Event loop stopped before Future completed.`
    Stopped,
    /// The main task was cancelled, and did not go on.
    ///
    /// asyncio: `CancelledError` out of `run()`.
    Cancelled,
    /// Ctrl-C was pressed, and the main task ended because of it.
    ///
    /// asyncio: `KeyboardInterrupt` out of `run()`.
    Interrupted,
    /// Nothing is ready, no timer is set and no source is waited for, and no
    /// one outside could wake the loop: it would sleep for ever.
    NothingToWaitFor,
    /// The selector failed; the number is the operating system's error.
    Select(i32),
    /// The loop was made but its backend has not been given to it.
    NoBackend,
    /// Another loop was started and is not closed. Without an allocator one at
    /// a time can be open.
    OtherLoopOpen,
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("cannot run the event loop: it is closed"),
            Self::AlreadyRunning => f.write_str(
                "cannot run the event loop: an event loop is already running on this thread",
            ),
            Self::Stopped => f.write_str("the event loop was stopped before the future was done"),
            Self::Cancelled => f.write_str("the main task was cancelled"),
            Self::Interrupted => f.write_str("interrupted by the user"),
            Self::NothingToWaitFor => f.write_str(
                "the event loop has nothing to wait for: no callback, timer or source is left, \
                 but the future is not done",
            ),
            Self::Select(code) => {
                write!(f, "waiting for events failed: operating system error {code}")
            }
            Self::NoBackend => f.write_str("cannot run the event loop: it has no backend yet"),
            Self::OtherLoopOpen => f.write_str(
                "cannot start the event loop: another one is open, and without an allocator \
                 there is one at a time",
            ),
        }
    }
}

impl core::error::Error for RunError {}

/// Completing what is complete, or reading the result of what is not.
///
/// asyncio: `InvalidStateError`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InvalidState {
    /// It has no result yet.
    Pending,
    /// It already has a result, an exception, or was cancelled.
    Done,
}

impl fmt::Display for InvalidState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pending => "cannot take the result: it is not set yet",
            Self::Done => "cannot complete the promise: it is completed or cancelled already",
        })
    }
}

impl core::error::Error for InvalidState {}

/// How a task ended, when it did not end with a value.
#[non_exhaustive]
pub enum TaskError {
    /// It was cancelled or aborted. asyncio: `CancelledError`.
    Cancelled(Cancelled),
    /// It panicked; this is what the panic carried.
    #[cfg(feature = "threads")]
    Panicked(crate::platform::Payload),
    /// Its result was taken before.
    Taken,
    /// It was awaited on a loop that it does not belong to.
    ForeignLoop,
    /// It was awaited by itself, and would have waited for ever.
    ///
    /// asyncio: `RuntimeError: Task cannot await on itself`.
    Itself,
}

impl TaskError {
    /// Whether the task was cancelled.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled(_))
    }
}

impl fmt::Debug for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled(cancelled) => cancelled.fmt(f),
            #[cfg(feature = "threads")]
            Self::Panicked(payload) => {
                write!(f, "the task panicked: {}", crate::platform::panic_message(payload))
            }
            Self::Taken => f.write_str("cannot take the result of the task: it was taken already"),
            Self::ForeignLoop => {
                f.write_str("cannot await the task: it belongs to another event loop")
            }
            Self::Itself => f.write_str(
                "cannot await the task: it is the one that awaits, and would wait for ever",
            ),
        }
    }
}

impl core::error::Error for TaskError {}

/// What this platform cannot do, and why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unsupported {
    /// The operation that was asked for.
    pub operation: &'static str,
    /// The platform or backend that lacks it.
    pub platform: &'static str,
    /// Why it is lacking.
    pub reason: &'static str,
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not supported on {}: {}", self.operation, self.platform, self.reason)
    }
}

impl core::error::Error for Unsupported {}
