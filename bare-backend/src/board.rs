//! A clock with an alarm, and a core that can sleep: the backend of a loop on bare metal.
//!
//! There is nothing to ask for events here. Interrupt handlers wake tasks themselves, and what
//! [`select`](Selector::select) does is to sleep until one of them ran:
//!
//! ```text
//!   Wait::No        ─▶ return
//!   Wait::Until(t)  ─▶ arm(t) ─ passed ─▶ return
//!                        └─ set ─▶ sleep unless something became ready ─▶ return
//!   Wait::Forever   ───────────▶ sleep unless something became ready ─▶ return
//! ```
//!
//! It returns after any interrupt. The loop looks at its queue and at the clock, and asks again.

use core::marker::PhantomData;

use molen_core::io::{Clock, SelectError, Selector, Wait};
use molen_core::schedule::{ExceptionContext, HandlerFailed};
use molen_core::{EventLoop, Instant};

use crate::alarm::{Alarm, Armed, arm};

#[cfg(target_arch = "arm")]
use crate::cortex_m::idle::wait_for_interrupt;
#[cfg(target_arch = "riscv32")]
use crate::riscv::idle::wait_for_interrupt;

/// Where failures that nobody handles are written. A type and not a value, so that a [`Board`] stays all zero.
pub trait Reporter {
    /// Writes `context`. Called by the loop, never by an interrupt.
    ///
    /// # Errors
    ///
    /// [`HandlerFailed`] if it could not be written.
    fn report(context: &ExceptionContext<'_>) -> Result<(), HandlerFailed>;
}

/// Writes nothing, and says so. What costs no code.
pub struct Silent;

impl Reporter for Silent {
    fn report(_context: &ExceptionContext<'_>) -> Result<(), HandlerFailed> {
        Err(HandlerFailed)
    }
}

/// The backend: a clock `A`, and a place `R` for reports.
///
/// ```ignore
/// static BOARD: Board<SysTick<25_000_000>> = Board::new(SysTick::new());
/// static LOOP: EventLoop = EventLoop::new();
///
/// BOARD.clock().start(peripherals.SYST);
/// let event_loop = LOOP.start(&BOARD)?;
/// ```
pub struct Board<A, R = Silent> {
    clock: A,
    reporter: PhantomData<fn() -> R>,
}

impl<A: Alarm, R: Reporter> Board<A, R> {
    /// A board with `clock`, which is not started by this.
    pub const fn new(clock: A) -> Self {
        Self { clock, reporter: PhantomData }
    }

    /// The clock: to start it, and for its interrupt handler.
    pub const fn clock(&self) -> &A {
        &self.clock
    }
}

impl<A: Alarm, R> Clock for Board<A, R> {
    #[inline]
    fn now(&self) -> Instant {
        self.clock.now()
    }
}

impl<A: Alarm, R: Reporter> Selector for Board<A, R> {
    fn select(&self, event_loop: &EventLoop, wait: Wait) -> Result<(), SelectError> {
        let may_sleep = match wait {
            Wait::No => false,
            Wait::Until(deadline) => arm(&self.clock, deadline) == Armed::Set,
            Wait::Forever => true,
        };
        if may_sleep {
            wait_for_interrupt(|| !event_loop.has_ready());
        }
        Ok(())
    }

    fn report(&self, context: &ExceptionContext<'_>) -> Result<(), HandlerFailed> {
        R::report(context)
    }
}
