//! What cases of the operating system's things work with: a loop that really
//! waits.

use crate::case::{Failure, Outcome};
use core::fmt::Display;
use core::future::Future;
use molen::{Duration, timeout};

/// Longer than any case takes on any machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The value, or the case fails with the error.
#[track_caller]
pub(crate) fn ok<T, E: Display>(result: Result<T, E>) -> Result<T, Failure> {
    match result {
        Ok(value) => Ok(value),
        Err(error) => Err(Failure::shown(&error)),
    }
}

/// Runs a case on a loop with the operating system's selector. One that hangs fails.
#[track_caller]
pub(crate) fn run(case: impl Future<Output = Outcome>) -> Outcome {
    let event_loop = ok(molen::new_event_loop())?;
    ok(event_loop.run_until_complete(timeout(PATIENCE, case))?)?
}
