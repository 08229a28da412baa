//! A semaphore that never has more permits than at first.
//!
//! asyncio's compares the counter with its first value, so a release too many
//! is noticed only if nothing is acquired just then. Here what may be released
//! explicitly is what was acquired and given to [`Permit::forget`], and each
//! guard releases what it holds: a release too many is an error at once.

use super::semaphore::{AcquirePermit, Permit, Semaphore, sealed};
use core::cell::Cell;
use core::fmt;

/// A [`Semaphore`] that never has more permits than at first.
///
/// asyncio: `asyncio.BoundedSemaphore`.
pub struct BoundedSemaphore {
    semaphore: Semaphore,
    bound: usize,
    /// Permits that are acquired and have no guard.
    forgotten: Cell<usize>,
}

impl BoundedSemaphore {
    /// A semaphore with so many permits, and never more.
    pub const fn new(permits: usize) -> BoundedSemaphore {
        BoundedSemaphore {
            semaphore: Semaphore::new(permits),
            bound: permits,
            forgotten: Cell::new(0),
        }
    }

    /// How many permits there are in all.
    pub fn bound(&self) -> usize {
        self.bound
    }

    /// Waits for a permit, and takes it, as [`Semaphore::acquire`].
    ///
    /// # Cancellation
    ///
    /// As there.
    #[inline]
    pub fn acquire(&self) -> AcquirePermit<'_, BoundedSemaphore> {
        AcquirePermit::new(self, 1)
    }

    /// Waits for `count` permits at once, as [`Semaphore::acquire_many`].
    ///
    /// # Errors
    ///
    /// [`NeverEnough`] when it wants more than there ever are.
    ///
    /// # Cancellation
    ///
    /// As there.
    pub fn acquire_many(
        &self,
        count: usize,
    ) -> Result<AcquirePermit<'_, BoundedSemaphore>, NeverEnough> {
        if count > self.bound {
            return Err(NeverEnough { wanted: count, bound: self.bound });
        }
        Ok(AcquirePermit::new(self, count))
    }

    /// Takes a permit if there is one and nobody waits.
    pub fn try_acquire(&self) -> Option<Permit<'_, BoundedSemaphore>> {
        self.try_acquire_many(1)
    }

    /// Takes `count` permits if there are so many and nobody waits.
    pub fn try_acquire_many(&self, count: usize) -> Option<Permit<'_, BoundedSemaphore>> {
        self.semaphore.try_take(count).then(|| Permit::new(self, count))
    }

    /// Whether [`BoundedSemaphore::acquire`] would wait: [`Semaphore::locked`].
    pub fn locked(&self) -> bool {
        self.semaphore.locked()
    }

    /// How many permits are neither acquired nor granted to one who waits.
    pub fn available_permits(&self) -> usize {
        self.semaphore.available_permits()
    }

    /// Releases a permit whose guard was given to [`Permit::forget`]; anybody
    /// may. asyncio: `BoundedSemaphore.release()`.
    ///
    /// # Errors
    ///
    /// [`ReleasedTooOften`] when none is left of those.
    pub fn release(&self) -> Result<(), ReleasedTooOften> {
        self.release_many(1)
    }

    /// Releases `count` permits whose guards were given to [`Permit::forget`].
    ///
    /// # Errors
    ///
    /// [`ReleasedTooOften`] when fewer are left of those; then none is released.
    pub fn release_many(&self, count: usize) -> Result<(), ReleasedTooOften> {
        let Some(left) = self.forgotten.get().checked_sub(count) else {
            return Err(ReleasedTooOften { bound: self.bound });
        };
        self.forgotten.set(left);
        self.semaphore.release_many(count);
        Ok(())
    }
}

impl sealed::Source for BoundedSemaphore {
    #[inline]
    fn semaphore(&self) -> &Semaphore {
        &self.semaphore
    }

    fn forgotten(&self, count: usize) {
        self.forgotten.set(self.forgotten.get() + count);
    }
}

impl fmt::Debug for BoundedSemaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundedSemaphore")
            .field("available_permits", &self.available_permits())
            .field("bound", &self.bound)
            .field("locked", &self.locked())
            .finish()
    }
}

/// A permit was released that was not acquired, or that a guard releases.
///
/// asyncio: `ValueError: BoundedSemaphore released too many times`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReleasedTooOften {
    /// How many permits there are in all.
    pub bound: usize,
}

impl fmt::Display for ReleasedTooOften {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "cannot release the semaphore of {} permits: released more often than acquired",
            self.bound
        )
    }
}

impl core::error::Error for ReleasedTooOften {}

/// More permits are wanted than there ever are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NeverEnough {
    /// How many were wanted.
    pub wanted: usize,
    /// How many permits there are in all.
    pub bound: usize,
}

impl fmt::Display for NeverEnough {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NeverEnough { wanted, bound } = self;
        write!(f, "cannot acquire {wanted} permits: the semaphore has {bound} in all")
    }
}

impl core::error::Error for NeverEnough {}
