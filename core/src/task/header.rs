//! The head of every task: what the loop needs to know of it without knowing
//! the type of its future.
//!
//! ```text
//!  ┌ Header ─────────────────────────────┬ Stage ─────────────────┐
//!  │ node │ owner │ state │ joiner │ list │ future, then output    │
//!  └──────────────────────────────────────┴────────────────────────┘
//! ```
//!
//! # Invariants
//!
//! * **Same Type**: a header's table was made for the future type of the
//!   [`TaskCell`](super::cell) that it heads.
//! * **Stage**: the stage holds the future while `DONE` is clear, the output
//!   (or panic payload) while `OUTPUT` is set, and nothing otherwise.

use super::cancel::CancelMessage;
#[cfg(feature = "alloc")]
use super::cancel::scope::Scope;
#[cfg(feature = "alloc")]
use super::extras::Extras;
use super::joiner::Joiner;
use super::list::Links;
use super::owner::Owner;
use super::state::{self, State};
use crate::schedule::EventLoop;
use crate::schedule::node::{Node, NodeVTable};
use core::mem::ManuallyDrop;
use core::ptr::NonNull;
use core::task::{RawWaker, RawWakerVTable, Waker};

/// What can be done to a task whose type is forgotten.
#[repr(C)]
pub(crate) struct TaskVTable {
    /// What can be done to any node. First, so that a node's table is a task's.
    pub(crate) node: NodeVTable,
    /// Drops the future.
    pub(crate) drop_future: unsafe fn(NonNull<()>),
    /// How many bytes after the header's beginning the stage begins.
    pub(crate) stage: usize,
    /// Gives the memory back.
    #[cfg(feature = "alloc")]
    pub(crate) free: unsafe fn(NonNull<Header>),
}

/// The head of a task.
#[repr(C)]
pub(crate) struct Header {
    node: Node,
    owner: Owner,
    pub(crate) state: State,
    pub(crate) joiner: Joiner,
    pub(crate) links: Links,
}

#[cfg(all(feature = "threads", not(loom), target_pointer_width = "64"))]
const _: () = assert!(size_of::<Header>() == 64);

#[cfg(all(not(feature = "alloc"), target_pointer_width = "32"))]
const _: () = assert!(size_of::<Header>() == 24);

/// A header's table.
///
/// # Safety
///
/// `task` is alive and its table is set.
#[inline]
pub(crate) unsafe fn table(task: NonNull<Header>) -> &'static TaskVTable {
    // SAFETY: the caller's promise.
    let table = unsafe { task.as_ref().node.table() };
    // SAFETY: Right Table (schedule::node) and `repr(C)`: the node's part is
    // the first field of a TaskVTable.
    unsafe { &*core::ptr::from_ref(table).cast::<TaskVTable>() }
}

/// Where the stage of `task` is.
///
/// # Safety
///
/// As for [`table`].
#[inline]
pub(crate) unsafe fn stage(task: NonNull<Header>) -> NonNull<()> {
    // SAFETY: Same Type: the table's number is right for this task's memory.
    unsafe { task.cast::<()>().byte_add(table(task).stage) }
}

impl Header {
    /// All zero, for statics: no task yet.
    #[cfg(not(feature = "threads"))]
    pub(crate) const fn unset() -> Header {
        Header {
            node: Node::unset(),
            owner: Owner::none(),
            state: State::unset(),
            joiner: Joiner::new(),
            links: Links::new(),
        }
    }

    /// A task of `owner`, queued, with these references and flags.
    #[cfg(feature = "alloc")]
    pub(crate) fn new(
        table: &'static TaskVTable,
        owner: &EventLoop,
        references: u32,
        flags: u8,
    ) -> Header {
        Header {
            node: Node::new(&table.node),
            owner: Owner::new(owner),
            state: State::new(references, flags),
            joiner: Joiner::new(),
            links: Links::new(),
        }
    }

    /// Makes a static's header that of a new task of `owner`.
    #[cfg(not(feature = "threads"))]
    pub(crate) fn start(&self, table: &'static TaskVTable, owner: &EventLoop, flags: u8) {
        #[cfg(feature = "alloc")]
        self.joiner.restart();
        self.node.set_vtable(&table.node);
        self.owner.set(owner);
        self.state.restart(flags);
    }

    /// The loop that it belongs to.
    ///
    /// # Safety
    ///
    /// The task was started (*Outlives Tasks*: its loop is in memory while it is).
    #[inline]
    pub(crate) unsafe fn owner<'a>(&self) -> &'a EventLoop {
        // SAFETY: the caller's promise.
        unsafe { self.owner.get() }
    }

