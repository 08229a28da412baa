//! The smallest program with a life: two tasks, each with its timer. `cargo xtask size` measures it.
#![no_std]
#![no_main]

use core::sync::atomic::{AtomicU32, Ordering};

use molen::{Duration, EventLoop, sleep};
use molen_bare_examples::{board, entry};

static LOOP: EventLoop = EventLoop::new();

/// How often each task has woken up. On a board with lamps, these would be two of them.
static BEATS: [AtomicU32; 2] = [const { AtomicU32::new(0) }; 2];

#[molen::task(pool_size = 2)]
async fn beat(lamp: &'static AtomicU32, period: Duration) {
    loop {
        sleep(period).await;
        lamp.store(lamp.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }
}

#[entry]
fn main() -> ! {
    board::start();
    if let Ok(event_loop) = LOOP.start(&board::BOARD) {
        let [fast, slow] = &BEATS;
        // A task goes on when its handle is dropped; the pool has room for both.
        let _ = event_loop.create_task(beat(fast, Duration::from_millis(300)));
        let _ = event_loop.create_task(beat(slow, Duration::from_millis(700)));
        #[cfg(not(feature = "check"))]
        let _ = event_loop.run_forever();
        #[cfg(feature = "check")]
        check(&event_loop);
    }
    loop {
        core::hint::spin_loop();
    }
}

/// Ten seconds hold 33 beats of 300 ms and 14 of 700 ms.
#[cfg(feature = "check")]
fn check(event_loop: &molen::LoopRef) {
    let result = event_loop.run_until_complete(sleep(Duration::from_secs(10)));
    let beats = [BEATS[0].load(Ordering::Relaxed), BEATS[1].load(Ordering::Relaxed)];
    semihosting::println!("{beats:?} beats in {} ms", event_loop.time().as_nanos() / 1_000_000);
    semihosting::process::exit(if result.is_ok() && beats == [33, 14] { 0 } else { 1 });
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}
