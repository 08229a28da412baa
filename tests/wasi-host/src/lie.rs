//! The lies of real hosts, one variant each.
//!
//! Without any lie the host behaves as the specification says, and where that leaves a choice as current wasmtime does:
//! every ready descriptor and every expired clock is reported, in the order of the subscriptions; a bad descriptor is an
//! error of its own event; clocks are exact; end of input is a read event with `nbytes` = 1 and no hangup flag.
//!
//! A lie can be told always or only for a while ([`When`]). Several can be told at once; they apply in the order of the
//! stages of `poll_oneoff`:
//!
//! ```text
//! subscriptions ─▶ whole-call errors ─▶ deadlines ─▶ wait ─▶ which events ─▶ what they say ─▶ order ─▶ how many ─▶ records
//! ```

use std::num::NonZeroU32;
use std::time::Duration;

use crate::clock::nanos;
use crate::errno::Errno;

/// One way in which a host deviates. Section numbers are those of the project's notes on WASI.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lie {
    // ── which events poll_oneoff reports ──
    /// When any descriptor is ready, every descriptor in the list is reported ready (wasi-common, §2.4).
    SpuriousReadiness,
    /// When descriptors are ready, expired clocks are left out (wasi-common, §2.4).
    ExpiredClocksWithheld,
    /// Clocks that have not expired are reported along with whatever woke the call (wazero#2399, §2.2).
    UnexpiredClocksReported,
    /// Of all expired clocks only the earliest is reported, even if several are equal (Node, §2.2).
    OneClockEvent,
    /// At most this many events are reported per call (127 in wasmtime, whose task budget runs out; §2.5).
    PartialEvents {
        /// The most events per call.
        max: NonZeroU32,
    },
    /// Events come in the reverse order of the subscriptions (§2.1).
    ReversedEvents,
    /// All descriptor events come before all clock events (§2.1).
    DescriptorsFirst,
    /// All clock events come before all descriptor events (§2.1).
    ClocksFirst,
    /// The call succeeds with zero events as soon as it would report something, on every `every`-th call.
    NothingReported {
        /// 1 means each call, 2 each second one.
        every: NonZeroU32,
    },
    /// Events are written as records of 16 bytes instead of 32 (bun#39077, §2.2).
    ShortEventRecords,

    // ── what an event says ──
    /// `nbytes` is always 0, also when there is much to read.
    NbytesZero,
    /// A read event at the end of input has the hangup flag and `nbytes` 0.
    HangupAtEof,
    /// A read event has the hangup flag as soon as the end of input has arrived, with bytes still unread before it.
    HangupBeforeEof,
    /// The subscription of this descriptor gets an event with this error at once; the others work.
    EventError {
        /// The descriptor.
        fd: u32,
        /// The error in its event.
        errno: Errno,
    },

    // ── errors of the whole call ──
    /// One bad descriptor (unknown, a directory, the wrong direction) fails the whole call with this error (wasmtime says
    /// `EBADF`; §2.3).
    BadDescriptorFailsCall {
        /// What the call returns.
        errno: Errno,
    },
    /// A bad descriptor gets no event, but every clock is reported at once (Node, §2.3).
    BadDescriptorWakesClocks,
    /// Polling this descriptor fails the whole call: Node's `EPERM` for stdin on /dev/null, or any other (§2.3).
    PollDenied {
        /// The descriptor.
        fd: u32,
        /// What the call returns.
        errno: Errno,
    },
    /// Polling stdin at its end traps the instance (wasi-common: FIONREAD fails on what is no pipe; §2.3).
    StdinEofPollTraps,
    /// Subscribing to the wrong direction (stdin for writing, stdout for reading) waits for ever instead of failing
    /// (wasi-common, Node; §2.3).
    WrongDirectionWaits,
    /// Each `every`-th call fails with `EINTR`.
    Interrupted {
        /// 1 means each call, 2 each second one.
        every: NonZeroU32,
    },

    // ── time ──
    /// A relative timeout is cut to whole multiples of the grid, so it fires early (Node: ns to ms; §2.2).
    TimerTruncated {
        /// 1 ms in Node.
        grid: Duration,
    },
    /// A deadline is rounded up to the grid of the monotonic clock, so it fires late (wasmtime's timer wheel; §2.2).
    TimerRoundedUp {
        /// 1 ms in wasmtime.
        grid: Duration,
    },
    /// As [`Lie::TimerRoundedUp`], but exact if the list is one single relative clock (wasmtime's CLI; §2.2).
    TimerRoundedUpUnlessAlone {
        /// 1 ms in wasmtime.
        grid: Duration,
    },
    /// An absolute realtime timeout fails the whole call with `ENOTSUP` (wasi-common, §2.2).
    AbsoluteRealtimeUnsupported,
    /// An absolute timeout of any clock fails the whole call with `ENOTSUP`.
    AbsoluteUnsupported,
    /// An absolute monotonic timeout never expires (Node: it subtracts realtime and underflows; §2.2).
    AbsoluteMonotonicHangs,
    /// A timeout of 0 ns never expires (WasmEdge#2717, §2.2).
    ZeroTimeoutHangs,
    /// CPU-time clocks are treated as timers instead of failing the call with `EINVAL` (Node, §2.2).
    CpuClockIsTimer,

    // ── sockets and descriptors ──
    /// No `sock_*` call works: this error for every open descriptor (`ENOTSOCK` in wasmtime ≥ 47, `ENOSYS` elsewhere;
    /// §0). A closed descriptor still gets `EBADF`.
    SocketsMissing {
        /// What each `sock_*` call returns.
        errno: Errno,
    },
    /// `sock_*` on something that is not a socket traps (the component adapter; Node crashes; §2.3).
    NonSocketTraps,
    /// `sock_*` on something that is not a socket is `EBADF` instead of `ENOTSOCK` (wasi-common, §2.3).
    NonSocketIsBadf,
    /// Each connection is refused with `EAGAIN` this many times after it was reported.
    AcceptAgainAfterReady {
        /// Refusals per connection.
        times: u32,
    },
    /// `sock_accept` with any flag but NONBLOCK takes the connection off the queue, loses it, and says `EINVAL`
    /// (wasi-common, §2.4). Honest hosts leave it queued.
    AcceptFlagsLoseConnection,
    /// Before each successful read of a non-blocking socket come this many `EAGAIN`s, though it was reported readable.
    RecvAgainAfterReady {
        /// `EAGAIN`s per read.
        times: u32,
    },
    /// Before each successful write to a non-blocking socket come this many `EAGAIN`s, though it was reported writable.
    SendAgainAfterReady {
        /// `EAGAIN`s per write.
        times: u32,
    },
    /// One write takes at most this many bytes (sockets, stdout and stderr).
    ShortWrites {
        /// The most bytes per write.
        max: NonZeroU32,
    },
    /// One read gives at most this many bytes (sockets and stdin).
    ShortReads {
        /// The most bytes per read.
        max: NonZeroU32,
    },
    /// A read of a socket fills only the first non-empty buffer of the list (wasi-common, §2.4).
    RecvFillsFirstBufferOnly,
    /// `fd_fdstat_set_flags(NONBLOCK)` on stdin, stdout, stderr and directories is accepted, without effect (Node),
    /// instead of `EBADF` (wasmtime; §2.3).
    StdioAcceptsNonblock,
    /// Sockets report rights without polling and shutdown (0x42, wasi-common), although both work (§2.1).
    SocketRightsUnderstated,
}

