//! The module's one loop, and running futures on it.

use core::future::Future;
use molen_core::runner::{NewEventLoop, Runner, Surroundings};
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
/// A module has one thread, so it has one loop, a static.
///
/// # Errors
///
/// [`RunError::AlreadyRunning`] from inside of it, [`RunError::Closed`] when it
/// has been closed.
pub fn event_loop() -> Result<LoopRef, RunError> {
    // A loop that runs must not be given its wheel anew.
    if LOOP.is_running() {
        return Err(RunError::AlreadyRunning);
    }
    let event_loop = LOOP.start(&BACKEND)?;
    event_loop.set_wheel(&WHEEL, 0);
    Ok(event_loop)
}

/// The module's loop: it is a static, so it is new once. Loops of one's own
/// are `static`s too, and are started with the
/// [`BACKEND`](crate::BACKEND).
///
/// asyncio: `new_event_loop()`.
///
/// # Errors
///
/// As [`event_loop`].
pub fn new_event_loop() -> Result<LoopRef, RunError> {
    event_loop()
}

/// What a WASI module adds to a runner: after the end, what is still to be
/// sent off is sent off.
#[derive(Debug, Default)]
pub struct Module;

impl Surroundings for Module {
    fn closed(&mut self) {
        #[cfg(target_env = "p2")]
        BACKEND.drain();
    }
}

impl NewEventLoop for Module {
    type Error = RunError;

    fn new_event_loop() -> Result<LoopRef, RunError> {
        event_loop()
    }
}

/// Runs `main` to its end on the module's loop; then cancels the tasks that are
/// left, waits for them, and closes the loop.
///
/// asyncio: `asyncio.run()`.
///
/// # Errors
///
/// [`RunError::Closed`] for the second call: the loop is a static and closes
/// for good; several futures run on one
/// [`Runner`](molen_core::runner::Runner). [`RunError::NothingToWaitFor`] when
/// `main` waits for what cannot happen any more: no timer is set and no
/// descriptor is waited for. [`RunError::AlreadyRunning`],
/// [`RunError::Stopped`], [`RunError::Cancelled`], [`RunError::Select`].
///
/// # Cancellation
///
/// `main` is a task, and is cancelled like any other.
pub fn run<F: Future>(main: F) -> Result<F::Output, RunError> {
    run_with_loop_factory(new_event_loop, main)
}

/// [`run`] on the loop that `factory` makes.
///
/// asyncio: `asyncio.run(…, loop_factory=…)`.
///
/// # Errors
///
/// As [`run`], and the factory's.
///
/// # Cancellation
///
/// As [`run`].
pub fn run_with_loop_factory<F: Future, E: Into<RunError>>(
    factory: impl FnOnce() -> Result<LoopRef, E>,
    main: F,
) -> Result<F::Output, RunError> {
    if molen_core::get_running_loop().is_ok() {
        return Err(RunError::AlreadyRunning);
    }
    let mut runner = Runner::<Module>::with_loop_factory(factory).map_err(Into::into)?;
    runner.run(main)
}
