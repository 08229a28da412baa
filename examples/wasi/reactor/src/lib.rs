//! A module whose host turns the wheel.
//!
//! | export | what it does |
//! |---|---|
//! | `start_timers(timers)` | makes that many tasks, one for each of 1 ms, 2 ms, 3 ms, …; how many there was room for |
//! | `loop_turn()` | one turn that never waits; when to call again, as `molen::reactor` says |
//! | `fired()` | how many of them are done |
//! | `wait_for_nothing()` | waits for what cannot happen: 1 if the loop says so |

#![no_std]

// The panic handler.
use start as _;

use core::sync::atomic::{AtomicI32, Ordering};
use molen::{Duration, RunError, reactor, sleep};

static FIRED: AtomicI32 = AtomicI32::new(0);

#[molen::task(pool_size = 16)]
async fn timer(delay: Duration) {
    sleep(delay).await;
    FIRED.fetch_add(1, Ordering::Relaxed);
}

/// Makes tasks; returns how many, or a code of `molen::reactor`.
#[unsafe(no_mangle)]
extern "C" fn start_timers(timers: i32) -> i32 {
    let Ok(event_loop) = molen::event_loop() else {
        return reactor::FAILED as i32;
    };
    let delays = (1..=timers.max(0)).map(|number| Duration::from_millis(number as u64));
    delays.map_while(|delay| event_loop.create_task(timer(delay)).ok()).count() as i32
}

/// One turn of the wheel.
#[unsafe(no_mangle)]
extern "C" fn loop_turn() -> i64 {
    match molen::event_loop() {
        Ok(event_loop) => reactor::turn(&event_loop, molen::backend::waits_for_descriptors),
        Err(_) => reactor::FAILED,
    }
}

/// How many timers have fired.
#[unsafe(no_mangle)]
extern "C" fn fired() -> i32 {
    FIRED.load(Ordering::Relaxed)
}

/// Waits for what cannot happen: 1 if the loop says so instead of hanging.
#[unsafe(no_mangle)]
extern "C" fn wait_for_nothing() -> i32 {
    let waited = molen::event_loop()
        .and_then(|event_loop| event_loop.run_until_complete(core::future::pending::<()>()));
    i32::from(waited == Err(RunError::NothingToWaitFor))
}
