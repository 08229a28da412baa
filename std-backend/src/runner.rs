//! What a desktop adds to a runner: Ctrl-C and, once there are any, executors.

use molen_core::LoopRef;
use molen_core::runner::{NewEventLoop, Surroundings};
use std::io;

/// The surroundings of `molen::Runner` on desktops.
#[derive(Debug, Default)]
pub struct Desktop;

impl Surroundings for Desktop {}

impl NewEventLoop for Desktop {
    type Error = io::Error;

    fn new_event_loop() -> io::Result<LoopRef> {
        crate::new_event_loop()
    }
}
