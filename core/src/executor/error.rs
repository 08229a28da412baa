//! Why a function was not taken, and how a job ends without a value.

use super::job::Job;
use crate::platform::{Payload, panic_message};
use core::fmt;

/// Why an executor, or the loop before it, did not take something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// The executor was shut down. asyncio: `RuntimeError: cannot schedule new
    /// futures after shutdown`, `Executor shutdown has been called`.
    ShutDown,
    /// The executor has no room for more jobs.
    Full,
    /// The executor has no thread and the operating system gave it none; the
    /// number is the system's error.
    NoThread(i32),
    /// The loop is closed.
    LoopClosed,
    /// No loop runs on this thread, and no executor was named.
    NoRunningLoop,
    /// The loop has no default executor, and this backend makes none.
    NoDefaultExecutor,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot run the function in an executor: ")?;
        f.write_str(match self {
            Refusal::ShutDown => "the executor was shut down",
            Refusal::Full => "the executor has no room for more jobs",
            Refusal::NoThread(error) => {
                return write!(f, "no thread could be started: operating system error {error}");
            }
            Refusal::LoopClosed => "the event loop is closed",
            Refusal::NoRunningLoop => "no event loop is running on this thread",
            Refusal::NoDefaultExecutor => {
                "the event loop has no default executor, and its backend makes none"
            }
        })
    }
}

impl core::error::Error for Refusal {}

/// Something that was not taken, and why.
pub struct Refused<T> {
    /// What was to be taken.
    pub value: T,
    /// Why it was not.
    pub reason: Refusal,
}

impl<T> fmt::Debug for Refused<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused").field("reason", &self.reason).finish_non_exhaustive()
    }
}

impl<T> fmt::Display for Refused<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl<T> core::error::Error for Refused<T> {}

/// How a job ended without a value.
#[non_exhaustive]
pub enum JobError {
    /// The function panicked; this is what the panic carried.
    Panicked(Payload),
    /// The executor dropped the job before it began. asyncio: `CancelledError`.
    Cancelled,
    /// The function was not taken ([`to_thread`](super::to_thread) only: others
    /// give it back at once).
    Refused(Refusal),
    /// The result was taken before.
    Taken,
}

impl JobError {
    /// Whether the job was cancelled before it began.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled)
    }
}

impl fmt::Debug for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked(payload) => {
                write!(f, "the function in the executor panicked: {}", panic_message(payload))
            }
            Self::Cancelled => f.write_str("the executor dropped the function before it began"),
            Self::Refused(reason) => reason.fmt(f),
            Self::Taken => f.write_str("the result of the function was already taken"),
        }
    }
}

impl core::error::Error for JobError {}

/// Why [`shutdown_default_executor`](crate::EventLoop::shutdown_default_executor)
/// did not wait to the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ShutdownError {
    /// The time passed while jobs were still running. They go on, and their
    /// threads end after them; nobody waits for them any more.
    ///
    /// asyncio: a `RuntimeWarning`.
    TimedOut,
    /// A timeout was given, but no loop runs on this thread that could keep it.
    NoRunningLoop,
}

impl fmt::Display for ShutdownError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimedOut => {
                "the default executor did not finish its jobs in time; they are abandoned"
            }
            Self::NoRunningLoop => {
                "cannot wait for the default executor with a timeout: no event loop is running \
                 on this thread"
            }
        })
    }
}

impl core::error::Error for ShutdownError {}

impl Refused<Job> {
    /// What an [`Executor`](super::Executor) that takes `job` no more answers.
    pub fn new(job: Job, reason: Refusal) -> Refused<Job> {
        Refused { value: job, reason }
    }
}
