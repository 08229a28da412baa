//! A task of a group: its future, and its place.
//!
//! A future that fails gives its error to the group; the task then cancels
//! itself, because there is no value that it could end with.

use super::Exception;
use super::group::Shared;
use crate::task::state::CANCEL;
use alloc::rc::Rc;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

/// A place in a group, given back when it is dropped.
pub(super) struct Place<E> {
    group: Rc<Shared<E>>,
    number: usize,
}

impl<E> Place<E> {
    pub(super) fn new(group: Rc<Shared<E>>, number: usize) -> Place<E> {
        Place { group, number }
    }

    pub(super) fn number(&self) -> usize {
        self.number
    }
}

impl<E> Drop for Place<E> {
    fn drop(&mut self) {
        self.group.leave(self.number);
    }
}

/// The future of a group's task. The future is dropped before the place.
pub(super) struct Member<F, E> {
    future: F,
    failed: bool,
    place: Place<E>,
}

impl<F, E> Member<F, E> {
    pub(super) fn new(future: F, place: Place<E>) -> Member<F, E> {
        Member { future, failed: false, place }
    }

    pub(super) fn into_future(self) -> F {
        self.future
    }
}

impl<F: Future<Output = Result<T, E>>, T, E> Future for Member<F, E> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        // SAFETY: the future stays where it is.
        let (future, failed, place) = unsafe {
            let this = self.get_unchecked_mut();
            (Pin::new_unchecked(&mut this.future), &mut this.failed, &this.place)
        };
        if *failed {
            return Poll::Pending;
        }
        let exception = match poll_caught(future, cx) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(Ok(value))) => return Poll::Ready(value),
            Ok(Poll::Ready(Err(error))) => Exception::Error(error),
            Err(exception) => exception,
        };
        *failed = true;
        place.group.fail(exception);
        if let Some((_, task)) = crate::task::current() {
            // SAFETY: the running task is alive.
            unsafe { task.as_ref() }.set(CANCEL);
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

#[cfg(not(feature = "threads"))]
fn poll_caught<F: Future, E>(
    future: Pin<&mut F>,
    cx: &mut Context<'_>,
) -> Result<Poll<F::Output>, Exception<E>> {
    Ok(future.poll(cx))
}

/// Polls, where a panic is one more way to fail.
#[cfg(feature = "threads")]
fn poll_caught<F: Future, E>(
    mut future: Pin<&mut F>,
    cx: &mut Context<'_>,
) -> Result<Poll<F::Output>, Exception<E>> {
    let mut polled = Poll::Pending;
    match crate::platform::catch_unwind(&mut || polled = future.as_mut().poll(cx)) {
        Ok(()) => Ok(polled),
        Err(payload) => Err(Exception::Panicked(payload)),
    }
}
