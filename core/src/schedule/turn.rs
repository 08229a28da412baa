//! One turn of the wheel, and running until told otherwise.
//!
//! ```text
//!  1 take in    what threads and interrupts posted
//!  2 timeout    0 if something is ready or a stop is asked for,
//!               else until the first deadline, else for ever
//!  3 select     events make callbacks and tasks ready
//!  4 timers     due ones become ready, by (deadline, order of scheduling)
//!  5 batch      run what is ready now; what it schedules waits for the next
//! ```
//!
//! [`turn`](EventLoop::turn) is exactly that. The `run_…` functions repeat it,
//! but while work is ready they leave out 2 to 4 as the backend's
//! [`PollBudget`](crate::io::PollBudget) allows: asking the system each time
//! would cost more than the work.

use super::contain;
use super::event_loop::{EventLoop, Running};
use super::timer::Timer;
use crate::error::RunError;
use crate::io::{SelectError, Wait};
use crate::task::TaskRef;
use crate::time::{Duration, Instant};
use crate::trace::{Observer, run_steps};
use core::future::Future;
use core::pin::pin;

mod busy;
mod eager;
mod root;

use busy::{Busy, budget};
#[cfg(feature = "alloc")]
pub(in crate::schedule) use eager::Suspended;
use root::{Ended, Main, MainFuture, RootGuard};

/// What one turn did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Turn {
    /// How many callbacks and steps of tasks ran.
    pub ran: u32,
    /// How many timers were due.
    pub fired: u32,
    /// Whether something is ready for the next turn already.
    pub more: bool,
}

impl EventLoop {
    /// Makes one turn, waiting at most `timeout` (`None`: as long as it takes).
    ///
    /// With [`next_deadline`](Self::next_deadline) this lets a host drive the
    /// loop: between two turns it waits by its own means until the deadline,
    /// an event of the backend, or the unparker, which other threads call when
    /// the last turn left nothing to do. asyncio: `_run_once`, between `_run_forever_setup` and
    /// `_run_forever_cleanup`.
    ///
    /// # Errors
    ///
    /// As [`run_forever`](Self::run_forever).
    pub fn turn(&self, timeout: Option<Duration>) -> Result<Turn, RunError> {
        let running = self.enter()?;
        let limit = match timeout {
            None => Wait::Forever,
            Some(Duration::ZERO) => Wait::No,
            Some(timeout) => Wait::Until(self.time().saturating_add(timeout)),
        };
        let mut done = Turn { fired: running.look(limit)?, ..Turn::default() };
        let mut left = u32::MAX;
        self.run_batch(&mut left);
        done.ran = u32::MAX - left;
        done.more = self.has_ready() || self.rest_between_turns();
        Ok(done)
    }

    /// Without threads an interrupt's wake is in the ready queue already.
    #[cfg(not(feature = "threads"))]
    fn rest_between_turns(&self) -> bool {
        false
    }

    /// Runs until [`stop`](Self::stop).
    ///
    /// asyncio: `loop.run_forever()`.
    ///
    /// # Errors
    ///
    /// [`RunError::AlreadyRunning`] when a loop runs on this thread,
    /// [`RunError::Closed`], [`RunError::NothingToWaitFor`] where the platform
    /// can tell that the loop would sleep for ever, [`RunError::Select`].
    pub fn run_forever(&self) -> Result<(), RunError> {
        self.enter()?.run()
    }

    /// Runs until `future` is done, and returns what it ended with.
    ///
    /// If it was stopped before, the future is dropped; give a pinned `&mut`
    /// or a [`Task`](crate::Task) to go on with it later.
    ///
    /// asyncio: `loop.run_until_complete()`.
    ///
    /// # Errors
    ///
    /// As [`run_forever`](Self::run_forever), and [`RunError::Stopped`] when
    /// the loop was stopped before the future was done,
    /// [`RunError::Cancelled`] when the task of the future was cancelled.
    pub fn run_until_complete<F: Future>(&self, future: F) -> Result<F::Output, RunError> {
        self.run_main(future, &mut |_task| ())
    }

