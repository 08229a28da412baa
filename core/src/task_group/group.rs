//! Groups of any number of tasks.

use super::member::{Member, Place};
use super::run::Run;
use super::{CreateError, Exception, Members, Phase, TaskGroupError, admit};
use crate::task::{Builder, Task, TaskRef};
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::fmt;
use core::future::Future;
use core::task::Waker;

/// A group of tasks that fail with `E`. Clones are the same group, so that
/// tasks may create others in it.
///
/// ```ignore
/// let group = TaskGroup::new();
/// let both = group.run(async {
///     let a = group.create_task(fetch("a"))?;
///     let b = group.create_task(fetch("b"))?;
///     Ok((a.await?, b.await?))
/// });
/// ```
///
/// asyncio: `asyncio.TaskGroup`. tokio: `JoinSet`.
pub struct TaskGroup<E>(Rc<Shared<E>>);

/// What the group and its tasks share.
pub(super) struct Shared<E> {
    phase: Cell<Phase>,
    /// The tasks, by place; a place without a task is free or its task is being created.
    tasks: RefCell<Vec<Option<TaskRef>>>,
    free: RefCell<Vec<usize>>,
    unfinished: Cell<usize>,
    errors: RefCell<Vec<Exception<E>>>,
    cancelled: Cell<bool>,
    waker: Cell<Option<Waker>>,
    /// The body is over, and the tasks know who awaits them.
    awaited: Cell<bool>,
}

impl<E> TaskGroup<E> {
    /// A group that has not been entered.
    pub fn new() -> TaskGroup<E> {
        TaskGroup(Rc::new(Shared {
            phase: Cell::new(Phase::NotEntered),
            tasks: RefCell::new(Vec::new()),
            free: RefCell::new(Vec::new()),
            unfinished: Cell::new(0),
            errors: RefCell::new(Vec::new()),
            cancelled: Cell::new(false),
            waker: Cell::new(None),
            awaited: Cell::new(false),
        }))
    }

    /// Runs `body`, which creates tasks in the group, and waits for all of them.
    ///
    /// asyncio: `async with group: …`.
    ///
    /// # Errors
    ///
    /// [`TaskGroupError`](super::TaskGroupError): everything that failed.
    ///
    /// # Cancellation
    ///
    /// A cancel cancels the group's tasks, waits for them, and goes on. Dropping
    /// it cancels them, and does not wait.
    pub fn run<R, F>(
        &self,
        body: F,
    ) -> impl Future<Output = Result<Option<R>, TaskGroupError<ExceptionGroup<E>>>>
    where
        F: IntoFuture<Output = Result<R, E>>,
    {
        Run::new(&*self.0, body.into_future())
    }

    /// Makes `future` a task of the group, on the running loop.
    ///
    /// If it fails, its error is the group's, and the handle says that it was cancelled.
    ///
    /// asyncio: `TaskGroup.create_task()`.
    ///
    /// # Errors
    ///
    /// [`CreateError`] with the future.
    pub fn create_task<F, T>(&self, future: F) -> Result<Task<T>, CreateError<F>>
    where
        F: Future<Output = Result<T, E>> + 'static,
        T: 'static,
        E: 'static,
    {
        self.create_task_with(Builder::new(), future)
    }

    /// [`create_task`](Self::create_task) with a name, eagerly, or in a context.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn create_task_with<F, T>(
        &self,
        builder: Builder,
        future: F,
    ) -> Result<Task<T>, CreateError<F>>
    where
        F: Future<Output = Result<T, E>> + 'static,
        T: 'static,
        E: 'static,
    {
        let future = admit(self.0.phase.get(), future)?;
        let place = Shared::enter(&self.0);
        let number = place.number();
        let task = builder
            .create_task(Member::new(future, place))
            .map_err(|error| CreateError::Schedule(error.map(Member::into_future)))?;
        if !task.done() {
            self.0.tasks.borrow_mut()[number] = Some(task.task_ref());
            // An eager task may have made the group shut down, or be dropped.
            if self.0.phase.get() != Phase::Entered {
                task.cancel();
            }
        }
        Ok(task)
    }

    /// Ends the group early: its tasks are cancelled, its body is asked to
    /// end, and `run` ends without an error. Before `run`, it ends as soon as it begins.
    ///
    /// asyncio: `TaskGroup.cancel()`.
    pub fn cancel(&self) {
        self.0.cancelled.set(true);
        self.0.tell();
    }
}

