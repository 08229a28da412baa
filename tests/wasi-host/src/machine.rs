//! The state behind the host calls, and what is common to them: the log, time and blocking.

use std::time::Duration;

use wasmi::StoreLimits;

use crate::call::{Call, CallLog, HostCall};
use crate::clock::{VirtualClock, nanos};
use crate::descriptor::{Descriptor, Table};
use crate::errno::Errno;
use crate::guest_memory::GuestMemory;
use crate::lie::{Lies, Told};
use crate::transcript::{PeerRecord, Transcript};

/// Why a host call does not return to the guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    Exit(u32),
    Trap(String),
    Hung(String),
    CallLimit(u64),
}

impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Stop::Exit(code) => write!(f, "exited with status {code}"),
            Stop::Trap(reason) | Stop::Hung(reason) => f.write_str(reason),
            Stop::CallLimit(limit) => write!(f, "made more than {limit} host calls"),
        }
    }
}

impl wasmi::errors::HostError for Stop {}

/// How a host call can end other than in success.
#[derive(Debug)]
pub(crate) enum Fail {
    Errno(Errno),
    Stop(Stop),
}

impl From<Errno> for Fail {
    fn from(errno: Errno) -> Self {
        Fail::Errno(errno)
    }
}

impl From<Stop> for Fail {
    fn from(stop: Stop) -> Self {
        Fail::Stop(stop)
    }
}

/// Everything that host calls read and change.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) clock: VirtualClock,
    pub(crate) call_cost: Duration,
    pub(crate) call_limit: u64,
    pub(crate) calls: u64,
    pub(crate) polls: u64,
    pub(crate) lies: Lies,
    pub(crate) table: Table,
    pub(crate) arguments: Vec<Vec<u8>>,
    pub(crate) environment: Vec<Vec<u8>>,
    pub(crate) random: u64,
    pub(crate) stdout: Transcript,
    pub(crate) stderr: Transcript,
    pub(crate) peers: Vec<PeerRecord>,
    pub(crate) log: CallLog,
    pub(crate) limits: StoreLimits,
}

impl Machine {
    /// Runs one host call: counts it, lets it cost time, and logs it however it ends.
    ///
    /// `call` goes in with the arguments and comes out with the results.
    pub(crate) fn perform(
        &mut self,
        memory: &mut GuestMemory<'_>,
        mut call: Call,
        body: impl FnOnce(&mut Machine, &mut GuestMemory<'_>, &mut Call) -> Result<(), Fail>,
    ) -> Result<Errno, Stop> {
        self.calls += 1;
        if self.calls > self.call_limit {
            return Err(Stop::CallLimit(self.call_limit));
        }
        let at = self.clock.monotonic();
        if !self.call_cost.is_zero() {
            self.clock.advance_to(at.saturating_add(nanos(self.call_cost)));
        }
        let result = match body(self, memory, &mut call) {
            Ok(()) => Ok(Errno::Success),
            Err(Fail::Errno(errno)) => Ok(errno),
            Err(Fail::Stop(stop)) => Err(stop),
        };
        self.log.push(HostCall {
            at: Duration::from_nanos(at),
            until: self.now(),
            call,
            errno: result.as_ref().ok().copied(),
        });
        result
    }

    /// The monotonic clock.
    pub(crate) fn now(&self) -> Duration {
        Duration::from_nanos(self.clock.monotonic())
    }

    /// The lies that this call tells.
    pub(crate) fn told(&self) -> Told {
        self.lies.told_at(self.clock.monotonic(), self.polls)
    }

    /// Tries `attempt` on the descriptor, and as long as it says `EAGAIN` lets time pass to the script's next step.
    ///
    /// # Errors
    /// Any other errno of `attempt`; the run is over if the script has no further step, for the guest would wait for ever.
    pub(crate) fn block_on<T>(
        &mut self,
        fd: u32,
        doing: &str,
        mut attempt: impl FnMut(&mut Descriptor) -> Result<T, Errno>,
    ) -> Result<T, Fail> {
        loop {
            let now = self.clock.monotonic();
            let descriptor = self.table.settled(fd, now)?;
            match attempt(descriptor) {
                Err(Errno::Again) => match descriptor.next_change() {
                    Some(at) => self.clock.advance_to(at),
                    None => {
                        let reason = format!(
                            "{doing} on descriptor {fd} blocks for ever: nothing more is scripted for it"
                        );
                        return Err(Stop::Hung(reason).into());
                    }
                },
                Err(errno) => return Err(errno.into()),
                Ok(value) => return Ok(value),
            }
        }
    }

    /// The next number of a splitmix64 sequence: deterministic, and good enough to be unlike zero.
    pub(crate) fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}
