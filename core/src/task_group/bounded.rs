//! Groups of a fixed number of tasks, for programs without an allocator.

use super::run::Run;
use super::{CreateError, Exception, Members, Phase, TaskGroupError, admit};
use crate::error::TaskError;
use crate::task::{IntoTask, Task, create_task};
use core::cell::{Cell, RefCell};
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

/// What a place of a group holds.
enum Place<T, E> {
    Free,
    /// Its task is being created, which may be an eager one.
    Taken,
    Running(Task<Result<T, E>>),
    Value(T),
    Failed(Exception<E>),
}

/// A group of at most `N` tasks with values of type `T`, which fail with `E`.
/// Without an allocator, they are calls of `#[molen::task]` functions.
///
/// Used by reference: on the stack of the task that runs it, or in a static.
/// A task's value stays in its place until it is
/// [taken](Self::take_result), and the place in use until the group is over.
///
/// asyncio: `asyncio.TaskGroup`.
pub struct BoundedTaskGroup<T, E, const N: usize> {
    phase: Cell<Phase>,
    places: [RefCell<Place<T, E>>; N],
    cancelled: Cell<bool>,
    waker: Cell<Option<Waker>>,
}

/// A place whose task could not be created is free again.
struct Taken<'a, T, E>(&'a RefCell<Place<T, E>>);

impl<T, E> Drop for Taken<'_, T, E> {
    fn drop(&mut self) {
        *self.0.borrow_mut() = Place::Free;
    }
}

/// Which of the group's tasks it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MemberId(usize);

impl<T: 'static, E: 'static, const N: usize> BoundedTaskGroup<T, E, N> {
    /// A group that has not been entered.
    pub const fn new() -> Self {
        BoundedTaskGroup {
            phase: Cell::new(Phase::NotEntered),
            places: [const { RefCell::new(Place::Free) }; N],
            cancelled: Cell::new(false),
            waker: Cell::new(None),
        }
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
    ) -> impl Future<Output = Result<Option<R>, TaskGroupError<BoundedExceptionGroup<E, N>>>>
    where
        F: IntoFuture<Output = Result<R, E>>,
    {
        Run::new(self, body.into_future())
    }

    /// Makes `task` a task of the group, on the running loop.
    ///
    /// asyncio: `TaskGroup.create_task()`.
    ///
    /// # Errors
    ///
    /// [`CreateError`] with the value.
    pub fn create_task<F>(&self, task: F) -> Result<MemberId, CreateError<F>>
    where
        F: IntoTask<Output = Result<T, E>>,
    {
        let task = admit(self.phase.get(), task)?;
        let free = |place: &RefCell<Place<T, E>>| matches!(*place.borrow(), Place::Free);
        let Some(number) = self.places.iter().position(free) else {
            return Err(CreateError::Full(task));
        };
        let place = &self.places[number];
        let taken = Taken(place);
        *place.borrow_mut() = Place::Taken;
        let task = create_task(task).map_err(CreateError::Schedule)?;
        core::mem::forget(taken);
        // An eager task may have made the group shut down, or be dropped.
        if self.phase.get() != Phase::Entered {
            task.cancel();
        }
        *place.borrow_mut() = Place::Running(task);
        // The task's end wakes whoever polled it last; the group has not yet.
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
        Ok(MemberId(number))
    }

    /// The value of a task that has ended with one: takes it out, once.
    ///
    /// asyncio: `Task.result()`.
    pub fn take_result(&self, member: MemberId) -> Option<T> {
        let mut place = self.places.get(member.0)?.borrow_mut();
        match core::mem::replace(&mut *place, Place::Free) {
            Place::Value(value) => Some(value),
            other => {
                *place = other;
                None
            }
        }
    }

    /// Ends the group early: its tasks are cancelled, its body is asked to
    /// end, and `run` ends without an error. asyncio: `TaskGroup.cancel()`.
    pub fn cancel(&self) {
        self.cancelled.set(true);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl<T, E, const N: usize> Members for BoundedTaskGroup<T, E, N> {
    type Errors = BoundedExceptionGroup<E, N>;
    type Error = E;

    fn phase(&self) -> &Cell<Phase> {
        &self.phase
    }

    fn look(&self, waker: &Waker) {
        self.waker.set(Some(waker.clone()));
        let mut cx = Context::from_waker(waker);
        for place in &self.places {
            let mut place = place.borrow_mut();
            let Place::Running(task) = &mut *place else { continue };
            let ended = match Pin::new(task).poll(&mut cx) {
                Poll::Pending => continue,
                Poll::Ready(Ok(Ok(value))) => Place::Value(value),
                Poll::Ready(Ok(Err(error))) => Place::Failed(Exception::Error(error)),
                #[cfg(feature = "threads")]
                Poll::Ready(Err(TaskError::Panicked(payload))) => {
                    Place::Failed(Exception::Panicked(payload))
                }
                // Being cancelled is no failure; nobody else can take the result.
                Poll::Ready(Err(
                    TaskError::Cancelled(_)
                    | TaskError::Taken
                    | TaskError::ForeignLoop
                    | TaskError::Itself,
                )) => Place::Free,
            };
            let old = core::mem::replace(&mut *place, ended);
            drop(place);
            drop(old);
        }
    }

    fn must_abort(&self) -> bool {
        let failed = |place: &RefCell<Place<T, E>>| matches!(*place.borrow(), Place::Failed(_));
        self.cancelled.get() || self.places.iter().any(failed)
    }

    fn abort(&self) {
        for place in &self.places {
            if let Place::Running(task) = &*place.borrow() {
                task.cancel();
            }
        }
    }

    fn all_ended(&self) -> bool {
        let running = |place: &RefCell<Place<T, E>>| {
            matches!(*place.borrow(), Place::Running(_) | Place::Taken)
        };
        !self.places.iter().any(running)
    }

    fn take_errors(&self, body: Option<E>) -> Option<BoundedExceptionGroup<E, N>> {
        let mut group =
            BoundedExceptionGroup { tasks: [const { None }; N], body: body.map(Exception::Error) };
        for (place, exception) in self.places.iter().zip(&mut group.tasks) {
            let mut place = place.borrow_mut();
            match core::mem::replace(&mut *place, Place::Free) {
                Place::Failed(failed) => *exception = Some(failed),
                other => *place = other,
            }
        }
        let empty = group.exceptions().next().is_none();
        if empty { None } else { Some(group) }
    }
}

impl<T: 'static, E: 'static, const N: usize> Default for BoundedTaskGroup<T, E, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, E, const N: usize> fmt::Debug for BoundedTaskGroup<T, E, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundedTaskGroup").field("phase", &self.phase.get()).finish_non_exhaustive()
    }
}

/// All that failed in a [`BoundedTaskGroup`]. asyncio: `ExceptionGroup`.
#[derive(Debug)]
pub struct BoundedExceptionGroup<E, const N: usize> {
    tasks: [Option<Exception<E>>; N],
    body: Option<Exception<E>>,
}

impl<E, const N: usize> BoundedExceptionGroup<E, N> {
    /// What failed: tasks by their places, then the body. Never empty.
    pub fn exceptions(&self) -> impl Iterator<Item = &Exception<E>> {
        self.tasks.iter().flatten().chain(&self.body)
    }
}

impl<E: fmt::Display, const N: usize> fmt::Display for BoundedExceptionGroup<E, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unhandled errors in a task group ({}):", self.exceptions().count())?;
        self.exceptions().try_for_each(|exception| write!(f, " {exception};"))
    }
}

impl<E: fmt::Debug + fmt::Display, const N: usize> core::error::Error
    for BoundedExceptionGroup<E, N>
{
}
