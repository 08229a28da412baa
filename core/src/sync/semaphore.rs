//! A number of permits that tasks acquire and release, given out in order of
//! arrival.
//!
//! ```text
//!            enough, and nobody before it
//!  acquire ─────────────────────────────────────────▶ permit
//!     │                                                 ▲
//!     └──▶ waiting ── a release has enough ──▶ granted ─┘ resumes
//!                                                 │
//!        permits come back, the next are granted ◀┘ dropped instead
//! ```
//!
//! Permits are taken from the counter when they are granted, not when the task
//! resumes. As long as somebody is granted who has not resumed, all who come go
//! to the tail: so a task that releases and acquires in a loop cannot overtake
//! those who began to wait before it.
//!
//! # Invariants
//!
//! * **Served**: when nothing is being called, whoever is first in the list
//!   wants more than there is, or somebody granted has not resumed.
//! * **Pinned**, **Same List**: those of `wait_list`.

use super::wait_list::{WaitList, Waiter};
use crate::schedule::{contain, current};
use core::cell::Cell;
use core::fmt;
use core::future::Future;
use core::marker::PhantomPinned;
use core::mem::forget;
use core::pin::Pin;
use core::task::{Context, Poll};

/// A number of permits.
///
/// ```no_run
/// # use molen_core as molen;
/// # futures::executor::block_on(async {
/// use molen::Semaphore;
///
/// let semaphore = Semaphore::new(2);
/// let one = semaphore.acquire().await;
/// let other = semaphore.acquire().await;
/// assert!(semaphore.locked());
/// drop(one);
/// assert_eq!(semaphore.available_permits(), 1);
/// # drop(other);
/// # });
/// ```
///
/// Fair: those who wait are served in the order in which they began to wait,
/// also when the first wants more permits than a later one.
///
/// asyncio: `asyncio.Semaphore`. (Its default value is 1.)
pub struct Semaphore {
    permits: Cell<usize>,
    /// Waiters that were granted what they want and have not resumed.
    granted: Cell<usize>,
    /// Each carries how many permits it wants.
    waiters: WaitList<usize>,
}

impl Semaphore {
    /// A semaphore with so many permits. asyncio: `asyncio.Semaphore(permits)`.
    pub const fn new(permits: usize) -> Semaphore {
        Semaphore { permits: Cell::new(permits), granted: Cell::new(0), waiters: WaitList::new() }
    }

    /// Waits for a permit, and takes it. If there is one, others get no turn first.
    ///
    /// asyncio: `await semaphore.acquire()`, `async with semaphore`. The permit
    /// comes back when the guard is dropped; [`Permit::forget`] leaves that to
    /// [`Semaphore::release`].
    ///
    /// # Cancellation
    ///
    /// The waiter leaves the queue. A permit that was granted to it already
    /// goes to the next one.
    #[inline]
    pub fn acquire(&self) -> AcquirePermit<'_> {
        self.acquire_many(1)
    }

    /// Waits for `count` permits at once. Those who come later wait for it,
    /// even if they want fewer. tokio: `acquire_many`.
    ///
    /// # Cancellation
    ///
    /// As [`Semaphore::acquire`].
    #[inline]
    pub fn acquire_many(&self, count: usize) -> AcquirePermit<'_> {
        AcquirePermit::new(self, count)
    }

    /// Takes a permit if there is one and nobody waits.
    #[inline]
    pub fn try_acquire(&self) -> Option<Permit<'_>> {
        self.try_acquire_many(1)
    }

    /// Takes `count` permits if there are so many and nobody waits.
    #[inline]
    pub fn try_acquire_many(&self, count: usize) -> Option<Permit<'_>> {
        self.try_take(count).then_some(Permit { source: self, count })
    }

    /// Whether [`Semaphore::acquire`] would wait: no permit is left, or others
    /// wait, or have not gone on yet. asyncio: `Semaphore.locked()`.
    pub fn locked(&self) -> bool {
        self.permits.get() == 0 || self.granted.get() > 0 || !self.waiters.is_empty()
    }

    /// How many permits are neither acquired nor granted to one who waits.
    pub fn available_permits(&self) -> usize {
        self.permits.get()
    }

    /// Adds a permit: one whose guard was given to [`Permit::forget`], or a new
    /// one. asyncio: `Semaphore.release()`.
    pub fn release(&self) {
        self.release_many(1);
    }

    /// Adds `count` permits; `usize::MAX` is the most that there can be.
    #[inline]
    pub fn release_many(&self, count: usize) {
        self.permits.set(self.permits.get().saturating_add(count));
        self.grant();
    }

    #[inline]
    pub(super) fn try_take(&self, count: usize) -> bool {
        let left = self.permits.get().checked_sub(count);
        match left {
            Some(left) if self.granted.get() == 0 && self.waiters.is_empty() => {
                self.permits.set(left);
                true
            }
            _ => false,
        }
    }

    /// Gives those who wait what there is (Served).
    #[inline]
    fn grant(&self) {
        if !self.waiters.is_empty() {
            self.grant_waiters();
        }
    }

    fn grant_waiters(&self) {
        while let Some(wanted) = self.waiters.first_carries()
            && let Some(left) = self.permits.get().checked_sub(wanted)
        {
            self.permits.set(left);
            self.granted.set(self.granted.get() + 1);
            let rest = GrantRest(self);
            self.waiters.wake_first();
            forget(rest);
        }
    }

    /// # Safety
    ///
    /// *Pinned* and *Same List*, until it is ready or [`Semaphore::leave`] is called.
    #[inline]
    pub(super) unsafe fn poll_take(
        &self,
        waiter: &Waiter<usize>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        // Not if this one waits or is granted what it wants.
        if self.try_take(*waiter.carried()) {
            return Poll::Ready(());
        }
        // SAFETY: the caller's contract.
        unsafe { self.poll_waiting(waiter, cx) }
    }

    /// The same, when there is not enough, or somebody comes before.
    ///
    /// # Safety
    ///
    /// As there.
    unsafe fn poll_waiting(&self, waiter: &Waiter<usize>, cx: &mut Context<'_>) -> Poll<()> {
        if waiter.was_taken() {
            waiter.forget_taken();
            self.granted.set(self.granted.get() - 1);
            // Some may have come while there was enough, and gone to the tail.
            self.grant();
            return Poll::Ready(());
        }
        // SAFETY: the caller's contract.
        unsafe { self.waiters.wait(waiter, cx.waker()) };
        Poll::Pending
    }

    /// What happens when `waiter` goes away before it was ready.
    ///
    /// # Safety
    ///
    /// *Same List*.
    #[inline]
    pub(super) unsafe fn leave(&self, waiter: &Waiter<usize>) {
        if waiter.is_linked() {
            // SAFETY: the caller's contract.
            unsafe { self.waiters.remove(waiter) };
            // The next may want less than this one did.
            self.grant();
        } else if waiter.was_taken() {
            self.granted.set(self.granted.get() - 1);
            self.release_many(*waiter.carried());
        }
    }
}

