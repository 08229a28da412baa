//! A task in memory: its head, and the stage that holds the future and then
//! what it ended with. The same code runs tasks on the heap and in statics.
//!
//! A step of a task is one poll. What ends it:
//!
//! | | outcome |
//! |---|---|
//! | the future is ready | its value, unless a cancel stands: a cancel and a value that arrive together end cancelled |
//! | a cancel was asked for before this step | cancelled; the future is dropped here, not polled |
//! | `abort` | cancelled; dropped at once |
//! | a panic | the panic's payload (platforms that unwind) |

use super::header::{Header, TaskVTable, borrowed_waker, stage, table};
#[cfg(feature = "alloc")]
use super::state::QUEUED;
use super::state::{self, CANCEL, CANCELLED, DONE, HANDLE, OUTPUT};
use crate::schedule::EventLoop;
use crate::schedule::node::{Node, NodeVTable};
use core::cell::UnsafeCell;
use core::future::Future;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::{Context, Poll};

/// What a task holds; which field it is, the flags tell (*Stage*).
#[repr(C)]
pub(crate) union Stage<F: Future> {
    pub(crate) empty: (),
    pub(crate) future: ManuallyDrop<F>,
    output: ManuallyDrop<F::Output>,
    #[cfg(feature = "threads")]
    payload: ManuallyDrop<crate::platform::Payload>,
}

/// A task.
#[repr(C)]
pub(crate) struct TaskCell<F: Future> {
    pub(crate) header: Header,
    pub(crate) stage: UnsafeCell<Stage<F>>,
}

impl<F: Future> TaskCell<F> {
    /// Where the stage of `task` is.
    ///
    /// # Safety
    ///
    /// *Same Type*; `task` is alive.
    unsafe fn stage(task: NonNull<Header>) -> *mut Stage<F> {
        // SAFETY: the caller's promise; a field's address.
        unsafe { UnsafeCell::raw_get(&raw const (*task.cast::<TaskCell<F>>().as_ptr()).stage) }
    }
}

/// Where tasks of a kind are kept, and how their memory is given back.
#[cfg_attr(not(feature = "alloc"), allow(dead_code, reason = "a static is never given back"))]
pub(crate) trait Storage<F: Future> {
    /// Gives the memory of a task back.
    ///
    /// # Safety
    ///
    /// Nobody refers to it; its stage is empty.
    #[cfg(feature = "alloc")]
    unsafe fn free(task: NonNull<Header>);
}

/// The table of tasks of future type `F`, kept as `S` keeps them.
pub(crate) struct Table<F, S>(PhantomData<(F, S)>);

impl<F: Future, S: Storage<F>> Table<F, S> {
    pub(crate) const TABLE: &'static TaskVTable = &TaskVTable {
        node: NodeVTable {
            run: run::<F>,
            discard,
            #[cfg(feature = "threads")]
            panicked,
            described: crate::trace::Described::task::<F>(),
        },
        // SAFETY: Same Type and Stage: the caller gives a stage that holds it.
        drop_future: |stage| unsafe { stage.cast::<F>().drop_in_place() },
        stage: core::mem::offset_of!(TaskCell<F>, stage),
        #[cfg(feature = "alloc")]
        free: S::free,
    };
}

/// One step. What does not depend on the future's type is in functions of its
/// own, because this is made for each type.
unsafe fn run<F: Future>(node: NonNull<Node>, event_loop: &EventLoop) {
    let task = node.cast::<Header>();
    // SAFETY: Alive In Chain until the loop's reference is given up.
    let header = unsafe { task.as_ref() };
    let flags = header.state.dequeue();
    if flags & (DONE | CANCEL) != 0 {
        // SAFETY: as for this function.
        return unsafe { end_without_poll(task, event_loop, flags) };
    }
    // SAFETY: Same Type; Stage: not DONE, so it is the future, which never
    // moves; the loop's reference outlives the waker.
    unsafe {
        let stage = TaskCell::<F>::stage(task);
        let waker = borrowed_waker(task);
        let future = Pin::new_unchecked(&mut *(*stage).future);
        if let Poll::Ready(output) = future.poll(&mut Context::from_waker(&waker)) {
            header.set(DONE);
            ManuallyDrop::drop(&mut (*stage).future);
            if header.has(CANCEL) {
                header.set(CANCELLED);
                drop(output);
            } else if header.has(HANDLE) {
                (&raw mut (*stage).output).write(ManuallyDrop::new(output));
                header.set(OUTPUT);
            } else {
                drop(output);
            }
            // Last, with nothing left that could panic: the task may be gone after it.
            finished(task, event_loop);
        }
    }
}

/// Takes a task that was cancelled, or had ended, out of the ready queue.
#[cold]
#[inline(never)]
unsafe fn end_without_poll(task: NonNull<Header>, event_loop: &EventLoop, flags: u8) {
    // SAFETY: as for `run`.
    unsafe {
        if flags & DONE != 0 {
            state::release_home(task);
        } else {
            abort(task, event_loop);
        }
    }
}

