//! A pool whose tasks are in the static itself.
//!
//! # Invariants
//!
//! * **Same Pool**: a [`Pool`]'s bytes are an array of `TaskCell`s of the
//!   function that `pool_bytes` was given, and `call` is given the same.
//! * **Free Slot**: a slot is used for a new task only when its last one is
//!   done, out of the ready queue, and has no handle.

use super::{Call, TaskFn};
use crate::error::ScheduleError;
use crate::schedule::EventLoop;
use crate::task::builder::NewTask;
use crate::task::cell::{Stage, Storage, Table, TaskCell};
use crate::task::handle::Task;
use crate::task::header::{Header, TaskVTable, wake_by_ref};
use crate::task::state::HANDLE;
use core::cell::UnsafeCell;
use core::future::Future;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ptr::NonNull;

/// A number as an alignment.
pub struct Align<const N: usize>;

/// Types aligned to a number.
pub trait Alignment {
    /// A type with that alignment.
    type Type: Copy + 'static;
}

macro_rules! alignments {
    ($($name:ident $n:literal)*) => {$(
        #[doc(hidden)]
        #[derive(Clone, Copy)]
        #[repr(align($n))]
        pub struct $name;

        impl Alignment for Align<$n> {
            type Type = $name;
        }
    )*};
}
alignments!(Align1 1 Align2 2 Align4 4 Align8 8 Align16 16 Align32 32 Align64 64 Align128 128 Align256 256);

/// The static behind a `#[molen::task]` function.
#[repr(C)]
pub struct Pool<const SIZE: usize, const ALIGN: usize>
where
    Align<ALIGN>: Alignment,
{
    align: [<Align<ALIGN> as Alignment>::Type; 0],
    bytes: UnsafeCell<[MaybeUninit<u8>; SIZE]>,
}

// SAFETY: the bytes are tasks. The loop's code touches them through their own
// cells; interrupts touch only a header's state and link, made for it.
unsafe impl<const SIZE: usize, const ALIGN: usize> Sync for Pool<SIZE, ALIGN> where
    Align<ALIGN>: Alignment
{
}

const fn unset<F: Future>() -> TaskCell<F> {
    TaskCell { header: Header::unset(), stage: UnsafeCell::new(Stage { empty: () }) }
}

/// The bytes of a pool of `N` tasks of `function`.
pub const fn pool_size<Fun: TaskFn<Args>, Args, const N: usize>(_function: Fun) -> usize {
    size_of::<[TaskCell<Fun::Future>; N]>()
}

/// The alignment of a pool of tasks of `function`.
pub const fn pool_align<Fun: TaskFn<Args>, Args>(_function: Fun) -> usize {
    align_of::<TaskCell<Fun::Future>>()
}

/// A pool of `N` tasks of `function`, none of them in use: all zero.
pub const fn pool_bytes<Fun, Args, const N: usize, const SIZE: usize, const ALIGN: usize>(
    _function: Fun,
) -> Pool<SIZE, ALIGN>
where
    Fun: TaskFn<Args>,
    Align<ALIGN>: Alignment,
{
    const { assert!(size_of::<[TaskCell<Fun::Future>; N]>() == SIZE) };
    let cells = [const { unset::<Fun::Future>() }; N];
    // SAFETY: the same size, asserted; any bytes are a MaybeUninit<u8>.
    let bytes = unsafe { core::mem::transmute_copy(&ManuallyDrop::new(cells)) };
    Pool { align: [], bytes: UnsafeCell::new(bytes) }
}

impl<const SIZE: usize, const ALIGN: usize> Pool<SIZE, ALIGN>
where
    Align<ALIGN>: Alignment,
{
    /// A call of `function`, whose pool this is.
    #[inline]
    pub fn call<Fun, Args, const N: usize>(
        &'static self,
        function: Fun,
        arguments: Args,
    ) -> Call<Fun, Args>
    where
        Fun: TaskFn<Args>,
    {
        const {
            assert!(size_of::<[TaskCell<Fun::Future>; N]>() == SIZE);
            assert!(align_of::<TaskCell<Fun::Future>>() == ALIGN);
        }
        // SAFETY: Same Pool, as far as size and alignment can tell; interior
        // mutability all through.
        let pool = unsafe { &*self.bytes.get().cast::<[TaskCell<Fun::Future>; N]>() };
        Call { function, arguments, pool }
    }
}

/// Where the tasks of a function live.
pub(super) type Ref<Fun, Args> = &'static [TaskCell<<Fun as TaskFn<Args>>::Future>];

/// Kept in a static, for ever.
struct Static;

impl<F: Future> Storage<F> for Static {
    #[cfg(feature = "alloc")]
    unsafe fn free(_task: NonNull<Header>) {}
}

/// A static with room for one task.
#[repr(transparent)]
pub(crate) struct StaticCell<F: Future>(TaskCell<F>);

// SAFETY: as for `Pool`.
unsafe impl<F: Future> Sync for StaticCell<F> {}

impl<F: Future<Output: 'static> + 'static> StaticCell<F> {
    pub(crate) const fn new() -> StaticCell<F> {
        StaticCell(unset())
    }

