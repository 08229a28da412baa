//! The places where a loop tells what it does, and what it remembers for that.
//!
//! # Invariants
//!
//! * **Looked At Only When Set**: `traced` is clear while `tracer` is being
//!   written. An interrupt, which may come at any time and runs to its end,
//!   sees either no tracer or a whole one; other threads have no part in it.

use super::debug::DebugMode;
use super::{Counters, Event, Step, Trace};
use crate::io::Wait;
use crate::schedule::{EventLoop, contain};
use crate::task::header::Header;
use crate::time::{Duration, Instant, nanos};
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

/// All zero at first, so that a static loop needs no initial values.
pub(crate) struct TracePoints {
    traced: AtomicBool,
    tracer: Cell<Option<&'static dyn Trace>>,
    pub(super) debug: DebugMode,
    in_turn: Cell<bool>,
    /// What is known of this turn, or of the last one between two.
    turn: ThisTurn,
    total: Totals,
    /// In nanoseconds, of this turn.
    longest_step: Cell<u64>,
    wakes: AtomicUsize,
    redundant_wakes: AtomicUsize,
}

/// In words, because they are counted at each turn, whoever looks on.
struct ThisTurn {
    polls: Cell<u32>,
    fired: Cell<u32>,
    ran: Cell<u32>,
    wakes: Cell<usize>,
    redundant_wakes: Cell<usize>,
    /// Of `TracePoints`, when the last turn ended.
    wakes_before: Cell<usize>,
    redundant_wakes_before: Cell<usize>,
}

/// Of all turns that are over.
struct Totals {
    turns: Cell<u64>,
    polls: Cell<u64>,
    fired: Cell<u64>,
    ran: Cell<u64>,
    wakes: Cell<u64>,
    redundant_wakes: Cell<u64>,
    longest_step: Cell<u64>,
}

/// Takes the tracer out when it panics, before that is reported: reporting is
/// told of as well, and once is enough.
struct TakeOut<'a>(&'a TracePoints);

impl Drop for TakeOut<'_> {
    fn drop(&mut self) {
        self.0.set_tracer(None);
    }
}

fn add_to(total: &Cell<u64>, n: impl TryInto<u64>) {
    total.set(total.get().wrapping_add(n.try_into().unwrap_or(0)));
}

impl TracePoints {
    pub(crate) const fn new() -> TracePoints {
        TracePoints {
            traced: AtomicBool::new(false),
            tracer: Cell::new(None),
            debug: DebugMode::new(),
            in_turn: Cell::new(false),
            turn: ThisTurn {
                polls: Cell::new(0),
                fired: Cell::new(0),
                ran: Cell::new(0),
                wakes: Cell::new(0),
                redundant_wakes: Cell::new(0),
                wakes_before: Cell::new(0),
                redundant_wakes_before: Cell::new(0),
            },
            total: Totals {
                turns: Cell::new(0),
                polls: Cell::new(0),
                fired: Cell::new(0),
                ran: Cell::new(0),
                wakes: Cell::new(0),
                redundant_wakes: Cell::new(0),
                longest_step: Cell::new(0),
            },
            longest_step: Cell::new(0),
            wakes: AtomicUsize::new(0),
            redundant_wakes: AtomicUsize::new(0),
        }
    }

    /// Whether each step is to be looked at.
    #[inline]
    pub(super) fn looks_at_steps(&self) -> bool {
        self.debug.is_on() || self.traced.load(Ordering::Relaxed)
    }

    #[inline]
    pub(super) fn tell(&self, event_loop: &EventLoop, event: impl Fn() -> Event<'static>) {
        // Looked At Only When Set.
        if self.traced.load(Ordering::Relaxed)
            && let Some(tracer) = self.tracer.get()
        {
            // It looks on; what it looks at goes on, whatever becomes of it.
            contain(Some(event_loop), "a tracer panicked, and is told no more", || {
                let unwinding = TakeOut(self);
                tracer.record(event_loop, event());
                core::mem::forget(unwinding);
            });
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
    pub(crate) fn begin_turn(&self, event_loop: &EventLoop) {
        if !self.in_turn.replace(true) {
            self.turn.polls.set(0);
            self.turn.fired.set(0);
            self.longest_step.set(0);
            self.tell(event_loop, || Event::TurnBegin);
        }
    }

    /// A batch is over, or the loop ends in the middle of a turn.
    pub(crate) fn end_turn(&self, event_loop: &EventLoop, ran: u32) {
        if !self.in_turn.replace(false) {
            return;
        }
        let (turn, total) = (&self.turn, &self.total);
        turn.ran.set(ran);
        let since = |now: &AtomicUsize, before: &Cell<usize>| {
            let now = now.load(Ordering::Relaxed);
            now.wrapping_sub(before.replace(now))
        };
        turn.wakes.set(since(&self.wakes, &turn.wakes_before));
        turn.redundant_wakes.set(since(&self.redundant_wakes, &turn.redundant_wakes_before));
        add_to(&total.turns, 1_u32);
        add_to(&total.polls, turn.polls.get());
        add_to(&total.fired, turn.fired.get());
        add_to(&total.ran, ran);
        add_to(&total.wakes, turn.wakes.get());
        add_to(&total.redundant_wakes, turn.redundant_wakes.get());
        self.tell(event_loop, || Event::TurnEnd(self.last_turn()));
    }

    /// A step took so long.
    pub(super) fn note_length(&self, took: Duration) {
        let took = nanos(took);
        self.longest_step.set(self.longest_step.get().max(took));
        self.total.longest_step.set(self.total.longest_step.get().max(took));
    }

    fn last_turn(&self) -> Counters {
        let turn = &self.turn;
        Counters {
            turns: 1,
            polls: turn.polls.get().into(),
            fired: turn.fired.get().into(),
            ran: turn.ran.get().into(),
            wakes: turn.wakes.get() as u64,
            redundant_wakes: turn.redundant_wakes.get() as u64,
            longest_step: Duration::from_nanos(self.longest_step.get()),
        }
    }

    pub(crate) fn loop_closed(&self, event_loop: &EventLoop) {
        self.tell(event_loop, || Event::LoopClosed);
    }

    pub(crate) fn begin_select(&self, event_loop: &EventLoop, wait: Wait) {
        self.turn.polls.set(self.turn.polls.get().wrapping_add(1));
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
        self.turn.fired.set(self.turn.fired.get().wrapping_add(1));
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
    /// One that panics is told no more; the panic is reported.
    ///
    /// asyncio has no such hook.
    pub fn set_tracer(&self, tracer: Option<&'static dyn Trace>) {
        self.trace.set_tracer(tracer);
    }

    /// What the loop did since it was made, in the turns that are over.
    pub fn counters(&self) -> Counters {
        let total = &self.trace.total;
        Counters {
            turns: total.turns.get(),
            polls: total.polls.get(),
            fired: total.fired.get(),
            ran: total.ran.get(),
            wakes: total.wakes.get(),
            redundant_wakes: total.redundant_wakes.get(),
            longest_step: Duration::from_nanos(total.longest_step.get()),
        }
    }

    /// What the loop did in the last turn that is over; while a turn is under
    /// way, nothing.
    pub fn last_turn(&self) -> Counters {
        let nothing = self.trace.in_turn.get() || self.trace.total.turns.get() == 0;
        if nothing { Counters::default() } else { self.trace.last_turn() }
    }
}
