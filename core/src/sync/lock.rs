//! A lock that tasks hold across awaits, given out in order of arrival.
//!
//! ```text
//!            acquire                    forget
//!  Unlocked ─────────▶ Guarded ──────────────────────▶ Kept
//!     ▲                 │   ▲                           │
//!     │ nobody waits    │   │ the first waiter resumes  │ release()
//!     ├── guard drops ◀─┤   │                           │
//!     │                 │   │                           │
//!     │                 └──▶ Handed ◀───────────────────┤ somebody waits
//!     │                      │    ▲                     │
//!     │   it was the last    │    └─ the next waits     │
//!     └── dropped instead ◀──┴───────────────────────────┘ nobody waits
//! ```
//!
//! In `Handed` nobody holds the lock ([`Lock::locked`] is false), but it is
//! promised to the waiter that was woken: whoever asks now, the releaser
//! included, goes to the tail. A waiter that is dropped while the lock is
//! promised to it hands it on.
//!
//! # Invariants
//!
//! * **One Guard**: there is a [`LockGuard`], or a wait of a condition that
//!   stands for it, exactly in `Guarded`, and there is one. So whoever has the
//!   guard may use the value, and [`Lock::release`] refuses in that state.
//! * **Pinned**, **Same List**: those of `wait_list`.

use super::wait_list::{Place, WaitList, Waiter};
use core::cell::{Cell, UnsafeCell};
use core::fmt;
use core::future::Future;
use core::marker::PhantomPinned;
use core::mem::forget;
use core::ops::{Deref, DerefMut};
use core::pin::Pin;
use core::task::{Context, Poll};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// Free, and nobody waits.
    Unlocked,
    /// Promised to the waiter that was taken from the list and woken.
    Handed,
    /// A guard holds it.
    Guarded,
    /// Held without a guard, until it is released explicitly.
    Kept,
}

/// The lock without the value.
pub(super) struct RawLock {
    state: Cell<State>,
    waiters: WaitList,
}

impl RawLock {
    const fn new() -> RawLock {
        RawLock { state: Cell::new(State::Unlocked), waiters: WaitList::new() }
    }

    fn locked(&self) -> bool {
        matches!(self.state.get(), State::Guarded | State::Kept)
    }

    #[inline]
    fn try_acquire(&self) -> bool {
        let free = self.state.get() == State::Unlocked;
        if free {
            self.state.set(State::Guarded);
        }
        free
    }

    /// Acquires the lock for `waiter`, or lets it wait.
    ///
    /// # Safety
    ///
    /// *Pinned* and *Same List*, until it is ready or [`RawLock::leave`] is called.
    #[inline]
    pub(super) unsafe fn poll_acquire(&self, waiter: &Waiter, cx: &mut Context<'_>) -> Poll<()> {
        // Who waits or is promised the lock finds it in another state.
        if self.try_acquire() {
            return Poll::Ready(());
        }
        // SAFETY: the caller's contract.
        unsafe { self.poll_taken(waiter, cx) }
    }

    /// The same, when the lock is not free. Apart, so that code which finds it
    /// free is small.
    ///
    /// # Safety
    ///
    /// As there.
    #[inline(never)]
    unsafe fn poll_taken(&self, waiter: &Waiter, cx: &mut Context<'_>) -> Poll<()> {
        if waiter.was_taken() {
            waiter.forget_taken();
            self.state.set(State::Guarded);
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
    pub(super) unsafe fn leave(&self, waiter: &Waiter) {
        if waiter.place() != Place::Outside {
            // SAFETY: the caller's contract.
            unsafe { self.leave_line(waiter) };
        }
    }

    /// The same, for a waiter that had to wait.
    ///
    /// # Safety
    ///
    /// As there.
    #[inline(never)]
    unsafe fn leave_line(&self, waiter: &Waiter) {
        if waiter.is_linked() {
            // SAFETY: the caller's contract.
            unsafe { self.waiters.remove(waiter) };
        } else {
            self.release();
        }
    }

    /// Gives the lock to the first waiter, if there is one.
    #[inline]
    pub(super) fn release(&self) {
        if self.waiters.is_empty() {
            self.state.set(State::Unlocked);
        } else {
            self.hand_over();
        }
    }

    #[inline(never)]
    fn hand_over(&self) {
        // Set before the waker is called, which may do anything.
        self.state.set(State::Handed);
        self.waiters.wake_first();
    }
}

/// A lock around a value, or around nothing.
///
/// ```
/// # use molen_core as molen;
/// # futures::executor::block_on(async {
/// use molen::Lock;
///
/// let total = Lock::with_value(1);
/// {
///     let mut total = total.acquire().await;
///     *total += 1; // here may be awaits: others wait
/// }
/// assert_eq!(*total.acquire().await, 2);
/// # });
/// ```
///
/// Fair: those who wait get it in the order in which they began to wait, and
/// nobody else gets it in between. It is not recursive.
///
/// asyncio: `asyncio.Lock`, which holds no value; that is `Lock<()>`, or
/// `Lock` for short. As in other runtimes a lock with a value is the usual
/// one in Rust (tokio, embassy: `Mutex`).
pub struct Lock<T: ?Sized = ()> {
    pub(super) raw: RawLock,
    value: UnsafeCell<T>,
}

impl Lock {
    /// An unlocked lock around nothing. asyncio: `asyncio.Lock()`.
    pub const fn new() -> Lock {
        Lock::with_value(())
    }
}

impl<T> Lock<T> {
    /// An unlocked lock around `value`.
    pub const fn with_value(value: T) -> Lock<T> {
        Lock { raw: RawLock::new(), value: UnsafeCell::new(value) }
    }

    /// The value.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> Lock<T> {
    /// Waits until the lock is free, and takes it. If it is free already,
    /// others get no turn first.
    ///
    /// asyncio: `await lock.acquire()`, `async with lock`. The lock is released
    /// when the guard is dropped; [`LockGuard::forget`] leaves that to
    /// [`Lock::release`].
    ///
    /// # Cancellation
    ///
    /// The waiter leaves the queue. If the lock was promised to it already, the
    /// next waiter gets it.
    #[inline]
    pub fn acquire(&self) -> AcquireLock<'_, T> {
        AcquireLock { lock: self, waiter: Waiter::new(), _pin: PhantomPinned }
    }

    /// Takes the lock if it is free and promised to nobody.
    #[inline]
    pub fn try_acquire(&self) -> Option<LockGuard<'_, T>> {
        self.raw.try_acquire().then(|| LockGuard { lock: self })
    }

