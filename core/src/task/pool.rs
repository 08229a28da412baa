//! Tasks in statics, on stable Rust: what `#[molen::task]` is made of.
//!
//! The future of an `async fn` has no name, so a `static` cannot be declared
//! with its type. But a const function that is given the function *item* can
//! compute the size, the alignment and the initial bytes of a pool of its
//! tasks; the static is declared with those numbers, and read back through
//! the same inference. Where it is read back, size and alignment are checked
//! again, at compile time.
//!
//! On platforms with threads (and therefore a heap) a pool only counts: its
//! tasks live on the heap, so that loops may come and go, and the bound and
//! the error are the same.

use super::IntoTask;
use super::builder::NewTask;
use super::handle::Task;
use crate::error::ScheduleError;
use crate::schedule::EventLoop;
use core::future::Future;

#[cfg(not(feature = "threads"))]
mod statics;
#[cfg(not(feature = "threads"))]
pub(crate) use statics::StaticCell;
#[cfg(not(feature = "threads"))]
pub use statics::{Align, Alignment, Pool, pool_align, pool_bytes, pool_size};

#[cfg(feature = "threads")]
mod counted;
#[cfg(feature = "threads")]
pub use counted::{Pool, pool_align, pool_bytes, pool_size};

/// An `async fn` seen as a maker of futures, for each number of arguments.
pub trait TaskFn<Args>: Copy {
    /// The future that it returns.
    type Future: Future<Output = Self::Output> + 'static;
    /// What that future ends with.
    type Output: 'static;

    /// Calls it.
    fn call(self, arguments: Args) -> Self::Future;
}

macro_rules! task_fn {
    ($($argument:ident)*) => {
        impl<Fun, Fut, $($argument,)*> TaskFn<($($argument,)*)> for Fun
        where
            Fun: Copy + Fn($($argument,)*) -> Fut,
            Fut: Future + 'static,
            Fut::Output: 'static,
        {
            type Future = Fut;
            type Output = Fut::Output;

            #[allow(non_snake_case)]
            #[inline(always)]
            fn call(self, ($($argument,)*): ($($argument,)*)) -> Fut {
                self($($argument,)*)
            }
        }
    };
}
task_fn!();
task_fn!(A);
task_fn!(A B);
task_fn!(A B C);
task_fn!(A B C D);
task_fn!(A B C D E);
task_fn!(A B C D E F);
task_fn!(A B C D E F G);
task_fn!(A B C D E F G H);

/// A call of a `#[molen::task]` function that has not begun: its arguments,
/// and the pool where the task will live. Give it to
/// [`create_task`](crate::create_task).
#[must_use = "a call does nothing until it is given to `create_task`"]
pub struct Call<Fun: TaskFn<Args>, Args> {
    function: Fun,
    arguments: Args,
    pool: pool_of::Ref<Fun, Args>,
}

impl<Fun: TaskFn<Args>, Args> Call<Fun, Args> {
    /// The arguments, back from a call that was refused.
    pub fn into_arguments(self) -> Args {
        self.arguments
    }
}

impl<Fun: TaskFn<Args>, Args> IntoTask for Call<Fun, Args> {
    type Output = Fun::Output;

    fn spawn_on(self, event_loop: &EventLoop) -> Result<Task<Fun::Output>, ScheduleError<Self>> {
        let Call { function, arguments, pool } = self;
        let back = |arguments| Call { function, arguments, pool };
        pool_of::spawn(event_loop, pool, function, arguments).map_err(|error| error.map(back))
    }

    fn spawn_with(
        self,
        event_loop: &EventLoop,
        new: NewTask,
    ) -> Result<Task<Fun::Output>, ScheduleError<Self>> {
        let Call { function, arguments, pool } = self;
        let back = |arguments| Call { function, arguments, pool };
        pool_of::spawn_with(event_loop, pool, function, arguments, new)
            .map_err(|error| error.map(back))
    }
}

#[cfg(feature = "threads")]
use counted as pool_of;
#[cfg(not(feature = "threads"))]
use statics as pool_of;
