//! A pool that only counts, for platforms whose tasks live on the heap.

use super::{Call, TaskFn};
use crate::error::ScheduleError;
use crate::schedule::EventLoop;
use crate::task::builder::NewTask;
use crate::task::handle::Task;
use crate::task::heap;
use core::future::Future;
use core::marker::PhantomData;
use core::sync::atomic::{AtomicUsize, Ordering};

/// The static behind a `#[molen::task]` function: how many of its tasks live.
pub struct Pool<const SIZE: usize, const ALIGN: usize> {
    used: AtomicUsize,
}

/// The places of a pool of `N` tasks.
pub const fn pool_size<Fun: TaskFn<Args>, Args, const N: usize>(_function: Fun) -> usize {
    N
}

/// Nothing is stored, so any alignment will do.
pub const fn pool_align<Fun: TaskFn<Args>, Args>(_function: Fun) -> usize {
    1
}

/// A pool of `N` tasks of `function`, none of them in use.
pub const fn pool_bytes<Fun, Args, const N: usize, const SIZE: usize, const ALIGN: usize>(
    _function: Fun,
) -> Pool<SIZE, ALIGN>
where
    Fun: TaskFn<Args>,
{
    Pool { used: AtomicUsize::new(0) }
}

impl<const SIZE: usize, const ALIGN: usize> Pool<SIZE, ALIGN> {
    /// A call of `function`, whose pool this is.
    pub fn call<Fun, Args, const N: usize>(
        &'static self,
        function: Fun,
        arguments: Args,
    ) -> Call<Fun, Args>
    where
        Fun: TaskFn<Args>,
    {
        let pool = Places { used: &self.used, limit: N, function: PhantomData };
        Call { function, arguments, pool }
    }
}

/// The places of the pool of `Fun`.
pub struct Places<Fun, Args> {
    used: &'static AtomicUsize,
    limit: usize,
    function: PhantomData<fn(Fun, Args)>,
}

impl<Fun, Args> Clone for Places<Fun, Args> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Fun, Args> Copy for Places<Fun, Args> {}

pub(super) use Places as Ref;

/// One used place; free again when dropped with the task's future.
struct Place(&'static AtomicUsize);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Starts a task if a place is free.
pub(super) fn spawn<Fun: TaskFn<Args>, Args>(
    event_loop: &EventLoop,
    pool: Places<Fun, Args>,
    function: Fun,
    arguments: Args,
) -> Result<Task<Fun::Output>, ScheduleError<Args>> {
    let counted = counted(event_loop, pool, function, arguments)?;
    Ok(heap::spawn_open(event_loop, counted))
}

/// Starts a task, as `new` says, if a place is free.
pub(super) fn spawn_with<Fun: TaskFn<Args>, Args>(
    event_loop: &EventLoop,
    pool: Places<Fun, Args>,
    function: Fun,
    arguments: Args,
    new: NewTask,
) -> Result<Task<Fun::Output>, ScheduleError<Args>> {
    let counted = counted(event_loop, pool, function, arguments)?;
    Ok(heap::spawn_open_with(event_loop, counted, new))
}

/// The future of a task that counts, if the loop is open and a place is free.
fn counted<Fun: TaskFn<Args>, Args>(
    event_loop: &EventLoop,
    pool: Places<Fun, Args>,
    function: Fun,
    arguments: Args,
) -> Result<impl Future<Output = Fun::Output> + 'static + use<Fun, Args>, ScheduleError<Args>> {
    if event_loop.is_closed() {
        return Err(ScheduleError::Closed(arguments));
    }
    if pool.used.fetch_add(1, Ordering::Relaxed) >= pool.limit {
        pool.used.fetch_sub(1, Ordering::Relaxed);
        return Err(ScheduleError::Full(arguments));
    }
    let place = Place(pool.used);
    let future = function.call(arguments);
    Ok(async move {
        let output = future.await;
        drop(place);
        output
    })
}