    /// Starts `future` here, or gives it back when the place is taken.
    pub(crate) fn spawn(
        &'static self,
        event_loop: &EventLoop,
        future: F,
    ) -> Result<Task<F::Output>, F> {
        if !self.0.header.is_free() {
            return Err(future);
        }
        // SAFETY: Free Slot: nothing is in the stage and nobody looks at it.
        unsafe { self.0.stage.get().cast::<F>().write(future) };
        let task = NonNull::from(&self.0).cast::<Header>();
        // SAFETY: the future has just been written; the type is F's.
        Ok(unsafe {
            start(event_loop, task, Table::<F, Static>::TABLE);
            Task::from_raw(task)
        })
    }
}

/// Starts a task in a free slot of `pool`.
pub(super) fn spawn<Fun: TaskFn<Args>, Args>(
    event_loop: &EventLoop,
    pool: Ref<Fun, Args>,
    function: Fun,
    arguments: Args,
) -> Result<Task<Fun::Output>, ScheduleError<Args>> {
    let task = place(event_loop, pool, function, arguments)?;
    // SAFETY: the future has just been built there.
    Ok(unsafe {
        start(event_loop, task, Table::<Fun::Future, Static>::TABLE);
        Task::from_raw(task)
    })
}

/// Starts a task in a free slot of `pool`, as `new` says.
pub(super) fn spawn_with<Fun: TaskFn<Args>, Args>(
    event_loop: &EventLoop,
    pool: Ref<Fun, Args>,
    function: Fun,
    arguments: Args,
    new: NewTask,
) -> Result<Task<Fun::Output>, ScheduleError<Args>> {
    let task = place(event_loop, pool, function, arguments)?;
    // SAFETY: the future has just been built there; neither queued nor begun.
    Ok(unsafe {
        prepare(event_loop, task, Table::<Fun::Future, Static>::TABLE);
        new.begin(event_loop, Task::from_raw(task))
    })
}

/// Builds the future of a task in a free slot of `pool`.
#[inline(always)]
fn place<Fun: TaskFn<Args>, Args>(
    event_loop: &EventLoop,
    pool: Ref<Fun, Args>,
    function: Fun,
    arguments: Args,
) -> Result<NonNull<Header>, ScheduleError<Args>> {
    // In steps that do not know the type: this function is made for each.
    let first = NonNull::from(pool).cast::<Header>();
    // SAFETY: Same Pool: the array's cells begin with their headers.
    let free =
        unsafe { find_free(event_loop, first, pool.len(), size_of::<TaskCell<Fun::Future>>()) };
    let Some(task) = free else {
        return Err(if event_loop.is_closed() {
            ScheduleError::Closed(arguments)
        } else {
            ScheduleError::Full(arguments)
        });
    };
    // SAFETY: it is one of the pool's cells.
    let cell = unsafe { task.cast::<TaskCell<Fun::Future>>().as_ref() };
    build::<Fun, Args>(cell, function, arguments);
    Ok(task)
}

/// The first free one of `count` tasks, `size` bytes each; none for a closed loop.
///
/// # Safety
///
/// There are as many, in statics.
#[inline(never)]
unsafe fn find_free(
    event_loop: &EventLoop,
    first: NonNull<Header>,
    count: usize,
    size: usize,
) -> Option<NonNull<Header>> {
    if event_loop.is_closed() {
        return None;
    }
    let mut task = first;
    for _ in 0..count {
        // SAFETY: the caller's promise.
        unsafe {
            if task.as_ref().is_free() {
                return Some(task);
            }
            task = task.byte_add(size);
        }
    }
    None
}

/// Makes the future where it will stay, so that it is not copied there.
#[inline(never)]
fn build<Fun: TaskFn<Args>, Args>(cell: &TaskCell<Fun::Future>, function: Fun, arguments: Args) {
    // SAFETY: Free Slot: nothing is in the stage and nobody looks at it.
    unsafe { cell.stage.get().cast::<Fun::Future>().write(function.call(arguments)) };
}

/// Makes a task whose future is in its stage ready, with a handle.
///
/// # Safety
///
/// *Same Type*; *Free Slot*, but for the future; it is in a static.
#[inline(never)]
unsafe fn start(event_loop: &EventLoop, task: NonNull<Header>, table: &'static TaskVTable) {
    // SAFETY: the caller's promise.
    unsafe {
        prepare(event_loop, task, table);
        crate::trace::task_created(task);
        wake_by_ref(task.as_ptr().cast_const().cast());
    }
}

/// Makes a task whose future is in its stage one of the loop's, with a handle,
/// neither queued nor begun.
///
/// # Safety
///
/// As for [`start`].
#[inline]
unsafe fn prepare(event_loop: &EventLoop, task: NonNull<Header>, table: &'static TaskVTable) {
    // SAFETY: the caller's promise.
    unsafe { task.as_ref() }.start(table, event_loop, HANDLE);
    event_loop.tasks.add(task);
}

impl Header {
    /// Whether a new task may be started here (*Free Slot*).
    fn is_free(&self) -> bool {
        self.state.is_free()
    }
}
