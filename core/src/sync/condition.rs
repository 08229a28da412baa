//! Waiting, with a lock let go of meanwhile, until somebody says that something
//! may have changed.
//!
//! ```text
//!   wait(guard)                notify              the lock is acquired again
//!  Held ──────▶ Waiting ─────────────────▶ Acquiring ─────────────────▶ guard
//!               (the lock is released)
//! ```
//!
//! # What is different from asyncio
//!
//! There the body of `async with condition` has the lock at every point except
//! inside `wait()`, also after `wait()` was cancelled: so `wait()` acquires the
//! lock again before the cancellation goes on. In Rust the guard *is* the right
//! to touch what the lock protects. `wait` takes the guard and gives it back.
//! A wait that is dropped (a lost `select`, a timeout, a cancelled task) gives
//! nothing back, so no code that comes later, a destructor or the code behind a
//! `catch_cancel`, can believe that it holds the lock. Who wants the lock for
//! cleaning up has asyncio's rule in [`Condition::wait_catching`], which a
//! cancel of the task ends with the lock held. Likewise `notify` wants to see a
//! guard, where asyncio fails at run time when the lock is not held.
//!
//! # Invariants
//!
//! * **One Guard**: that of `lock`; the wait of a condition stands for the
//!   guard in `Held`.
//! * **One At A Time**: a wait's waiter is in the condition's list in
//!   `Waiting`, in the lock's in `Acquiring`, and else in none.
//! * **Pinned**, **Same List**: those of `wait_list`.

use super::lock::{AcquireLock, Lock, LockGuard, ReleaseError};
use super::wait_list::{WaitList, Waiter};
use crate::task::{Cancelled, catch_cancel};
use core::cell::Cell;
use core::fmt;
use core::future::Future;
use core::marker::PhantomPinned;
use core::pin::Pin;
use core::task::{Context, Poll};

/// Where a condition has its lock: in itself, or shared with others, as for
/// instance another condition.
pub trait AsLock {
    /// What the lock protects.
    type Value: ?Sized;

    /// The lock.
    fn as_lock(&self) -> &Lock<Self::Value>;
}

impl<T: ?Sized> AsLock for Lock<T> {
    type Value = T;

    fn as_lock(&self) -> &Lock<T> {
        self
    }
}

impl<L: AsLock + ?Sized> AsLock for &L {
    type Value = L::Value;

    fn as_lock(&self) -> &Lock<L::Value> {
        (**self).as_lock()
    }
}

#[cfg(feature = "alloc")]
impl<L: AsLock + ?Sized> AsLock for alloc::rc::Rc<L> {
    type Value = L::Value;

    fn as_lock(&self) -> &Lock<L::Value> {
        (**self).as_lock()
    }
}

/// A lock, and a way to wait until what it protects has changed.
///
/// ```
/// # use molen_core as molen;
/// # futures::executor::block_on(async {
/// use molen::{Condition, Lock};
///
/// let items = Condition::with_lock(Lock::with_value([None; 4]));
/// let fill = async {
///     let mut guard = items.acquire().await;
///     guard[0] = Some("item");
///     items.notify(&guard, 1);
/// };
/// let take = async {
///     let guard = items.acquire().await;
///     let mut guard = items.wait_for(guard, |items| items[0].is_some()).await;
///     guard[0].take()
/// };
/// assert_eq!(futures::join!(take, fill).0, Some("item"));
/// # });
/// ```
///
/// asyncio: `asyncio.Condition`.
pub struct Condition<L = Lock> {
    waiters: WaitList,
    lock: L,
}

impl Condition {
    /// A condition with a lock of its own. asyncio: `asyncio.Condition()`.
    pub const fn new() -> Condition {
        Condition::with_lock(Lock::new())
    }
}

impl<L> Condition<L> {
    /// A condition with this lock, which may be one that others use as well:
    /// `&Lock` or `Rc<Lock>`. asyncio: `asyncio.Condition(lock)`.
    pub const fn with_lock(lock: L) -> Condition<L> {
        Condition { waiters: WaitList::new(), lock }
    }
}

