//! One value, once, from one task to another.
//!
//! ```text
//!            send                 awaited
//!  Empty ─────────▶ value there ──────────▶ over
//!    ├─ sender dropped ──▶ the receiver gets SenderDropped
//!    └─ receiver dropped ▶ send gives the value back
//! ```
//!
//! Both ends share a [`Slot`]. They hold it by reference, when it is on the
//! stack or in a static ([`Slot::open`]), or by `Rc` ([`channel`], with
//! `alloc`); the code is one. When both ends are gone a slot can be opened
//! again. All is for one thread; what comes from elsewhere goes through a
//! [`Signal`](crate::sync::Signal).
//!
//! asyncio has its Future in this place, [`Promise`](crate::Promise) here,
//! which many can wait for and anybody can complete.

use core::cell::Cell;
use core::fmt;
use core::future::Future;
use core::ops::Deref;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

/// What both ends share.
pub struct Slot<T> {
    value: Cell<Option<T>>,
    receiver: Cell<Option<Waker>>,
    ends: Cell<Ends>,
}

/// Which ends there are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    None,
    /// Only the sender.
    Sender,
    /// Only the receiver.
    Receiver,
    Both,
}

impl<T> Slot<T> {
    /// A slot without ends.
    pub const fn new() -> Slot<T> {
        Slot { value: Cell::new(None), receiver: Cell::new(None), ends: Cell::new(Ends::None) }
    }

    /// Two new ends; `None` while an end of before is still there.
    pub fn open(&self) -> Option<Pair<&Slot<T>>> {
        if self.ends.get() != Ends::None {
            return None;
        }
        self.ends.set(Ends::Both);
        Some((Sender(self), Receiver(self)))
    }
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.ends.get() {
            Ends::None => "Slot(free)",
            Ends::Sender => "Slot(without a receiver)",
            Ends::Receiver => "Slot(without a sender)",
            Ends::Both => "Slot(open)",
        })
    }
}

/// Both ends of a slot.
pub type Pair<H> = (Sender<H>, Receiver<H>);

/// Both ends of a slot on the heap.
///
/// ```
/// # use molen_core as molen;
/// use molen::sync::oneshot;
///
/// struct Download {
///     done: oneshot::SharedSender<Vec<u8>>,
/// }
///
/// # futures::executor::block_on(async {
/// let (done, bytes) = oneshot::channel();
/// let download = Download { done };
/// download.done.send(b"all of it".to_vec())?;
/// assert_eq!(bytes.await?, b"all of it");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap();
/// ```
#[cfg(feature = "alloc")]
pub fn channel<T>() -> Pair<Shared<T>> {
    let slot = Slot::new();
    slot.ends.set(Ends::Both);
    let slot = alloc::rc::Rc::new(slot);
    (Sender(slot.clone()), Receiver(slot))
}

/// How the ends of [`channel`] hold their slot.
#[cfg(feature = "alloc")]
pub type Shared<T> = alloc::rc::Rc<Slot<T>>;

/// The sending end of a [`channel`].
#[cfg(feature = "alloc")]
pub type SharedSender<T> = Sender<Shared<T>>;

/// The receiving end of a [`channel`].
#[cfg(feature = "alloc")]
pub type SharedReceiver<T> = Receiver<Shared<T>>;

/// How an end holds its slot: `&Slot<T>`, or [`Shared<T>`](Shared) with `alloc`.
pub trait Hold: Deref<Target = Slot<Self::Value>> + private::Sealed {
    /// What is sent.
    type Value;
}

impl<T> Hold for &Slot<T> {
    type Value = T;
}

#[cfg(feature = "alloc")]
impl<T> Hold for Shared<T> {
    type Value = T;
}

mod private {
    pub trait Sealed {}
    impl<T> Sealed for &super::Slot<T> {}
    #[cfg(feature = "alloc")]
    impl<T> Sealed for super::Shared<T> {}
}

/// The end that sends.
pub struct Sender<H: Hold>(H);

impl<H: Hold> Sender<H> {
    /// Sends `value`, and makes the receiver ready.
    ///
    /// # Errors
    ///
    /// [`ReceiverDropped`] with the value.
    #[inline]
    pub fn send(self, value: H::Value) -> Result<(), ReceiverDropped<H::Value>> {
        if self.is_closed() {
            return Err(ReceiverDropped(value));
        }
        self.0.value.set(Some(value));
        // The receiver is woken as this end is dropped.
        Ok(())
    }

    /// Whether the receiver is gone, so that nobody wants a value any more.
    pub fn is_closed(&self) -> bool {
        self.0.ends.get() == Ends::Sender
    }
}

impl<H: Hold> Drop for Sender<H> {
    #[inline]
    fn drop(&mut self) {
        let left = if self.is_closed() { Ends::None } else { Ends::Receiver };
        self.0.ends.set(left);
        if let Some(waker) = self.0.receiver.take() {
            waker.wake();
        }
    }
}

impl<H: Hold> fmt::Debug for Sender<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sender").field(&*self.0).finish()
    }
}

/// The end that receives: await it.
///
/// # Errors
///
/// [`SenderDropped`]: the sender was dropped without having sent.
///
/// # Cancellation
///
/// To stop waiting, borrow it (`(&mut receiver).await`) and drop the borrow: a
/// value that is sent later waits. Dropping the receiver itself closes the
/// channel, and drops a value that was sent and not received.
#[must_use = "futures do nothing unless awaited"]
pub struct Receiver<H: Hold>(H);

impl<H: Hold> Receiver<H> {
    /// The value, or that there will be none; `None` while that is open.
    #[inline]
    pub fn try_receive(&mut self) -> Option<Result<H::Value, SenderDropped>> {
        if self.0.ends.get() == Ends::Both {
            return None;
        }
        Some(self.0.value.take().ok_or(SenderDropped))
    }
}

impl<H: Hold> Unpin for Receiver<H> {}

impl<H: Hold> Future for Receiver<H> {
    type Output = Result<H::Value, SenderDropped>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(result) = self.try_receive() {
            return Poll::Ready(result);
        }
        let waker = match self.0.receiver.take() {
            Some(known) if known.will_wake(cx.waker()) => known,
            _ => cx.waker().clone(),
        };
        self.0.receiver.set(Some(waker));
        Poll::Pending
    }
}

impl<H: Hold> Drop for Receiver<H> {
    #[inline]
    fn drop(&mut self) {
        let left = if self.0.ends.get() == Ends::Both { Ends::Sender } else { Ends::None };
        let unused = (self.0.receiver.take(), self.0.value.take());
        self.0.ends.set(left);
        // Last, because their destructors may open the slot anew.
        drop(unused);
    }
}

impl<H: Hold> fmt::Debug for Receiver<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Receiver").field(&*self.0).finish()
    }
}

/// The receiver was dropped; the value comes back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ReceiverDropped<T>(pub T);

impl<T> fmt::Debug for ReceiverDropped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReceiverDropped(..)")
    }
}

impl<T> fmt::Display for ReceiverDropped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot send through the oneshot channel: its receiver was dropped")
    }
}

impl<T> core::error::Error for ReceiverDropped<T> {}

/// The sender was dropped without having sent, or the value was taken before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SenderDropped;

impl fmt::Display for SenderDropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing comes from the oneshot channel: its sender was dropped")
    }
}

impl core::error::Error for SenderDropped {}
