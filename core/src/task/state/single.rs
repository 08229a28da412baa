//! The state of a task on one thread of control and its interrupts.
//!
//! Only the *queued* mark is shared with interrupts: a wake is one test-and-set
//! and, if the mark was clear, one push. Tasks in statics live for ever, so
//! without `alloc` wakers count nothing; with it there is one atomic count.
//!
//! # Invariants
//!
//! * **Counted** (with `alloc`): every waker and handle, and the loop until
//!   the task is done and out of the ready queue, owns one reference. A
//!   static's count never gets to zero.
//! * **Home Only**: all but the mark and the count is for the loop's code,
//!   never for an interrupt.

use super::{DONE, HANDLE, QUEUED};
use crate::atomic::{AtomicBool, Ordering, test_and_set};
use crate::task::header::Header;
use crate::trace;
use core::cell::Cell;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU8, compiler_fence};

/// How many `cancel`s stand.
const CANCELS: u8 = 15;
/// The number of the cancel message.
#[cfg(not(feature = "alloc"))]
const MESSAGE: u8 = 15 * MESSAGE_ONE;
#[cfg(not(feature = "alloc"))]
const MESSAGE_ONE: u8 = 1 << 4;

/// A flag beside those that both forms of the state have: `abort` was called
/// while the task ran.
const ABORTED: u8 = 1 << 5;

pub(crate) struct State {
    queued: AtomicBool,
    flags: AtomicU8,
    /// Tells tasks apart that were started in one static: odd while one is
    /// there, even while none is.
    generation: Cell<u8>,
    /// In the lower half how many cancels stand, in the upper the number of their message.
    cancels: Cell<u8>,
    #[cfg(feature = "alloc")]
    references: core::sync::atomic::AtomicUsize,
}

impl State {
    /// All zero, for statics: no task yet.
    pub(crate) const fn unset() -> State {
        State {
            queued: AtomicBool::new(false),
            flags: AtomicU8::new(0),
            generation: Cell::new(0),
            cancels: Cell::new(0),
            #[cfg(feature = "alloc")]
            references: core::sync::atomic::AtomicUsize::new(0),
        }
    }

    /// A task with `references` and `flags`.
    #[cfg(feature = "alloc")]
    pub(crate) fn new(references: u32, flags: u8) -> State {
        let state = State::unset();
        state.references.store(references as usize, Ordering::Relaxed);
        state.queued.store(flags & QUEUED != 0, Ordering::Relaxed);
        state.flags.store(flags & !QUEUED, Ordering::Relaxed);
        state
    }

    /// Starts a task in a static, not queued. References that earlier tasks
    /// left behind stay counted. *Home Only*.
    pub(crate) fn restart(&self, flags: u8) {
        #[cfg(feature = "alloc")]
        crate::atomic::add(&self.references, 1);
        self.generation.set(self.generation.get().wrapping_add(1));
        self.cancels.set(0);
        self.flags.store(flags, Ordering::Relaxed);
    }

    /// Whether any of `flags` is set.
    #[inline]
    pub(crate) fn has(&self, flags: u8) -> bool {
        // An atomic load is never optimised away; so only those that are needed.
        flags & !QUEUED != 0 && self.flags.load(Ordering::Relaxed) & flags & !QUEUED != 0
            || flags & QUEUED != 0 && self.queued.load(Ordering::Relaxed)
    }

    /// Whether no task is here: none was, or the last one has
    /// [finished](Self::finish), is out of the ready queue and has no handle.
    #[inline]
    pub(crate) fn is_free(&self) -> bool {
        self.generation.get() & 1 == 0 && !self.has(HANDLE) && !self.has(QUEUED)
    }

    /// Notes that nothing of the task is here any more. `DONE` is too early
    /// for that: what is dropped with the future may want a place for a task.
    #[inline]
    pub(crate) fn finish(&self) {
        self.generation.set(self.generation.get().wrapping_add(1));
    }

    /// Sets flags other than `QUEUED`, which a wake sets. *Home Only*.
    #[inline]
    pub(crate) fn set(&self, flags: u8) {
        self.flags.store(self.flags.load(Ordering::Relaxed) | flags, Ordering::Relaxed);
    }

    /// Clears flags other than `QUEUED`, and says which of all were set before.
    /// *Home Only*.
    #[inline]
    pub(crate) fn take(&self, flags: u8) -> u8 {
        let before = self.flags.load(Ordering::Relaxed);
        self.flags.store(before & !flags, Ordering::Relaxed);
        before
    }