/// What follows the end of a task, however it ended: tell who waits, and give
/// the loop's reference up unless the task is still in the ready queue.
#[inline(never)]
unsafe fn finished(task: NonNull<Header>, event_loop: &EventLoop) {
    // SAFETY: the loop's reference stands.
    let header = unsafe { task.as_ref() };
    // SAFETY: as above.
    unsafe { crate::trace::task_ended(task) };
    header.joiner.wake(event_loop);
    event_loop.tasks.remove(task);
    #[cfg(not(feature = "threads"))]
    header.state.finish();
    #[cfg(feature = "threads")]
    // SAFETY: the loop's reference, which is given up here or, while the task
    // is still queued, when it comes out of the queue.
    unsafe {
        if !header.has(QUEUED) && state::release_is_last(task) {
            (table(task).free)(task);
        } else {
            event_loop.ended.add(task);
        }
    }
    #[cfg(all(feature = "alloc", not(feature = "threads")))]
    if !header.has(QUEUED) {
        // SAFETY: the loop's reference.
        unsafe { state::release_home(task) }
    }
}

/// Drops the future; the task is done and was cancelled.
///
/// # Safety
///
/// The task is alive, not `DONE` and not running.
unsafe fn abort(task: NonNull<Header>, event_loop: &EventLoop) {
    // SAFETY: Same Type and Stage; the caller's promise.
    unsafe {
        task.as_ref().set(DONE | CANCELLED);
        let drop_future = table(task).drop_future;
        #[cfg(feature = "threads")]
        if let Err(payload) = crate::platform::catch_unwind(&mut || drop_future(stage(task))) {
            keep_payload(task, event_loop, payload);
        }
        #[cfg(not(feature = "threads"))]
        drop_future(stage(task));
        finished(task, event_loop);
    }
}

/// Stores what a task panicked with for its handle; without one, reports it.
///
/// # Safety
///
/// The task is alive and `DONE`, and its stage is empty.
#[cfg(feature = "threads")]
unsafe fn keep_payload(
    task: NonNull<Header>,
    event_loop: &EventLoop,
    payload: crate::platform::Payload,
) {
    // SAFETY: the caller's promise.
    let header = unsafe { task.as_ref() };
    header.set(state::PANICKED);
    if header.has(HANDLE) {
        // SAFETY: Stage.
        unsafe { stage(task).cast::<crate::platform::Payload>().write(payload) };
        header.set(OUTPUT);
    } else {
        event_loop.report_panic("a task panicked and nobody awaits it", &payload);
    }
}

/// The loop closes while the task is in a chain.
unsafe fn discard(node: NonNull<Node>, event_loop: &EventLoop) {
    let task = node.cast::<Header>();
    // SAFETY: Alive In Chain.
    unsafe {
        let flags = task.as_ref().state.dequeue();
        end_without_poll(task, event_loop, flags);
    }
}

/// Ends a task whose poll, or whose future's drop, panicked.
#[cfg(feature = "threads")]
unsafe fn panicked(node: NonNull<Node>, event_loop: &EventLoop, payload: crate::platform::Payload) {
    let task = node.cast::<Header>();
    // SAFETY: the loop's reference stands: the task did not get to `finished`.
    let header = unsafe { task.as_ref() };
    let already_ended = header.has(DONE);
    header.set(DONE);
    // SAFETY: alive, and its table is set.
    let (table, stage) = unsafe { (table(task), stage(task)) };
    if !already_ended {
        let dropped = crate::platform::catch_unwind(&mut || {
            // SAFETY: Stage: DONE was clear, so the future is still there.
            unsafe { (table.drop_future)(stage) }
        });
        if let Err(second) = dropped {
            event_loop.report_panic("dropping a task that had panicked, panicked too", &second);
        }
    }
    // SAFETY: as above; Stage: the future is gone.
    unsafe {
        keep_payload(task, event_loop, payload);
        finished(task, event_loop);
    }
}

/// Ends a task for good before it is done: at once if it does not run.
///
/// # Safety
///
/// The caller owns a reference and is on the loop's thread.
pub(crate) unsafe fn abort_or_cancel(task: NonNull<Header>) -> bool {
    // SAFETY: the caller's promise.
    let (header, event_loop) = unsafe { (task.as_ref(), task.as_ref().owner()) };
    if event_loop.is_running_node(task.cast()) {
        // SAFETY: the caller's promise.
        return unsafe { abort_later(task) };
    }
    if header.has(DONE) {
        return false;
    }
    // SAFETY: alive and not DONE.
    unsafe { abort(task, event_loop) };
    true
}

/// Ends a task whose future is being polled, and cannot be dropped under it,
/// at the end of its step.
///
/// # Safety
///
/// The caller owns a reference and is on the loop's thread.
#[cold]
#[cfg_attr(not(feature = "threads"), inline(never))]
pub(crate) unsafe fn abort_later(task: NonNull<Header>) -> bool {
    // SAFETY: the caller's promise.
    let header = unsafe { task.as_ref() };
    if header.has(DONE) {
        return false;
    }
    header.state.set_aborted();
    header.set(CANCEL);
    // SAFETY: the caller's reference.
    unsafe { state::wake_by_ref(task) };
    true
}
