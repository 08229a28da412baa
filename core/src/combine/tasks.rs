//! Several tasks that are started together.

use super::child_task::ChildTask;
use super::for_each_tuple;
use super::join::all;
use crate::error::{ScheduleError, TaskError};
use crate::schedule::EventLoop;
use crate::task::{IntoTask, Task};
use core::task::{Context, Poll};

/// What [`gather`](super::gather()) and its kin start together: a tuple of two
/// to eight of whatever can become a task ([`IntoTask`]), an array and, with an
/// allocator, a `Vec` of it.
pub trait IntoTasks {
    /// The tasks.
    type Children: ChildTasks;

    /// Starts all of them on `event_loop`.
    ///
    /// # Errors
    ///
    /// [`ScheduleError`] with the number of the one that was refused. Those
    /// before it are aborted, unless they were tasks before.
    fn start(self, event_loop: &EventLoop) -> Result<Self::Children, ScheduleError<usize>>;
}

/// Starts `tasks` on the running loop.
pub(super) fn start<T: IntoTasks>(tasks: T) -> Result<T::Children, ScheduleError<usize>> {
    match crate::schedule::current() {
        Some(event_loop) => tasks.start(event_loop),
        None => Err(ScheduleError::NoRunningLoop(0)),
    }
}

/// Tasks that were started together.
pub trait ChildTasks: Unpin {
    /// All values, in order.
    type Values;
    /// What each ended with, in order.
    type Results;

    /// Looks which have ended; whether all have.
    fn poll_all(&mut self, cx: &mut Context<'_>) -> bool;
    /// Takes the first error among what was found to have ended.
    fn take_error(&mut self) -> Option<(usize, TaskError)>;
    /// Takes all values, once all are there.
    fn take_values(&mut self) -> Option<Self::Values>;
    /// Takes all results, once all are there.
    fn take_results(&mut self) -> Option<Self::Results>;
    /// Asks those to end that run.
    fn cancel(&self);
}

/// Tasks that were started together, whose values are all `Result`s with one
/// type of error.
pub trait TryChildTasks: ChildTasks {
    /// What all of them may fail with.
    type Error;
    /// What all of them succeed with, in order.
    type TryValues;

    /// Takes the first failure among what was found to have ended: its error,
    /// or how it ended without a value.
    fn take_failure(&mut self) -> Option<(usize, Result<Self::Error, TaskError>)>;
    /// Takes all values, once all have succeeded.
    fn take_try_values(&mut self) -> Option<Self::TryValues>;
}

/// The number of a task, in the order given, and what it ended with.
pub type Completed<T> = (usize, Result<T, TaskError>);

/// Tasks of one type, taken one after the other as they end.
pub trait EachTask {
    /// What each of them ends with.
    type Output;

    /// The next that has ended and was not taken: its number and what it ended
    /// with. `None` when all were taken.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Completed<Self::Output>>>;
}

/// A task that is aborted unless the others can be started as well.
pub(super) struct Started<T> {
    task: Option<Task<T>>,
    others: bool,
}

impl<T> Started<T> {
    /// Starts `task`, which is the one of that number.
    pub(super) fn new<I: IntoTask<Output = T>>(
        event_loop: &EventLoop,
        number: usize,
        task: I,
    ) -> Result<Started<T>, ScheduleError<usize>> {
        // One that others began is not for us to end.
        let others = task.has_begun();
        match event_loop.create_task(task) {
            Ok(task) => Ok(Started { task: Some(task), others }),
            Err(error) => Err(error.map(|_| number)),
        }
    }

