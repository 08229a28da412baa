//! Who is told of a source's events, when no task waits for them.
//!
//! # Invariants
//!
//! * **Stays Here**: the waker inside an [`EventListener`] is handed to nobody
//!   but a `Registration`, which hands it to nobody, and neither is `Send`. So
//!   its functions may count and call an `Rc`, though wakers in general may not.
//! * **Owned**: the waker's data is an `Rc<L>`, by `into_raw`, of which it owns
//!   one reference.

use alloc::rc::Rc;
use core::marker::PhantomData;
use core::mem::ManuallyDrop;
use core::task::{RawWaker, RawWakerVTable, Waker};

/// Is told of a source's events, on the loop's thread.
pub trait Listener {
    /// Something may be ready. Only notes it: nothing runs from here.
    fn ready(self: Rc<Self>);
}

/// A listener whose type is forgotten.
pub struct EventListener {
    /// In the form of a waker, so that a registration can keep it where it
    /// would keep a task's.
    waker: Waker,
    stays_here: PhantomData<Rc<()>>,
}

impl EventListener {
    /// `listener` as one.
    pub fn new<L: Listener + 'static>(listener: Rc<L>) -> EventListener {
        let data = Rc::into_raw(listener).cast();
        // SAFETY: Owned; the table's functions keep a waker's contract on one
        // thread, and by Stays Here there is no other.
        let waker = unsafe { Waker::new(data, Table::<L>::TABLE) };
        EventListener { waker, stays_here: PhantomData }
    }

    pub(super) fn into_waker(self) -> Waker {
        self.waker
    }
}

struct Table<L>(PhantomData<L>);

impl<L: Listener> Table<L> {
    const TABLE: &'static RawWakerVTable = &RawWakerVTable::new(
        |data| {
            // SAFETY: Owned.
            unsafe { Rc::increment_strong_count(data.cast::<L>()) };
            RawWaker::new(data, Self::TABLE)
        },
        // SAFETY: Owned: the reference is given up.
        |data| unsafe { Rc::from_raw(data.cast::<L>()) }.ready(),
        |data| {
            // SAFETY: Owned: the reference stays the waker's.
            let listener = ManuallyDrop::new(unsafe { Rc::from_raw(data.cast::<L>()) });
            Rc::clone(&listener).ready();
        },
        // SAFETY: Owned: the reference is given up.
        |data| drop(unsafe { Rc::from_raw(data.cast::<L>()) }),
    );
}
