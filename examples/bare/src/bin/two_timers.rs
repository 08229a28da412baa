//! The smallest program with a life: two tasks, each with its timer. `cargo xtask size` measures it.
#![no_std]
#![no_main]

#[cfg(feature = "check")]
use core::sync::atomic::{AtomicU8, Ordering};

use molen::{Duration, EventLoop, sleep};
use molen_bare_examples::{board, entry};

static LOOP: EventLoop = EventLoop::new();

/// How often each task has woken up.
#[cfg(feature = "check")]
static BEATS: [AtomicU8; 2] = [const { AtomicU8::new(0) }; 2];

#[molen::task]
async fn fast() {
    loop {
        sleep(Duration::from_millis(300)).await;
        beat(0);
    }
}

#[molen::task]
async fn slow() {
    loop {
        sleep(Duration::from_millis(700)).await;
        beat(1);
    }
}

/// On a board with lamps, this would switch one.
fn beat(lamp: usize) {
    #[cfg(feature = "check")]
    BEATS[lamp].store(BEATS[lamp].load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    let _ = lamp;
}

#[entry]
fn main() -> ! {
    board::start();
    if let Ok(event_loop) = LOOP.start(&board::BOARD) {
        // A task goes on when its handle is dropped.
        let _ = event_loop.create_task(fast());
        let _ = event_loop.create_task(slow());
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
