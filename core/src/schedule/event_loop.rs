//! The event loop itself and its life.
//!
//! ```text
//!            run_* / turn
//!   open ─────────────────▶ running ──── stop, done ───▶ open
//!    │                         │
//!    │ close                   │ close: refused
//!    ▼                         ▼
//!  closed                   running
//! ```
//!
//! # Invariants
//!
//! * **Outlives Tasks**: a loop is in memory while any task header names it.
//!   A static loop always is. A loop on the heap counts, when it closes, each
//!   task that somebody still refers to.
//! * **One Thread**: everything but the inbox is used on the loop's thread only.

use super::contain;
#[cfg(feature = "alloc")]
use super::hooks::Hooks;
use super::node::{Chain, Node};
use super::ready::ReadyQueue;
use super::timer::Timer;
use super::timers::Timers;
use crate::error::RunError;
use crate::io::Backend;
use crate::task::header::Header;
use crate::task::list::TaskList;
use crate::time::Instant;
use crate::trace::TracePoints;
use core::cell::Cell;
use core::ptr::{NonNull, null};

#[cfg(feature = "threads")]
use super::inbox::Inbox;
#[cfg(feature = "threads")]
use crate::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The loop has been told to stop at the end of the batch.
const STOPPING: u8 = 1 << 0;
/// The loop is closed.
const CLOSED: u8 = 1 << 1;
/// Tasks are created by way of a factory, or with a context.
#[cfg(feature = "alloc")]
const CREATES_OTHERWISE: u8 = 1 << 3;
/// A node that runs is a callback: in the lowest bit of its address, which is
/// aligned to four bytes or more.
const IS_CALLBACK: usize = 1;
/// Some `run_*` or `turn` is active.
const RUNNING: u8 = 1 << 2;

#[cfg(feature = "threads")]
type BackendRef = alloc::rc::Rc<dyn Backend>;
#[cfg(not(feature = "threads"))]
type BackendRef = &'static dyn Backend;

/// PEP 3156's event loop.
///
/// Where there are threads, make one with
/// [`LoopRef::new`](super::LoopRef::new). Where there are none, put it in a
/// `static` and `start` it:
///
/// ```ignore
/// static LOOP: EventLoop = EventLoop::new();
/// let event_loop = LOOP.start(&BOARD)?;
/// ```
///
/// asyncio: `AbstractEventLoop`.
// As written: a wake finds the ready queue at the loop's own address.
#[repr(C)]
pub struct EventLoop {
    pub(crate) ready: ReadyQueue,
    pub(super) batch: Cell<Chain>,
    /// What runs or, between batches, what ran last; null while the loop does
    /// not run. For a callback with a mark ([`runs_callback`](Self::runs_callback)).
    pub(super) running_node: Cell<*const Node>,
    pub(crate) timers: Timers,
    flags: Cell<u8>,
    pub(crate) tasks: TaskList,
    pub(crate) trace: TracePoints,
    backend: Cell<Option<BackendRef>>,
    #[cfg(feature = "alloc")]
    pub(super) hooks: Hooks,
    #[cfg(feature = "threads")]
    pub(crate) ended: crate::task::ended::EndedTasks,
    #[cfg(feature = "threads")]
    pub(crate) inbox: Inbox,
    /// The thread that the loop belongs to; 0 once it is closed.
    #[cfg(feature = "threads")]
    home: AtomicUsize,
    /// Set before the loop looks at its inbox for the last time and sleeps.
    #[cfg(feature = "threads")]
    pub(super) asleep: AtomicBool,
    #[cfg(feature = "threads")]
    pub(super) unparker: super::remote::Unparker,
    #[cfg(feature = "threads")]
    pub(crate) default_executor: crate::executor::DefaultExecutor,
    /// `LoopRef`s, on the loop's thread.
    #[cfg(feature = "threads")]
    pub(super) handles: Cell<usize>,
    /// `Remote`s, orphaned tasks, and one for all `LoopRef`s together.
    #[cfg(feature = "threads")]
    pub(super) references: AtomicUsize,
}

#[cfg(all(not(feature = "alloc"), not(feature = "trace"), target_pointer_width = "32"))]
const _: () = assert!(size_of::<EventLoop>() == 40);