const ONE: NonZeroU32 = NonZeroU32::MIN;
const MILLISECOND: Duration = Duration::from_millis(1);

impl Lie {
    /// One instance of every lie, for tests that want to survive each of them.
    ///
    /// Those about one descriptor speak of stdin (`fd` 0).
    #[must_use]
    pub fn one_of_each() -> Vec<Lie> {
        let two = ONE.saturating_add(1);
        vec![
            Lie::SpuriousReadiness,
            Lie::ExpiredClocksWithheld,
            Lie::UnexpiredClocksReported,
            Lie::OneClockEvent,
            Lie::PartialEvents { max: ONE },
            Lie::ReversedEvents,
            Lie::DescriptorsFirst,
            Lie::ClocksFirst,
            Lie::NothingReported { every: two },
            Lie::ShortEventRecords,
            Lie::NbytesZero,
            Lie::HangupAtEof,
            Lie::HangupBeforeEof,
            Lie::EventError { fd: 0, errno: Errno::Io },
            Lie::BadDescriptorFailsCall { errno: Errno::Badf },
            Lie::BadDescriptorWakesClocks,
            Lie::PollDenied { fd: 0, errno: Errno::Perm },
            Lie::StdinEofPollTraps,
            Lie::WrongDirectionWaits,
            Lie::Interrupted { every: two },
            Lie::TimerTruncated { grid: MILLISECOND },
            Lie::TimerRoundedUp { grid: MILLISECOND },
            Lie::TimerRoundedUpUnlessAlone { grid: MILLISECOND },
            Lie::AbsoluteRealtimeUnsupported,
            Lie::AbsoluteUnsupported,
            Lie::AbsoluteMonotonicHangs,
            Lie::ZeroTimeoutHangs,
            Lie::CpuClockIsTimer,
            Lie::SocketsMissing { errno: Errno::Notsock },
            Lie::NonSocketTraps,
            Lie::NonSocketIsBadf,
            Lie::AcceptAgainAfterReady { times: 2 },
            Lie::AcceptFlagsLoseConnection,
            Lie::RecvAgainAfterReady { times: 2 },
            Lie::SendAgainAfterReady { times: 2 },
            Lie::ShortWrites { max: ONE },
            Lie::ShortReads { max: ONE },
            Lie::RecvFillsFirstBufferOnly,
            Lie::StdioAcceptsNonblock,
            Lie::SocketRightsUnderstated,
        ]
    }

