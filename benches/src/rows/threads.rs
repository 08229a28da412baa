//! Wakes that come from another thread, which spins on its own CPU.

use crate::measure::{Mark, OTHER_CPU, pin, quantile};
use crate::sample::Reading;
use futures::StreamExt;
use futures::task::AtomicWaker;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

struct Doorbell {
    waker: AtomicWaker,
    rung: AtomicBool,
    at: AtomicU64,
}

/// From `wake()` on the other thread to the poll of the task here.
pub async fn wake() {
    const N: usize = 2000;
    let epoch = Instant::now();
    let bell = Arc::new(Doorbell {
        waker: AtomicWaker::new(),
        rung: AtomicBool::new(false),
        at: AtomicU64::new(0),
    });
    let ringer = std::thread::spawn({
        let bell = bell.clone();
        move || {
            pin(OTHER_CPU);
            let mut rng = fastrand::Rng::with_seed(7);
            for _ in 0..N {
                // Long enough for the loop to go back to its kernel wait.
                let until = Instant::now() + Duration::from_micros(rng.u64(60..120));
                while Instant::now() < until {
                    std::hint::spin_loop();
                }
                let now = epoch.elapsed().as_nanos() as u64;
                bell.at.store(now, Ordering::Relaxed);
                bell.rung.store(true, Ordering::Release);
                bell.waker.wake();
                while bell.rung.load(Ordering::Acquire) {
                    std::hint::spin_loop();
                }
            }
        }
    });
    let mut seen = Vec::with_capacity(N);
    for _ in 0..N {
        poll_fn(|cx| {
            bell.waker.register(cx.waker());
            if bell.rung.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        let now = epoch.elapsed().as_nanos() as u64;
        seen.push(now - bell.at.load(Ordering::Relaxed));
        bell.rung.store(false, Ordering::Release);
    }
    ringer.join().expect("the ringing thread");
    for (figure, q) in [("wake_min", 0.0), ("wake_p50", 0.5), ("wake_p90", 0.9)] {
        Reading::new(figure, quantile(&mut seen, q)).print();
    }
}

/// Messages through one unbounded channel, per message.
pub async fn messages() {
    const N: u64 = 1_000_000;
    let (tx, mut rx) = futures::channel::mpsc::unbounded::<u64>();
    let go = Arc::new(AtomicBool::new(false));
    let sender = std::thread::spawn({
        let go = go.clone();
        move || {
            pin(OTHER_CPU);
            while !go.load(Ordering::Acquire) {
                std::hint::spin_loop();
            }
            for i in 0..N {
                tx.unbounded_send(i).expect("the receiver is there");
            }
        }
    });
    let start = Mark::now();
    go.store(true, Ordering::Release);
    let mut expected = 0;
    while let Some(value) = rx.next().await {
        assert_eq!(value, expected);
        expected += 1;
    }
    assert_eq!(expected, N);
    start.spent().print_wall("messages", N);
    sender.join().expect("the sending thread");
}
