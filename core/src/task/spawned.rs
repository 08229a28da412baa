//! A task where something that becomes a task is asked for.

use super::builder::NewTask;
use super::{IntoTask, Task};
use crate::error::ScheduleError;
use crate::schedule::EventLoop;

/// A task that runs already, given to what would make one of a future:
/// `gather([fetch(1), fetch(2)])` makes two tasks, `gather([a.spawned(), b.spawned()])`
/// takes those that there are.
///
/// asyncio: `ensure_future()`, which returns a task as it is.
#[derive(Debug)]
#[must_use = "it is to be given to what takes tasks"]
pub struct Spawned<T>(Task<T>);

impl<T> Task<T> {
    /// Itself, for what takes `impl IntoTask`. asyncio: `ensure_future()`.
    pub fn spawned(self) -> Spawned<T> {
        Spawned(self)
    }
}

impl<T> Spawned<T> {
    /// The task.
    pub fn into_inner(self) -> Task<T> {
        self.0
    }
}

impl<T: 'static> IntoTask for Spawned<T> {
    type Output = T;

    fn spawn_on(self, _: &EventLoop) -> Result<Task<T>, ScheduleError<Self>> {
        Ok(self.0)
    }

    fn has_begun(&self) -> bool {
        true
    }

    fn spawn_with(self, _: &EventLoop, _: NewTask) -> Result<Task<T>, ScheduleError<Self>> {
        Ok(self.0)
    }
}