    /// [`run_until_complete`](Self::run_until_complete), with the task of the
    /// future given to `begun` before its first step: for who wants to cancel it.
    ///
    /// asyncio: `run_until_complete(loop.create_task(main()))`.
    ///
    /// # Errors
    ///
    /// As [`run_until_complete`](Self::run_until_complete).
    pub fn run_main<F: Future>(
        &self,
        future: F,
        begun: &mut dyn FnMut(&TaskRef),
    ) -> Result<F::Output, RunError> {
        let (future, mut output) = (pin!(Some(future)), None);
        self.run_root(&mut MainFuture::new(future, &mut output), begun)?;
        output.ok_or(RunError::Stopped)
    }

    fn run_root(
        &self,
        main: &mut dyn Main,
        begun: &mut dyn FnMut(&TaskRef),
    ) -> Result<(), RunError> {
        let running = self.enter()?;
        let mut root = RootGuard::start(self, main).ok_or(RunError::AlreadyRunning)?;
        begun(&root.task_ref());
        let result = running.run();
        drop(running);
        match root.ended() {
            #[cfg(feature = "threads")]
            Ended::Panicked(payload) => {
                drop(root);
                crate::platform::resume_unwind(payload)
            }
            Ended::Cancelled => result.and(Err(RunError::Cancelled)),
            Ended::Otherwise => result,
        }
    }

    /// Runs what is ready now, once each but at most `left`, which is not zero
    /// and is counted down. What is left over comes before anything newer.
    fn run_batch(&self, left: &mut u32) {
        self.trace.begin_turn(self);
        let before = *left;
        self.run_ready(left);
        self.trace.end_turn(self, before - *left);
    }

    fn run_ready(&self, left: &mut u32) {
        #[cfg(not(feature = "threads"))]
        run_steps(self, left);
        #[cfg(feature = "threads")]
        while let Err(payload) = crate::platform::catch_unwind(&mut || run_steps(self, left)) {
            self.end_panicked(payload);
            if *left == 0 || self.batch_is_empty() {
                break;
            }
        }
    }

    /// What [`run_steps`] calls.
    #[inline(always)]
    pub(crate) fn run_nodes<O: Observer>(&self, left: &mut u32, mut observer: O) {
        let mut batch = self.batch.get();
        if batch.is_empty() {
            batch = self.ready.take();
        }
        // SAFETY: Alive In Chain: the batch came from the ready queue.
        while let Some(node) = unsafe { batch.pop() } {
            self.batch.set(batch);
            self.running_node.set(node.as_ptr());
            *left -= 1;
            observer.before(node);
            // SAFETY: as above; Right Table.
            unsafe { (node.as_ref().table().run)(node, self) };
            observer.after();
            if *left == 0 {
                break;
            }
            batch = self.batch.get();
        }
        // Without unwinding, nobody asks before the run is over.
        #[cfg(feature = "threads")]
        self.running_node.set(core::ptr::null());
    }

    pub(super) fn batch_is_empty(&self) -> bool {
        self.batch.get().is_empty()
    }

    /// Takes a node that is done out of the ready queue, if it is there.
    #[cfg(not(feature = "threads"))]
    pub(crate) fn remove_from_ready(&self, node: core::ptr::NonNull<super::node::Node>) {
        let mut batch = self.batch.get();
        // SAFETY: Alive In Chain; In One Chain: the batch is the loop's.
        let mut found = unsafe { batch.remove(node) };
        if !found {
            // A run that failed within a batch leaves both the rest of it and
            // the queue behind it.
            let mut newer = self.ready.take();
            // SAFETY: as above; they keep their order behind the batch.
            unsafe {
                found = newer.remove(node);
                batch.append(newer);
            }
        }
        self.batch.set(batch);
        if found {
            // SAFETY: alive; Right Table; the node is out of its chain.
            unsafe { (node.as_ref().table().discard)(node, self) };
        }
    }

