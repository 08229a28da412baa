//! Running a group's body, and waiting for its tasks: the protocol that both
//! kinds of group share.
//!
//! # Invariants
//!
//! * **Pinned**: scope and body stay where they are until they are dropped.

use super::{Members, Phase, TaskGroupError};
use crate::task::Cancelled;
use crate::task::cancel::scope::{self, Scope, Scoped};
use crate::task::cancel::{cancel, uncancel};
use core::future::{Future, pending};
use core::pin::{Pin, pin};
use core::task::{Context, Poll};

/// The future of a group's `run`.
#[must_use = "futures do nothing unless awaited"]
pub(super) struct Run<'a, M: Members, F: Future> {
    scope: Scope,
    body: Option<F>,
    output: Option<F::Output>,
    members: &'a M,
    /// The body was asked to end, which counts as a cancel of the task that runs the group.
    asked: bool,
    /// How many cancels stood when the task that runs the group came to it.
    baseline: u8,
    /// The cancel that goes on when all is over.
    propagate: Option<Cancelled>,
    /// The last cancel that came while the tasks were waited for.
    pending: Option<Cancelled>,
    step: Step,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    New,
    Running,
    /// All is over but a cancel, which goes on.
    Passing,
    Over,
}

impl<M: Members, F: Future> Drop for Run<'_, M, F> {
    /// Cancels the tasks of a group whose run is dropped before its end, and
    /// takes back what was counted.
    fn drop(&mut self) {
        if matches!(self.step, Step::New | Step::Over) {
            return;
        }
        self.take_back();
        self.members.phase().set(Phase::Finished);
        self.members.abort();
    }
}

impl<'a, M: Members, F: Future> Run<'a, M, F> {
    pub(super) fn new(members: &'a M, body: F) -> Run<'a, M, F> {
        Run {
            scope: Scope::catching(),
            body: Some(body),
            output: None,
            members,
            asked: false,
            baseline: 0,
            propagate: None,
            pending: None,
            step: Step::New,
        }
    }

    /// Takes back what was asked of the body, and counted. How many cancels
    /// are left, if it was counted.
    fn take_back(&mut self) -> Option<u8> {
        if !core::mem::take(&mut self.asked) {
            return None;
        }
        let left = uncancel(self.scope.task()?);
        if left <= self.baseline {
            self.scope.withdraw();
        }
        Some(left)
    }
}

impl<M, F, R> Future for Run<'_, M, F>
where
    M: Members,
    F: Future<Output = Result<R, M::Error>>,
{
    type Output = Result<Option<R>, TaskGroupError<M::Errors>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: Pinned: the body is not moved, but dropped in its place.
        let this = unsafe { self.get_unchecked_mut() };
        match this.step {
            Step::Running => this.follow(),
            Step::New => {
                let Some((_, task)) = crate::task::current() else {
                    return this.refuse(TaskGroupError::NoTask);
                };
                if this.members.phase().get() != Phase::NotEntered {
                    return this.refuse(TaskGroupError::AlreadyEntered);
                }
                this.members.phase().set(Phase::Entered);
                // SAFETY: the running task is alive.
                this.baseline = unsafe { task.as_ref() }.state.cancels();
                this.step = Step::Running;
            }
            Step::Passing => {
                scope::pass_on(None);
                return Poll::Pending;
            }
            Step::Over => return Poll::Pending,
        }
        this.poll_body(cx);
        this.members.look(cx.waker());
        if this.members.must_abort() {
            this.abort();
        }
        if !this.asked && this.members.phase().get() == Phase::Aborting {
            this.ask();
        }
        if this.body.is_some() {
            return Poll::Pending;
        }
        this.members.await_all(cx.waker());
        while !this.members.all_ended() {
            // SAFETY: Pinned.
            let scope = unsafe { Pin::new_unchecked(&this.scope) };
            match scope.poll(cx, pin!(pending::<()>())) {
                Scoped::Cancelled(cancelled) => this.cancelled(cancelled),
                Scoped::Pending | Scoped::Ready(()) => return Poll::Pending,
            }
            this.members.look(cx.waker());
        }
        this.finish()
    }
}

