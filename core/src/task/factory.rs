//! What a loop decides about all tasks that are created on it.

use super::builder::{Builder, TaskRefused};
use crate::schedule::EventLoop;
use alloc::rc::Rc;

/// Is asked each time that a task is created, and returns how to create it: it
/// may name it, begin it eagerly, give it a context, count it, or refuse.
///
/// A future's type is known only where it is created, so a factory cannot
/// put another in its place; to wrap futures, wrap them where they are made.
///
/// asyncio: the callable that `loop.set_task_factory()` takes.
pub type TaskFactory = dyn Fn(&EventLoop, Builder) -> Result<Builder, TaskRefused>;

/// A task factory that begins all tasks eagerly. asyncio: `eager_task_factory`.
///
/// # Errors
///
/// None.
pub fn eager_task_factory(_: &EventLoop, builder: Builder) -> Result<Builder, TaskRefused> {
    Ok(builder.eager())
}

impl EventLoop {
    /// Has `factory` asked about each task that is created; `None` for the default.
    ///
    /// asyncio: `loop.set_task_factory()`.
    pub fn set_task_factory(&self, factory: Option<Rc<TaskFactory>>) {
        self.task_hooks().factory.set(factory);
        self.note_how_tasks_are_created();
    }

    /// The factory, if one was set. asyncio: `loop.get_task_factory()`.
    pub fn get_task_factory(&self) -> Option<Rc<TaskFactory>> {
        let factory = self.task_hooks().factory.take();
        self.task_hooks().factory.set(factory.clone());
        factory
    }

    /// How the factory would create what `builder` describes.
    pub(super) fn ask_task_factory(&self, builder: Builder) -> Result<Builder, TaskRefused> {
        match self.get_task_factory() {
            Some(factory) => factory(self, builder),
            None => Ok(builder),
        }
    }
}
