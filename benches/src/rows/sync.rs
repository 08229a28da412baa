//! Locks and semaphores, each loop with those that come with it.
//!
//! The free ones pass through a black box: a compiler that sees that nobody
//! else has the lock leaves it out.

use crate::measure::Mark;
use crate::peer::{Locks, Peer};
use crate::sync::{Gate, SelfWake};
use std::future::ready;
use std::hint::black_box;
use std::rc::Rc;

/// A lock that is always free.
pub async fn lock<P: Peer + Locks>() {
    const N: u64 = 3_000_000;
    let lock = P::lock();
    let start = Mark::now();
    for value in 1..=N {
        assert_eq!(P::with_lock(black_box(&lock), ready(())).await, value);
    }
    start.spent().print_cpu("lock", N);
}

/// A lock that `tasks` tasks fight for; each holds it over one wait.
pub async fn contended_lock<P: Peer + Locks>(figure: &'static str, tasks: usize, rounds: u64) {
    let lock = Rc::new(P::lock());
    let gate = Gate::new(tasks);
    let start = Mark::now();
    for _ in 0..tasks {
        let (lock, gate) = (lock.clone(), gate.clone());
        P::spawn(async move {
            for _ in 0..rounds {
                P::with_lock(&lock, SelfWake::default()).await;
            }
            gate.arrive();
        });
    }
    gate.opened().await;
    let all = tasks as u64 * rounds;
    start.spent().print_cpu(figure, all);
    assert_eq!(P::with_lock(&lock, ready(())).await, all + 1);
}

/// A semaphore that always has a permit.
pub async fn permits<P: Peer + Locks>() {
    const N: u64 = 3_000_000;
    let semaphore = P::semaphore(1);
    let start = Mark::now();
    for _ in 0..N {
        P::with_permit(black_box(&semaphore), ready(())).await;
    }
    start.spent().print_cpu("permits", N);
}

/// Ten permits that a hundred tasks fight for; each holds one over one wait.
pub async fn contended_permits<P: Peer + Locks>() {
    const TASKS: usize = 100;
    const ROUNDS: u64 = 5_000;
    let semaphore = Rc::new(P::semaphore(10));
    let gate = Gate::new(TASKS);
    let start = Mark::now();
    for _ in 0..TASKS {
        let (semaphore, gate) = (semaphore.clone(), gate.clone());
        P::spawn(async move {
            for _ in 0..ROUNDS {
                P::with_permit(&semaphore, SelfWake::default()).await;
            }
            gate.arrive();
        });
    }
    gate.opened().await;
    start.spent().print_cpu("permits_100", TASKS as u64 * ROUNDS);
}
