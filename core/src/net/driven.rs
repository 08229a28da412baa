//! What drives a connection: its place in the ready queue, or a task.
//!
//! ```text
//!            event, or a call of the transport
//!   idle ─────────────────────────────────────▶ queued ──batch──▶ in its turn
//!    ▲                                                              │
//!    └──────────────────────────────────────────────────────────────┘
//! ```
//!
//! Where there is a heap and the source tells a [`Listener`](crate::io::Listener),
//! the connection itself is a node of the ready queue: an event costs neither a
//! task nor a waker. Otherwise a task [drives](drive) it, and to make it ready
//! is to wake that task.
//!
//! # Invariants
//!
//! * **Header First**: what implements [`Driven`] begins with its [`Header`],
//!   which begins with the node.
//! * **Queued Owns**: while the machine is marked as queued, the ready queue owns one strong
//!   reference of the `Rc`, made by `into_raw`.

use super::machine::Machine;
use crate::schedule::EventLoop;
use core::cell::Cell;
use core::future::poll_fn;
use core::task::{Context, Poll, Waker};

#[cfg(feature = "alloc")]
use crate::schedule::LoopMemory;
#[cfg(feature = "alloc")]
use crate::schedule::node::{Node, NodeVTable};
#[cfg(feature = "alloc")]
use alloc::rc::Rc;
#[cfg(feature = "alloc")]
use core::{marker::PhantomData, ptr::NonNull};

/// The head of everything that is driven.
#[repr(C)]
pub(crate) struct Header {
    #[cfg(feature = "alloc")]
    node: Node,
    #[cfg(feature = "alloc")]
    owner: LoopMemory,
}

/// What a turn leaves to be done.
pub(crate) enum After {
    /// Wait for an event or a call.
    Wait,
    /// Make another turn in the next batch.
    Again,
    /// Nothing, ever.
    Gone,
}

/// Something that has turns.
///
/// # Safety
///
/// *Header First*.
pub(crate) unsafe trait Driven: Sized + 'static {
    #[cfg(feature = "alloc")]
    fn header(&self) -> &Header;

    /// The machine, which knows whether a turn is under way.
    fn machine(&self) -> &Cell<Machine>;

    /// Takes out the waker of the task that drives it, if one does.
    fn take_driver(&self) -> Option<Waker>;

    /// Keeps the waker of the task that drives it.
    fn put_driver(&self, driver: Waker);

    /// One turn. `cx` is the driving task's, which the source is to wake.
    fn turn(this: &super::transport::Ref<Self>, cx: Option<&mut Context<'_>>) -> After;

    /// The task that drives it was dropped: closes the source and drops the
    /// protocol, calling nobody.
    #[cfg(feature = "alloc")]
    fn abandon(&self);

    /// A callback panicked in its turn.
    #[cfg(feature = "threads")]
    fn panicked(&self, event_loop: &EventLoop, payload: crate::platform::Payload);
}

#[cfg(not(feature = "alloc"))]
impl Header {
    pub(crate) const fn new() -> Header {
        Header {}
    }
}

impl Header {
    #[cfg(feature = "alloc")]
    pub(crate) fn new<T: Driven>(event_loop: &EventLoop) -> Header {
        Header { node: Node::new(Table::<T>::TABLE), owner: LoopMemory::of(event_loop) }
    }

    /// Calls `f` with the loop that it belongs to.
    #[cfg(feature = "alloc")]
    pub(crate) fn with_loop<R>(&self, f: impl FnOnce(&EventLoop) -> R) -> Option<R> {
        Some(f(self.owner.event_loop()))
    }

    /// Calls `f` with the loop that runs.
    #[cfg(not(feature = "alloc"))]
    pub(crate) fn with_loop<R>(&self, f: impl FnOnce(&EventLoop) -> R) -> Option<R> {
        crate::schedule::current().map(f)
    }
}

/// Changes the machine of `this`.
#[inline]
pub(crate) fn with_machine<T: Driven, R>(this: &T, f: impl FnOnce(&mut Machine) -> R) -> R {
    let cell = this.machine();
    let mut machine = cell.get();
    let result = f(&mut machine);
    cell.set(machine);
    result
}

/// Wakes the task that drives `this`; false when none does.
fn wake_driver<T: Driven>(this: &T) -> bool {
    let Some(driver) = this.take_driver() else { return false };
    driver.wake_by_ref();
    this.put_driver(driver);
    true
}

fn set_driver<T: Driven>(this: &T, waker: &Waker) {
    let driver = this.take_driver().filter(|known| known.will_wake(waker));
    this.put_driver(driver.unwrap_or_else(|| waker.clone()));
}

/// Has `this` make a turn soon, if it is not in one.
#[cfg(feature = "alloc")]
#[inline]
pub(crate) fn make_ready<T: Driven>(this: Rc<T>) {
    if this.machine().get().is_under_way() || wake_driver(&*this) {
        return;
    }
    let event_loop = this.header().owner.event_loop();
    if event_loop.is_closed() {
        return;
    }
    with_machine(&*this, Machine::set_queued);
    let ready = core::ptr::from_ref(&event_loop.ready);
    let node = Rc::into_raw(this).cast_mut().cast::<Node>();
    // SAFETY: `into_raw` is never null; Header First. In One Chain by the mark
    // just set; Alive In Chain: Queued Owns. The loop is kept in memory by the
    // header's `owner`, and so by the reference in the queue.
    unsafe { (*ready).push(NonNull::new_unchecked(node)) };
}

