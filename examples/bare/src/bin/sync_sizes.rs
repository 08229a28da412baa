//! How many bytes of RAM each thing to wait for takes, beside embassy-sync's nearest.
//!
//! `cargo xtask size` runs this under QEMU and holds the numbers to ceilings. Those who wait add nothing: their places
//! are in their own futures, which the second part counts.
//!
//! `cargo run --release --target thumbv7em-none-eabihf --features sync-sizes --bin sync_sizes`
#![no_std]
#![no_main]

use core::future::Future;
use core::mem::size_of;

use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embassy_sync::semaphore::{FairSemaphore, GreedySemaphore};
use molen::sync::{
    Barrier, BoundedSemaphore, Channel, Condition, Event, LifoQueue, Lock, PriorityQueue, Queue,
    Semaphore, Signal, oneshot,
};
use molen_bare_examples::entry;

/// Prints the size of `$type`.
macro_rules! say {
    ($($name:literal: $type:ty,)*) => {
        $(semihosting::println!("count {} {}", $name, size_of::<$type>());)*
    };
}

/// Prints the size of the future that `_make` makes of a `T`.
fn say_future<T, F: Future>(name: &str, _make: impl FnOnce(T) -> F) {
    semihosting::println!("count {name} {}", size_of::<F>());
}

#[entry]
fn main() -> ! {
    say! {
        "Lock": Lock,
        "Lock<u32>": Lock<u32>,
        "Event": Event,
        "Condition": Condition,
        "Semaphore": Semaphore,
        "BoundedSemaphore": BoundedSemaphore,
        "Barrier": Barrier,
        "Queue<u32, 4>": Queue<u32, 4>,
        "LifoQueue<u32, 4>": LifoQueue<u32, 4>,
        "PriorityQueue<u32, 4>": PriorityQueue<u32, 4>,
        "oneshot::Slot<u32>": oneshot::Slot<u32>,
        "Signal<u32>": Signal<u32>,
        "Channel<u32, 4>": Channel<u32, 4>,
    }
    // Its mutex has one waker; its channels have one for each end.
    say! {
        "embassy Mutex<u32>": embassy_sync::mutex::Mutex<NoopRawMutex, u32>,
        "embassy Watch<u32, 1>": embassy_sync::watch::Watch<NoopRawMutex, u32, 1>,
        "embassy Watch<u32, 4>": embassy_sync::watch::Watch<NoopRawMutex, u32, 4>,
        "embassy GreedySemaphore": GreedySemaphore<NoopRawMutex>,
        "embassy FairSemaphore, 4 waiters": FairSemaphore<NoopRawMutex, 4>,
        "embassy Channel<u32, 4>, one thread": embassy_sync::channel::Channel<NoopRawMutex, u32, 4>,
        "embassy Signal<u32>": embassy_sync::signal::Signal<CriticalSectionRawMutex, u32>,
        "embassy Channel<u32, 4>": embassy_sync::channel::Channel<CriticalSectionRawMutex, u32, 4>,
    }
    say_future("Queue::get", |queue: &'static Queue<u32, 4>| queue.get());
    say_future("Queue::put", |queue: &'static Queue<u32, 4>| queue.put(1));
    say_future("Signal::wait", |signal: &'static Signal<u32>| signal.wait());
    say_future("Channel::receive", |channel: &'static Channel<u32, 4>| channel.receive());
    semihosting::process::exit(0)
}

#[panic_handler]
fn panic(panic: &core::panic::PanicInfo<'_>) -> ! {
    semihosting::println!("{panic}");
    semihosting::process::exit(101)
}
