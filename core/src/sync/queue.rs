//! Queues between tasks: who puts waits for room, who gets waits for an item.
//!
//! ```text
//!   put ──▶ putters ──▶ ┌───────┐ ──▶ getters ──▶ get
//!           (full)      │ items │     (empty)
//!                       └───────┘
//!        unfinished + 1 at put, − 1 at task_done; join waits for 0
//! ```
//!
//! Three orders, each in two forms, are one implementation over [`Items`]:
//!
//! | order | `N` items, in place | any number, on the heap (`alloc`) |
//! |---|---|---|
//! | first in, first out | [`Queue`] | [`GrowingQueue`] |
//! | last in, first out | [`LifoQueue`] | [`GrowingLifoQueue`] |
//! | lowest first; equal ones in any order | [`PriorityQueue`] | [`GrowingPriorityQueue`] |
//!
//! A queue is used by reference: on the stack, in a static of a program
//! without a heap, or in an `Rc`. It is for the tasks of one thread, under
//! Molen's loop or any other executor; for interrupts and other threads there
//! is [`Channel`](crate::sync::Channel).
//!
//! # Who comes first
//!
//! Putters and getters are called in order of arrival, one for each item and
//! one for each free place. A call gives nothing yet: whoever gets or puts
//! before the called one runs is faster, without waiting. Then the called one
//! keeps its place and has the next. (In asyncio it goes back to the end.) If
//! the called one is dropped instead, the next in line is called.
//!
//! # The end
//!
//! ```text
//!         shutdown                       last item is got
//!  open ────────────▶ puts fail, gets go on ────────────▶ both fail
//!    └────────────────── shutdown_immediately ──────────────▲
//! ```

mod error;
mod items;
#[cfg(all(test, feature = "alloc"))]
mod model;
mod ring;
mod stock;
mod waiting;

pub use error::{GetError, GetNowaitError, PutError, PutNowaitError, TooManyDone};
#[cfg(feature = "alloc")]
pub use items::Growing;
pub use items::Items;
pub use ring::Ring;
pub use waiting::{Get, Join, Put};

use super::line::Line;
use super::wait_list::WaitList;
#[cfg(feature = "alloc")]
use alloc::{
    collections::{BinaryHeap, VecDeque},
    vec::Vec,
};
#[cfg(feature = "alloc")]
use core::cmp::Reverse;
use core::fmt;
use stock::Stock;

/// First in, first out; `N` items in place.
///
/// asyncio: `asyncio.Queue(maxsize=N)`.
///
/// ```
/// # use molen_core as molen;
/// use molen::sync::Queue;
///
/// let queue = Queue::<u8, 2>::new();
/// queue.put_nowait(1)?;
/// assert_eq!(queue.get_nowait()?, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type Queue<T, const N: usize> = QueueOf<Ring<T, N>>;

/// Last in, first out; `N` items in place.
///
/// asyncio: `asyncio.LifoQueue(maxsize=N)`.
pub type LifoQueue<T, const N: usize> = QueueOf<heapless::Vec<T, N>>;

/// Lowest first; `N` items in place. Which of two equal items is first is not said.
///
/// asyncio: `asyncio.PriorityQueue(maxsize=N)`.
///
/// An `Ord` that uses the queue whose items it compares finds that queue both
/// full and empty.
pub type PriorityQueue<T, const N: usize> =
    QueueOf<heapless::BinaryHeap<T, heapless::binary_heap::Min, N>>;

/// First in, first out; on the heap.
///
/// asyncio: `asyncio.Queue()`.
#[cfg(feature = "alloc")]
pub type GrowingQueue<T> = QueueOf<Growing<VecDeque<T>>>;

/// Last in, first out; on the heap.
///
/// asyncio: `asyncio.LifoQueue()`.
#[cfg(feature = "alloc")]
pub type GrowingLifoQueue<T> = QueueOf<Growing<Vec<T>>>;

/// Lowest first; on the heap. Which of two equal items is first is not said.
///
/// asyncio: `asyncio.PriorityQueue()`.
#[cfg(feature = "alloc")]
pub type GrowingPriorityQueue<T> = QueueOf<Growing<BinaryHeap<Reverse<T>>>>;

/// A queue of whatever order [`Items`] have: see [`Queue`] and its kin.
pub struct QueueOf<I> {
    /// In use only while an item goes in or out. What an `Ord` of the items
    /// then asks of the queue is answered as if it were full, and empty.
    stock: Stock<I>,
    getters: Line,
    putters: Line,
    joiners: WaitList,
}

macro_rules! new {
    ($type:ty, $items:expr) => {
        impl<T, const N: usize> $type {
            /// An empty queue. Its room, `N`, is not 0: that is refused when compiled.
            pub const fn new() -> Self {
                const { assert!(N > 0, "a queue in place needs room for one item at least") };
                Self::over($items)
            }
        }
    };
}
new!(Queue<T, N>, Ring::new());
new!(LifoQueue<T, N>, heapless::Vec::new());
new!(PriorityQueue<T, N>, heapless::BinaryHeap::new());

