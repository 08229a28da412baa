//! The places where a loop tells what it does, and what it remembers for that.
//!
//! # Invariants
//!
//! * **Looked At Only When Set**: `traced` is clear while `tracer` is being
//!   written. An interrupt, which may come at any time and runs to its end,
//!   sees either no tracer or a whole one; other threads have no part in it.

use super::{Counters, Event, Step, Trace};
use crate::io::Wait;
use crate::schedule::EventLoop;
use crate::task::header::Header;
use crate::time::{Duration, Instant};
use core::cell::Cell;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering, compiler_fence};

#[cfg(not(feature = "threads"))]
use crate::atomic::add;

/// Adds to a number that only the loop's own thread counts.
#[cfg(feature = "threads")]
fn add(counter: &AtomicUsize, n: usize) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
}

pub(crate) struct TracePoints {
    traced: AtomicBool,
    tracer: Cell<Option<&'static dyn Trace>>,
    pub(super) debug: Cell<bool>,
    pub(super) slow_callback_duration: Cell<Duration>,
    in_turn: Cell<bool>,
    /// What is known of this turn, or of the last one between two.
    turn: Cell<Counters>,
    /// Of all turns that are over.
    total: Cell<Counters>,
    pub(super) longest_step: Cell<Duration>,
    wakes: AtomicUsize,
    redundant_wakes: AtomicUsize,
    /// `wakes` and `redundant_wakes` when the last turn ended.
    wakes_before: Cell<(usize, usize)>,
}

impl TracePoints {
    pub(crate) const fn new() -> TracePoints {
        TracePoints {
            traced: AtomicBool::new(false),
            tracer: Cell::new(None),
            debug: Cell::new(false),
            slow_callback_duration: Cell::new(super::DEFAULT_SLOW_CALLBACK_DURATION),
            in_turn: Cell::new(false),
            turn: Cell::new(Counters::ZERO),
            total: Cell::new(Counters::ZERO),
            longest_step: Cell::new(Duration::ZERO),
            wakes: AtomicUsize::new(0),
            redundant_wakes: AtomicUsize::new(0),
            wakes_before: Cell::new((0, 0)),
        }
    }

