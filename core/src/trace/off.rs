//! The places where a loop would tell what it does, in programs that do not
//! want to know.

use crate::io::Wait;
use crate::schedule::EventLoop;
use crate::schedule::node::Node;
use crate::task::header::Header;
use crate::time::Instant;
use core::ptr::NonNull;

pub(crate) struct TracePoints;

#[allow(clippy::unused_self, reason = "the face of what is there with the feature")]
impl TracePoints {
    pub(crate) const fn new() -> TracePoints {
        TracePoints
    }

    #[inline(always)]
    pub(crate) fn begin_turn(&self, _event_loop: &EventLoop) {}

    #[inline(always)]
    pub(crate) fn end_turn(&self, _event_loop: &EventLoop, _ran: u32) {}

    #[inline(always)]
    pub(crate) fn loop_closed(&self, _event_loop: &EventLoop) {}

    #[inline(always)]
    pub(crate) fn begin_select(&self, _event_loop: &EventLoop, _wait: Wait) {}

    #[inline(always)]
    pub(crate) fn end_select(&self, _event_loop: &EventLoop, _wait: Wait) {}

    #[inline(always)]
    pub(crate) fn timer_set<T>(&self, _event_loop: &EventLoop, _timer: &T, _when: Instant) {}

    #[inline(always)]
    pub(crate) fn timer_fired<T>(&self, _event_loop: &EventLoop, _timer: NonNull<T>) {}
}

/// Runs nodes of the batch, unobserved.
#[inline(always)]
pub(crate) fn run_steps(event_loop: &EventLoop, left: &mut u32) {
    event_loop.run_nodes(left, ());
}

/// Runs a step that is not in a batch, unobserved.
#[inline(always)]
pub(crate) fn observe_step(_event_loop: &EventLoop, _node: NonNull<Node>, run: impl FnOnce()) {
    run();
}

/// What is known of a node's kind: nothing.
pub(crate) struct Described;

#[allow(clippy::extra_unused_type_parameters, reason = "as with the feature")]
impl Described {
    pub(crate) const fn task<F>() -> Described {
        Described
    }

    pub(crate) const fn callback<P>() -> Described {
        Described
    }
}

/// # Safety
///
/// None is needed, as for those that follow: nothing is done.
#[inline(always)]
pub(crate) unsafe fn task_created(_task: NonNull<Header>) {}

/// # Safety
///
/// As for [`task_created`].
#[inline(always)]
pub(crate) unsafe fn task_woken(_task: NonNull<Header>) {}

/// # Safety
///
/// As for [`task_created`].
#[inline(always)]
pub(crate) unsafe fn task_woken_in_vain(_task: NonNull<Header>) {}

/// # Safety
///
/// As for [`task_created`].
#[inline(always)]
pub(crate) unsafe fn task_ended(_task: NonNull<Header>) {}
