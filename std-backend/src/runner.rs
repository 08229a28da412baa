//! What a desktop adds to a runner: Ctrl-C.

use crate::interrupt;
use molen_core::runner::{NewEventLoop, Surroundings};
use molen_core::{LoopRef, RunError, TaskRef};
use std::future::Future;
use std::io;

/// The surroundings of `molen::Runner` on desktops: Ctrl-C cancels the main
/// future, see [`interrupt`].
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
}

impl NewEventLoop for Desktop {
    type Error = io::Error;

    fn new_event_loop() -> io::Result<LoopRef> {
        crate::new_event_loop()
    }
}
