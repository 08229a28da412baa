//! The log of host calls: what the guest asked, when, and what it was told.

use std::fmt;
use std::ops::Deref;
use std::time::Duration;

use crate::abi::{Event, Interest, Subscription};
use crate::errno::Errno;

/// A call and its arguments. Fields after the arguments are results, and zero, empty or `None` if the call failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Call {
    /// `poll_oneoff`. The list is empty if it could not be read.
    PollOneoff {
        /// How many subscriptions the guest said there are.
        n: u32,
        /// The subscriptions, in the guest's order.
        subscriptions: Vec<Subscription>,
        /// The events reported, in the order reported.
        events: Vec<Event>,
    },
    /// `fd_read`.
    FdRead {
        /// The descriptor.
        fd: u32,
        /// Bytes read.
        bytes: usize,
    },
    /// `fd_write`.
    FdWrite {
        /// The descriptor.
        fd: u32,
        /// Bytes written.
        bytes: usize,
    },
    /// `fd_close`.
    FdClose {
        /// The descriptor.
        fd: u32,
    },
    /// `fd_fdstat_get`.
    FdFdstatGet {
        /// The descriptor.
        fd: u32,
    },
    /// `fd_fdstat_set_flags`.
    FdFdstatSetFlags {
        /// The descriptor.
        fd: u32,
        /// The flags asked for.
        flags: u16,
    },
    /// `fd_prestat_get`.
    FdPrestatGet {
        /// The descriptor.
        fd: u32,
    },
    /// `fd_prestat_dir_name`.
    FdPrestatDirName {
        /// The descriptor.
        fd: u32,
    },
    /// `clock_time_get`.
    ClockTimeGet {
        /// The clock: 0 realtime, 1 monotonic.
        id: u32,
    },
    /// `clock_res_get`.
    ClockResGet {
        /// The clock.
        id: u32,
    },
    /// `sock_accept`.
    SockAccept {
        /// The listener.
        fd: u32,
        /// The flags asked for.
        flags: u16,
        /// The new descriptor.
        accepted: Option<u32>,
    },
    /// `sock_recv`.
    SockRecv {
        /// The descriptor.
        fd: u32,
        /// 1 peek, 2 wait for all.
        flags: u16,
        /// Bytes received.
        bytes: usize,
    },
    /// `sock_send`.
    SockSend {
        /// The descriptor.
        fd: u32,
        /// Bytes sent.
        bytes: usize,
    },
    /// `sock_shutdown`.
    SockShutdown {
        /// The descriptor.
        fd: u32,
        /// 1 read, 2 write, 3 both.
        how: u8,
    },
    /// `proc_exit`.
    ProcExit {
        /// The exit status.
        code: u32,
    },
    /// A call without a descriptor or a wait: arguments, environment, random bytes, `sched_yield`.
    Plain {
        /// Its name in the ABI.
        name: &'static str,
    },
    /// A call that this host does not implement: it returned `ENOSYS`.
    Unimplemented {
        /// Its name in the ABI.
        name: String,
    },
}

impl Call {
    /// The name in the ABI, for example `poll_oneoff`.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Call::PollOneoff { .. } => "poll_oneoff",
            Call::FdRead { .. } => "fd_read",
            Call::FdWrite { .. } => "fd_write",
            Call::FdClose { .. } => "fd_close",
            Call::FdFdstatGet { .. } => "fd_fdstat_get",
            Call::FdFdstatSetFlags { .. } => "fd_fdstat_set_flags",
            Call::FdPrestatGet { .. } => "fd_prestat_get",
            Call::FdPrestatDirName { .. } => "fd_prestat_dir_name",
            Call::ClockTimeGet { .. } => "clock_time_get",
            Call::ClockResGet { .. } => "clock_res_get",
            Call::SockAccept { .. } => "sock_accept",
            Call::SockRecv { .. } => "sock_recv",
            Call::SockSend { .. } => "sock_send",
            Call::SockShutdown { .. } => "sock_shutdown",
            Call::ProcExit { .. } => "proc_exit",
            Call::Plain { name } => name,
            Call::Unimplemented { name } => name,
        }
    }

    /// The descriptor that the call is about, if it is about one.
    #[must_use]
    pub fn fd(&self) -> Option<u32> {
        match self {
            Call::FdRead { fd, .. }
            | Call::FdWrite { fd, .. }
            | Call::FdClose { fd }
            | Call::FdFdstatGet { fd }
            | Call::FdFdstatSetFlags { fd, .. }
            | Call::FdPrestatGet { fd }
            | Call::FdPrestatDirName { fd }
            | Call::SockAccept { fd, .. }
            | Call::SockRecv { fd, .. }
            | Call::SockSend { fd, .. }
            | Call::SockShutdown { fd, .. } => Some(*fd),
            _ => None,
        }
    }
}

