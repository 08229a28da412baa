//! The module's one loop, and running a future on it.

use core::future::Future;
use molen_core::schedule::WheelStore;
use molen_core::{EventLoop, LoopRef, RunError};

#[cfg(target_env = "p1")]
use crate::preview1::BACKEND;
#[cfg(target_env = "p2")]
use crate::preview2::BACKEND;

static LOOP: EventLoop = EventLoop::new();

/// Sixteen levels of sixteen slots: each nanosecond of the clock is a tick,
/// and no timer is too far for the wheel.
static WHEEL: WheelStore<16> = WheelStore::new();

/// The module's loop, ready to run.
///
/// A module has one thread, so it has one loop, a static. asyncio:
/// `get_event_loop()`.
///
/// # Errors
///
/// [`RunError::Closed`] when it has been closed.
pub fn event_loop() -> Result<LoopRef, RunError> {
    let event_loop = LOOP.start(&BACKEND)?;
    event_loop.set_wheel(&WHEEL, 0);
    Ok(event_loop)
}

/// Runs `main` to its end on the module's loop, then closes the loop.
///
/// asyncio: `asyncio.run()`.
///
/// # Errors
///
/// [`RunError::Closed`] for the second call: the loop is a static and closes
/// for good. [`RunError::NothingToWaitFor`] when `main` waits for what cannot
/// happen any more: no timer is set and no descriptor is waited for.
/// [`RunError::AlreadyRunning`], [`RunError::Stopped`], [`RunError::Select`].
pub fn run<F: Future>(main: F) -> Result<F::Output, RunError> {
    let event_loop = event_loop()?;
    let result = event_loop.run_until_complete(main);
    // It fails when the loop runs, that is, when this was called from inside.
    let _ = event_loop.close();
    #[cfg(target_env = "p2")]
    BACKEND.drain();
    result
}