/// Serves those behind one whose waker, a foreign one, has panicked.
struct GrantRest<'a>(&'a Semaphore);

impl Drop for GrantRest<'_> {
    fn drop(&mut self) {
        contain(current(), "a waker panicked", || self.0.grant());
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore")
            .field("available_permits", &self.available_permits())
            .field("locked", &self.locked())
            .finish()
    }
}

/// What permits come from: a [`Semaphore`] or a
/// [`BoundedSemaphore`](super::BoundedSemaphore).
pub trait PermitSource: sealed::Source {}

impl<S: sealed::Source> PermitSource for S {}

pub(super) mod sealed {
    pub trait Source {
        fn semaphore(&self) -> &super::Semaphore;

        /// `count` permits will be released explicitly, or never.
        fn forgotten(&self, count: usize);
    }
}

impl sealed::Source for Semaphore {
    #[inline]
    fn semaphore(&self) -> &Semaphore {
        self
    }

    fn forgotten(&self, _count: usize) {}
}

/// One or more permits, which are released when this is dropped.
#[must_use = "the permit is released when this is dropped"]
#[clippy::has_significant_drop]
pub struct Permit<'a, S: PermitSource = Semaphore> {
    source: &'a S,
    count: usize,
}

impl<'a, S: PermitSource> Permit<'a, S> {
    pub(super) fn new(source: &'a S, count: usize) -> Permit<'a, S> {
        Permit { source, count }
    }

    /// Keeps what was acquired until it is released explicitly.
    pub fn forget(self) {
        self.source.forgotten(self.count);
        forget(self);
    }

    /// How many permits this is.
    pub fn count(&self) -> usize {
        self.count
    }
}

impl<S: PermitSource> Drop for Permit<'_, S> {
    #[inline]
    fn drop(&mut self) {
        self.source.semaphore().release_many(self.count);
    }
}

impl<S: PermitSource> fmt::Debug for Permit<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Permit").field(&self.count).finish()
    }
}

/// The future of [`Semaphore::acquire`] and the like.
#[must_use = "futures do nothing unless awaited"]
pub struct AcquirePermit<'a, S: PermitSource = Semaphore> {
    source: &'a S,
    waiter: Waiter<usize>,
    _pin: PhantomPinned,
}

impl<'a, S: PermitSource> AcquirePermit<'a, S> {
    #[inline]
    pub(super) fn new(source: &'a S, count: usize) -> AcquirePermit<'a, S> {
        AcquirePermit { source, waiter: Waiter::carrying(count), _pin: PhantomPinned }
    }
}

impl<'a, S: PermitSource> Future for AcquirePermit<'a, S> {
    type Output = Permit<'a, S>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Permit<'a, S>> {
        let this = self.into_ref().get_ref();
        // SAFETY: Pinned by this future, which leaves when it is dropped; Same
        // List: it borrows the semaphore.
        unsafe { this.source.semaphore().poll_take(&this.waiter, cx) }
            .map(|()| Permit::new(this.source, *this.waiter.carried()))
    }
}

impl<S: PermitSource> Drop for AcquirePermit<'_, S> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: Same List.
        unsafe { self.source.semaphore().leave(&self.waiter) };
    }
}
