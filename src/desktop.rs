//! The face on desktops.

#[cfg(feature = "introspect")]
#[doc(inline)]
pub use molen_std::introspect;
#[doc(inline)]
pub use molen_std::{
    ConcurrentError, ConcurrentFuture, Desktop, SelectorEventLoop, ThreadPoolExecutor,
    get_event_loop, new_event_loop, run_coroutine_threadsafe, set_event_loop, sock, wrap_future,
};

#[doc(inline)]
pub use molen_std::{dns, pipe, signals, subprocess};

extern crate std;

use core::fmt;
use core::future::Future;
use molen_core::{LoopRef, RunError};

/// Runs futures on one loop, one after the other: see [`crate::runner`].
///
/// ```
/// let mut runner = molen::Runner::new()?;
/// let two = runner.run(async { 1 + 1 })?;
/// let three = runner.run(async { two + 1 })?;
/// runner.close()?;
/// assert_eq!(three, 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A backend of one's own:
///
/// ```
/// # use molen::testing::TestBackend;
/// # use std::rc::Rc;
/// let backend: &'static TestBackend = Box::leak(Box::new(TestBackend::new()));
/// let mut runner = molen::Runner::with_loop(molen::LoopRef::new(Rc::new(backend)));
/// runner.run(molen::sleep(molen::Duration::from_secs(3600)))?; // takes no time
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// asyncio: `asyncio.Runner`.
pub type Runner = molen_core::runner::Runner<Desktop>;

/// Why [`run`] did not run its future to the end.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The operating system gave no selector.
    NewEventLoop(std::io::Error),
    /// The loop did not run, or was stopped, or the future was cancelled or
    /// interrupted.
    Run(RunError),
}

impl Error {
    /// Whether it was Ctrl-C that ended the future.
    pub fn is_interrupted(&self) -> bool {
        matches!(self, Error::Run(RunError::Interrupted))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NewEventLoop(error) => write!(f, "cannot make an event loop: {error}"),
            Error::Run(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Error::NewEventLoop(error) => Some(error),
            Error::Run(error) => Some(error),
        }
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Error {
        Error::NewEventLoop(error)
    }
}

impl From<RunError> for Error {
    fn from(error: RunError) -> Error {
        Error::Run(error)
    }
}

/// Runs `main` to its end on a new loop; then cancels the tasks that are left,
/// waits for them, and closes the loop.
///
/// Ctrl-C cancels `main`, which may clean up; a second one ends the process:
/// see [`Desktop`]. What the tasks that are left fail with goes to the
/// exception handler. One that refuses to be cancelled keeps this waiting.
///
/// asyncio: `asyncio.run()`.
///
/// # Errors
///
/// [`Error`] when no loop can be made or one runs on this thread already, and
/// when the loop was stopped before `main` was done, or `main` was cancelled.
///
/// # Cancellation
///
/// `main` is a task, and is cancelled like any other.
pub fn run<F: Future>(main: F) -> Result<F::Output, Error> {
    run_with_loop_factory(new_event_loop, main)
}

/// [`run`] on the loop that `factory` makes: how a program brings a backend of
/// its own, or sets up the loop before it runs.
///
/// ```
/// let factory = || {
///     let event_loop = molen::new_event_loop()?;
///     event_loop.set_exception_handler(None);
///     Ok::<_, std::io::Error>(event_loop)
/// };
/// assert_eq!(molen::run_with_loop_factory(factory, async { 3 })?, 3);
/// # Ok::<(), molen::Error>(())
/// ```
///
/// asyncio: `asyncio.run(…, loop_factory=…)`, in the place of policies.
///
/// # Errors
///
/// As [`run`], and the factory's.
///
/// # Cancellation
///
/// As [`run`].
pub fn run_with_loop_factory<F: Future, E: Into<Error>>(
    factory: impl FnOnce() -> Result<LoopRef, E>,
    main: F,
) -> Result<F::Output, Error> {
    if molen_core::get_running_loop().is_ok() {
        return Err(Error::Run(RunError::AlreadyRunning));
    }
    let mut runner = Runner::with_loop_factory(factory).map_err(Into::into)?;
    runner.run(main).map_err(Error::Run)
}