impl<M: Members, F, R> Run<'_, M, F>
where
    F: Future<Output = Result<R, M::Error>>,
{
    fn refuse(
        &mut self,
        error: TaskGroupError<M::Errors>,
    ) -> Poll<Result<Option<R>, TaskGroupError<M::Errors>>> {
        self.drop_body();
        self.step = Step::Over;
        Poll::Ready(Err(error))
    }

    fn poll_body(&mut self, cx: &mut Context<'_>) {
        // SAFETY: Pinned.
        let (scope, body) =
            unsafe { (Pin::new_unchecked(&self.scope), Pin::new_unchecked(&mut self.body)) };
        let Some(body) = body.as_pin_mut() else { return };
        match scope.poll(cx, body) {
            Scoped::Pending => {}
            Scoped::Ready(output) => {
                self.drop_body();
                let failed = output.is_err();
                self.output = Some(output);
                if failed {
                    self.abort();
                }
            }
            Scoped::Cancelled(cancelled) => {
                self.drop_body();
                self.cancelled(cancelled);
            }
        }
    }

    /// Follows whoever holds it to another task: what was asked of the body in
    /// the one before is taken back, and asked for anew once it has been polled here.
    fn follow(&mut self) {
        if let Some((_, task)) = crate::task::current()
            && !self.scope.is_in(task)
        {
            self.take_back();
            // SAFETY: the running task is alive.
            self.baseline = unsafe { task.as_ref() }.state.cancels();
        }
    }

    fn drop_body(&mut self) {
        // SAFETY: Pinned: dropped in its place.
        unsafe { Pin::new_unchecked(&mut self.body) }.set(None);
    }

    /// A cancel was delivered to the group.
    fn cancelled(&mut self, cancelled: Cancelled) {
        if self.members.phase().get() == Phase::Aborting {
            self.pending = Some(cancelled);
        } else {
            self.propagate = Some(cancelled);
            self.abort();
        }
    }

    /// Cancels the tasks and asks the body to end, once.
    fn abort(&mut self) {
        if self.members.phase().replace(Phase::Aborting) == Phase::Aborting {
            return;
        }
        self.members.abort();
        self.ask();
    }

    /// Asks the body to end, which counts as a cancel.
    fn ask(&mut self) {
        if self.body.is_some() {
            self.asked = true;
            if !self.scope.cancel_inside() {
                self.drop_body();
            }
        }
    }

    /// Every task has ended, and the body.
    fn finish(&mut self) -> Poll<Result<Option<R>, TaskGroupError<M::Errors>>> {
        let Some((_, task)) = crate::task::current() else { return Poll::Pending };
        // SAFETY: the running task is alive.
        let header = unsafe { task.as_ref() };
        self.members.phase().set(Phase::Finished);
        if let Some(left) = self.take_back() {
            // What is left was asked for by others.
            if left <= self.baseline {
                self.propagate = None;
            } else if self.propagate.is_none() {
                self.propagate = self.pending.take();
            }
        }
        let (value, error) = match self.output.take() {
            Some(Ok(value)) => (Some(value), None),
            Some(Err(error)) => (None, Some(error)),
            None => (None, None),
        };
        let errors = self.members.take_errors(error);
        match (errors, self.propagate.take()) {
            (None, Some(cancelled)) => {
                self.step = Step::Passing;
                self.scope.leave();
                scope::pass_on(cancelled.into_message());
                Poll::Pending
            }
            (None, None) => {
                self.over();
                Poll::Ready(Ok(value))
            }
            (Some(errors), _) => {
                self.over();
                if header.state.cancels() > self.baseline {
                    uncancel(header);
                    // SAFETY: the running task, on its loop's thread.
                    unsafe { cancel(task, None) };
                }
                Poll::Ready(Err(TaskGroupError::Exceptions(errors)))
            }
        }
    }

    fn over(&mut self) {
        self.step = Step::Over;
        self.scope.leave();
    }
}
