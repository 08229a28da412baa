//! The loop that is current where none runs.
//!
//! ```text
//!   get_event_loop:  a loop runs ─ yes ─▶ that one, whatever was set
//!                          │ no
//!                          ▼
//!                    one was set ─ yes ─▶ that one
//!                          │ no
//!                          ▼
//!                    NoEventLoop: none is made behind the caller's back
//! ```
//!
//! Where there are threads each has its own; the place for it is then the
//! backend's, because the core has no thread-locals. Here is the place for
//! platforms with one thread of control; it is linked only if used.
//!
//! PEP 3156 puts these calls behind a replaceable *policy*, and asyncio has
//! been taking that out again since 3.14: who wants other loops gives a
//! *loop factory* to the runner ([`Runner::with_loop_factory`]).
//!
//! [`Runner::with_loop_factory`]: crate::Runner::with_loop_factory

use super::loop_ref::{LoopRef, get_running_loop};
use crate::error::NoEventLoop;
use crate::one_thread::OneThread;
use core::cell::Cell;

// SAFETY: interrupts do not ask for loops.
static SET: OneThread<Cell<Option<LoopRef>>> = unsafe { OneThread::new(Cell::new(None)) };

/// The loop that runs or, while none does, the one that was
/// [set](set_event_loop).
///
/// asyncio: `get_event_loop()`, which since 3.14 makes no loop either.
///
/// # Errors
///
/// [`NoEventLoop`] when none runs and none was set.
pub fn get_event_loop() -> Result<LoopRef, NoEventLoop> {
    if let Ok(running) = get_running_loop() {
        return Ok(running);
    }
    let set = SET.take();
    SET.set(set.clone());
    set.ok_or(NoEventLoop)
}

/// Makes `event_loop` the current one while none runs; `None` takes it back.
/// It neither starts nor closes a loop.
///
/// asyncio: `set_event_loop()`.
pub fn set_event_loop(event_loop: Option<LoopRef>) {
    SET.set(event_loop);
}
