//! The rows: what is run, what figures come out, and which bar each must meet.

use clap::ValueEnum;

/// One thing to run in a process of its own. It yields one or more figures.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Row {
    /// 100 000 tasks spawned, then all run to their end
    SpawnBatch,
    /// One task spawned and awaited, over and over
    SpawnJoin,
    /// One task that wakes itself
    #[value(name = "switch_1")]
    Switch1,
    /// A thousand tasks that wake themselves
    #[value(name = "switch_1000")]
    Switch1000,
    /// A hundred tasks that call the loop's own yield
    YieldOwn,
    /// Two tasks that hand one value to and fro
    PingPong,
    /// A futures oneshot channel made, sent and awaited between two tasks
    Oneshot,
    /// A free lock acquired and released
    Lock,
    /// A lock that two tasks fight for
    #[value(name = "lock_2")]
    Lock2,
    /// A lock that a hundred tasks fight for
    #[value(name = "lock_100")]
    Lock100,
    /// A free permit of a semaphore acquired and released
    Permits,
    /// Ten permits that a hundred tasks fight for
    #[value(name = "permits_100")]
    Permits100,
    /// An idle loop woken from another thread
    Wake,
    /// A million messages from another thread through a futures channel
    Messages,
    /// One function after the other on the loop's thread pool
    JobOne,
    /// A thousand functions at a time on the loop's thread pool
    JobMany,
    /// One timer armed and cancelled, with none and with one other outstanding
    #[value(name = "timers_1")]
    Timers1,
    /// Timers armed and cancelled, a thousand outstanding
    #[value(name = "timers_1k")]
    Timers1k,
    /// Timers armed and cancelled, a million outstanding
    #[value(name = "timers_1m")]
    Timers1m,
    /// One task that sleeps again and again
    #[value(name = "fire_1")]
    Fire1,
    /// A thousand tasks that sleep again and again
    #[value(name = "fire_1k")]
    Fire1k,
    /// 100 000 tasks that sleep once, among a million timers outstanding
    #[value(name = "fire_1m")]
    Fire1m,
    /// TCP echo, one connection, one message of 64 bytes in flight
    #[value(name = "echo_1")]
    Echo1,
    /// TCP echo, 64 connections with one message of 64 bytes in flight each
    #[value(name = "echo_64")]
    Echo64,
    /// TCP echo, 64 connections with one message of 16 KiB in flight each
    #[value(name = "echo_64_16k")]
    Echo64Large,
    /// As `echo_64`, while 10 000 tasks sleep half a second to one and a half, again and again
    EchoSleepers,
    /// TCP echo of one message on each of many short connections, 32 at once
    Churn,
    /// Memory of a server with 10 000 connections that had one message each
    #[value(name = "idle_10k")]
    Idle,
    /// UDP echo, 32 datagrams of 64 bytes in flight
    #[value(name = "udp_64")]
    Udp64,
    /// UDP echo, 32 datagrams of 1200 bytes in flight
    #[value(name = "udp_1200")]
    Udp1200,
    /// 64 KiB at a time through a pipe, written and read by the same loop
    #[value(name = "pipe_64k")]
    Pipe,
    /// As `pipe_64k`, by protocols at both ends where the library has them
    #[value(name = "pipe_64k_protocol")]
    PipeProtocol,
    /// A program that does nothing, started and awaited, alone and by 16 tasks
    Processes,
    /// System calls per request with one connection, by strace
    #[value(name = "calls_1")]
    Calls1,
    /// System calls per request with 64 connections, by strace
    #[value(name = "calls_64")]
    Calls64,
    /// Two and eight futures in place, until all are ready
    Join,
    /// Vectors of futures that become ready one after the other
    JoinAll,
    /// Two and eight futures in place, until the first is ready
    Select,
    /// Heap bytes of a task with a 64-byte future and of an armed timer
    Heap,
    /// A round trip of two tasks through two queues for one item
    QueuePingPong,
    /// A task to a task through a queue for 64 items, by awaiting
    QueueStream,
    /// A library's own oneshot channel made, sent and awaited between two tasks
    OneshotOwn,
    /// A round trip of two tasks through two places for the latest value
    Signal,
    /// A task to a task through a channel for 64 values that threads may share, by trying
    ChannelStream,
    /// A thread to a task through such a channel
    ChannelThreads,
}

