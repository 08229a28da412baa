//! The face on desktops.

pub use molen_std::{
    ConcurrentError, ConcurrentFuture, SelectorEventLoop, ThreadPoolExecutor, net, new_event_loop,
    run_coroutine_threadsafe, sock, wrap_future,
};

extern crate std;

use core::fmt;
use core::future::Future;
use molen_core::RunError;

/// Why [`run`] did not run its future to the end.
#[derive(Debug)]
pub enum Error {
    /// The operating system gave no selector.
    NewEventLoop(std::io::Error),
    /// The loop did not run, or was stopped.
    Run(RunError),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NewEventLoop(error) => write!(f, "cannot make an event loop: {error}"),
            Error::Run(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for Error {}

/// Runs `main` to its end on a new loop, then closes the loop.
///
/// asyncio: `asyncio.run()`.
///
/// # Errors
///
/// [`Error`] when no loop can be made, one runs on this thread already, or it
/// was stopped before `main` was done.
pub fn run<F: Future>(main: F) -> Result<F::Output, Error> {
    let event_loop = new_event_loop().map_err(Error::NewEventLoop)?;
    let result = event_loop.run_until_complete(main).map_err(Error::Run);
    // Nothing runs any more, so this cannot fail.
    let _ = event_loop.close();
    result
}