    /// Whether somebody holds it. While it passes from one who released it to
    /// one who waits, nobody does. asyncio: `Lock.locked()`.
    pub fn locked(&self) -> bool {
        self.raw.locked()
    }

    /// Releases a lock whose guard was given to [`LockGuard::forget`]; anybody
    /// may. The first waiter gets it. asyncio: `Lock.release()`.
    ///
    /// # Errors
    ///
    /// [`ReleaseError::NotAcquired`] when nobody holds it (asyncio:
    /// `RuntimeError`), and [`ReleaseError::Guarded`] when a guard does.
    pub fn release(&self) -> Result<(), ReleaseError> {
        match self.raw.state.get() {
            State::Kept => {
                self.raw.release();
                Ok(())
            }
            State::Guarded => Err(ReleaseError::Guarded),
            State::Unlocked | State::Handed => Err(ReleaseError::NotAcquired),
        }
    }

    /// The value; that nobody holds the lock is known, as nobody refers to it.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }
}

impl<T: Default> Default for Lock<T> {
    fn default() -> Self {
        Self::with_value(T::default())
    }
}

impl<T> From<T> for Lock<T> {
    fn from(value: T) -> Self {
        Self::with_value(value)
    }
}

impl<T: ?Sized> fmt::Debug for Lock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.locked() { "locked" } else { "unlocked" };
        f.debug_tuple("Lock").field(&state).finish()
    }
}

/// Why a lock was not released.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReleaseError {
    /// Nobody holds it. asyncio: `RuntimeError: Lock is not acquired.`
    NotAcquired,
    /// A guard holds it, and releases it when it is dropped.
    Guarded,
}

impl fmt::Display for ReleaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAcquired => "cannot release the lock: it is not acquired",
            Self::Guarded => "cannot release the lock: a guard holds it",
        })
    }
}

impl core::error::Error for ReleaseError {}

/// Holds a lock, and releases it when it is dropped.
#[must_use = "the lock is released when the guard is dropped"]
#[clippy::has_significant_drop]
pub struct LockGuard<'a, T: ?Sized = ()> {
    lock: &'a Lock<T>,
}

impl<'a, T: ?Sized> LockGuard<'a, T> {
    /// Keeps the lock acquired without a guard, until [`Lock::release`]; it
    /// then belongs to no task in particular, as any lock of asyncio.
    pub fn forget(guard: Self) {
        guard.lock.raw.state.set(State::Kept);
        forget(guard);
    }

    /// The lock that it holds.
    pub fn lock(guard: &Self) -> &'a Lock<T> {
        guard.lock
    }

    /// Takes the guard apart; whoever gets the lock stands for it (One Guard).
    pub(super) fn into_lock(guard: Self) -> &'a Lock<T> {
        let lock = guard.lock;
        forget(guard);
        lock
    }

    /// The guard of a lock that was acquired for it (One Guard).
    pub(super) fn of(lock: &'a Lock<T>) -> Self {
        debug_assert!(lock.raw.state.get() == State::Guarded);
        LockGuard { lock }
    }
}

impl<T: ?Sized> Deref for LockGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: One Guard, and it is borrowed.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T: ?Sized> DerefMut for LockGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: One Guard, and it is borrowed mutably.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T: ?Sized> Drop for LockGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.lock.raw.release();
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for LockGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: ?Sized + fmt::Display> fmt::Display for LockGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

/// The future of [`Lock::acquire`].
#[must_use = "futures do nothing unless awaited"]
pub struct AcquireLock<'a, T: ?Sized = ()> {
    lock: &'a Lock<T>,
    waiter: Waiter,
    _pin: PhantomPinned,
}

impl<'a, T: ?Sized> Future for AcquireLock<'a, T> {
    type Output = LockGuard<'a, T>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<LockGuard<'a, T>> {
        let this = self.into_ref().get_ref();
        // SAFETY: Pinned by this future, which leaves when it is dropped; Same
        // List: it borrows the lock.
        unsafe { this.lock.raw.poll_acquire(&this.waiter, cx) }
            .map(|()| LockGuard { lock: this.lock })
    }
}

impl<T: ?Sized> Drop for AcquireLock<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: Same List.
        unsafe { self.lock.raw.leave(&self.waiter) };
    }
}