/// How a figure is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// Nanoseconds of CPU time of the whole process, per operation.
    CpuNs,
    /// Nanoseconds by the clock on the wall.
    WallNs,
    /// Nanoseconds by the wall clock, written in microseconds.
    WallUs,
    /// Bytes.
    Bytes,
    /// Operations per second, written in thousands: the only unit where more is better.
    Rate,
    /// A plain number.
    Count,
}

/// What Molen promises for a figure.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Bar {
    /// No slower than the fastest peer of the same run.
    FastestPeer,
    /// No slower than the fastest of the peers whose figure of this name is
    /// within [`PUNCTUAL`]: a loop that is late by a millisecond wakes up
    /// once for many timers, so its CPU time buys something else.
    FastestPunctual(&'static str),
    /// Within this factor of the raw level-triggered epoll server.
    RawEpoll(f64),
    /// No slower, or no bigger, than the best of [`RIVALS`].
    Rivals,
    /// Both: no slower than the best of [`RIVALS`], and within this factor of
    /// the raw level-triggered epoll server.
    RivalsAndRaw(f64),
    /// No slower than tokio's current-thread runtime.
    Tokio,
    /// At most this much, in the figure's own unit.
    AtMost(f64),
    /// Shown for comparison only.
    None,
}

/// One line of the table.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Figure {
    /// Name in the table and in the samples.
    pub name: &'static str,
    /// How it is written.
    pub unit: Unit,
    /// What Molen promises.
    pub bar: Bar,
}

const fn figure(name: &'static str, unit: Unit, bar: Bar) -> Figure {
    Figure { name, unit, bar }
}

const fn cpu(name: &'static str) -> Figure {
    figure(name, Unit::CpuNs, Bar::FastestPeer)
}

/// "Late by microseconds and not milliseconds": the mean, in nanoseconds.
pub const PUNCTUAL: f64 = 100_000.0;
const LATE: Bar = Bar::AtMost(PUNCTUAL);
/// The loops that servers are written on, and that Molen's are held against.
pub const RIVALS: &[&str] = &["tokio-ct", "smol", "libuv"];
/// "TCP echo within 5 % of the raw epoll server".
const NEAR_RAW: Bar = Bar::RivalsAndRaw(1.05);
/// "With the same system calls per request": how many events one wait
/// returns varies a little.
const SAME_CALLS: Bar = Bar::RawEpoll(1.01);

impl Row {
    /// The row's name in `--rows` and in the samples.
    pub fn name(self) -> String {
        self.to_possible_value().map(|v| v.get_name().to_owned()).unwrap_or_default()
    }

    /// Whether the row needs a pool of threads.
    pub fn needs_pool(self) -> bool {
        matches!(self, Row::JobOne | Row::JobMany)
    }

    /// Whether the row starts programs.
    pub fn starts_programs(self) -> bool {
        self == Row::Processes
    }

    /// Whether the row writes to pipes.
    pub fn needs_pipes(self) -> bool {
        matches!(self, Row::Pipe | Row::PipeProtocol)
    }

    /// Whether the row arms timers.
    pub fn needs_timers(self) -> bool {
        use Row::*;
        matches!(self, Timers1 | Timers1k | Timers1m | Fire1 | Fire1k | Fire1m | EchoSleepers)
    }

    /// Whether the row is about combinators, which not every library has.
    pub fn combines(self) -> bool {
        matches!(self, Row::Join | Row::JoinAll | Row::Select)
    }

    /// Whether the row is about channels, not about loops.
    pub fn is_about_channels(self) -> bool {
        use Row::*;
        matches!(
            self,
            QueuePingPong | QueueStream | OneshotOwn | Signal | ChannelStream | ChannelThreads
        )
    }

    /// Whether the row takes locks or permits.
    pub fn needs_locks(self) -> bool {
        use Row::*;
        matches!(self, Lock | Lock2 | Lock100 | Permits | Permits100)
    }

    /// Whether every run yields the same, so that one round is enough.
    pub fn counts(self) -> bool {
        matches!(self, Row::Calls1 | Row::Calls64 | Row::Heap | Row::Idle)
    }

