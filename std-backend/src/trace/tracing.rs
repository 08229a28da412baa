//! Loops for the crate `tracing`: a span for each task, entered for each of
//! its steps, and events for what else happens.
//!
//! What a task's code logs is then in the task's span, and whatever
//! subscriber there is shows the rest.
//!
//! | what | `tracing` |
//! |---|---|
//! | a task | span `task` at level DEBUG with `id`, `function`, and `name` if it has one when it is created; entered for each step |
//! | a callback | span `callback` at level TRACE with `function` |
//! | a turn, a sleep | spans `turn` and `sleep` at level TRACE |
//! | wakes and timers | events at level TRACE |
//! | a slow step | event at level WARN |
//!
//! The target of all is `molen`.

use molen_core::EventLoop;
use molen_core::trace::{Event, Kind, Step, Trace};
use std::cell::RefCell;
use std::collections::HashMap;
use tracing::span::EnteredSpan;
use tracing::{Span, debug_span, trace, trace_span, warn};

/// A tracer that tells the crate `tracing`, to be given to
/// [`EventLoop::set_tracer`]. One serves all loops.
///
/// ```
/// # mod molen { pub use {molen_core::*, molen_std::{net, trace, *}}; }
/// let event_loop = molen::new_event_loop()?;
/// event_loop.set_tracer(Some(&molen::trace::Tracing));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Tracing;

/// What is open on a thread.
#[derive(Default)]
struct Spans {
    tasks: HashMap<usize, Span>,
    /// Turn, sleep or step: they nest.
    entered: Vec<EnteredSpan>,
}

thread_local! {
    static SPANS: RefCell<Spans> = RefCell::default();
}

fn span_of(task: Step<'_>) -> Span {
    let (id, function) = (task.id(), task.function());
    match task.task().and_then(|task| task.name()) {
        Some(name) => {
            debug_span!(target: "molen", parent: None, "task", id, function, name = &*name)
        }
        None => debug_span!(target: "molen", parent: None, "task", id, function),
    }
}

impl Spans {
    /// The span that `event` begins, or nothing.
    fn begin(&mut self, event: Event<'_>) -> Option<Span> {
        Some(match event {
            Event::TurnBegin => trace_span!(target: "molen", "turn"),
            Event::SleepBegin(_) => trace_span!(target: "molen", "sleep"),
            Event::StepBegin(step) => match step.kind() {
                // A task that is older than the tracer has no span yet.
                Kind::Task => self.tasks.entry(step.id()).or_insert_with(|| span_of(step)).clone(),
                Kind::Callback => {
                    trace_span!(target: "molen", "callback", function = step.function())
                }
            },
            _ => return None,
        })
    }
}

impl Trace for Tracing {
    fn record(&self, _event_loop: &EventLoop, event: Event<'_>) {
        // Spans are made, entered and dropped outside of the borrow: a
        // subscriber may be anything, and a thread may be ending.
        let with = |f: &mut dyn FnMut(&mut Spans)| {
            let _ = SPANS.try_with(|spans| {
                if let Ok(mut spans) = spans.try_borrow_mut() {
                    f(&mut spans);
                }
            });
        };
        match event {
            Event::TurnEnd(_) | Event::SleepEnd | Event::StepEnd(_) => {
                let mut left = None;
                with(&mut |spans| left = spans.entered.pop());
                drop(left);
            }
            Event::TaskCreated(task) => {
                let mut span = Some(span_of(task));
                with(&mut |spans| {
                    span = span.take().and_then(|span| spans.tasks.insert(task.id(), span))
                });
            }
            Event::TaskEnded(task) => {
                let mut span = None;
                with(&mut |spans| span = spans.tasks.remove(&task.id()));
                drop(span);
            }
            Event::TaskWoken(task) => {
                trace!(target: "molen", id = task.id(), function = task.function(), "task woken");
            }
            Event::TimerSet { timer, when } => {
                trace!(target: "molen", timer, due_ns = when.as_nanos(), "timer set");
            }
            Event::TimerFired { timer } => trace!(target: "molen", timer, "timer fired"),
            Event::Slow(step, took) => warn!(target: "molen", ?took, "slow callback: {step}"),
            _ => {
                let mut span = None;
                with(&mut |spans| span = spans.begin(event));
                if let Some(span) = span {
                    let mut entered = Some(span.entered());
                    with(&mut |spans| spans.entered.extend(entered.take()));
                }
            }
        }
    }
}