impl<L: AsLock> Condition<L> {
    /// Acquires the condition's lock: [`Lock::acquire`].
    ///
    /// # Cancellation
    ///
    /// As there.
    pub fn acquire(&self) -> AcquireLock<'_, L::Value> {
        self.lock.as_lock().acquire()
    }

    /// Whether somebody holds the condition's lock: [`Lock::locked`].
    pub fn locked(&self) -> bool {
        self.lock.as_lock().locked()
    }

    /// Releases the condition's lock, whose guard was given to
    /// [`LockGuard::forget`]: [`Lock::release`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn release(&self) -> Result<(), ReleaseError> {
        self.lock.as_lock().release()
    }

    /// Releases the lock, waits until it is notified, and acquires the lock
    /// again. Others may have acquired it first, so that what the notifier saw
    /// no longer holds: [`Condition::wait_for`] looks again.
    ///
    /// The guard is one of this condition's lock; one of another lock is taken
    /// as it is, and that lock is acquired again.
    ///
    /// asyncio: `Condition.wait()`.
    ///
    /// # Cancellation
    ///
    /// The guard is gone, so the lock is released. If the notification had come
    /// already, the next waiter gets it; if the lock was promised already, the
    /// next one who waits for the lock gets that.
    pub fn wait<'a>(&'a self, guard: LockGuard<'a, L::Value>) -> WaitCondition<'a, L::Value> {
        WaitCondition {
            waiters: &self.waiters,
            lock: LockGuard::into_lock(guard),
            step: Cell::new(Step::Held),
            waiter: Waiter::new(),
            _pin: PhantomPinned,
        }
    }

    /// Waits until `predicate` holds, and looks at it whenever it is notified.
    /// If it holds already, the lock is not released.
    ///
    /// asyncio: `Condition.wait_for()`.
    ///
    /// # Cancellation
    ///
    /// As [`Condition::wait`].
    pub async fn wait_for<'a>(
        &'a self,
        mut guard: LockGuard<'a, L::Value>,
        mut predicate: impl FnMut(&mut L::Value) -> bool,
    ) -> LockGuard<'a, L::Value> {
        while !predicate(&mut guard) {
            guard = self.wait(guard).await;
        }
        guard
    }

    /// As [`Condition::wait`], but a cancel of the task ends it with the lock held:
    /// the cancel comes back beside the guard, for the caller to clean up and then to
    /// [propagate](Cancelled::propagate) it. While it waits for the lock a second
    /// cancel does not end it either; the last one is told.
    ///
    /// asyncio: this is how `Condition.wait()` treats a cancellation.
    ///
    /// # Cancellation
    ///
    /// By `cancel` as above. Dropped, as by `select`, a timeout or `abort`, it
    /// is like [`Condition::wait`].
    pub async fn wait_catching<'a>(
        &'a self,
        guard: LockGuard<'a, L::Value>,
    ) -> (LockGuard<'a, L::Value>, Result<(), Cancelled>) {
        let lock = LockGuard::lock(&guard);
        let mut cancelled = match catch_cancel(self.wait(guard)).await {
            Ok(guard) => return (guard, Ok(())),
            Err(cancelled) => cancelled,
        };
        loop {
            match catch_cancel(lock.acquire()).await {
                Ok(guard) => return (guard, Err(cancelled)),
                Err(again) => cancelled = again,
            }
        }
    }

    /// Wakes the first `count` who wait, or all if there are fewer. They go on
    /// when they get the lock, so not before the guard is dropped.
    ///
    /// asyncio: `Condition.notify(n)`.
    pub fn notify(&self, guard: &LockGuard<'_, L::Value>, count: usize) {
        let _ = guard;
        for _ in 0..count {
            if !self.waiters.wake_first() {
                break;
            }
        }
    }

    /// Wakes all who wait. asyncio: `Condition.notify_all()`.
    pub fn notify_all(&self, guard: &LockGuard<'_, L::Value>) {
        let _ = guard;
        self.waiters.wake_all();
    }
}

impl<L: AsLock> AsLock for Condition<L> {
    type Value = L::Value;

    fn as_lock(&self) -> &Lock<L::Value> {
        self.lock.as_lock()
    }
}

impl<L: AsLock + Default> Default for Condition<L> {
    fn default() -> Self {
        Self::with_lock(L::default())
    }
}

impl<L: AsLock> fmt::Debug for Condition<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Condition").field(&self.lock.as_lock()).finish()
    }
}

#[derive(Clone, Copy)]
enum Step {
    /// Not polled yet: it stands for the guard.
    Held,
    /// Linked, or taken out and woken, in the condition's list.
    Waiting,
    /// Notified; linked, or taken out and woken, in the lock's list.
    Acquiring,
    /// The guard was given back.
    Done,
}

/// The future of [`Condition::wait`].
#[must_use = "futures do nothing unless awaited"]
pub struct WaitCondition<'a, T: ?Sized = ()> {
    waiters: &'a WaitList,
    lock: &'a Lock<T>,
    step: Cell<Step>,
    waiter: Waiter,
    _pin: PhantomPinned,
}

impl<'a, T: ?Sized> Future for WaitCondition<'a, T> {
    type Output = LockGuard<'a, T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<LockGuard<'a, T>> {
        let this = self.into_ref().get_ref();
        match this.step.get() {
            Step::Held => {
                // SAFETY: Pinned by this future; Same List: it borrows the
                // condition; One At A Time.
                unsafe { this.waiters.wait(&this.waiter, cx.waker()) };
                this.step.set(Step::Waiting);
                this.lock.raw.release();
                return Poll::Pending;
            }
            Step::Waiting if !this.waiter.was_taken() => {
                // SAFETY: as above.
                unsafe { this.waiters.wait(&this.waiter, cx.waker()) };
                return Poll::Pending;
            }
            Step::Waiting => {
                this.waiter.forget_taken();
                this.step.set(Step::Acquiring);
            }
            Step::Acquiring => {}
            Step::Done => return Poll::Pending,
        }
        // SAFETY: Pinned by this future, which leaves when it is dropped; Same
        // List: it borrows the lock; One At A Time.
        unsafe { this.lock.raw.poll_acquire(&this.waiter, cx) }.map(|()| {
            this.step.set(Step::Done);
            LockGuard::of(this.lock)
        })
    }
}

impl<T: ?Sized> Drop for WaitCondition<'_, T> {
    fn drop(&mut self) {
        match self.step.get() {
            Step::Held => self.lock.raw.release(),
            Step::Waiting if !self.waiter.was_taken() => {
                // SAFETY: Same List, One At A Time.
                unsafe { self.waiters.remove(&self.waiter) };
            }
            Step::Waiting => {
                self.waiters.wake_first();
            }
            Step::Acquiring => {
                // SAFETY: Same List, One At A Time.
                unsafe { self.lock.raw.leave(&self.waiter) };
                self.waiters.wake_first();
            }
            Step::Done => {}
        }
    }
}
