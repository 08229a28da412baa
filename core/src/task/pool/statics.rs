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
use crate::task::cell::{Stage, Storage, Table, TaskCell};
use crate::task::handle::Task;
use crate::task::header::Header;
use crate::task::state::{DONE, HANDLE, QUEUED};
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
        Ok(start(event_loop, &self.0))
    }
}

/// Starts a task in a free slot of `pool`.
pub(super) fn spawn<Fun: TaskFn<Args>, Args>(
    event_loop: &EventLoop,
    pool: Ref<Fun, Args>,
    function: Fun,
    arguments: Args,
) -> Result<Task<Fun::Output>, ScheduleError<Args>> {
    if event_loop.is_closed() {
        return Err(ScheduleError::Closed(arguments));
    }
    let Some(cell) = pool.iter().find(|cell| cell.header.is_free()) else {
        return Err(ScheduleError::Full(arguments));
    };
    build::<Fun, Args>(cell, function, arguments);
    Ok(start(event_loop, cell))
}

/// Makes the future where it will stay, so that it is not copied there.
#[inline(never)]
fn build<Fun: TaskFn<Args>, Args>(cell: &TaskCell<Fun::Future>, function: Fun, arguments: Args) {
    // SAFETY: Free Slot: nothing is in the stage and nobody looks at it.
    unsafe { cell.stage.get().cast::<Fun::Future>().write(function.call(arguments)) };
}

/// Makes the task in `cell`, whose stage holds its future, ready.
fn start<F: Future>(event_loop: &EventLoop, cell: &'static TaskCell<F>) -> Task<F::Output> {
    let task = NonNull::from(cell).cast::<Header>();
    cell.header.start(Table::<F, Static>::TABLE, event_loop, QUEUED | HANDLE);
    event_loop.tasks.add(task);
    // SAFETY: QUEUED is set; a static is alive.
    unsafe { event_loop.ready.push(task.cast()) };
    // SAFETY: HANDLE is set; `start` counted the handle; the type is F's.
    unsafe { Task::from_raw(task) }
}

impl Header {
    /// Whether a new task may be started here (*Free Slot*).
    fn is_free(&self) -> bool {
        let flags = self.state.flags();
        !self.is_started() || flags & (DONE | HANDLE | QUEUED) == DONE
    }
}
