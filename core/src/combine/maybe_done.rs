//! A future, and after it what it ended with, in one place.
//!
//! # Invariants
//!
//! * **Pinned**: what is in a pinned place stays there until it is dropped
//!   there: a future while it runs; of arrays and tuples, each element. An
//!   output is nobody's pinned thing and may be moved out.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

/// One child of a combinator.
pub enum MaybeDone<F: Future> {
    /// It is not ready yet.
    Running(F),
    /// It was ready with this.
    Done(F::Output),
    /// Its output was taken.
    Taken,
}

impl<F: Future> MaybeDone<F> {
    /// Polls the future, unless it is done; whether there is an output now.
    #[inline]
    pub(super) fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> bool {
        // SAFETY: Pinned: the future is polled where it is.
        let running = match unsafe { self.as_mut().get_unchecked_mut() } {
            MaybeDone::Running(future) => future,
            MaybeDone::Done(_) => return true,
            MaybeDone::Taken => return false,
        };
        // SAFETY: Pinned: as above.
        match unsafe { Pin::new_unchecked(running) }.poll(cx) {
            Poll::Ready(output) => {
                self.set(MaybeDone::Done(output));
                true
            }
            Poll::Pending => false,
        }
    }

    /// Whether the future is still running.
    #[inline]
    pub(super) fn is_running(&self) -> bool {
        matches!(self, MaybeDone::Running(_))
    }

    /// Takes the output out.
    ///
    /// # Safety
    ///
    /// [`poll`](Self::poll) has returned true, and it was not taken since.
    #[inline]
    pub(super) unsafe fn take_done(self: Pin<&mut Self>) -> F::Output {
        // SAFETY: Pinned: it is no future any more.
        let this = unsafe { self.get_unchecked_mut() };
        match core::mem::replace(this, MaybeDone::Taken) {
            MaybeDone::Done(output) => output,
            // SAFETY: the caller's promise.
            _ => unsafe { core::hint::unreachable_unchecked() },
        }
    }

    /// Takes the output out, if it is there.
    #[inline]
    pub(super) fn take(self: Pin<&mut Self>) -> Option<F::Output> {
        // SAFETY: Pinned: it is moved only if it is no future any more.
        let this = unsafe { self.get_unchecked_mut() };
        if !matches!(this, MaybeDone::Done(_)) {
            return None;
        }
        match core::mem::replace(this, MaybeDone::Taken) {
            MaybeDone::Done(output) => Some(output),
            _ => None,
        }
    }
}

impl<T, E, F: Future<Output = Result<T, E>>> MaybeDone<F> {
    /// Takes the value out, if it was ready with one; an error stays.
    pub(super) fn take_success(self: Pin<&mut Self>) -> Option<T> {
        // SAFETY: Pinned: it is moved only if it is no future any more.
        let this = unsafe { self.get_unchecked_mut() };
        if !matches!(this, MaybeDone::Done(Ok(_))) {
            return None;
        }
        match core::mem::replace(this, MaybeDone::Taken) {
            MaybeDone::Done(output) => output.ok(),
            _ => None,
        }
    }
}

/// The elements of a pinned slice, each pinned.
#[inline]
pub(super) fn each<T>(slice: Pin<&mut [T]>) -> impl ExactSizeIterator<Item = Pin<&mut T>> {
    // SAFETY: Pinned: nobody moves an element by this.
    let slice = unsafe { slice.get_unchecked_mut() };
    // SAFETY: Pinned: the slice does not move, so its elements do not.
    slice.iter_mut().map(|element| unsafe { Pin::new_unchecked(element) })
}

/// An element of a pinned slice, pinned.
#[cfg(feature = "alloc")]
#[inline]
pub(super) fn at<T>(slice: Pin<&mut [T]>, index: usize) -> Option<Pin<&mut T>> {
    // SAFETY: Pinned: nobody moves an element by this.
    let element = unsafe { slice.get_unchecked_mut() }.get_mut(index)?;
    // SAFETY: Pinned: the slice does not move, so its elements do not.
    Some(unsafe { Pin::new_unchecked(element) })
}

/// A pinned array as a pinned slice.
#[inline]
pub(super) fn as_slice<T, const N: usize>(array: Pin<&mut [T; N]>) -> Pin<&mut [T]> {
    // SAFETY: Pinned: the same elements in the same place.
    unsafe { array.map_unchecked_mut(|array| array.as_mut_slice()) }
}