    /// Whether each step is to be looked at.
    #[inline]
    pub(super) fn looks_at_steps(&self) -> bool {
        self.debug.get() || self.traced.load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn tell(&self, event_loop: &EventLoop, event: impl FnOnce() -> Event<'static>) {
        // Looked At Only When Set.
        if self.traced.load(Ordering::Relaxed)
            && let Some(tracer) = self.tracer.get()
        {
            tracer.record(event_loop, event());
        }
    }

    fn set_tracer(&self, tracer: Option<&'static dyn Trace>) {
        self.traced.store(false, Ordering::Relaxed);
        compiler_fence(Ordering::SeqCst);
        self.tracer.set(tracer);
        compiler_fence(Ordering::SeqCst);
        self.traced.store(tracer.is_some(), Ordering::Relaxed);
    }

    /// A look at the selector begins, or a batch without one.
    #[inline]
    pub(crate) fn begin_turn(&self, event_loop: &EventLoop) {
        if !self.in_turn.replace(true) {
            self.turn.set(Counters { turns: 1, ..Counters::ZERO });
            self.longest_step.set(Duration::ZERO);
            self.tell(event_loop, || Event::TurnBegin);
        }
    }

    /// A batch is over, or the loop ends in the middle of a turn.
    pub(crate) fn end_turn(&self, event_loop: &EventLoop, ran: u32) {
        if !self.in_turn.replace(false) {
            return;
        }
        let now =
            (self.wakes.load(Ordering::Relaxed), self.redundant_wakes.load(Ordering::Relaxed));
        let before = self.wakes_before.replace(now);
        let mut turn = self.turn.get();
        turn.ran = u64::from(ran);
        turn.wakes = now.0.wrapping_sub(before.0) as u64;
        turn.redundant_wakes = now.1.wrapping_sub(before.1) as u64;
        turn.longest_step = self.longest_step.get();
        self.turn.set(turn);
        self.total.set(self.total.get().and(turn));
        self.tell(event_loop, || Event::TurnEnd(turn));
    }

    pub(crate) fn loop_closed(&self, event_loop: &EventLoop) {
        self.tell(event_loop, || Event::LoopClosed);
    }

    pub(crate) fn begin_select(&self, event_loop: &EventLoop, wait: Wait) {
        let turn = self.turn.get();
        self.turn.set(Counters { polls: turn.polls + 1, ..turn });
        if wait != Wait::No {
            self.tell(event_loop, || Event::SleepBegin(wait));
        }
    }

    pub(crate) fn end_select(&self, event_loop: &EventLoop, wait: Wait) {
        if wait != Wait::No {
            self.tell(event_loop, || Event::SleepEnd);
        }
    }

    pub(crate) fn timer_set<T>(&self, event_loop: &EventLoop, timer: &T, when: Instant) {
        self.tell(event_loop, || Event::TimerSet {
            timer: core::ptr::from_ref(timer).addr(),
            when,
        });
    }

    pub(crate) fn timer_fired<T>(&self, event_loop: &EventLoop, timer: NonNull<T>) {
        let turn = self.turn.get();
        self.turn.set(Counters { fired: turn.fired + 1, ..turn });
        self.tell(event_loop, || Event::TimerFired { timer: timer.addr().get() });
    }
}

/// `task` was created.
///
/// # Safety
///
/// It is alive, as for those that follow.
pub(crate) unsafe fn task_created(task: NonNull<Header>) {
    // SAFETY: the caller's promise; a tracer keeps no `Step`.
    unsafe { tell_of(task, Event::TaskCreated) }
}

/// `task` was made ready.
///
/// # Safety
///
/// As for [`task_created`].
pub(crate) unsafe fn task_woken(task: NonNull<Header>) {
    // SAFETY: the caller's promise; Outlives Tasks (EventLoop).
    unsafe {
        add(&task.as_ref().owner().trace.wakes, 1);
        tell_of(task, Event::TaskWoken);
    }
}

/// `task` was woken when it was ready already, or had ended.
///
/// # Safety
///
/// As for [`task_created`].
pub(crate) unsafe fn task_woken_in_vain(task: NonNull<Header>) {
    // SAFETY: the caller's promise; Outlives Tasks (EventLoop).
    unsafe { add(&task.as_ref().owner().trace.redundant_wakes, 1) };
}

/// `task` has ended.
///
/// # Safety
///
/// As for [`task_created`].
pub(crate) unsafe fn task_ended(task: NonNull<Header>) {
    // SAFETY: the caller's promise.
    unsafe { tell_of(task, Event::TaskEnded) }
}

/// Tells the tracer of the task's loop an event of `task`.
///
/// # Safety
///
/// As for [`task_created`].
unsafe fn tell_of(task: NonNull<Header>, event: fn(Step<'static>) -> Event<'static>) {
    // SAFETY: the caller's promise; Outlives Tasks (EventLoop).
    unsafe {
        let event_loop = task.as_ref().owner();
        event_loop.trace.tell(event_loop, || event(Step::of(task.cast())));
    }
}

impl EventLoop {
    /// Says who is told what the loop does from now on; `None`: nobody.
    ///
    /// asyncio has no such hook.
    pub fn set_tracer(&self, tracer: Option<&'static dyn Trace>) {
        self.trace.set_tracer(tracer);
    }

    /// What the loop did since it was made, in the turns that are over.
    pub fn counters(&self) -> Counters {
        self.trace.total.get()
    }

    /// What the loop did in the last turn that is over.
    pub fn last_turn(&self) -> Counters {
        if self.trace.in_turn.get() { Counters::ZERO } else { self.trace.turn.get() }
    }
}
