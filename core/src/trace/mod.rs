//! Seeing the loop: what it does, told while it does it.
//!
//! With the feature `trace` a loop can be given a [tracer](Trace), counts what
//! it does in each turn ([`Counters`]), and has asyncio's debug mode
//! ([`set_debug`](crate::EventLoop::set_debug)). Without the feature nothing of
//! this exists: the places below are empty functions, and a loop has not a
//! byte more.
//!
//! ```text
//!  TurnBegin
//!  │ SleepBegin ─ SleepEnd            the selector waits
//!  │ TimerFired*                      what is due is made ready
//!  │ StepBegin ─┬──────────── StepEnd one callback, or one poll of a task
//!  │            ├ TaskCreated, TaskWoken, TimerSet
//!  │            └ TaskEnded
//!  TurnEnd(counters)
//! ```
//!
//! Begins and ends nest as brackets do, also when a step panics. Between two
//! turns only `TaskCreated`, `TaskWoken`, `TaskEnded` and `TimerSet` come: from
//! code outside of the loop, and from interrupts.
//!
//! | what | where it goes |
//! |---|---|
//! | a file for Perfetto and `chrome://tracing` | `molen-std`: `trace::TraceFile` |
//! | `tracing` | `molen-std`, feature `tracing`: `trace::Tracing` |
//! | `defmt` | `molen-bare`, feature `defmt`: `trace::Defmt` |
//! | your own | implement [`Trace`] |
//!
//! # What it costs
//!
//! With the feature but neither tracer nor debug mode: one flag looked at for
//! each batch and some numbers added once a turn, and one number for each wake.
//! With either of them: the clock is read once for each step.

#[cfg(feature = "trace")]
mod counters;
#[cfg(feature = "trace")]
mod debug;
#[cfg(feature = "trace")]
mod event;
#[cfg(not(feature = "trace"))]
mod off;
#[cfg(feature = "trace")]
mod points;
#[cfg(feature = "trace")]
mod steps;

#[cfg(feature = "trace")]
pub use counters::Counters;
#[cfg(feature = "trace")]
pub use debug::DEFAULT_SLOW_CALLBACK_DURATION;
#[cfg(feature = "trace")]
pub use event::{Event, Kind, Step, Trace};

#[cfg(feature = "trace")]
pub(crate) use event::Described;
#[cfg(not(feature = "trace"))]
pub(crate) use off::*;
#[cfg(feature = "trace")]
pub(crate) use points::{TracePoints, task_created, task_ended, task_woken, task_woken_in_vain};
#[cfg(feature = "trace")]
pub(crate) use steps::{observe_step, run_steps};

use crate::schedule::node::Node;
use core::ptr::NonNull;

/// Who looks on while a batch is run.
pub(crate) trait Observer {
    /// `node` is about to run.
    fn before(&mut self, node: NonNull<Node>);
    /// It has run.
    fn after(&mut self);
}

/// Nobody.
impl Observer for () {
    #[inline(always)]
    fn before(&mut self, _node: NonNull<Node>) {}

    #[inline(always)]
    fn after(&mut self) {}
}