    /// Keeps it: all could be started.
    pub(super) fn keep(mut self) -> ChildTask<T> {
        self.task.take().map_or(ChildTask::Taken, ChildTask::Running)
    }
}

impl<T> Drop for Started<T> {
    fn drop(&mut self) {
        if let Some(task) = &self.task
            && !self.others
        {
            task.abort();
        }
    }
}

macro_rules! tuple_of_tasks {
    ($either:ident: $($variant:ident $type:ident $name:ident),*) => {
        impl<$($type: IntoTask),*> IntoTasks for ($($type,)*) {
            type Children = ($(ChildTask<$type::Output>,)*);

            fn start(
                self,
                event_loop: &EventLoop,
            ) -> Result<Self::Children, ScheduleError<usize>> {
                let ($($name,)*) = self;
                let mut number = 0..;
                $(
                    let at = number.next().unwrap_or_default();
                    let $name = Started::new(event_loop, at, $name)?;
                )*
                Ok(($($name.keep(),)*))
            }
        }

        impl<$($type),*> ChildTasks for ($(ChildTask<$type>,)*) {
            type Values = ($($type,)*);
            type Results = ($(Result<$type, TaskError>,)*);

            fn poll_all(&mut self, cx: &mut Context<'_>) -> bool {
                let ($($name,)*) = self;
                let mut ended = true;
                $(ended &= $name.poll(cx);)*
                ended
            }

            fn take_error(&mut self) -> Option<(usize, TaskError)> {
                let ($($name,)*) = self;
                let mut number = 0..;
                $(
                    let at = number.next()?;
                    if let Some(error) = $name.take_error() {
                        return Some((at, error));
                    }
                )*
                None
            }

            fn take_values(&mut self) -> Option<Self::Values> {
                let ($($name,)*) = self;
                Some(($($name.take_value()?,)*))
            }

            fn take_results(&mut self) -> Option<Self::Results> {
                let ($($name,)*) = self;
                Some(($($name.take()?,)*))
            }

            fn cancel(&self) {
                let ($($name,)*) = self;
                $($name.cancel();)*
            }
        }

        impl<Error, $($type),*> TryChildTasks for ($(ChildTask<Result<$type, Error>>,)*) {
            type Error = Error;
            type TryValues = ($($type,)*);

            fn take_failure(&mut self) -> Option<(usize, Result<Error, TaskError>)> {
                let ($($name,)*) = self;
                let mut number = 0..;
                $(
                    let at = number.next()?;
                    if let Some(error) = $name.take_failure() {
                        return Some((at, error));
                    }
                )*
                None
            }

            fn take_try_values(&mut self) -> Option<Self::TryValues> {
                let ($($name,)*) = self;
                Some(($($name.take_value()?.ok()?,)*))
            }
        }
    };
}
for_each_tuple!(tuple_of_tasks);

impl<T: IntoTask, const N: usize> IntoTasks for [T; N] {
    type Children = [ChildTask<T::Output>; N];

    fn start(self, event_loop: &EventLoop) -> Result<Self::Children, ScheduleError<usize>> {
        let mut children = [const { None }; N];
        for ((number, task), child) in self.into_iter().enumerate().zip(&mut children) {
            *child = Some(Started::new(event_loop, number, task)?);
        }
        Ok(children.map(|child| child.map_or(ChildTask::Taken, Started::keep)))
    }
}

/// The first of `children` for which `take` gives something, and that.
pub(super) fn first<T, R>(
    children: &mut [ChildTask<T>],
    take: impl Fn(&mut ChildTask<T>) -> Option<R>,
) -> Option<(usize, R)> {
    let mut numbered = children.iter_mut().enumerate();
    numbered.find_map(|(number, child)| take(child).map(|taken| (number, taken)))
}

impl<T, const N: usize> ChildTasks for [ChildTask<T>; N] {
    type Values = [T; N];
    type Results = [Result<T, TaskError>; N];

    fn poll_all(&mut self, cx: &mut Context<'_>) -> bool {
        self.iter_mut().fold(true, |ended, child| ended & child.poll(cx))
    }

    fn take_error(&mut self) -> Option<(usize, TaskError)> {
        first(self, ChildTask::take_error)
    }

    fn take_values(&mut self) -> Option<[T; N]> {
        all(self.each_mut().map(ChildTask::take_value))
    }

    fn take_results(&mut self) -> Option<Self::Results> {
        all(self.each_mut().map(ChildTask::take))
    }

    fn cancel(&self) {
        self.iter().for_each(ChildTask::cancel);
    }
}

impl<T, E, const N: usize> TryChildTasks for [ChildTask<Result<T, E>>; N] {
    type Error = E;
    type TryValues = [T; N];

    fn take_failure(&mut self) -> Option<(usize, Result<E, TaskError>)> {
        first(self, ChildTask::take_failure)
    }

    fn take_try_values(&mut self) -> Option<[T; N]> {
        all(self.each_mut().map(|child| child.take_value()?.ok()))
    }
}

impl<T, const N: usize> EachTask for [ChildTask<T>; N] {
    type Output = T;

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Completed<T>>> {
        let mut over = true;
        for (number, child) in self.iter_mut().enumerate() {
            if child.poll(cx) {
                if let Some(result) = child.take() {
                    return Poll::Ready(Some((number, result)));
                }
            } else {
                over = false;
            }
        }
        if over { Poll::Ready(None) } else { Poll::Pending }
    }
}