impl<E> Shared<E> {
    /// A place for a new task.
    fn enter(this: &Rc<Shared<E>>) -> Place<E> {
        this.unfinished.set(this.unfinished.get() + 1);
        let free = this.free.borrow_mut().pop();
        let number = free.unwrap_or_else(|| {
            let mut tasks = this.tasks.borrow_mut();
            tasks.push(None);
            tasks.len() - 1
        });
        Place::new(this.clone(), number)
    }

    /// The task of a place is over.
    pub(super) fn leave(&self, number: usize) {
        let task = self.tasks.borrow_mut()[number].take();
        self.free.borrow_mut().push(number);
        self.unfinished.set(self.unfinished.get() - 1);
        drop(task);
        if self.unfinished.get() == 0 {
            self.tell();
        }
    }

    /// A task has failed.
    pub(super) fn fail(&self, exception: Exception<E>) {
        self.errors.borrow_mut().push(exception);
        self.tell();
    }

    /// Tells who runs the group.
    fn tell(&self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl<E> Members for Shared<E> {
    type Errors = ExceptionGroup<E>;
    type Error = E;

    fn phase(&self) -> &Cell<Phase> {
        &self.phase
    }

    fn look(&self, waker: &Waker) {
        self.waker.set(Some(waker.clone()));
    }

    fn await_all(&self, waker: &Waker) {
        if !self.awaited.replace(true) {
            self.tasks.borrow().iter().flatten().for_each(|task| task.await_by(waker));
        }
    }

    fn must_abort(&self) -> bool {
        self.cancelled.get() || !self.errors.borrow().is_empty()
    }

    fn abort(&self) {
        // A cancel makes ready; it runs nothing that could come back here.
        for task in self.tasks.borrow().iter().flatten() {
            task.cancel();
        }
    }

    fn all_ended(&self) -> bool {
        self.unfinished.get() == 0
    }

    fn take_errors(&self, body: Option<E>) -> Option<ExceptionGroup<E>> {
        let mut exceptions = core::mem::take(&mut *self.errors.borrow_mut());
        exceptions.extend(body.map(Exception::Error));
        if exceptions.is_empty() { None } else { Some(ExceptionGroup { exceptions }) }
    }
}

impl<E> Clone for TaskGroup<E> {
    fn clone(&self) -> TaskGroup<E> {
        TaskGroup(self.0.clone())
    }
}

impl<E> Default for TaskGroup<E> {
    fn default() -> TaskGroup<E> {
        TaskGroup::new()
    }
}

impl<E> fmt::Debug for TaskGroup<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskGroup")
            .field("phase", &self.0.phase.get())
            .field("tasks", &self.0.unfinished.get())
            .finish_non_exhaustive()
    }
}

/// All that failed in a group, in order. asyncio: `ExceptionGroup`.
#[derive(Debug)]
pub struct ExceptionGroup<E> {
    exceptions: Vec<Exception<E>>,
}

impl<E> ExceptionGroup<E> {
    /// What failed, first to last; the body's failure is the last. Never empty.
    pub fn exceptions(&self) -> &[Exception<E>] {
        &self.exceptions
    }

    /// What failed, to keep.
    pub fn into_exceptions(self) -> Vec<Exception<E>> {
        self.exceptions
    }
}

impl<E: fmt::Display> fmt::Display for ExceptionGroup<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unhandled errors in a task group ({}):", self.exceptions.len())?;
        self.exceptions.iter().try_for_each(|exception| write!(f, " {exception};"))
    }
}

impl<E: fmt::Debug + fmt::Display> core::error::Error for ExceptionGroup<E> {}