/// Has `this` make a turn soon, if it is not in one.
#[cfg(not(feature = "alloc"))]
pub(crate) fn make_ready<T: Driven>(this: &'static T) {
    if !this.machine().get().is_under_way() {
        wake_driver(this);
    }
}

/// Ends a turn, also one that panics.
struct InTurn<'a, T: Driven>(&'a T);

impl<T: Driven> Drop for InTurn<'_, T> {
    fn drop(&mut self) {
        with_machine(self.0, Machine::end_turn);
    }
}

fn turn<T: Driven>(this: &super::transport::Ref<T>, cx: Option<&mut Context<'_>>) -> After {
    with_machine(&**this, Machine::begin_turn);
    let _in_turn = InTurn(&**this);
    T::turn(this, cx)
}

/// The table of nodes that begin a `T`.
#[cfg(feature = "alloc")]
struct Table<T>(PhantomData<T>);

#[cfg(feature = "alloc")]
impl<T: Driven> Table<T> {
    const TABLE: &'static NodeVTable = &NodeVTable {
        run: run::<T>,
        discard: discard::<T>,
        described: crate::trace::Described::callback::<T>(),
        #[cfg(feature = "threads")]
        panicked: panicked::<T>,
    };
}

/// Takes the queue's reference over.
///
/// # Safety
///
/// `node` begins a `T` and is out of the ready queue.
#[cfg(feature = "alloc")]
unsafe fn take<T: Driven>(node: NonNull<Node>) -> Rc<T> {
    // SAFETY: Queued Owns; Header First.
    let this = unsafe { Rc::from_raw(node.cast::<T>().as_ptr()) };
    with_machine(&*this, Machine::clear_queued);
    this
}

#[cfg(feature = "alloc")]
unsafe fn run<T: Driven>(node: NonNull<Node>, event_loop: &EventLoop) {
    // Protocols are not called by a task.
    event_loop.runs_callback();
    // Kept by the node for `panicked`, if it comes to that.
    // SAFETY: the loop took the node out of its queue.
    let this = core::mem::ManuallyDrop::new(unsafe { take::<T>(node) });
    let after = turn(&this, None);
    let this = core::mem::ManuallyDrop::into_inner(this);
    if let After::Again = after {
        make_ready(this);
    }
}

#[cfg(feature = "alloc")]
unsafe fn discard<T: Driven>(node: NonNull<Node>, _event_loop: &EventLoop) {
    // SAFETY: the loop took the node out of its queue.
    drop(unsafe { take::<T>(node) });
}

#[cfg(feature = "threads")]
unsafe fn panicked<T: Driven>(
    node: NonNull<Node>,
    event_loop: &EventLoop,
    payload: crate::platform::Payload,
) {
    // Not `take`: what unwound may have queued it anew.
    // SAFETY: `run` left its reference behind when it unwound; Header First.
    let this = unsafe { Rc::from_raw(node.cast::<T>().as_ptr()) };
    this.panicked(event_loop, payload);
    make_ready(this);
}

/// What becomes of a connection whose driving task is dropped, because the
/// loop closes or a program clears up all tasks.
#[cfg(feature = "alloc")]
struct AbandonOnDrop<T: Driven>(Rc<T>);

#[cfg(feature = "alloc")]
impl<T: Driven> Drop for AbandonOnDrop<T> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

/// Drives `this` from a task until it is over.
pub(crate) async fn drive<T: Driven>(this: super::transport::Ref<T>) {
    #[cfg(feature = "alloc")]
    let _abandons = AbandonOnDrop(this.clone());
    poll_fn(|cx| {
        set_driver(&*this, cx.waker());
        let after = turn_guarded(&this, cx);
        match after {
            After::Wait => Poll::Pending,
            After::Again => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            After::Gone => {
                drop(this.take_driver());
                Poll::Ready(())
            }
        }
    })
    .await;
}

#[cfg(not(feature = "threads"))]
fn turn_guarded<T: Driven>(this: &super::transport::Ref<T>, cx: &mut Context<'_>) -> After {
    turn(this, Some(cx))
}

/// One turn; a panic in it is the protocol's, not the driving task's.
#[cfg(feature = "threads")]
fn turn_guarded<T: Driven>(this: &super::transport::Ref<T>, cx: &mut Context<'_>) -> After {
    let mut after = After::Again;
    let result = crate::platform::catch_unwind(&mut || after = turn(this, Some(cx)));
    if let Err(payload) = result {
        let mut payload = Some(payload);
        this.header().with_loop(|event_loop| {
            if let Some(payload) = payload.take() {
                this.panicked(event_loop, payload);
            }
        });
    }
    after
}
