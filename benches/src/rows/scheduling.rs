//! Spawning, switching and handing values between tasks of one thread.

use crate::measure::Mark;
use crate::peer::Peer;
use crate::sync::{Gate, SelfWake, Slot};
use futures::channel::oneshot::{Sender, channel};
use std::rc::Rc;

/// A batch of tasks that end at once.
pub async fn spawn_batch<P: Peer>() {
    const N: usize = 100_000;
    // The first batch grows the loop's queues; only the second is reported.
    for reported in [false, true] {
        let start = Mark::now();
        let gate = Gate::new(N);
        for _ in 0..N {
            let gate = gate.clone();
            P::spawn(async move { gate.arrive() });
        }
        gate.opened().await;
        if reported {
            start.spent().print_cpu("spawn_batch", N as u64);
        }
    }
}

/// One task after the other, each awaited.
pub async fn spawn_join<P: Peer>() {
    const N: u64 = 200_000;
    let start = Mark::now();
    for _ in 0..N {
        P::spawn_join(async {}).await;
    }
    start.spent().print_cpu("spawn_join", N);
}

/// Tasks that do nothing but wake themselves.
pub async fn switch<P: Peer>(figure: &'static str, tasks: usize, rounds: u64) {
    let gate = Gate::new(tasks);
    let start = Mark::now();
    for _ in 0..tasks {
        let gate = gate.clone();
        P::spawn(async move {
            for _ in 0..rounds {
                SelfWake::default().await;
            }
            gate.arrive();
        });
    }
    gate.opened().await;
    start.spent().print_cpu(figure, tasks as u64 * rounds);
}

/// The same with the loop's own way to let others run.
pub async fn yield_own<P: Peer>() {
    const TASKS: usize = 100;
    const ROUNDS: u64 = 5000;
    let gate = Gate::new(TASKS);
    let start = Mark::now();
    for _ in 0..TASKS {
        let gate = gate.clone();
        P::spawn(async move {
            for _ in 0..ROUNDS {
                P::yield_now().await;
            }
            gate.arrive();
        });
    }
    gate.opened().await;
    start.spent().print_cpu("yield_own", TASKS as u64 * ROUNDS);
}

/// A round trip between two tasks, per round trip.
pub async fn ping_pong<P: Peer>() {
    const N: u64 = 500_000;
    let (there, back) = (Slot::new(), Slot::new());
    let gate = Gate::new(2);
    let start = Mark::now();
    {
        let (there, back, gate) = (there.clone(), back.clone(), gate.clone());
        P::spawn(async move {
            for _ in 0..N {
                let value: u64 = there.take().await;
                back.put(value + 1);
            }
            gate.arrive();
        });
    }
    {
        let gate = gate.clone();
        P::spawn(async move {
            for value in 0..N {
                there.put(value);
                assert_eq!(back.take().await, value + 1);
            }
            gate.arrive();
        });
    }
    gate.opened().await;
    start.spent().print_cpu("ping_pong", N);
}

/// The same through a fresh oneshot channel each time.
pub async fn oneshot<P: Peer>() {
    const N: u64 = 300_000;
    let requests: Rc<Slot<Sender<u64>>> = Slot::new();
    let gate = Gate::new(2);
    let start = Mark::now();
    {
        let (requests, gate) = (requests.clone(), gate.clone());
        P::spawn(async move {
            for value in 0..N {
                assert_eq!(requests.take().await.send(value), Ok(()));
            }
            gate.arrive();
        });
    }
    {
        let gate = gate.clone();
        P::spawn(async move {
            for value in 0..N {
                let (tx, rx) = channel();
                requests.put(tx);
                assert_eq!(rx.await, Ok(value));
            }
            gate.arrive();
        });
    }
    gate.opened().await;
    start.spent().print_cpu("oneshot", N);
}