#[cfg(not(feature = "threads"))]
// SAFETY: there is one thread of control; interrupts touch `ready` alone,
// which is made for it.
unsafe impl Sync for EventLoop {}

impl EventLoop {
    /// A loop that has no backend yet: all zero, for a static.
    #[cfg(not(feature = "threads"))]
    pub const fn new() -> EventLoop {
        EventLoop {
            ready: ReadyQueue::new(),
            batch: Cell::new(Chain::EMPTY),
            running_node: Cell::new(null()),
            timers: Timers::new(),
            flags: Cell::new(0),
            tasks: TaskList::new(),
            trace: TracePoints::new(),
            backend: Cell::new(None),
            #[cfg(feature = "alloc")]
            hooks: Hooks::new(),
        }
    }

    #[cfg(feature = "threads")]
    pub(super) fn new(backend: BackendRef) -> EventLoop {
        super::exception::contain_foreign_wakers();
        EventLoop {
            ready: ReadyQueue::new(),
            batch: Cell::new(Chain::EMPTY),
            running_node: Cell::new(null()),
            timers: Timers::new(),
            flags: Cell::new(0),
            tasks: TaskList::new(),
            trace: TracePoints::new(),
            backend: Cell::new(Some(backend)),
            hooks: Hooks::new(),
            ended: crate::task::ended::EndedTasks::new(),
            inbox: Inbox::new(),
            home: AtomicUsize::new(crate::platform::thread_token()),
            asleep: AtomicBool::new(false),
            unparker: super::remote::Unparker::new(),
            default_executor: crate::executor::DefaultExecutor::new(),
            handles: Cell::new(1),
            references: AtomicUsize::new(1),
        }
    }

    /// Gives a static loop its backend; from then on it can be used.
    ///
    /// Without the feature `alloc`, one loop at a time is open.
    ///
    /// # Errors
    ///
    /// [`RunError::Closed`] after `close`; [`RunError::OtherLoopOpen`].
    #[cfg(not(feature = "threads"))]
    pub fn start(&'static self, backend: BackendRef) -> Result<super::LoopRef, RunError> {
        if self.is_closed() {
            return Err(RunError::Closed);
        }
        if !crate::platform::may_open(self) {
            return Err(RunError::OtherLoopOpen);
        }
        self.backend.set(Some(backend));
        self.timers.start();
        Ok(super::LoopRef::of_static(self))
    }

    /// The time on the loop's clock. asyncio: `loop.time()`.
    ///
    /// The clock's start, before the loop has a backend.
    #[inline]
    pub fn time(&self) -> Instant {
        match self.backend() {
            Some(backend) => backend.now(),
            None => Instant::ZERO,
        }
    }

    /// [`time`](Self::time) of a loop that runs.
    ///
    /// # Safety
    ///
    /// It runs: then it has a backend, because `enter` saw one.
    #[inline]
    pub(crate) unsafe fn time_while_running(&self) -> Instant {
        // SAFETY: the caller's promise.
        unsafe { self.backend().unwrap_unchecked() }.now()
    }

