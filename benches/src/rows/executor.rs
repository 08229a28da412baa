//! Functions on the threads of the loop's own pool, awaited on the loop.

use crate::measure::{Mark, OTHER_CPU, pin, quantile};
use crate::peer::Peer;
use crate::sample::Reading;
use std::cell::Cell;
use std::time::Instant;

/// Binds a pool's thread away from the loop's CPU, at its first job.
fn leave_the_loops_cpu() {
    std::thread_local! {
        static PINNED: Cell<bool> = const { Cell::new(false) };
    }
    if !PINNED.replace(true) {
        pin(OTHER_CPU);
    }
}

fn job(number: u64) -> u64 {
    leave_the_loops_cpu();
    std::hint::black_box(number) + 1
}

/// From sending a function off to having its value: one at a time.
pub async fn round_trip<P: Peer>() {
    const WARM_UP: u64 = 200;
    const N: u64 = 4000;
    for number in 0..WARM_UP {
        P::on_thread(move || job(number)).await;
    }
    let mut took = Vec::with_capacity(N as usize);
    let start = Mark::now();
    for number in 0..N {
        let sent = Instant::now();
        assert_eq!(P::on_thread(move || job(number)).await, number + 1);
        took.push(sent.elapsed().as_nanos() as u64);
    }
    start.spent().print_cpu_of_sleeper("job_one_cpu", N);
    for (figure, q) in [("job_one_p50", 0.5), ("job_one_p90", 0.9)] {
        Reading::new(figure, quantile(&mut took, q)).print();
    }
}

/// A thousand functions sent off, then all awaited, over and over.
pub async fn throughput<P: Peer>() {
    const BATCH: u64 = 1000;
    const BATCHES: u64 = 100;
    let mut values = Vec::with_capacity(BATCH as usize);
    let mut begin = Mark::now();
    for batch in 0..=BATCHES {
        if batch == 1 {
            // The first has started the threads.
            begin = Mark::now();
        }
        values.extend((0..BATCH).map(|number| P::on_thread(move || job(number))));
        for (number, value) in values.drain(..).enumerate() {
            assert_eq!(value.await, number as u64 + 1);
        }
    }
    let spent = begin.spent();
    spent.print_cpu_of_sleeper("job_many_cpu", BATCH * BATCHES);
    spent.print_wall("job_many", BATCH * BATCHES);
}
