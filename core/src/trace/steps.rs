//! A batch under observation.

use super::{Event, Observer, Step};
use crate::schedule::EventLoop;
use crate::schedule::node::Node;
use crate::task::TaskRef;
use crate::time::Instant;
use core::ptr::NonNull;

/// Runs nodes of the batch, with as much observation as is asked for now.
#[inline(always)]
pub(crate) fn run_steps(event_loop: &EventLoop, left: &mut u32) {
    if event_loop.trace.looks_at_steps() {
        run_observed(event_loop, left);
    } else {
        event_loop.run_nodes(left, ());
    }
}

#[cold]
#[inline(never)]
fn run_observed(event_loop: &EventLoop, left: &mut u32) {
    event_loop.run_nodes(left, Steps::new(event_loop));
}

/// Runs a step that is not in a batch, within the one that is.
pub(crate) fn observe_step(event_loop: &EventLoop, node: NonNull<Node>, run: impl FnOnce()) {
    if !event_loop.trace.looks_at_steps() {
        return run();
    }
    let mut steps = Steps::new(event_loop);
    steps.before(node);
    // A panic ends it by dropping it.
    run();
    steps.after();
}

/// Takes the time of each step and tells of it.
struct Steps<'a> {
    event_loop: &'a EventLoop,
    /// When the step began: when the one before it ended.
    since: Instant,
    /// What takes a step, and what keeps it in memory until its end is told.
    open: Option<(Step<'static>, Option<TaskRef>)>,
}

impl<'a> Steps<'a> {
    fn new(event_loop: &'a EventLoop) -> Steps<'a> {
        Steps { event_loop, since: event_loop.time(), open: None }
    }
}

impl Observer for Steps<'_> {
    fn before(&mut self, node: NonNull<Node>) {
        // SAFETY: Alive In Chain (node), until it runs.
        let step = unsafe { Step::of(node) };
        self.open = Some((step, step.task()));
        self.event_loop.trace.tell(self.event_loop, || Event::StepBegin(step));
    }

    fn after(&mut self) {
        let Some((step, _kept)) = self.open.take() else { return };
        let points = &self.event_loop.trace;
        let now = self.event_loop.time();
        let took = now.saturating_since(self.since);
        self.since = now;
        points.note_length(took);
        points.tell(self.event_loop, || Event::StepEnd(step));
        if points.debug.look_at(self.event_loop, step, took) {
            // What reporting takes is not the next step's fault.
            self.since = self.event_loop.time();
        }
    }
}

impl Drop for Steps<'_> {
    /// A step that panicked is over as well.
    fn drop(&mut self) {
        self.after();
    }
}
