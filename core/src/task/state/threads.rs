//! The state of a task whose wakers travel between threads.
//!
//! Wakes and waker copies on the loop's own thread are far the most common,
//! so they pay for no atomic operation: the count of references is the **sum**
//! of two, a plain one that only the loop's thread touches and an atomic one
//! for everybody else. Either may be negative (a waker made here and dropped
//! there); their sum is exact, and only the loop's thread can form it. So
//! another thread that drops what may be the last reference frees nothing. A
//! task that is done but still referred to is in the loop's list of
//! [ended tasks](crate::task::ended), where the loop finds it when its own last
//! reference goes, or when it next sweeps the list.
//!
//! The atomic word:
//!
//! ```text
//!  31                          8 7      3   2      1       0
//! ┌──────────────────────────────┬─────────┬────────┬───────┬───────┐
//! │ references, signed           │ cancels │ ORPHAN │ABORTED│ INBOX │
//! └──────────────────────────────┴─────────┴────────┴───────┴───────┘
//! ```
//!
//! * `INBOX`: it was woken and is in the inbox, which holds one reference. Set
//!   by the thread that pushes it; cleared by the loop when it takes it.
//! * `ORPHAN`: its loop is closed. The plain count has been added to this one,
//!   which is now the whole count; whoever drops the last reference frees.
//! * `ABORTED`: `abort` was called while it ran (loop's thread only).
//! * cancels: how many `cancel`s stand (loop's thread only), at most 31.
//!
//! # Invariants
//!
//! * **Counted**: every waker, handle, inbox entry, and the loop (until the
//!   task is done and out of the ready queue) owns one reference.
//! * **Home Only**: the plain word is read and written on the loop's thread only.
//! * **Orphan Last**: `ORPHAN` is set once, by the loop's thread, after which
//!   that thread too uses the atomic word only.

use super::{DONE, QUEUED, free};
use crate::atomic::{AtomicU32, Ordering};
use crate::schedule::EventLoop;
use crate::schedule::inbox::{Entry, InboxLink};
use crate::task::header::Header;
use crate::trace;
use core::cell::Cell;
use core::ptr::NonNull;

const INBOX: u32 = 1 << 0;
const ABORTED: u32 = 1 << 1;
const ORPHAN: u32 = 1 << 2;
const CANCEL_ONE: u32 = 1 << 3;
const CANCEL_BITS: u32 = 31 << 3;
const REF: u32 = 1 << 8;
/// So far from overflow that no sum of the two counts can reach it.
const REF_LIMIT: i32 = 1 << 22;

/// The references counted in `word`.
fn refs(word: u32) -> i32 {
    (word as i32) >> 8
}

pub(crate) struct State {
    local: Cell<u32>,
    remote: AtomicU32,
    inbox_link: InboxLink,
}

impl State {
    /// A task with `references` and `flags`.
    pub(crate) fn new(references: u32, flags: u8) -> State {
        State {
            local: Cell::new((references * REF) | u32::from(flags)),
            remote: AtomicU32::new(0),
            inbox_link: InboxLink::new(),
        }
    }

    /// Whether any of `flags` is set. *Home Only*.
    #[inline]
    pub(crate) fn has(&self, flags: u8) -> bool {
        self.local.get() & u32::from(flags) != 0
    }

    /// Sets flags. *Home Only*.
    #[inline]
    pub(crate) fn set(&self, flags: u8) {
        self.local.set(self.local.get() | u32::from(flags));
    }

    /// Clears flags, and says which of all were set before. *Home Only*.
    #[inline]
    pub(crate) fn take(&self, flags: u8) -> u8 {
        let before = self.local.get();
        self.local.set(before & !u32::from(flags));
        before as u8
    }

    /// Clears flags. *Home Only*.
    #[inline]
    pub(crate) fn clear(&self, flags: u8) {
        self.local.set(self.local.get() & !u32::from(flags));
    }

    /// Notes that the task is out of the ready queue, and returns its flags. *Home Only*.
    #[inline]
    pub(crate) fn dequeue(&self) -> u8 {
        let local = self.local.get() & !u32::from(QUEUED);
        self.local.set(local);
        local as u8
    }

    pub(crate) fn cancels(&self) -> u8 {
        ((self.remote.load(Ordering::Relaxed) & CANCEL_BITS) / CANCEL_ONE) as u8
    }

