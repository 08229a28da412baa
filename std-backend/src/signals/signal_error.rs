//! Why a signal is not handled.

use super::signal::Signal;
use core::fmt;
use molen_core::io::source::SourceError;
use std::io;

/// Why a loop did not take a signal.
#[derive(Debug)]
pub struct SignalError {
    /// The signal.
    pub signal: Signal,
    /// Why it was refused.
    pub cause: SignalRefused,
}

/// Why a signal cannot be handled.
#[derive(Debug)]
#[non_exhaustive]
pub enum SignalRefused {
    /// The system lets nobody catch it.
    ///
    /// asyncio: `RuntimeError: sig 9 cannot be caught`.
    NotCatchable,
    /// It tells of a fault in the thread that gets it, which would run into the
    /// same fault again as soon as the system's handler has returned.
    Fault,
    /// Another loop of the process handles it.
    OfAnotherLoop,
    /// The loop is closed, or is none of this crate's.
    Loop(SourceError),
    /// No loop runs on this thread.
    NoRunningLoop,
    /// The operating system's reason.
    Os(io::Error),
}

impl SignalRefused {
    /// What speaks against `signal` before anybody is asked.
    pub(super) fn of(signal: Signal) -> Option<SignalRefused> {
        #[cfg(unix)]
        return match signal {
            Signal::KILL | Signal::STOP => Some(SignalRefused::NotCatchable),
            Signal::SEGV | Signal::BUS | Signal::FPE | Signal::ILL => Some(SignalRefused::Fault),
            _ => None,
        };
        #[cfg(not(unix))]
        return match signal {
            Signal::INT | Signal::BREAK => None,
            Signal::KILL => Some(SignalRefused::NotCatchable),
            _ => Some(SignalRefused::Loop(SourceError::Unsupported(molen_core::Unsupported {
                operation: "handling a signal other than Ctrl-C and Ctrl-Break",
                platform: "Windows",
                reason: "it has no signals",
            }))),
        };
    }
}

impl fmt::Display for SignalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot add a handler for {}: ", self.signal)?;
        match &self.cause {
            SignalRefused::NotCatchable => f.write_str("it cannot be caught"),
            SignalRefused::Fault => {
                f.write_str("it tells of a fault, which would come again as soon as it is handled")
            }
            SignalRefused::OfAnotherLoop => f.write_str("another event loop handles it"),
            SignalRefused::NoRunningLoop => f.write_str("no event loop is running on this thread"),
            SignalRefused::Loop(SourceError::Closed) => f.write_str("the event loop is closed"),
            SignalRefused::Loop(error) => error.fmt(f),
            SignalRefused::Os(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for SignalError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match &self.cause {
            SignalRefused::Loop(error) => Some(error),
            SignalRefused::Os(error) => Some(error),
            _ => None,
        }
    }
}
