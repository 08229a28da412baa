//! Handing values from task to task, and from a thread to a task, through each
//! library's own channels on Molen's loop.

use crate::channels::{Get, Library, Put};
use crate::measure::{Mark, OTHER_CPU, pin};
use crate::peer::Peer;
use crate::peers::Molen;
use crate::row::Row;
use crate::sync::{Gate, Slot};
use std::rc::Rc;

/// Runs `row` and prints its figures.
pub fn run<L: Library>(row: Row) {
    match row {
        Row::QueuePingPong => Molen::block_on(queue_ping_pong::<L>()),
        Row::QueueStream => Molen::block_on(queue_stream::<L>()),
        Row::OneshotOwn => Molen::block_on(oneshot::<L>()),
        Row::Signal => Molen::block_on(signal::<L>()),
        Row::ChannelStream => Molen::block_on(channel_stream::<L>()),
        Row::ChannelThreads => Molen::block_on(channel_threads::<L>()),
        _ => unreachable!("not about channels"),
    }
}

/// A round trip, per round trip.
async fn queue_ping_pong<L: Library>() {
    const N: u64 = 500_000;
    let (mut there, mut come) = L::queue::<1>();
    let (mut back, mut home) = L::queue::<1>();
    let gate = Gate::new(2);
    let start = Mark::now();
    let echo = gate.clone();
    Molen::spawn(async move {
        for _ in 0..N {
            let value = come.get().await;
            back.put(value + 1).await;
        }
        echo.arrive();
    });
    let done = gate.clone();
    Molen::spawn(async move {
        for value in 0..N {
            there.put(value).await;
            assert_eq!(home.get().await, value + 1);
        }
        done.arrive();
    });
    gate.opened().await;
    start.spent().print_cpu("queue_ping_pong", N);
}

/// A million items, per item.
async fn queue_stream<L: Library>() {
    const N: u64 = 2_000_000;
    let (mut into, mut from) = L::queue::<64>();
    let start = Mark::now();
    Molen::spawn(async move {
        for value in 0..N {
            into.put(value).await;
        }
    });
    for value in 0..N {
        assert_eq!(from.get().await, value);
    }
    start.spent().print_cpu("queue_stream", N);
}

/// A fresh channel for each value, per value.
async fn oneshot<L: Library>() {
    const N: u64 = 300_000;
    let requests = Slot::new();
    let asked = Rc::clone(&requests);
    let gate = Gate::new(2);
    let start = Mark::now();
    let answers = gate.clone();
    let asks = gate.clone();
    Molen::spawn(async move {
        for value in 0..N {
            let (send, receive) = L::oneshot();
            requests.put(send);
            assert_eq!(receive.await, value);
        }
        asks.arrive();
    });
    Molen::spawn(async move {
        for value in 0..N {
            let send = asked.take().await;
            send(value);
        }
        answers.arrive();
    });
    gate.opened().await;
    start.spent().print_cpu("oneshot_own", N);
}

/// A round trip, per round trip.
async fn signal<L: Library>() {
    const N: u64 = 300_000;
    let (mut there, mut come) = L::signal();
    let (mut back, mut home) = L::signal();
    let start = Mark::now();
    Molen::spawn(async move {
        for _ in 0..N {
            let value = come.get().await;
            back(value + 1);
        }
    });
    for value in 0..N {
        there(value);
        assert_eq!(home.get().await, value + 1);
    }
    start.spent().print_cpu("signal", N);
}

/// A million values, per value.
async fn channel_stream<L: Library>() {
    const N: u64 = 1_000_000;
    let (mut send, mut from) = L::channel::<64>();
    let start = Mark::now();
    Molen::spawn(async move {
        for value in 0..N {
            while !send(value) {
                Molen::yield_now().await;
            }
        }
    });
    for value in 0..N {
        assert_eq!(from.get().await, value);
    }
    start.spent().print_cpu("channel_stream", N);
}

/// A million values from another thread, per value. CPU time of both threads: by
/// the wall, a receiver that is faster than its sender and sleeps now and then
/// is slower than one that never can.
async fn channel_threads<L: Library>() {
    const N: u64 = 1_000_000;
    let (mut send, mut from) = L::channel::<64>();
    let start = Mark::now();
    let sender = std::thread::spawn(move || {
        pin(OTHER_CPU);
        for value in 0..N {
            while !send(value) {
                std::thread::yield_now();
            }
        }
    });
    for value in 0..N {
        assert_eq!(from.get().await, value);
    }
    start.spent().print_cpu("channel_threads", N);
    sender.join().expect("the sending thread");
}
