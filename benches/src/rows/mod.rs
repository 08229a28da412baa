//! The rows that run inside one process, each generic over the loop.

#[cfg(feature = "channels")]
pub mod channels;
pub mod combine;
mod executor;
mod heap;
mod pipes;
mod programs;
mod scheduling;
mod sync;
mod threads;
mod timers;

use crate::peer::{Locks, Peer};
use crate::row::Row;

/// Runs `row` on a fresh loop and prints its figures.
pub fn run<P: Peer + Locks>(row: Row) {
    match row {
        Row::SpawnBatch => P::block_on(scheduling::spawn_batch::<P>()),
        Row::SpawnJoin => P::block_on(scheduling::spawn_join::<P>()),
        Row::Switch1 => P::block_on(scheduling::switch::<P>("switch_1", 1, 1_000_000)),
        Row::Switch1000 => P::block_on(scheduling::switch::<P>("switch_1000", 1000, 1000)),
        Row::YieldOwn => P::block_on(scheduling::yield_own::<P>()),
        Row::PingPong => P::block_on(scheduling::ping_pong::<P>()),
        Row::Oneshot => P::block_on(scheduling::oneshot::<P>()),
        Row::Lock => P::block_on(P::unbudgeted(sync::lock::<P>())),
        Row::Lock2 => P::block_on(sync::contended_lock::<P>("lock_2", 2, 300_000)),
        Row::Lock100 => P::block_on(sync::contended_lock::<P>("lock_100", 100, 5_000)),
        Row::Permits => P::block_on(P::unbudgeted(sync::permits::<P>())),
        Row::Permits100 => P::block_on(sync::contended_permits::<P>()),
        Row::Wake => P::block_on(threads::wake()),
        Row::Messages => P::block_on(threads::messages()),
        Row::Timers1 => P::block_on(P::unbudgeted(timers::one::<P>())),
        Row::Timers1k => P::block_on(P::unbudgeted(timers::thousand::<P>())),
        Row::Timers1m => P::block_on(P::unbudgeted(timers::million::<P>())),
        Row::Fire1 => P::block_on(timers::fire_again::<P>("fire_1", 1, 300, 200..1_200)),
        Row::Fire1k => P::block_on(timers::fire_again::<P>("fire_1k", 1000, 10, 2_000..100_000)),
        Row::Fire1m => P::block_on(timers::fire_among_million::<P>()),
        Row::Join => combine::join::<P>(),
        Row::JoinAll => combine::join_all::<P>(),
        Row::Select => combine::select::<P>(),
        Row::JobOne => P::block_on(executor::round_trip::<P>()),
        Row::JobMany => P::block_on(executor::throughput::<P>()),
        Row::Heap => heap::run::<P>(),
        Row::Pipe => P::block_on(pipes::by_tasks::<P>()),
        Row::PipeProtocol => P::block_on(pipes::by_protocols::<P>()),
        Row::Processes => P::block_on(programs::start::<P>()),
        Row::Echo1
        | Row::Echo64
        | Row::Echo64Large
        | Row::EchoSleepers
        | Row::Churn
        | Row::Idle
        | Row::Udp64
        | Row::Udp1200
        | Row::Calls1
        | Row::Calls64 => unreachable!("served by a process of its own"),
        Row::QueuePingPong
        | Row::QueueStream
        | Row::OneshotOwn
        | Row::Signal
        | Row::ChannelStream
        | Row::ChannelThreads => unreachable!("run by `Column::channels`"),
    }
}
