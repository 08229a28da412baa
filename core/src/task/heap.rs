//! Tasks on the heap: one allocation each, for head, future and output.
//!
//! The allocation is aligned as the pointers in it are, never to a cache line:
//! allocators serve anything beyond 16 bytes several times slower.

use super::builder::NewTask;
use super::cell::{Stage, Storage, Table, TaskCell};
use super::handle::Task;
use super::header::Header;
use super::state::{HANDLE, QUEUED};
use crate::error::ScheduleError;
use crate::schedule::EventLoop;
use alloc::boxed::Box;
use core::cell::UnsafeCell;
use core::future::Future;
use core::mem::ManuallyDrop;
use core::ptr::NonNull;

/// Kept in a box of its own.
pub(crate) struct Heap;

impl<F: Future> Storage<F> for Heap {
    unsafe fn free(task: NonNull<Header>) {
        // SAFETY: the caller's promise; `spawn` made it of this type.
        let task = unsafe { Box::from_raw(task.cast::<TaskCell<F>>().as_ptr()) };
        #[cfg(feature = "threads")]
        // SAFETY: Outlives Tasks holds until `forget_task` returns.
        unsafe {
            EventLoop::forget_task(task)
        }
        #[cfg(not(feature = "threads"))]
        drop(task);
    }
}

/// Makes `future` a task of `event_loop`.
#[inline]
pub(crate) fn spawn<F>(
    event_loop: &EventLoop,
    future: F,
) -> Result<Task<F::Output>, ScheduleError<F>>
where
    F: Future + 'static,
    F::Output: 'static,
{
    if event_loop.is_closed() {
        return Err(ScheduleError::Closed(future));
    }
    Ok(spawn_open(event_loop, future))
}

/// Makes `future` a task of `event_loop` that begins as `new` says.
pub(crate) fn spawn_with<F>(
    event_loop: &EventLoop,
    future: F,
    new: NewTask,
) -> Result<Task<F::Output>, ScheduleError<F>>
where
    F: Future + 'static,
    F::Output: 'static,
{
    if event_loop.is_closed() {
        return Err(ScheduleError::Closed(future));
    }
    Ok(spawn_open_with(event_loop, future, new))
}

/// [`spawn_with`] where the caller knows the loop to be open.
pub(crate) fn spawn_open_with<F>(event_loop: &EventLoop, future: F, new: NewTask) -> Task<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let task = allocate(event_loop, future, HANDLE);
    // SAFETY: the second reference; HANDLE is set; the type is F's; neither queued nor begun.
    unsafe { new.begin(event_loop, Task::from_raw(task)) }
}

/// Makes `future` a task of `event_loop`, which the caller knows to be open.
#[inline]
pub(crate) fn spawn_open<F>(event_loop: &EventLoop, future: F) -> Task<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let task = allocate(event_loop, future, QUEUED | HANDLE);
    // SAFETY: QUEUED is set; the loop's reference keeps it alive.
    unsafe {
        event_loop.ready.push(task.cast());
        crate::trace::task_created(task);
        crate::trace::task_woken(task);
    }
    // SAFETY: the second reference; HANDLE is set; the type is F's.
    unsafe { Task::from_raw(task) }
}

/// A task with these flags, one reference for the loop and one for a handle,
/// in the loop's list.
#[inline]
fn allocate<F>(event_loop: &EventLoop, future: F, flags: u8) -> NonNull<Header>
where
    F: Future + 'static,
    F::Output: 'static,
{
    const { assert!(align_of::<TaskCell<F>>() >= 4) };
    let header = Header::new(Table::<F, Heap>::TABLE, event_loop, 2, flags);
    let stage = UnsafeCell::new(Stage { future: ManuallyDrop::new(future) });
    let task = NonNull::from(Box::leak(Box::new(TaskCell { header, stage }))).cast::<Header>();
    event_loop.tasks.add(task);
    task
}