/// One entry of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostCall {
    /// The monotonic time at which the guest called.
    pub at: Duration,
    /// The monotonic time at which the call returned.
    pub until: Duration,
    /// What was called.
    pub call: Call,
    /// What it returned, or `None` if it ended the run.
    pub errno: Option<Errno>,
}

impl fmt::Display for HostCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}..{:?} {:?} -> ", self.at, self.until, self.call)?;
        match self.errno {
            Some(errno) => write!(f, "{errno}"),
            None => write!(f, "did not return"),
        }
    }
}

/// One `poll_oneoff` of the log.
#[derive(Debug, Clone, Copy)]
pub struct Poll<'a> {
    /// The entry.
    pub entry: &'a HostCall,
    /// The length that the guest gave.
    pub n: u32,
    /// The subscriptions, in the guest's order.
    pub subscriptions: &'a [Subscription],
    /// The events reported.
    pub events: &'a [Event],
}

impl Poll<'_> {
    /// The clock subscriptions of this poll.
    pub fn clocks(&self) -> impl Iterator<Item = &Subscription> {
        self.subscriptions.iter().filter(|s| matches!(s.interest, Interest::Clock { .. }))
    }

    /// The descriptor subscriptions of this poll.
    pub fn descriptors(&self) -> impl Iterator<Item = &Subscription> {
        self.subscriptions.iter().filter(|s| s.interest.fd().is_some())
    }
}

/// The calls of a run in order. Dereferences to a slice; `&log[mark..]` gives those since `mark = log.len()`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CallLog {
    calls: Vec<HostCall>,
}

impl CallLog {
    pub(crate) fn push(&mut self, call: HostCall) {
        self.calls.push(call);
    }

    /// The polls, in order.
    pub fn polls(&self) -> impl Iterator<Item = Poll<'_>> {
        self.polls_since(0)
    }

    /// The polls among the calls from index `mark` on.
    pub fn polls_since(&self, mark: usize) -> impl Iterator<Item = Poll<'_>> {
        self.calls.iter().skip(mark).filter_map(|entry| match &entry.call {
            Call::PollOneoff { n, subscriptions, events } => {
                Some(Poll { entry, n: *n, subscriptions, events })
            }
            _ => None,
        })
    }

    /// The calls with this ABI name, in order.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a HostCall> {
        self.calls.iter().filter(move |entry| entry.call.name() == name)
    }

    /// The `sock_*` calls on a descriptor that the guest had neither asked `fd_fdstat_get` about nor got from
    /// `sock_accept`: on real hosts such a call can trap, if not worse.
    #[must_use]
    pub fn unprobed_socket_calls(&self) -> Vec<&HostCall> {
        let mut known = std::collections::BTreeSet::new();
        let mut unprobed = Vec::new();
        for entry in &self.calls {
            match &entry.call {
                Call::FdFdstatGet { fd } => {
                    known.insert(*fd);
                }
                Call::FdClose { fd } => {
                    known.remove(fd);
                }
                call if call.name().starts_with("sock_") => {
                    if call.fd().is_some_and(|fd| !known.contains(&fd)) {
                        unprobed.push(entry);
                    }
                    if let Call::SockAccept { accepted: Some(fd), .. } = call {
                        known.insert(*fd);
                    }
                }
                _ => {}
            }
        }
        unprobed
    }

    /// The calls other than `poll_oneoff` that waited for something: a loop must have none.
    /// With a call cost, only what exceeds it counts, so pass the cost (zero if there is none).
    #[must_use]
    pub fn blocked(&self, call_cost: Duration) -> Vec<&HostCall> {
        let waited = |entry: &&HostCall| {
            !matches!(entry.call, Call::PollOneoff { .. })
                && (entry.until.saturating_sub(entry.at) > call_cost || entry.errno.is_none())
                && !matches!(entry.call, Call::ProcExit { .. })
        };
        self.calls.iter().filter(waited).collect()
    }
}

impl Deref for CallLog {
    type Target = [HostCall];

    fn deref(&self) -> &[HostCall] {
        &self.calls
    }
}

/// One call per line, for the message of a failed assertion.
impl fmt::Display for CallLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.calls.iter().enumerate().try_for_each(|(index, call)| writeln!(f, "{index:4} {call}"))
    }
}