    /// The earliest time at which a timer fires; `None` when none is set.
    ///
    /// For a host that drives the loop with [`turn`](Self::turn).
    #[inline]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.backend()?;
        // SAFETY: with a backend it was started.
        Some(unsafe { self.timers.next_deadline() }).filter(|when| !when.is_never())
    }

    /// Whether callbacks or tasks wait for the next batch.
    ///
    /// A selector that is about to sleep with interrupts masked asks this last.
    #[inline]
    pub fn has_ready(&self) -> bool {
        !self.ready.is_empty() || !self.batch_is_empty()
    }

    /// Ends `run_forever` when the present batch is through; called before
    /// it, lets it run one batch. asyncio: `loop.stop()`.
    pub fn stop(&self) {
        self.raise(STOPPING);
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.flags.get() & STOPPING != 0
    }

    pub(crate) fn clear_stopping(&self) {
        self.lower(STOPPING);
    }

    /// Whether some `run_*` or `turn` is active. asyncio: `loop.is_running()`.
    pub fn is_running(&self) -> bool {
        self.flags.get() & RUNNING != 0
    }

    /// Whether it was closed. asyncio: `loop.is_closed()`.
    #[inline]
    pub fn is_closed(&self) -> bool {
        self.flags.get() & CLOSED != 0
    }

    fn raise(&self, flag: u8) {
        self.flags.set(self.flags.get() | flag);
    }

    fn lower(&self, flag: u8) {
        self.flags.set(self.flags.get() & !flag);
    }

    #[inline]
    pub(crate) fn is_running_node(&self, node: NonNull<Node>) -> bool {
        core::ptr::eq(self.running_node.get(), node.as_ptr())
    }

    /// Whether tasks are created by way of a factory, or with a context.
    #[cfg(feature = "alloc")]
    #[inline]
    pub(crate) fn creates_otherwise(&self) -> bool {
        self.flags.get() & CREATES_OTHERWISE != 0
    }

    #[cfg(feature = "alloc")]
    pub(super) fn set_creates_otherwise(&self, otherwise: bool) {
        if otherwise { self.raise(CREATES_OTHERWISE) } else { self.lower(CREATES_OTHERWISE) }
    }

    /// Marks what runs as a callback. Every node that is no task's does so before
    /// it calls anybody: else it would be taken for one.
    #[inline]
    pub(crate) fn runs_callback(&self) {
        self.running_node.set(self.running_node.get().map_addr(|node| node | IS_CALLBACK));
    }

    /// The node that runs, whatever it is.
    #[cfg(feature = "threads")]
    pub(super) fn take_running_node(&self) -> Option<NonNull<Node>> {
        let node = self.running_node.replace(null()).map_addr(|node| node & !IS_CALLBACK);
        NonNull::new(node.cast_mut())
    }

    /// The task that runs, if it is not a callback that does.
    #[inline]
    pub(crate) fn running_task(&self) -> Option<NonNull<Header>> {
        let node = self.running_node.get();
        if node.addr() & IS_CALLBACK != 0 { None } else { NonNull::new(node.cast_mut().cast()) }
    }

    /// Makes this the running loop of the thread until the result is dropped.
    pub(super) fn enter(&self) -> Result<Running<'_>, RunError> {
        if self.is_closed() {
            return Err(RunError::Closed);
        }
        if crate::platform::runs_one(self) {
            return Err(RunError::AlreadyRunning);
        }
        let Some(backend) = self.backend() else {
            return Err(RunError::NoBackend);
        };
        crate::platform::set_current(self);
        self.raise(RUNNING);
        Ok(Running { event_loop: self, backend })
    }

    #[inline]
    pub(super) fn backend(&self) -> Option<&dyn Backend> {
        // SAFETY: set once, when the loop is made or started, and never taken
        // out; One Thread.
        unsafe { (*self.backend.as_ptr()).as_ref() }.map(|backend| &**backend)
    }

    /// The loop's backend, if it is a `B`: how a backend's sources find their
    /// selector in the loop that runs.
    #[cfg(feature = "threads")]
    pub fn backend_as<B: Backend>(&self) -> Option<&B> {
        let backend: &dyn core::any::Any = self.backend()?;
        backend.downcast_ref()
    }

    /// Whether this is the loop's thread, and the loop is open.
    #[cfg(feature = "threads")]
    #[inline]
    pub(crate) fn is_home(&self) -> bool {
        self.home.load(Ordering::Relaxed) == crate::platform::thread_token()
    }

    /// Closes the loop: ready callbacks and timers are dropped without running,
    /// unfinished tasks are dropped where they wait. Closing again does nothing.
    ///
    /// asyncio: `loop.close()`.
    ///
    /// # Errors
    ///
    /// [`RunError::AlreadyRunning`] while it runs; it then goes on running.
    /// Where there is a heap, also in a destructor of what an aborted task held.
    pub fn close(&self) -> Result<(), RunError> {
        if self.is_running() {
            return Err(RunError::AlreadyRunning);
        }
        if self.is_closed() {
            return Ok(());
        }
        #[cfg(feature = "alloc")]
        if self.tasks.has_ending() {
            // Who ends it has yet to take it out of the list of a loop that is open.
            return Err(RunError::AlreadyRunning);
        }
        self.raise(CLOSED);
        if let Some(backend) = self.backend() {
            contain(Some(self), "closing the selector panicked", || backend.close());
        }
        #[cfg(feature = "threads")]
        self.close_inbox();
        // What is dropped may wake and cancel; nothing new is accepted, and
        // what is made ready meanwhile is discarded in the next round.
        loop {
            let mut chain = self.batch.replace(Chain::EMPTY);
            if chain.is_empty() {
                chain = self.ready.take();
            }
            if chain.is_empty() {
                break;
            }
            self.discard(chain);
        }
        while let Some(node) = self.timers.pop_any() {
            // A task's waker queues the task, a callback's the callback.
            // SAFETY: only timers are put there.
            contain(Some(self), "a waker panicked", || unsafe { Timer::fire(node) });
        }
        #[cfg(not(feature = "threads"))]
        self.tasks.turn_round();
        while let Some(task) = self.tasks.next_unfinished() {
            // SAFETY: unfinished, so the loop's reference stands.
            unsafe { crate::task::cell::abort_or_cancel(task) };
        }
        self.discard(self.ready.take());
        self.unhook();
        #[cfg(feature = "threads")]
        {
            self.orphan_tasks();
            self.close_default_executor();
        }
        self.trace.loop_closed(self);
        Ok(())
    }

    pub(super) fn discard(&self, mut chain: Chain) {
        // SAFETY: Alive In Chain: it came from the ready queue.
        while let Some(node) = unsafe { chain.pop() } {
            // SAFETY: as above; Right Table.
            let discard = || unsafe { (node.as_ref().table().discard)(node, self) };
            #[cfg(feature = "threads")]
            if let Err(payload) = crate::platform::catch_unwind(&mut { discard }) {
                self.report_panic("dropping a callback panicked", &payload);
            }
            #[cfg(not(feature = "threads"))]
            discard();
        }
    }
}

