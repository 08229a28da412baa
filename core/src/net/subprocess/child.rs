//! What a backend brings: a program that runs.

use super::transport::Subprocess;
use crate::io::source::SourceError;
use alloc::rc::Rc;
use core::fmt;

/// A program that was started, as its backend knows it.
///
/// Dropping it is the backend's affair: it ends the program, or leaves it.
pub trait Child {
    /// Its number.
    fn pid(&self) -> u32;

    /// How it ended, in one number: its exit code, or a signal below zero;
    /// `None` while it runs.
    fn returncode(&self) -> Option<i32>;

    /// Has `watcher` told when it has ended; at once if it has already.
    fn watch_exit(&self, watcher: ExitWatcher);

    /// Sends it the signal of this number.
    ///
    /// # Errors
    ///
    /// [`SignalRefusal`].
    fn send_signal(&self, signal: i32) -> Result<(), SignalRefusal>;

    /// Sends the signal of this number to the group of processes that it leads.
    ///
    /// # Errors
    ///
    /// [`SignalRefusal`]; [`NoGroup`](SignalRefusal::NoGroup) where there are none.
    fn signal_group(&self, signal: i32) -> Result<(), SignalRefusal> {
        let _ = signal;
        Err(SignalRefusal::NoGroup)
    }

    /// Asks it to end; where that cannot be asked, ends it.
    ///
    /// # Errors
    ///
    /// [`SignalRefusal`].
    fn terminate(&self) -> Result<(), SignalRefusal>;

    /// Ends it.
    ///
    /// # Errors
    ///
    /// [`SignalRefusal`].
    fn kill(&self) -> Result<(), SignalRefusal>;
}

/// Who is told that a program has ended. Dropped, nobody ever is.
pub struct ExitWatcher(pub(super) Rc<Subprocess>);

impl ExitWatcher {
    /// It has ended. Only notes it: the protocol is told from the ready queue.
    pub fn exited(self) {
        self.0.exit_noticed();
    }
}

/// Why a signal was not sent to a program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum SignalRefusal {
    /// It has ended, and its number may be another's.
    ///
    /// asyncio: `ProcessLookupError`.
    NoSuchProcess,
    /// There is no signal of this number.
    InvalidSignal,
    /// It leads no group of processes.
    NoGroup,
    /// The platform's reason.
    Source(SourceError),
}

/// What was to be sent to a program, and why it was not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SendSignalError {
    /// What was being done, such as "kill".
    pub operation: &'static str,
    /// The program's number.
    pub pid: u32,
    /// Why it was refused.
    pub cause: SignalRefusal,
}

impl fmt::Display for SendSignalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} child process {}: ", self.operation, self.pid)?;
        match &self.cause {
            SignalRefusal::NoSuchProcess => f.write_str("it has ended"),
            SignalRefusal::InvalidSignal => f.write_str("there is no signal of this number"),
            SignalRefusal::NoGroup => f.write_str("it leads no group of processes"),
            SignalRefusal::Source(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for SendSignalError {}
