//! The locks and semaphores that come with each loop.

use super::floor::Floor;
use super::molen_rt::Molen;
use crate::peer::Locks;
use crate::row::Row;
use std::future::Future;

impl Locks for Molen {
    type Lock = molen::Lock<u64>;
    type Semaphore = molen::Semaphore;

    fn lock() -> Self::Lock {
        molen::Lock::with_value(0)
    }

    fn semaphore(permits: usize) -> Self::Semaphore {
        molen::Semaphore::new(permits)
    }

    async fn with_lock(lock: &Self::Lock, inside: impl Future<Output = ()>) -> u64 {
        let mut value = lock.acquire().await;
        inside.await;
        *value += 1;
        *value
    }

    async fn with_permit(semaphore: &Self::Semaphore, inside: impl Future<Output = ()>) {
        let _permit = semaphore.acquire().await;
        inside.await;
    }
}

/// `Mutex` and `Semaphore` have the same face in tokio and smol.
#[cfg(any(feature = "tokio", feature = "smol"))]
macro_rules! locks_of {
    ($peer:ty, $sync:ident, $permit:expr) => {
        impl Locks for $peer {
            type Lock = $sync::Mutex<u64>;
            type Semaphore = $sync::Semaphore;

            fn lock() -> Self::Lock {
                $sync::Mutex::new(0)
            }

            fn semaphore(permits: usize) -> Self::Semaphore {
                $sync::Semaphore::new(permits)
            }

            async fn with_lock(lock: &Self::Lock, inside: impl Future<Output = ()>) -> u64 {
                let mut value = lock.lock().await;
                inside.await;
                *value += 1;
                *value
            }

            async fn with_permit(semaphore: &Self::Semaphore, inside: impl Future<Output = ()>) {
                let _permit = ($permit)(semaphore.acquire().await);
                inside.await;
            }
        }
    };
}

#[cfg(feature = "tokio")]
mod of_tokio {
    use super::super::tokio_rt::{CurrentThread, LocalRuntime};
    use super::{Future, Locks};
    use tokio::sync;

    locks_of!(CurrentThread, sync, |permit: Result<_, _>| permit.expect("it is never closed"));
    locks_of!(LocalRuntime, sync, |permit: Result<_, _>| permit.expect("it is never closed"));
}

#[cfg(feature = "smol")]
locks_of!(super::smol_rt::Smol, async_lock, std::convert::identity);

#[cfg(feature = "embassy")]
impl Locks for super::embassy_rt::Embassy {
    type Lock = embassy_sync::mutex::Mutex<embassy_sync::blocking_mutex::raw::NoopRawMutex, u64>;
    type Semaphore = embassy_sync::semaphore::FairSemaphore<
        embassy_sync::blocking_mutex::raw::NoopRawMutex,
        128,
    >;

    fn lock() -> Self::Lock {
        embassy_sync::mutex::Mutex::new(0)
    }

    fn semaphore(permits: usize) -> Self::Semaphore {
        Self::Semaphore::new(permits)
    }

    async fn with_lock(lock: &Self::Lock, inside: impl Future<Output = ()>) -> u64 {
        let mut value = lock.lock().await;
        inside.await;
        *value += 1;
        *value
    }

    async fn with_permit(semaphore: &Self::Semaphore, inside: impl Future<Output = ()>) {
        use embassy_sync::semaphore::Semaphore;
        let _permit = semaphore.acquire(1).await.expect("a queue that is long enough");
        inside.await;
    }
}

#[cfg(feature = "futures-pool")]
impl Locks for super::futures_pool::LocalPoolPeer {
    type Lock = futures::lock::Mutex<u64>;
    type Semaphore = ();

    fn lacks_locks(row: Row) -> Option<&'static str> {
        matches!(row, Row::Permits | Row::Permits100).then_some("futures has no semaphore")
    }

    fn lock() -> Self::Lock {
        futures::lock::Mutex::new(0)
    }

    fn semaphore(_permits: usize) {}

    async fn with_lock(lock: &Self::Lock, inside: impl Future<Output = ()>) -> u64 {
        let mut value = lock.lock().await;
        inside.await;
        *value += 1;
        *value
    }

    async fn with_permit((): &(), inside: impl Future<Output = ()>) {
        inside.await;
    }
}

/// A loop that brings none.
macro_rules! no_locks {
    ($peer:ty) => {
        impl Locks for $peer {
            type Lock = ();
            type Semaphore = ();

            fn lacks_locks(row: Row) -> Option<&'static str> {
                row.needs_locks().then_some("no lock of its own")
            }

            fn lock() {}

            fn semaphore(_permits: usize) {}

            async fn with_lock((): &(), inside: impl Future<Output = ()>) -> u64 {
                inside.await;
                0
            }

            async fn with_permit((): &(), inside: impl Future<Output = ()>) {
                inside.await;
            }
        }
    };
}

no_locks!(Floor);
#[cfg(feature = "monoio")]
no_locks!(super::monoio_rt::MonoioEpoll);
#[cfg(feature = "glommio")]
no_locks!(super::glommio_rt::Glommio);
