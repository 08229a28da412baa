//! What a desktop adds to a runner: Ctrl-C, and threads to wait for.

use crate::interrupt;
use molen_core::runner::{NewEventLoop, Surroundings};
use molen_core::schedule::ExceptionContext;
use molen_core::{Duration, LoopRef, RunError, TaskRef};
use std::future::Future;
use std::io;

/// How long a runner that closes waits for the jobs of its loop's default
/// executor. asyncio: `THREAD_JOIN_TIMEOUT`.
const EXECUTOR_TIMEOUT: Duration = Duration::from_secs(300);

/// The surroundings of `molen::Runner` on desktops.
///
/// * Ctrl-C cancels the main future: see [`interrupt`].
/// * A runner that closes waits for the jobs of the default executor, but no
///   longer than five minutes; jobs that take longer are reported and go on
///   without it.
#[derive(Debug, Default)]
pub struct Desktop;

impl Surroundings for Desktop {
    fn run_main<F: Future>(
        &mut self,
        event_loop: &LoopRef,
        main: F,
        begun: &mut dyn FnMut(&TaskRef),
    ) -> Result<F::Output, RunError> {
        interrupt::run_main(event_loop, main, begun)
    }

    fn shut_down(&mut self, event_loop: &LoopRef) -> Result<(), RunError> {
        let shut_down = event_loop.shutdown_default_executor(Some(EXECUTOR_TIMEOUT));
        if let Err(error) = event_loop.run_until_complete(shut_down)? {
            event_loop.call_exception_handler(&ExceptionContext::new(
                "shutting the default executor down",
                Some(&error),
            ));
        }
        Ok(())
    }
}

impl NewEventLoop for Desktop {
    type Error = io::Error;

    fn new_event_loop() -> io::Result<LoopRef> {
        crate::new_event_loop()
    }
}