    /// Counts one `cancel` more; at 31 it stays.
    pub(crate) fn add_cancel(&self) {
        if self.cancels() < 31 {
            self.remote.fetch_add(CANCEL_ONE, Ordering::Relaxed);
        }
    }

    /// Takes one `cancel` back and returns how many are left.
    pub(crate) fn remove_cancel(&self) -> u8 {
        match self.cancels() {
            0 => 0,
            count => {
                self.remote.fetch_sub(CANCEL_ONE, Ordering::Relaxed);
                count - 1
            }
        }
    }

    /// Notes that the task is to end at its next step, whatever catches cancels.
    pub(crate) fn set_aborted(&self) {
        self.remote.fetch_or(ABORTED, Ordering::Relaxed);
    }

    pub(crate) fn is_aborted(&self) -> bool {
        self.remote.load(Ordering::Relaxed) & ABORTED != 0
    }

    /// Whether nobody refers to the task any more. *Home Only*.
    #[inline]
    pub(crate) fn is_unreferenced(&self) -> bool {
        // Acquire: what the threads that dropped references did comes before the end.
        let remote = self.remote.load(Ordering::Acquire);
        refs(self.local.get()) + refs(remote) == 0
    }

    pub(crate) fn inbox_link(&self) -> &InboxLink {
        &self.inbox_link
    }
}

/// Whether this is the thread of the task's loop, and the loop is open.
#[inline]
fn is_home<'a>(task: &'a Header) -> Option<&'a EventLoop> {
    // SAFETY: a loop outlives the headers that name it (EventLoop, "Outlives Tasks").
    let owner: &'a EventLoop = unsafe { task.owner() };
    owner.is_home().then_some(owner)
}

/// Makes the task ready. *Home Only*.
///
/// # Safety
///
/// The caller owns a reference, or the loop does.
#[inline]
pub(crate) unsafe fn make_ready(task: NonNull<Header>, owner: &EventLoop) {
    // SAFETY: alive, by the caller's reference.
    let state = unsafe { &task.as_ref().state };
    let local = state.local.get();
    if local & u32::from(QUEUED | DONE) == 0 {
        state.local.set(local | u32::from(QUEUED));
        // SAFETY: In One Chain by the mark just set; Alive In Chain because
        // the loop keeps its reference while QUEUED is set.
        unsafe {
            owner.ready.push(task.cast());
            trace::task_woken(task);
        }
    } else {
        // SAFETY: alive.
        unsafe { trace::task_woken_in_vain(task) };
    }
}

/// Adds a reference.
///
/// # Safety
///
/// The caller owns a reference.
///
/// # Panics
///
/// When one task has more than four million wakers.
#[inline]
pub(crate) unsafe fn retain(task: NonNull<Header>) {
    // SAFETY: alive, by the caller's reference.
    let header = unsafe { task.as_ref() };
    let state = &header.state;
    let before = if is_home(header).is_some() {
        let local = state.local.get();
        state.local.set(local.wrapping_add(REF));
        local
    } else {
        state.remote.fetch_add(REF, Ordering::Relaxed)
    };
    assert!(refs(before) < REF_LIMIT, "more than four million wakers of one task");
}

/// Gives a reference up.
///
/// # Safety
///
/// The caller owns it.
#[inline]
pub(crate) unsafe fn release(task: NonNull<Header>) {
    // SAFETY: alive, by the caller's reference.
    if is_home(unsafe { task.as_ref() }).is_some() {
        // SAFETY: passed on; Home Only holds.
        unsafe { release_home(task) }
    } else {
        // SAFETY: passed on.
        unsafe { release_away(task) }
    }
}

/// [`release`] on the loop's thread.
///
/// # Safety
///
/// The caller owns the reference and is on the loop's thread.
#[inline]
pub(crate) unsafe fn release_home(task: NonNull<Header>) {
    // SAFETY: passed on.
    if unsafe { release_is_last(task) } {
        // SAFETY: Counted: nobody is left.
        unsafe { free(task) }
    }
}

/// Gives a reference up on the loop's thread; true when it was the last, and
/// the caller is to free the task.
///
/// # Safety
///
/// The caller owns the reference and is on the loop's thread.
#[inline]
#[must_use]
pub(crate) unsafe fn release_is_last(task: NonNull<Header>) -> bool {
    // SAFETY: alive, by the caller's reference.
    let state = unsafe { &task.as_ref().state };
    let local = state.local.get().wrapping_sub(REF);
    state.local.set(local);
    refs(local) <= 0 && state.is_unreferenced()
}