    #[inline]
    pub(crate) fn is_owned_by(&self, event_loop: &EventLoop) -> bool {
        self.owner.is(event_loop)
    }

    #[inline]
    pub(crate) fn has(&self, flags: u8) -> bool {
        self.state.has(flags)
    }

    #[inline]
    pub(crate) fn set(&self, flags: u8) {
        self.state.set(flags);
    }

    #[inline]
    pub(crate) fn clear(&self, flags: u8) {
        self.state.clear(flags);
    }
}

#[cfg(feature = "alloc")]
impl Header {
    /// The first of the scopes that the task is in; null when it is in none.
    pub(crate) fn first_scope(&self) -> *const Scope {
        self.joiner.first_scope()
    }

    /// Makes `scope`, which is alive, the first; null takes the last one out.
    pub(crate) fn set_first_scope(&self, scope: *const Scope) {
        self.joiner.set_first_scope(scope);
    }

    /// Whether `all_tasks` leaves it out.
    pub(crate) fn is_hidden(&self) -> bool {
        self.joiner.extras().is_some_and(Extras::is_hidden)
    }

    /// What the cancel that was asked for last says, taken out.
    pub(crate) fn take_message(&self) -> Option<CancelMessage> {
        self.joiner.extras()?.message.take()
    }

    /// Remembers what a cancel says.
    pub(crate) fn set_message(&self, message: Option<CancelMessage>) {
        match message {
            None => drop(self.take_message()),
            message => self.joiner.extras_or_new().message.set(message),
        }
    }
}

#[cfg(not(feature = "alloc"))]
impl Header {
    /// What the cancel that was asked for last says, taken out.
    pub(crate) fn take_message(&self) -> Option<CancelMessage> {
        let number = self.state.message();
        self.state.set_message(0);
        CancelMessage::of_number(number)
    }

    /// Remembers what a cancel says.
    pub(crate) fn set_message(&self, message: Option<CancelMessage>) {
        self.state.set_message(message.map_or(0, CancelMessage::number));
    }
}

/// The wakers of all tasks. A static, so that its address tells them from others'.
static WAKER: RawWakerVTable = RawWakerVTable::new(
    |task| {
        // SAFETY: a waker's data is a task that it owns a reference to.
        unsafe { state::retain(from_data(task)) };
        RawWaker::new(task, &WAKER)
    },
    wake,
    wake_by_ref,
    // SAFETY: as above.
    |task| unsafe { state::release(from_data(task)) },
);

/// A waker's `wake`, which gives the waker's reference up.
#[cfg(feature = "alloc")]
unsafe fn wake(task: *const ()) {
    // SAFETY: a waker's data is a task that it owns a reference to.
    unsafe { state::wake(from_data(task)) }
}

/// Without `alloc` wakers own nothing that could be given up.
#[cfg(not(feature = "alloc"))]
use wake_by_ref as wake;

/// A waker's `wake_by_ref`.
///
/// # Safety
///
/// `task` is a task that somebody owns a reference to.
#[cfg_attr(not(feature = "threads"), inline(never))]
pub(crate) unsafe fn wake_by_ref(task: *const ()) {
    // SAFETY: the caller's promise; the reference stays.
    unsafe { state::wake_by_ref(from_data(task)) }
}

#[inline]
unsafe fn from_data(data: *const ()) -> NonNull<Header> {
    // SAFETY: data is a task's address, never null.
    unsafe { NonNull::new_unchecked(data.cast_mut().cast()) }
}

/// A waker of `task` that owns no reference, for one poll.
///
/// # Safety
///
/// The task outlives the result.
#[inline]
pub(crate) unsafe fn borrowed_waker(task: NonNull<Header>) -> ManuallyDrop<Waker> {
    // SAFETY: the table's functions keep `Waker`'s contract; not dropped, so
    // no reference that was never made is given up.
    ManuallyDrop::new(unsafe { Waker::new(task.as_ptr().cast_const().cast(), &WAKER) })
}

/// Whether `waker` is one of `task`.
pub(crate) fn is_waker_of(waker: &Waker, task: NonNull<Header>) -> bool {
    task_of(waker) == Some(task)
}

/// The task that `waker` wakes, when it is one of ours.
pub(crate) fn task_of(waker: &Waker) -> Option<NonNull<Header>> {
    if core::ptr::eq(waker.vtable(), &WAKER) {
        // SAFETY: our table's data.
        Some(unsafe { from_data(waker.data()) })
    } else {
        None
    }
}