    /// The lines of the table that this row fills.
    pub fn figures(self) -> &'static [Figure] {
        const CALLS: Unit = Unit::Count;
        match self {
            Row::SpawnBatch => const { &[cpu("spawn_batch")] },
            Row::SpawnJoin => const { &[cpu("spawn_join")] },
            Row::Switch1 => const { &[cpu("switch_1")] },
            Row::Switch1000 => const { &[cpu("switch_1000")] },
            Row::YieldOwn => const { &[cpu("yield_own")] },
            Row::PingPong => const { &[cpu("ping_pong")] },
            Row::Oneshot => const { &[cpu("oneshot")] },
            Row::Lock => const { &[cpu("lock")] },
            Row::Lock2 => const { &[cpu("lock_2")] },
            Row::Lock100 => const { &[cpu("lock_100")] },
            Row::Permits => const { &[cpu("permits")] },
            Row::Permits100 => const { &[cpu("permits_100")] },
            Row::Wake => {
                const {
                    &[
                        figure("wake_min", Unit::WallNs, Bar::None),
                        figure("wake_p50", Unit::WallNs, Bar::FastestPeer),
                        figure("wake_p90", Unit::WallNs, Bar::None),
                    ]
                }
            }
            Row::Messages => const { &[figure("messages", Unit::WallNs, Bar::FastestPeer)] },
            Row::JobOne => {
                const {
                    &[
                        figure("job_one_p50", Unit::WallNs, Bar::FastestPeer),
                        figure("job_one_p90", Unit::WallNs, Bar::None),
                        figure("job_one_cpu", Unit::CpuNs, Bar::None),
                    ]
                }
            }
            Row::JobMany => {
                const {
                    &[
                        figure("job_many", Unit::WallNs, Bar::FastestPeer),
                        figure("job_many_cpu", Unit::CpuNs, Bar::None),
                    ]
                }
            }
            Row::Timers1 => const { &[cpu("timer_churn_0"), cpu("timer_churn_1")] },
            Row::Timers1k => {
                const { &[cpu("timer_insert_1k"), cpu("timer_cancel_1k"), cpu("timer_churn_1k")] }
            }
            Row::Timers1m => {
                const { &[cpu("timer_insert_1m"), cpu("timer_cancel_1m"), cpu("timer_churn_1m")] }
            }
            Row::Fire1 => {
                const {
                    &[
                        figure("fire_1", Unit::CpuNs, Bar::FastestPunctual("fire_1_late_mean")),
                        figure("fire_1_late_mean", Unit::WallUs, LATE),
                        figure("fire_1_late_worst", Unit::WallUs, Bar::None),
                    ]
                }
            }
            Row::Fire1k => {
                const {
                    &[
                        figure("fire_1k", Unit::CpuNs, Bar::FastestPunctual("fire_1k_late_mean")),
                        figure("fire_1k_late_mean", Unit::WallUs, LATE),
                        figure("fire_1k_late_worst", Unit::WallUs, Bar::None),
                    ]
                }
            }
            Row::Fire1m => {
                const {
                    &[
                        cpu("fire_1m"),
                        figure("fire_1m_late_mean", Unit::WallUs, LATE),
                        figure("fire_1m_late_worst", Unit::WallUs, Bar::None),
                    ]
                }
            }
            Row::Echo1 => {
                const {
                    &[
                        figure("echo_1_cpu", Unit::CpuNs, NEAR_RAW),
                        figure("echo_1_rtt_p50", Unit::WallNs, Bar::None),
                    ]
                }
            }
            Row::Echo64 => {
                const {
                    &[
                        figure("echo_64_cpu", Unit::CpuNs, NEAR_RAW),
                        figure("echo_64_rate", Unit::Rate, NEAR_RAW),
                    ]
                }
            }
            Row::Echo64Large => {
                const {
                    &[
                        figure("echo_64_16k_cpu", Unit::CpuNs, Bar::Rivals),
                        figure("echo_64_16k_rate", Unit::Rate, Bar::Rivals),
                    ]
                }
            }
            Row::EchoSleepers => {
                const {
                    &[
                        figure("echo_sleepers_cpu", Unit::CpuNs, Bar::Tokio),
                        figure("echo_sleepers_rate", Unit::Rate, Bar::Tokio),
                        figure("echo_sleepers_late_mean", Unit::WallUs, Bar::Tokio),
                        figure("echo_sleepers_late_worst", Unit::WallUs, Bar::None),
                    ]
                }
            }
            Row::Churn => {
                const {
                    &[
                        figure("churn_cpu", Unit::CpuNs, Bar::Rivals),
                        figure("churn_rate", Unit::Rate, Bar::Rivals),
                    ]
                }
            }
            Row::Idle => const { &[figure("idle_10k", Unit::Bytes, Bar::Rivals)] },
            Row::Udp64 => {
                const {
                    &[
                        figure("udp_64_cpu", Unit::CpuNs, Bar::Tokio),
                        figure("udp_64_rate", Unit::Rate, Bar::Tokio),
                    ]
                }
            }
            Row::Udp1200 => {
                const {
                    &[
                        figure("udp_1200_cpu", Unit::CpuNs, Bar::Tokio),
                        figure("udp_1200_rate", Unit::Rate, Bar::Tokio),
                    ]
                }
            }
            Row::Pipe => const { &[figure("pipe_64k", Unit::CpuNs, Bar::Tokio)] },
            Row::PipeProtocol => const { &[figure("pipe_64k_protocol", Unit::CpuNs, Bar::Tokio)] },
            Row::Processes => {
                const {
                    &[
                        figure("process_one", Unit::WallUs, Bar::Tokio),
                        figure("process_one_cpu", Unit::CpuNs, Bar::Tokio),
                        figure("process_many", Unit::WallUs, Bar::Tokio),
                        figure("process_many_cpu", Unit::CpuNs, Bar::Tokio),
                    ]
                }
            }
            Row::QueuePingPong => const { &[cpu("queue_ping_pong")] },
            Row::QueueStream => const { &[cpu("queue_stream")] },
            Row::OneshotOwn => const { &[cpu("oneshot_own")] },
            Row::Signal => const { &[cpu("signal")] },
            Row::ChannelStream => const { &[cpu("channel_stream")] },
            Row::ChannelThreads => const { &[cpu("channel_threads")] },
            Row::Calls1 => const { &[figure("calls_1", CALLS, SAME_CALLS)] },
            Row::Calls64 => const { &[figure("calls_64", CALLS, SAME_CALLS)] },
            Row::Join => const { &[cpu("join_2"), cpu("join_8")] },
            Row::JoinAll => {
                const { &[cpu("join_all_8"), cpu("join_all_100"), cpu("join_all_10k")] }
            }
            Row::Select => const { &[cpu("select_2"), cpu("select_8")] },
            Row::Heap => {
                const {
                    &[
                        figure("task_bytes", Unit::Bytes, Bar::AtMost(128.0)),
                        figure("task_allocs", Unit::Count, Bar::None),
                        figure("timer_inline_bytes", Unit::Bytes, Bar::None),
                        figure("timer_heap_bytes", Unit::Bytes, Bar::None),
                    ]
                }
            }
        }
    }
}

impl Unit {
    /// Whether a greater figure is the better one.
    pub fn more_is_better(self) -> bool {
        self == Unit::Rate
    }

    /// The figure as text, without the unit.
    pub fn text(self, value: f64) -> String {
        let value = match self {
            Unit::WallUs | Unit::Rate => value / 1000.0,
            _ => value,
        };
        match self {
            Unit::Count => format!("{value:.2}"),
            _ if value < 100.0 => format!("{value:.1}"),
            _ => format!("{value:.0}"),
        }
    }

    /// The unit's name behind a row.
    pub fn name(self) -> &'static str {
        match self {
            Unit::CpuNs => "ns CPU",
            Unit::WallNs => "ns",
            Unit::WallUs => "µs",
            Unit::Bytes => "B",
            Unit::Rate => "k/s",
            Unit::Count => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Row;
    use clap::ValueEnum;
    use std::collections::HashSet;

    #[test]
    fn every_figure_belongs_to_one_row() {
        let mut seen = HashSet::new();
        for row in Row::value_variants() {
            assert!(!row.figures().is_empty(), "{row:?} fills no line");
            for figure in row.figures() {
                assert!(seen.insert(figure.name), "{} twice", figure.name);
            }
        }
    }
}
