//! Any number of tasks of one type that are started together.

use super::child_task::ChildTask;
use super::children::{Children, poll_woken};
use super::tasks::{ChildTasks, Completed, EachTask, IntoTasks, Started, TryChildTasks};
use crate::error::{ScheduleError, TaskError};
use crate::schedule::EventLoop;
use crate::task::IntoTask;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::task::{Context, Poll};

/// The tasks. Each is looked at when it was woken, so the order in which they
/// ended is known.
pub struct ManyTasks<T> {
    tasks: Vec<ChildTask<T>>,
    /// Which have ended and were not looked at yet, first come first.
    ended: VecDeque<usize>,
    running: usize,
    children: Option<Children>,
}

impl<T> Unpin for ManyTasks<T> {}

impl<T: IntoTask> IntoTasks for Vec<T> {
    type Children = ManyTasks<T::Output>;

    fn start(self, event_loop: &EventLoop) -> Result<Self::Children, ScheduleError<usize>> {
        let tasks = self.into_iter().enumerate();
        let tasks: Result<Vec<_>, _> =
            tasks.map(|(number, task)| Started::new(event_loop, number, task)).collect();
        let tasks: Vec<_> = tasks?.into_iter().map(Started::keep).collect();
        Ok(ManyTasks { running: tasks.len(), tasks, ended: VecDeque::new(), children: None })
    }
}

impl<T> ManyTasks<T> {
    /// The first that has ended, and has what `take` looks for; those that have
    /// not are not looked at again.
    fn first_ended<R>(
        &mut self,
        take: impl Fn(&mut ChildTask<T>) -> Option<R>,
    ) -> Option<(usize, R)> {
        while let Some(number) = self.ended.pop_front() {
            if let Some(taken) = self.tasks.get_mut(number).and_then(&take) {
                return Some((number, taken));
            }
        }
        None
    }
}

impl<T> ChildTasks for ManyTasks<T> {
    type Values = Vec<T>;
    type Results = Vec<Result<T, TaskError>>;

    fn poll_all(&mut self, cx: &mut Context<'_>) -> bool {
        let ManyTasks { tasks, ended, running, children } = self;
        poll_woken(children, tasks.len(), cx, |number, cx| {
            if let Some(task) = tasks.get_mut(number)
                && !task.ended()
                && task.poll(cx)
            {
                *running -= 1;
                ended.push_back(number);
            }
        });
        *running == 0
    }

    fn take_error(&mut self) -> Option<(usize, TaskError)> {
        self.first_ended(ChildTask::take_error)
    }

    fn take_values(&mut self) -> Option<Vec<T>> {
        self.tasks.iter_mut().map(ChildTask::take_value).collect()
    }

    fn take_results(&mut self) -> Option<Self::Results> {
        self.tasks.iter_mut().map(ChildTask::take).collect()
    }

    fn cancel(&self) {
        self.tasks.iter().for_each(ChildTask::cancel);
    }
}

impl<T, E> TryChildTasks for ManyTasks<Result<T, E>> {
    type Error = E;
    type TryValues = Vec<T>;

    fn take_failure(&mut self) -> Option<(usize, Result<E, TaskError>)> {
        self.first_ended(ChildTask::take_failure)
    }

    fn take_try_values(&mut self) -> Option<Vec<T>> {
        self.tasks.iter_mut().map(|child| child.take_value()?.ok()).collect()
    }
}

impl<T> EachTask for ManyTasks<T> {
    type Output = T;

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Completed<T>>> {
        let over = self.poll_all(cx);
        match self.first_ended(ChildTask::take) {
            None if !over => Poll::Pending,
            next => Poll::Ready(next),
        }
    }
}
