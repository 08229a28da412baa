//! What cases of the operating system's things work with: a loop that really
//! waits.

use crate::case::Failure;
use core::fmt::Display;
use molen::Duration;
#[cfg(not(target_os = "wasi"))]
use {
    crate::case::Outcome,
    crate::fixture::test,
    core::future::Future,
    molen::{sleep, timeout},
};

/// Longer than any case takes on any machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The value, or the case fails with the error.
#[track_caller]
pub(crate) fn ok<T, E: Display>(result: Result<T, E>) -> Result<T, Failure> {
    match result {
        Ok(value) => Ok(value),
        Err(error) => Err(Failure::shown(&error)),
    }
}

/// Runs a case on a loop with the operating system's selector. One that hangs fails.
#[cfg(not(target_os = "wasi"))]
#[track_caller]
pub(crate) fn run(case: impl Future<Output = Outcome>) -> Outcome {
    let event_loop = ok(molen::new_event_loop())?;
    ok(event_loop.run_until_complete(timeout(PATIENCE, case))?)?
}

#[cfg(not(target_os = "wasi"))]
/// Waits until `count` events were noted, or for so long that there will be no more.
#[cfg(not(target_os = "wasi"))]
pub(crate) async fn until_events(count: usize) {
    let noted = async {
        while test().log.len() < count {
            sleep(Duration::from_millis(1)).await;
        }
    };
    // What is missing is said by whoever checks.
    let _ = timeout(Duration::from_secs(20), noted).await;
}

/// As `run`, on a loop with the operating system's selector or the host's.
#[cfg(not(target_os = "wasi"))]
macro_rules! run {
    ($case:expr) => {
        $crate::real::run($case)
    };
}

/// Runs a case on a loop with the host's selector. One that hangs fails.
#[cfg(target_os = "wasi")]
macro_rules! run {
    ($case:expr) => {{
        static LOOP: molen::EventLoop = molen::EventLoop::new();
        let event_loop = LOOP.start(&molen::backend::BACKEND)?;
        let case = molen::timeout($crate::real::PATIENCE, $case);
        let outcome = event_loop.run_until_complete(case);
        event_loop.close()?;
        outcome??
    }};
}