    /// Clears flags other than `QUEUED`, which [`dequeue`](Self::dequeue)
    /// clears. *Home Only*.
    #[inline]
    pub(crate) fn clear(&self, flags: u8) {
        self.flags.store(self.flags.load(Ordering::Relaxed) & !flags, Ordering::Relaxed);
    }

    /// Notes that the task is out of the ready queue, and returns its flags.
    #[inline]
    pub(crate) fn dequeue(&self) -> u8 {
        self.queued.store(false, Ordering::Relaxed);
        // What the wakes until now were about is seen by the poll that follows.
        compiler_fence(Ordering::SeqCst);
        self.flags.load(Ordering::Relaxed)
    }

    pub(crate) fn cancels(&self) -> u8 {
        self.cancels.get() & CANCELS
    }

    /// Counts one `cancel` more; at 15 it stays.
    pub(crate) fn add_cancel(&self) {
        if self.cancels() != CANCELS {
            self.cancels.set(self.cancels.get() + 1);
        }
    }

    /// Takes one `cancel` back and returns how many are left.
    pub(crate) fn remove_cancel(&self) -> u8 {
        if self.cancels() != 0 {
            self.cancels.set(self.cancels.get() - 1);
        }
        self.cancels()
    }

    /// Notes that the task is to end at its next step, whatever catches cancels.
    pub(crate) fn set_aborted(&self) {
        self.set(ABORTED);
    }

    pub(crate) fn is_aborted(&self) -> bool {
        self.has(ABORTED)
    }

    /// The number of the task's cancel message; 0 for none.
    #[cfg(not(feature = "alloc"))]
    pub(crate) fn message(&self) -> u8 {
        self.cancels.get() / MESSAGE_ONE
    }

    /// Remembers the number of a cancel message, at most 15.
    #[cfg(not(feature = "alloc"))]
    pub(crate) fn set_message(&self, number: u8) {
        self.cancels.set((self.cancels.get() & !MESSAGE) | (number * MESSAGE_ONE));
    }

    /// Which of the tasks that were started here this is or was, modulo 128; an odd number.
    pub(crate) fn generation(&self) -> u8 {
        self.generation.get().wrapping_sub(1) | 1
    }
}

/// Makes the task ready; from code or from an interrupt.
///
/// # Safety
///
/// The caller owns a reference, or the loop does.
#[inline]
unsafe fn make_ready(task: NonNull<Header>) {
    // SAFETY: alive, by the caller's reference.
    let header = unsafe { task.as_ref() };
    let state = &header.state;
    // Most wakes in vain are of queued tasks: those are over soonest.
    if !state.has(QUEUED) && !state.has(DONE) && !test_and_set(&state.queued) {
        // SAFETY: Outlives Tasks (EventLoop); In One Chain by the mark just
        // set; Alive In Chain because a queued task is not freed.
        unsafe {
            header.owner().ready.push(task.cast());
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
#[inline]
pub(crate) unsafe fn retain(_task: NonNull<Header>) {
    #[cfg(feature = "alloc")]
    // SAFETY: alive, by the caller's reference.
    crate::atomic::add(unsafe { &_task.as_ref().state.references }, 1);
}

/// Gives a reference up.
///
/// # Safety
///
/// The caller owns it.
#[inline]
pub(crate) unsafe fn release(_task: NonNull<Header>) {
    #[cfg(feature = "alloc")]
    {
        // SAFETY: alive, by the caller's reference.
        let references = unsafe { &_task.as_ref().state.references };
        if crate::atomic::sub(references, 1) == 1 {
            // SAFETY: Counted: nobody is left.
            unsafe { super::free(_task) }
        }
    }
}

/// [`release`] by the loop's own code.
///
/// # Safety
///
/// The caller owns the reference.
#[inline]
pub(crate) unsafe fn release_home(task: NonNull<Header>) {
    // SAFETY: passed on.
    unsafe { release(task) }
}

/// A waker's `wake`: makes the task ready and gives the reference up.
///
/// # Safety
///
/// The caller owns the reference.
#[cfg(feature = "alloc")]
#[inline]
pub(crate) unsafe fn wake(task: NonNull<Header>) {
    // SAFETY: passed on.
    unsafe {
        make_ready(task);
        release(task);
    }
}

/// A waker's `wake_by_ref`: makes the task ready.
///
/// # Safety
///
/// The caller owns a reference.
#[inline]
pub(crate) unsafe fn wake_by_ref(task: NonNull<Header>) {
    // SAFETY: passed on.
    unsafe { make_ready(task) }
}
