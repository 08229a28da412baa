//! What a loop does, told by `defmt`: a few bytes for each event, which a
//! computer that has the program makes text of.
//!
//! The program chooses the transport (`defmt-rtt`, `defmt-semihosting`, …),
//! the time stamps (`defmt::timestamp!`) and what is compiled in: with
//! `DEFMT_LOG=debug` only slow steps and the lives of tasks are, with
//! `DEFMT_LOG=trace` all of it is.

use defmt::{debug, trace, warn};
use molen_core::EventLoop;
use molen_core::trace::{Event, Kind, Step, Trace};

/// A tracer that tells `defmt`, to be given to [`EventLoop::set_tracer`].
///
/// ```ignore
/// event_loop.set_tracer(Some(&Defmt));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Defmt;

fn kind(step: Step<'_>) -> &'static str {
    match step.kind() {
        Kind::Task => "task",
        Kind::Callback => "callback",
    }
}

impl Trace for Defmt {
    fn record(&self, _event_loop: &EventLoop, event: Event<'_>) {
        match event {
            Event::TurnBegin => trace!("turn begin"),
            Event::TurnEnd(turn) => trace!(
                "turn end: ran {=u64}, fired {=u64}, polls {=u64}, wakes {=u64}, redundant {=u64}, longest step {=u64} us",
                turn.ran,
                turn.fired,
                turn.polls,
                turn.wakes,
                turn.redundant_wakes,
                turn.longest_step.as_micros() as u64
            ),
            Event::SleepBegin(_) => trace!("sleep begin"),
            Event::SleepEnd => trace!("sleep end"),
            Event::StepBegin(step) => {
                trace!(
                    "step begin: {=str} {=usize:x} {=str}",
                    kind(step),
                    step.id(),
                    step.function()
                );
            }
            Event::StepEnd(step) => trace!("step end: {=str} {=usize:x}", kind(step), step.id()),
            Event::Slow(step, took) => warn!(
                "slow: {=str} {=str} took {=u64} us",
                kind(step),
                step.function(),
                took.as_micros() as u64
            ),
            Event::TaskCreated(task) => {
                debug!("task created: {=usize:x} {=str}", task.id(), task.function());
            }
            Event::TaskWoken(task) => trace!("task woken: {=usize:x}", task.id()),
            Event::TaskEnded(task) => debug!("task ended: {=usize:x}", task.id()),
            Event::TimerSet { timer, when } => {
                trace!("timer set: {=usize:x} for {=u64} us", timer, when.as_nanos() / 1000);
            }
            Event::TimerFired { timer } => trace!("timer fired: {=usize:x}", timer),
            Event::LoopClosed => debug!("loop closed"),
            _ => {}
        }
    }
}