    /// Ends what panicked; the rest of the batch goes on after it.
    #[cfg(feature = "threads")]
    #[cold]
    fn end_panicked(&self, payload: crate::platform::Payload) {
        let Some(node) = self.take_running_node() else {
            return self.report_panic("the event loop itself panicked", &payload);
        };
        let mut payload = Some(payload);
        let second = crate::platform::catch_unwind(&mut || {
            // SAFETY: Alive In Chain: a node that panicked was not given up.
            let table = unsafe { node.as_ref() }.vtable();
            if let (Some(table), Some(payload)) = (table, payload.take()) {
                // SAFETY: Right Table.
                unsafe { (table.panicked)(node, self, payload) };
            }
        });
        if let Err(second) = second {
            self.report_panic("ending what had panicked, panicked too", &second);
        }
    }
}

impl Running<'_> {
    /// Steps 1 to 4; returns how many timers were due.
    fn look(&self, limit: Wait) -> Result<u32, RunError> {
        let event_loop = self.event_loop;
        event_loop.trace.begin_turn(event_loop);
        #[cfg(feature = "threads")]
        event_loop.take_in();
        // SAFETY: a loop that runs was started.
        let first = unsafe { event_loop.timers.next_deadline() };
        let wait = if event_loop.has_ready() || event_loop.is_stopping() {
            Wait::No
        } else {
            match limit {
                Wait::No => Wait::No,
                limit if first.is_never() => limit,
                Wait::Until(limit) => Wait::Until(first.min(limit)),
                Wait::Forever => Wait::Until(first),
            }
        };
        self.select(wait)?;
        Ok(self.fire_due(first))
    }

    fn select(&self, wait: Wait) -> Result<(), RunError> {
        let event_loop = self.event_loop;
        event_loop.trace.begin_select(event_loop, wait);
        #[cfg(feature = "threads")]
        let result = {
            let result = self.backend.select(event_loop, event_loop.prepare_to_sleep(wait));
            event_loop.awake();
            result
        };
        #[cfg(not(feature = "threads"))]
        let result = self.backend.select(event_loop, wait);
        event_loop.trace.end_select(event_loop, wait);
        result.map_err(|error| match error {
            SelectError::NothingToWaitFor => RunError::NothingToWaitFor,
            SelectError::Os(code) => RunError::Select(code),
        })
    }

    /// Makes due timers ready, when the first may be so at `first`.
    fn fire_due(&self, first: Instant) -> u32 {
        let mut fired = 0;
        if !first.is_never() {
            let now = self.backend.now();
            let mut all_fired = false;
            while !all_fired {
                contain(Some(self.event_loop), "a waker panicked", || {
                    // SAFETY: a loop that runs was started.
                    while let Some(node) = unsafe { self.event_loop.timers.pop_due(now) } {
                        self.event_loop.trace.timer_fired(self.event_loop, node);
                        fired += 1;
                        // SAFETY: only timers are put there.
                        unsafe { Timer::fire(node) };
                    }
                    all_fired = true;
                });
            }
        }
        fired
    }

    /// Turns until a stop.
    fn run(&self) -> Result<(), RunError> {
        let result = self.run_turns();
        self.event_loop.clear_stopping();
        result
    }

    fn run_turns(&self) -> Result<(), RunError> {
        let event_loop = self.event_loop;
        let budget = budget(self.backend);
        loop {
            self.look(Wait::Forever)?;
            let mut busy = Busy::new(budget);
            loop {
                event_loop.run_batch(busy.left());
                if event_loop.is_stopping() && event_loop.batch_is_empty() {
                    return Ok(());
                }
                #[cfg(feature = "threads")]
                event_loop.take_in();
                if !event_loop.has_ready() || busy.is_over(self.backend) {
                    break;
                }
            }
        }
    }
}
