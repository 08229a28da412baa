//! What tasks wait for in one another: locks, events, conditions, semaphores,
//! barriers and queues; and how interrupts and other threads reach them.
//!
//! Each is a small value without an allocation, made by a `const fn`, and used
//! by reference: on the stack of the task that starts the others, in a static
//! of a program without a heap, or in an `Rc`. Who waits does so in a list whose
//! places are in the waiting futures, so any number may wait, and one that is
//! dropped is out of the list at once.
//!
//! # What holds for all of them
//!
//! * **Order.** Who came first is served first, and nobody comes in between:
//!   who releases and asks again goes to the tail.
//! * **Nothing is lost.** A wait that is dropped after it was given something
//!   (a lock, a permit, a notification) and before its task went on gives it
//!   to the next. This is what makes them safe in `select`, under timeouts, and
//!   with tasks that are cancelled.
//! * **Nothing runs inline.** `release`, `set` and the like make tasks ready
//!   and return; what was woken runs later.
//! * **Any executor.** They know nothing of the loop: their wakers are those of
//!   `core::task`. They stay on one thread, so they can be neither sent nor
//!   shared between threads: asyncio's check that a lock is not used by two
//!   loops is made by the compiler.
//!
//! [`Signal`] and [`Channel`] are the exceptions to the last point: they are
//! what interrupts and other threads send through. And whoever finds an item
//! in a queue may take it, though others were woken for it: see [`queue`].
//!
//! ```no_run
//! # use molen_core as molen;
//! # futures::executor::block_on(async {
//! use molen::{Event, Lock, Semaphore};
//!
//! let (total, go, two_at_a_time) = (Lock::with_value(0), Event::new(), Semaphore::new(2));
//! let work = async {
//!     go.wait().await;
//!     let _permit = two_at_a_time.acquire().await;
//!     *total.acquire().await += 1;
//! };
//! let start = async { go.set() };
//! futures::join!(work, start);
//! assert_eq!(total.into_inner(), 1);
//! # });
//! ```
//!
//! # From asyncio
//!
//! | asyncio | here |
//! |---|---|
//! | `Lock()` | [`Lock::new`]; around a value: [`Lock::with_value`] |
//! | `async with lock:` | `let guard = lock.acquire().await;` until the guard is dropped |
//! | `await lock.acquire()` without `with` | [`LockGuard::forget`]`(lock.acquire().await)` |
//! | `lock.release()` | [`Lock::release`]; an error while a guard holds it |
//! | `lock.locked()` | [`Lock::locked`] |
//! | `Event()`, `set`, `clear`, `is_set`, `await wait()` | [`Event`], the same names |
//! | `Condition()`, `Condition(lock)` | [`Condition::new`], [`Condition::with_lock`] |
//! | `async with condition:` | `let guard = condition.acquire().await;` |
//! | `await condition.wait()` | `guard = condition.wait(guard).await;` |
//! | the same, in a task that cleans up under the lock when it is cancelled | `(guard, waited) = condition.wait_catching(guard).await;` |
//! | `await condition.wait_for(predicate)` | `guard = condition.wait_for(guard, predicate).await;` |
//! | `condition.notify(n)`, `notify_all()` | [`Condition::notify`]`(&guard, n)`, [`Condition::notify_all`]`(&guard)` |
//! | `RuntimeError: cannot wait on un-acquired lock` | without a guard it does not compile |
//! | `Semaphore(n)`, `BoundedSemaphore(n)` | [`Semaphore::new`]`(n)`, [`BoundedSemaphore::new`]`(n)` |
//! | `async with semaphore:` | `let permit = semaphore.acquire().await;` |
//! | `await semaphore.acquire()` without `with` | `semaphore.acquire().await.forget()` |
//! | `semaphore.release()`, `locked()` | the same names |
//! | `ValueError: BoundedSemaphore released too many times` | [`ReleasedTooOften`] |
//! | `Barrier(n)`, `await wait()`, `parties`, `n_waiting`, `broken` | [`Barrier`], the same names |
//! | `await barrier.reset()`, `await barrier.abort()` | [`Barrier::reset`], [`Barrier::abort`]; they do not wait |
//! | `BrokenBarrierError` | [`BrokenBarrier`] |
//! | `Queue(n)`, `LifoQueue(n)`, `PriorityQueue(n)` | `Queue::<T, n>::new()` and so on; `GrowingQueue::with_maxsize(n)` on the heap |
//! | `Queue()` without a bound | `GrowingQueue::new()` |
//! | `put`, `get`, `put_nowait`, `get_nowait`, `join`, `task_done`, `qsize`, `empty`, `full` | the same names |
//! | `QueueFull`, `QueueEmpty`, `QueueShutDown` | errors of [`queue`], which give the item back |
//! | `shutdown()`, `shutdown(immediate=True)` | `shutdown()`, `shutdown_immediately()` |
//! | a Future between two tasks | [`oneshot`], or [`Promise`](crate::Promise) for several who wait |
//! | `call_soon_threadsafe(queue.put_nowait, item)` | [`Channel::try_send`], from interrupts too |
//!
//! Beyond asyncio: locks and conditions around a value, `try_acquire`, and
//! several permits at once.
//!
//! # Where to look
//!
//! | file | concept |
//! |---|---|
//! | `wait_list` | those who wait for one thing, in order of arrival |
//! | `lock`, `event`, `condition`, `semaphore`, `bounded_semaphore`, `barrier` | what they are called |
//! | `owned_permit` | permits that hold on to their semaphore |
//! | `line` | those who wait for one of many things, and keep their place |
//! | [`queue`] | queues in three orders, in place or on the heap |
//! | [`oneshot`] | one value, once |
//! | `guarded` | what interrupts and other threads use as well |
//! | `signal` | the latest value, from an interrupt or another thread |
//! | `channel` | values in order, from interrupts and other threads |
//! | `model` | random use of locks and barriers, against plain models (tests) |

mod barrier;
mod bounded_semaphore;
pub mod channel;
mod condition;
mod event;
mod guarded;
mod line;
mod lock;
#[cfg(test)]
mod model;
pub mod oneshot;
#[cfg(feature = "alloc")]
mod owned_permit;
pub mod queue;
mod semaphore;
pub mod signal;
pub(crate) mod wait_list;

pub use barrier::{Barrier, BrokenBarrier, NoParties, WaitBarrier};
pub use bounded_semaphore::{BoundedSemaphore, NeverEnough, ReleasedTooOften};
pub use channel::Channel;
pub use condition::{AsLock, Condition, WaitCondition};
pub use event::{Event, WaitEvent};
pub use lock::{AcquireLock, Lock, LockGuard, ReleaseError};
#[cfg(feature = "alloc")]
pub use owned_permit::{AcquireOwned, OwnedPermit};
#[cfg(feature = "alloc")]
pub use queue::{GrowingLifoQueue, GrowingPriorityQueue, GrowingQueue};
pub use queue::{LifoQueue, PriorityQueue, Queue};
pub use semaphore::{AcquirePermit, Permit, PermitSource, Semaphore};
pub use signal::Signal;