#[cfg(feature = "alloc")]
macro_rules! growing {
    ($type:ty $(: $ord:ident)?, $items:expr) => {
        impl<T $(: $ord)?> $type {
            /// An empty queue without a bound, so that `put` never waits.
            pub const fn new() -> Self {
                Self::with_maxsize(0)
            }

            /// An empty queue for at most `maxsize` items; 0 is no bound, as in asyncio.
            pub const fn with_maxsize(maxsize: usize) -> Self {
                Self::over(Growing::new($items, maxsize))
            }
        }
    };
}
#[cfg(feature = "alloc")]
growing!(GrowingQueue<T>, VecDeque::new());
#[cfg(feature = "alloc")]
growing!(GrowingLifoQueue<T>, Vec::new());
#[cfg(feature = "alloc")]
growing!(GrowingPriorityQueue<T>: Ord, BinaryHeap::new());

impl<I> QueueOf<I> {
    /// A queue over `items`; those that are there already count as unfinished
    /// only when they are put, so give it none.
    pub const fn over(items: I) -> QueueOf<I> {
        QueueOf {
            stock: Stock::new(items),
            getters: Line::new(),
            putters: Line::new(),
            joiners: WaitList::new(),
        }
    }
}

impl<I: Items> QueueOf<I> {
    /// How many items are in the queue. asyncio: `qsize()`.
    pub fn qsize(&self) -> usize {
        self.stock.level().0
    }

    /// How many can be; `None` for any number. asyncio: `maxsize`, where 0 is any number.
    pub fn maxsize(&self) -> Option<usize> {
        self.stock.level().1
    }

    /// Whether there is none. asyncio: `empty()`.
    pub fn empty(&self) -> bool {
        self.qsize() == 0
    }

    /// Whether there are as many as can be. asyncio: `full()`.
    pub fn full(&self) -> bool {
        matches!(self.stock.level(), (qsize, Some(maxsize)) if qsize >= maxsize)
    }

    /// Puts `item` into the queue at once. asyncio: `put_nowait()`.
    ///
    /// # Errors
    ///
    /// The item, when the queue is full or was shut down.
    #[inline]
    pub fn put_nowait(&self, item: I::Item) -> Result<(), PutNowaitError<I::Item>> {
        match self.stock.put(item) {
            Ok(()) => {
                self.getters.call();
                Ok(())
            }
            Err(item) if self.stock.is_shut_down() => Err(PutNowaitError::ShutDown(item)),
            Err(item) => Err(PutNowaitError::Full(item)),
        }
    }

    /// Takes the next item at once. asyncio: `get_nowait()`.
    ///
    /// # Errors
    ///
    /// [`GetNowaitError`] when there is none.
    #[inline]
    pub fn get_nowait(&self) -> Result<I::Item, GetNowaitError> {
        match self.stock.get() {
            Some(item) => {
                self.putters.call();
                Ok(item)
            }
            None if self.stock.is_shut_down() => Err(GetNowaitError::ShutDown),
            None => Err(GetNowaitError::Empty),
        }
    }

    /// Puts `item` into the queue as soon as there is room. asyncio: `put()`.
    ///
    /// # Errors
    ///
    /// [`PutError`] with the item, when the queue was shut down.
    ///
    /// # Cancellation
    ///
    /// The item was not put, and is dropped with the future; a place that it
    /// had been called for goes to the next who waits.
    pub const fn put(&self, item: I::Item) -> Put<'_, I> {
        Put::new(self, item)
    }

    /// Takes the next item, as soon as there is one. asyncio: `get()`.
    ///
    /// # Errors
    ///
    /// [`GetError`] when the queue was shut down and is empty.
    ///
    /// # Cancellation
    ///
    /// Nothing was taken; an item that it had been called for goes to the next
    /// who waits.
    pub const fn get(&self) -> Get<'_, I> {
        Get::new(self)
    }

    /// Says that the work on one item is done. asyncio: `task_done()`.
    ///
    /// # Errors
    ///
    /// [`TooManyDone`] when all items that were put are done already.
    pub fn task_done(&self) -> Result<(), TooManyDone> {
        if self.stock.finish_one().ok_or(TooManyDone)? == 0 {
            self.joiners.wake_all();
        }
        Ok(())
    }

    /// Waits until the work on all items that were put is done. If it is
    /// already, others get no turn first. asyncio: `join()`.
    ///
    /// # Cancellation
    ///
    /// The queue is untouched.
    pub const fn join(&self) -> Join<'_, I> {
        Join::new(self)
    }

    /// Refuses items from now on, also of those who wait to put one; what is
    /// in the queue can still be got. asyncio: `shutdown()`.
    pub fn shutdown(&self) {
        self.stock.shut_down();
        self.getters.call_all();
        self.putters.call_all();
    }

    /// The same, and drops what is in the queue. It counts as done; an item
    /// that was got before has yet to be. asyncio: `shutdown(immediate=True)`.
    pub fn shutdown_immediately(&self) {
        self.stock.shut_down();
        // One at a time, so that a destructor may use the queue.
        while let Some(item) = self.stock.get() {
            self.stock.finish_one();
            drop(item);
        }
        if self.stock.unfinished() == 0 {
            self.joiners.wake_all();
        }
        self.shutdown();
    }
}

impl<I: Items + Default> Default for QueueOf<I> {
    fn default() -> Self {
        Self::over(I::default())
    }
}

impl<I: Items> fmt::Debug for QueueOf<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("maxsize", &self.maxsize())
            .field("qsize", &self.qsize())
            .field("unfinished", &self.stock.unfinished())
            .field("shut_down", &self.stock.is_shut_down())
            .finish()
    }
}
