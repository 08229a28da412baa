//! How a run ends and what is left of it.

use std::fmt;
use std::time::Duration;

use crate::call::CallLog;
use crate::machine::Stop;
use crate::transcript::{PeerRecord, Transcript};

/// Why a module cannot be run at all.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoadError {
    /// The bytes are not a valid module.
    Invalid(String),
    /// It imports something that is not a preview-1 function.
    ForeignImport {
        /// The import's module.
        module: String,
        /// The import's name.
        name: String,
    },
    /// An import has another signature than preview 1 gives it, or the instance exceeds a limit.
    Link(String),
    /// It was to run as a command and exports no `_start` without arguments and results.
    NoStart,
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::Invalid(why) => write!(f, "reading the module: {why}"),
            LoadError::ForeignImport { module, name } => {
                write!(f, "linking the module: it imports {module}::{name}, which is no function of WASI preview 1")
            }
            LoadError::Link(why) => write!(f, "linking the module: {why}"),
            LoadError::NoStart => {
                f.write_str("running the module as a command: it exports no function _start without arguments and results")
            }
        }
    }
}

impl std::error::Error for LoadError {}

/// How the run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// It has not: a reactor between two calls.
    Running,
    /// `_start` returned (status 0) or the guest called `proc_exit`.
    Exited(u32),
    /// The guest trapped, or the host trapped it.
    Trapped(String),
    /// A host call would never have returned: nothing that it waits for is in the script.
    Hung(String),
    /// The guest ran out of fuel: it computes without end, or [`Host::fuel`](crate::Host::fuel) is too small.
    OutOfFuel,
    /// The guest made more host calls than [`Host::call_limit`](crate::Host::call_limit): a busy loop.
    CallLimit(u64),
}

impl From<&wasmi::Error> for Ending {
    fn from(error: &wasmi::Error) -> Self {
        match error.downcast_ref::<Stop>() {
            Some(Stop::Exit(code)) => Ending::Exited(*code),
            Some(Stop::Trap(reason)) => Ending::Trapped(reason.clone()),
            Some(Stop::Hung(reason)) => Ending::Hung(reason.clone()),
            Some(Stop::CallLimit(limit)) => Ending::CallLimit(*limit),
            None if error.as_trap_code() == Some(wasmi::TrapCode::OutOfFuel) => Ending::OutOfFuel,
            None => Ending::Trapped(error.to_string()),
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ending::Running => f.write_str("still running"),
            Ending::Exited(code) => write!(f, "exited with status {code}"),
            Ending::Trapped(reason) => write!(f, "trapped: {reason}"),
            Ending::Hung(reason) => write!(f, "hung: {reason}"),
            Ending::OutOfFuel => f.write_str("ran out of fuel"),
            Ending::CallLimit(limit) => write!(f, "made more than {limit} host calls"),
        }
    }
}

/// Everything that can be asserted about a run. `Display` shows all of it, for the message of a failed assertion.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome {
    /// How it ended.
    pub ending: Ending,
    /// What it wrote to descriptor 1, with times.
    pub stdout: Transcript,
    /// What it wrote to descriptor 2, with times.
    pub stderr: Transcript,
    /// Every host call, with virtual times.
    pub calls: CallLog,
    /// The monotonic clock at the end.
    pub clock: Duration,
    /// The number of `poll_oneoff` calls.
    pub polls: u64,
    /// What each scripted peer experienced, in the order of the script.
    pub peers: Vec<PeerRecord>,
    /// The descriptors that are still open.
    pub open: Vec<u32>,
    /// Fuel used: about one unit per instruction.
    pub fuel_used: u64,
}

impl Outcome {
    /// The record of the first peer with this name.
    #[must_use]
    pub fn peer(&self, name: &str) -> Option<&PeerRecord> {
        self.peers.iter().find(|peer| peer.name == name)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} at {:?} after {} polls, {} fuel",
            self.ending, self.clock, self.polls, self.fuel_used
        )?;
        writeln!(f, "open descriptors: {:?}", self.open)?;
        writeln!(f, "stdout: {:?}", self.stdout.text())?;
        writeln!(f, "stderr: {:?}", self.stderr.text())?;
        for peer in &self.peers {
            writeln!(
                f,
                "peer {:?}: fd {:?}, accepted {:?}, received {:?}, write shut {:?}, closed {:?}, lost {:?}",
                peer.name,
                peer.fd,
                peer.accepted_at,
                peer.received.text(),
                peer.write_shut_at,
                peer.closed_at,
                peer.lost_at
            )?;
        }
        write!(f, "{}", self.calls)
    }
}