#[cfg(not(feature = "threads"))]
impl Default for EventLoop {
    fn default() -> EventLoop {
        EventLoop::new()
    }
}

/// The loop runs on this thread while this lives.
pub(super) struct Running<'a> {
    pub(super) event_loop: &'a EventLoop,
    pub(super) backend: &'a dyn Backend,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.event_loop.trace.end_turn(self.event_loop, 0);
        self.event_loop.running_node.set(null());
        self.event_loop.lower(RUNNING);
        crate::platform::set_current(null());
    }
}

#[cfg(feature = "threads")]
impl EventLoop {
    /// Takes in what other threads left.
    #[inline]
    pub(super) fn take_in(&self) {
        if !self.inbox.is_empty() {
            self.take_in_entries(self.inbox.take());
        }
    }

    #[cold]
    fn take_in_entries(&self, entries: super::inbox::Entries) {
        for entry in entries {
            match entry {
                // SAFETY: just taken from this loop's inbox.
                super::inbox::Entry::Task(task) => unsafe {
                    crate::task::state::take_in(task, self);
                },
                // SAFETY: as above.
                super::inbox::Entry::Posted(posted) => unsafe {
                    super::posted::take_in(posted, self);
                },
            }
        }
    }

    fn close_inbox(&self) {
        self.take_in_entries(self.inbox.close());
    }

    /// Leaves what is left of the tasks to those who still refer to them.
    fn orphan_tasks(&self) {
        self.home.store(0, Ordering::Relaxed);
        while let Some(task) = self.ended.take_first() {
            // Outlives Tasks: counted before the orphan can be freed.
            self.references.fetch_add(1, Ordering::Relaxed);
            // SAFETY: done, in no chain, the inbox is closed; the loop's
            // reference was given up when it was done.
            unsafe { crate::task::state::orphan(task) };
        }
    }

    /// Gives the memory of a task back, and the loop's with it if this was
    /// the last that needed it.
    ///
    /// # Safety
    ///
    /// Nobody refers to the task; it was made for the loop that its header names.
    pub(crate) unsafe fn forget_task<F: core::future::Future>(
        task: alloc::boxed::Box<crate::task::cell::TaskCell<F>>,
    ) {
        // SAFETY: Outlives Tasks.
        let owner: &EventLoop = unsafe { task.header.owner() };
        let home = owner.is_home();
        if home {
            owner.ended.remove(&task.header);
        }
        drop(task);
        if !home {
            // SAFETY: the reference that `orphan_tasks` counted for it.
            unsafe { super::loop_ref::release(NonNull::from(owner)) };
        }
    }
}

impl core::fmt::Debug for EventLoop {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("EventLoop")
            .field("running", &self.is_running())
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}
