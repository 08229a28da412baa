//! What the loop knows about one source: which directions are ready, and who
//! waits for them.
//!
//! ```text
//!               set_ready (an event)
//!  not ready ───────────────────────▶ ready ──▶ the waiter is woken
//!      ▲                                │
//!      └──── clear (it would block) ────┘
//! ```
//!
//! Events are hints. A source is tried first; when it would block, its
//! readiness is [cleared](Registration::clear) and the task waits for the next
//! event. That is right for edge-triggered selectors, for level-triggered
//! ones, and for hosts whose events lie.
//!
//! Where there is a heap, a [`Listener`](super::Listener) can be told of events in place of
//! wakers: a connection that is driven by its events needs no task.

use crate::schedule::wake_contained;
use core::cell::Cell;
use core::task::{Context, Poll, Waker};

/// A set of directions.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ready(u8);

/// The directions that somebody waits for.
pub type Interest = Ready;

impl Ready {
    /// No direction.
    pub const NONE: Ready = Ready(0);
    /// Bytes, a connection, or the end can be read, or an error fetched.
    pub const READABLE: Ready = Ready(1);
    /// Bytes can be written, or an error fetched.
    pub const WRITABLE: Ready = Ready(2);
    /// Both directions.
    pub const BOTH: Ready = Ready(3);

    /// Whether all of `other` is in it.
    pub const fn contains(self, other: Ready) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any of `other` is in it.
    pub const fn intersects(self, other: Ready) -> bool {
        self.0 & other.0 != 0
    }

    /// What is in either.
    #[must_use]
    pub const fn union(self, other: Ready) -> Ready {
        Ready(self.0 | other.0)
    }

    /// What is in it but not in `other`.
    #[must_use]
    pub const fn without(self, other: Ready) -> Ready {
        Ready(self.0 & !other.0)
    }

    /// Whether it is empty.
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
}

/// One source's readiness and its waiters: at most one reader and one writer.
///
/// Lives with the source, on the loop's thread; the selector is given its
/// events' registration by the backend's own table.
#[derive(Default)]
pub struct Registration {
    ready: Cell<Ready>,
    hung_up: Cell<Ready>,
    reader: Cell<Option<Waker>>,
    writer: Cell<Option<Waker>>,
    /// `reader` is a listener's, which is told of everything.
    #[cfg(feature = "alloc")]
    listens: Cell<bool>,
    /// *Stays Here* (`listener`): nor may what keeps a listener be sent.
    #[cfg(feature = "alloc")]
    stays_here: core::marker::PhantomData<alloc::rc::Rc<()>>,
}

impl Registration {
    /// A source that is not known to be ready.
    pub const fn new() -> Registration {
        Registration {
            ready: Cell::new(Ready::NONE),
            hung_up: Cell::new(Ready::NONE),
            reader: Cell::new(None),
            writer: Cell::new(None),
            #[cfg(feature = "alloc")]
            listens: Cell::new(false),
            #[cfg(feature = "alloc")]
            stays_here: core::marker::PhantomData,
        }
    }

    /// Has `listener` told of every event from now on, in place of tasks; with
    /// `None`, nobody.
    #[cfg(feature = "alloc")]
    pub fn listen(&self, listener: Option<super::EventListener>) {
        self.listens.set(listener.is_some());
        drop(self.writer.take());
        drop(self.reader.replace(listener.map(super::EventListener::into_waker)));
    }

    /// Whether a listener is told, so that no task can wait.
    #[inline]
    fn listens(&self) -> bool {
        #[cfg(feature = "alloc")]
        return self.listens.get();
        #[cfg(not(feature = "alloc"))]
        false
    }

    /// Tells the listener.
    #[cfg(feature = "alloc")]
    #[inline]
    fn tell(&self) {
        if let Some(listener) = self.reader.take() {
            // Only notes it, and so cannot listen anew meanwhile.
            listener.wake_by_ref();
            self.reader.set(Some(listener));
        }
    }

    /// What is ready, as far as is known.
    pub fn ready(&self) -> Ready {
        self.ready.get()
    }

    /// The directions that have a waiter.
    pub fn interest(&self) -> Interest {
        if self.listens() {
            return Ready::BOTH;
        }
        let waits = |cell: &Cell<Option<Waker>>, direction| {
            let waker = cell.take();
            let found = if waker.is_some() { direction } else { Ready::NONE };
            cell.set(waker);
            found
        };
        waits(&self.reader, Ready::READABLE).union(waits(&self.writer, Ready::WRITABLE))
    }

    /// Waits until any direction of `interest` is ready.
    pub fn poll_ready(&self, cx: &mut Context<'_>, interest: Interest) -> Poll<()> {
        if self.ready.get().intersects(interest) {
            return Poll::Ready(());
        }
        if self.listens() {
            return Poll::Pending;
        }
        if interest.contains(Ready::READABLE) {
            remember(&self.reader, cx.waker());
        }
        if interest.contains(Ready::WRITABLE) {
            remember(&self.writer, cx.waker());
        }
        Poll::Pending
    }

    /// Notes that `directions` would block.
    pub fn clear(&self, directions: Ready) {
        self.ready.set(self.ready.get().without(directions));
    }

    /// Where the other side, or an error, has put an end to it: of these
    /// directions no event will tell any more.
    pub fn hung_up(&self) -> Ready {
        self.hung_up.get()
    }

    /// Notes an event that was the last of `directions`.
    pub fn set_hung_up(&self, directions: Ready) {
        self.hung_up.set(self.hung_up.get().union(directions));
    }

    /// Notes an event, and wakes who waits for it.
    pub fn set_ready(&self, directions: Ready) {
        self.ready.set(self.ready.get().union(directions));
        #[cfg(feature = "alloc")]
        if self.listens() {
            return self.tell();
        }
        // A selector has other events to tell of, whatever a foreign waker does.
        if directions.contains(Ready::READABLE)
            && let Some(waker) = self.reader.take()
        {
            wake_contained(waker);
        }
        if directions.contains(Ready::WRITABLE)
            && let Some(waker) = self.writer.take()
        {
            wake_contained(waker);
        }
    }

    /// Forgets who waits for `directions`; not a listener.
    pub fn forget(&self, directions: Interest) {
        if self.listens() {
            return;
        }
        if directions.contains(Ready::READABLE) {
            self.reader.set(None);
        }
        if directions.contains(Ready::WRITABLE) {
            self.writer.set(None);
        }
    }
}

fn remember(cell: &Cell<Option<Waker>>, waker: &Waker) {
    match cell.take() {
        Some(old) if old.will_wake(waker) => cell.set(Some(old)),
        _ => cell.set(Some(waker.clone())),
    }
}