    /// What wasmtime 47 and later tell: no sockets, whole-call errors, timers on a millisecond grid, at most 127 events.
    #[must_use]
    pub fn wasmtime_48() -> Vec<Lie> {
        vec![
            Lie::BadDescriptorFailsCall { errno: Errno::Badf },
            Lie::SocketsMissing { errno: Errno::Notsock },
            Lie::TimerRoundedUpUnlessAlone { grid: MILLISECOND },
            Lie::PartialEvents { max: ONE.saturating_add(126) },
        ]
    }

    /// What wasi-common (wasmtime up to 46 with preview-1 sockets) tells.
    #[must_use]
    pub fn wasi_common_46() -> Vec<Lie> {
        vec![
            Lie::SpuriousReadiness,
            Lie::ExpiredClocksWithheld,
            Lie::BadDescriptorFailsCall { errno: Errno::Badf },
            Lie::StdinEofPollTraps,
            Lie::WrongDirectionWaits,
            Lie::AbsoluteRealtimeUnsupported,
            Lie::NonSocketIsBadf,
            Lie::AcceptFlagsLoseConnection,
            Lie::RecvFillsFirstBufferOnly,
            Lie::SocketRightsUnderstated,
        ]
    }

    /// What Node 20 (uvwasi) tells.
    #[must_use]
    pub fn node_20() -> Vec<Lie> {
        vec![
            Lie::OneClockEvent,
            Lie::TimerTruncated { grid: MILLISECOND },
            Lie::AbsoluteMonotonicHangs,
            Lie::CpuClockIsTimer,
            Lie::BadDescriptorWakesClocks,
            Lie::WrongDirectionWaits,
            Lie::PollDenied { fd: 0, errno: Errno::Perm },
            Lie::NonSocketTraps,
            Lie::StdioAcceptsNonblock,
        ]
    }
}

/// For how long a lie is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum When {
    /// From start to end.
    Always,
    /// While the monotonic clock at the start of the call is in `from..until`.
    Between {
        /// First instant.
        from: Duration,
        /// First instant after.
        until: Duration,
    },
    /// During the first so many `poll_oneoff` calls of the run; for other calls, until the last of those polls returned.
    FirstPolls(u64),
}

/// The lies of one host and when each is told.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lies {
    told: Vec<(When, Lie)>,
}

impl Lies {
    pub(crate) fn add(&mut self, when: When, lie: Lie) {
        self.told.push((when, lie));
    }

    /// The lies told at this time; `polls` counts those begun, the current one included.
    pub(crate) fn told_at(&self, now: u64, polls: u64) -> Told {
        let told = self.told.iter().filter(|(when, _)| match when {
            When::Always => true,
            When::Between { from, until } => (nanos(*from)..nanos(*until)).contains(&now),
            When::FirstPolls(count) => polls <= *count,
        });
        Told { lies: told.map(|(_, lie)| *lie).collect() }
    }
}

/// The lies that are told during one call.
pub(crate) struct Told {
    lies: Vec<Lie>,
}

impl Told {
    pub(crate) fn tells(&self, lie: Lie) -> bool {
        self.lies.contains(&lie)
    }

    /// What the first lie for which `choose` gives a value says.
    pub(crate) fn find<T>(&self, choose: impl FnMut(&Lie) -> Option<T>) -> Option<T> {
        self.lies.iter().find_map(choose)
    }
}
