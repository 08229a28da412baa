//! Permits that hold on to their semaphore, to be given to a task, or kept in a
//! value that outlives who acquired them.
//!
//! Who waits for one stands in the same queue as who waits for a borrowed one,
//! and under the same rules: see `semaphore`.
//!
//! # Invariants
//!
//! * **Pinned**, **Same List**: those of `wait_list`.

use super::bounded_semaphore::BoundedSemaphore;
use super::semaphore::{PermitSource, Semaphore};
use super::wait_list::Waiter;
use alloc::rc::Rc;
use core::fmt;
use core::future::Future;
use core::marker::PhantomPinned;
use core::pin::Pin;
use core::task::{Context, Poll};

/// A permit that holds on to its semaphore; it is released when this is dropped.
#[must_use = "the permit is released when this is dropped"]
#[clippy::has_significant_drop]
pub struct OwnedPermit<S: PermitSource = Semaphore> {
    source: Rc<S>,
}

impl<S: PermitSource> OwnedPermit<S> {
    /// Takes a permit if there is one and nobody waits.
    fn try_of(source: &Rc<S>) -> Option<OwnedPermit<S>> {
        source.semaphore().try_take(1).then(|| OwnedPermit { source: source.clone() })
    }

    /// The semaphore that it is of.
    pub fn semaphore(&self) -> &Rc<S> {
        &self.source
    }
}

impl<S: PermitSource> Drop for OwnedPermit<S> {
    fn drop(&mut self) {
        self.source.semaphore().release_many(1);
    }
}

impl<S: PermitSource> fmt::Debug for OwnedPermit<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnedPermit")
    }
}

/// The future of [`Semaphore::acquire_owned`] and
/// [`BoundedSemaphore::acquire_owned`].
#[must_use = "futures do nothing unless awaited"]
pub struct AcquireOwned<S: PermitSource = Semaphore> {
    source: Rc<S>,
    waiter: Waiter<usize>,
    _pin: PhantomPinned,
}

impl<S: PermitSource> AcquireOwned<S> {
    fn new(source: Rc<S>) -> AcquireOwned<S> {
        AcquireOwned { source, waiter: Waiter::carrying(1), _pin: PhantomPinned }
    }
}

impl<S: PermitSource> Future for AcquireOwned<S> {
    type Output = OwnedPermit<S>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<OwnedPermit<S>> {
        let this = self.into_ref().get_ref();
        // SAFETY: Pinned by this future, which leaves when it is dropped; Same
        // List: it owns a part of the semaphore, which so does not move.
        unsafe { this.source.semaphore().poll_take(&this.waiter, cx) }
            .map(|()| OwnedPermit { source: this.source.clone() })
    }
}

impl<S: PermitSource> Drop for AcquireOwned<S> {
    fn drop(&mut self) {
        // SAFETY: Same List.
        unsafe { self.source.semaphore().leave(&self.waiter) };
    }
}

impl Semaphore {
    /// As [`acquire`](Semaphore::acquire), of a permit that holds on to the
    /// semaphore, such as for a task.
    ///
    /// ```no_run
    /// # use molen_core as molen;
    /// # futures::executor::block_on(async {
    /// use molen::Semaphore;
    /// use std::rc::Rc;
    ///
    /// let places = Rc::new(Semaphore::new(1));
    /// let place = places.clone().acquire_owned().await;
    /// // This may be a task: it borrows nothing.
    /// let work = async move {
    ///     let _place = place;
    /// };
    /// assert!(places.locked());
    /// work.await;
    /// assert!(!places.locked());
    /// # });
    /// ```
    ///
    /// asyncio needs none, as nothing is borrowed there; the name is tokio's.
    ///
    /// # Cancellation
    ///
    /// As there.
    pub fn acquire_owned(self: Rc<Self>) -> AcquireOwned {
        AcquireOwned::new(self)
    }

    /// As [`try_acquire`](Semaphore::try_acquire), of a permit that holds on to
    /// the semaphore.
    pub fn try_acquire_owned(self: &Rc<Self>) -> Option<OwnedPermit> {
        OwnedPermit::try_of(self)
    }
}

impl BoundedSemaphore {
    /// As [`Semaphore::acquire_owned`].
    ///
    /// # Cancellation
    ///
    /// As there.
    pub fn acquire_owned(self: Rc<Self>) -> AcquireOwned<BoundedSemaphore> {
        AcquireOwned::new(self)
    }

    /// As [`Semaphore::try_acquire_owned`].
    pub fn try_acquire_owned(self: &Rc<Self>) -> Option<OwnedPermit<BoundedSemaphore>> {
        OwnedPermit::try_of(self)
    }
}