/// A waker's `wake`: makes the task ready and gives the reference up.
///
/// # Safety
///
/// The caller owns the reference.
#[inline]
pub(crate) unsafe fn wake(task: NonNull<Header>) {
    // SAFETY: alive, by the caller's reference.
    if let Some(owner) = is_home(unsafe { task.as_ref() }) {
        // SAFETY: passed on; Home Only holds.
        unsafe {
            make_ready(task, owner);
            release_home(task);
        }
    } else {
        // SAFETY: passed on.
        unsafe {
            wake_away(task);
            release_away(task);
        }
    }
}

/// A waker's `wake_by_ref`: makes the task ready.
///
/// # Safety
///
/// The caller owns a reference.
#[inline]
pub(crate) unsafe fn wake_by_ref(task: NonNull<Header>) {
    // SAFETY: alive, by the caller's reference.
    let header = unsafe { task.as_ref() };
    if let Some(owner) = is_home(header) {
        // SAFETY: passed on; Home Only holds.
        unsafe { make_ready(task, owner) }
    } else {
        // SAFETY: passed on.
        unsafe { wake_away(task) }
    }
}

/// `wake_by_ref` from another thread: leaves the task in the loop's inbox.
///
/// # Safety
///
/// The caller owns a reference and keeps it for the time of the call; it is
/// what keeps the loop's inbox and sleeper in memory meanwhile.
#[cold]
unsafe fn wake_away(task: NonNull<Header>) {
    // SAFETY: alive, by the caller's reference.
    let header = unsafe { task.as_ref() };
    // SAFETY: Outlives Tasks, while the caller's reference stands.
    let owner = unsafe { header.owner() };
    let remote = &header.state.remote;
    let mut seen = remote.load(Ordering::Relaxed);
    loop {
        if seen & ORPHAN != 0 {
            return;
        }
        let next = if seen & INBOX == 0 { (seen | INBOX).wrapping_add(REF) } else { seen };
        // Release, even when nothing changes: what this thread did before
        // waking is seen by the poll.
        match remote.compare_exchange_weak(seen, next, Ordering::AcqRel, Ordering::Relaxed) {
            // Whoever set the mark pushes the task and unparks the loop.
            Ok(_) if seen & INBOX != 0 => return,
            Ok(_) => break,
            Err(now) => seen = now,
        }
    }
    // SAFETY: Pushed Once by the INBOX bit that this thread set; Kept Alive by
    // the reference added with it.
    match unsafe { owner.inbox.push(Entry::Task(task)) } {
        Ok(()) => owner.unpark(),
        // The loop closes. SAFETY: the refused reference is ours again.
        Err(_) => unsafe { release_away(task) },
    }
}

/// Gives a reference up on another thread.
///
/// # Safety
///
/// The caller owns it.
#[cold]
unsafe fn release_away(task: NonNull<Header>) {
    // SAFETY: alive, by the caller's reference.
    let before = unsafe { task.as_ref() }.state.remote.fetch_sub(REF, Ordering::AcqRel);
    if before & ORPHAN != 0 && refs(before) == 1 {
        // SAFETY: Orphan Last: the atomic count is the whole count.
        unsafe { free(task) }
    }
}

/// What the loop does with a task out of its inbox. *Home Only*.
///
/// # Safety
///
/// `task` was just taken from the inbox of `owner`.
pub(crate) unsafe fn take_in(task: NonNull<Header>, owner: &EventLoop) {
    // SAFETY: Kept Alive (inbox).
    let state = unsafe { &task.as_ref().state };
    state.remote.fetch_and(!INBOX, Ordering::AcqRel);
    // SAFETY: the inbox's reference passed to us.
    unsafe {
        make_ready(task, owner);
        release_home(task);
    }
}

/// Leaves a task of a closing loop to whoever still refers to it.
///
/// # Safety
///
/// On the loop's thread; the inbox is closed; the task is `DONE` and in no
/// chain, and the loop has given its own reference up.
pub(crate) unsafe fn orphan(task: NonNull<Header>) {
    // SAFETY: the caller's promise.
    let state = unsafe { &task.as_ref().state };
    let local = state.local.get();
    let moved = (local & !0xff).wrapping_add(ORPHAN);
    state.local.set(local & 0xff);
    let before = state.remote.fetch_add(moved, Ordering::AcqRel);
    if refs(before.wrapping_add(moved)) == 0 {
        // SAFETY: Orphan Last, and the count is zero.
        unsafe { free(task) }
    }
}
