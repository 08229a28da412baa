//! Callbacks: what `call_soon`, `call_later`, `call_at` and `call_repeatedly`
//! schedule.
//!
//! ```text
//!  call_later ─▶ in the wheel ──due──▶ ready ──batch──▶ running ──▶ over
//!  call_soon ──────────────────────────▶│                  │
//!                    ▲                                     │ call_repeatedly
//!                    └─────────────────────────────────────┘
//!  cancel: the callback and all it captured are dropped at once, wherever it
//!  is; only one that is running is dropped when it returns.
//! ```
//!
//! # Invariants
//!
//! * **Payload**: a slot's payload is what its table was made for, and is
//!   there until `EMPTY` is set.
//! * **Counted**: the loop owns a reference for each time that the callback is
//!   scheduled, until it has run, and each handle owns one; the slot is free
//!   when none is left.

use super::event_loop::EventLoop;
use super::exception::{CallbackResult, ExceptionContext};
use super::node::{Node, NodeVTable};
use super::timer::Timer;
use crate::time::{Duration, Instant, nanos};
use core::cell::{Cell, UnsafeCell};
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr::{NonNull, drop_in_place};
use core::task::{RawWaker, RawWakerVTable, Waker};

/// In the ready queue or in the batch.
const QUEUED: u8 = 1 << 0;
/// Cancelled; it will not run (again).
const CANCELLED: u8 = 1 << 1;
/// The payload has been taken or dropped.
const EMPTY: u8 = 1 << 2;
/// The callback is being called.
const RUNNING: u8 = 1 << 3;

/// What a slot's kind decides.
#[repr(C)]
pub(super) struct CallbackVTable {
    node: NodeVTable,
    drop_payload: unsafe fn(NonNull<Slot>),
    free: unsafe fn(NonNull<Slot>),
}

/// The head of a callback. Its payload follows it.
#[repr(C)]
pub(super) struct Slot {
    node: Node,
    timer: Timer,
    when: Cell<u64>,
    owner: Cell<*const EventLoop>,
    references: Cell<u32>,
    flags: Cell<u8>,
}

/// A slot whose payload is a `P`.
#[repr(C)]
pub(super) struct SlotOf<P> {
    pub(super) slot: Slot,
    pub(super) payload: UnsafeCell<MaybeUninit<P>>,
}

impl Slot {
    /// A free slot, all zero.
    pub(super) const fn free() -> Slot {
        Slot {
            node: Node::unset(),
            timer: Timer::new(),
            when: Cell::new(0),
            owner: Cell::new(core::ptr::null()),
            references: Cell::new(0),
            flags: Cell::new(0),
        }
    }

    pub(super) fn is_free(&self) -> bool {
        self.references.get() == 0
    }

    pub(super) fn when(&self) -> Instant {
        Instant::from_nanos(self.when.get())
    }

    fn has(&self, flags: u8) -> bool {
        self.flags.get() & flags != 0
    }

    fn set(&self, flags: u8) {
        self.flags.set(self.flags.get() | flags);
    }

    fn clear(&self, flags: u8) {
        self.flags.set(self.flags.get() & !flags);
    }
}

/// Where slots of a kind are kept.
pub(super) trait Place {
    /// Gives the slot's memory back.
    ///
    /// # Safety
    ///
    /// Nobody refers to it, its payload is gone, and `P` is its payload's type.
    unsafe fn free<P>(slot: NonNull<Slot>);
}

/// What is called, and whether again.
pub(super) trait Kind<P> {
    /// Calls it. The slot is out of the queue, not cancelled, and marked running.
    ///
    /// # Safety
    ///
    /// *Payload*: a `P` is there.
    unsafe fn call(slot: NonNull<Slot>, event_loop: &EventLoop);

    /// What follows the call, also after a panic; the mark is cleared.
    ///
    /// # Safety
    ///
    /// *Payload*, and the loop's reference stands.
    unsafe fn after(slot: NonNull<Slot>, event_loop: &EventLoop);
}

/// The payload of `slot`.
///
/// # Safety
///
/// *Payload*.
pub(super) unsafe fn payload<P>(slot: NonNull<Slot>) -> *mut P {
    // SAFETY: repr(C): a field's address.
    unsafe { UnsafeCell::raw_get(&raw const (*slot.cast::<SlotOf<P>>().as_ptr()).payload).cast() }
}

/// Called once.
pub(super) struct Once<R>(PhantomData<R>);

impl<P: FnOnce() -> R, R: CallbackResult> Kind<P> for Once<R> {
    unsafe fn call(slot: NonNull<Slot>, event_loop: &EventLoop) {
        // SAFETY: Payload; EMPTY says from here on that it is gone.
        let callback = unsafe {
            slot.as_ref().set(EMPTY);
            payload::<P>(slot).read()
        };
        report_failure(event_loop, callback());
    }

    unsafe fn after(slot: NonNull<Slot>, _event_loop: &EventLoop) {
        // SAFETY: the loop's reference.
        unsafe { release(slot) }
    }
}

/// What [`call_repeatedly`](EventLoop::call_repeatedly) does about ticks that
/// passed while the loop was busy.
///
/// tokio: `MissedTickBehavior`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum MissedTicks {
    /// Leaves them out: the next call is at the next multiple of the interval.
    #[default]
    Skip,
    /// Makes up for them: calls follow each other until all are made.
    Burst,
    /// Starts the interval anew after each call.
    Delay,
}

/// A callback that is called again and again.
pub(super) struct Repeat<F> {
    pub(super) callback: F,
    pub(super) interval: Duration,
    pub(super) missed: MissedTicks,
}

/// Called every interval.
pub(super) struct Repeatedly<R>(PhantomData<R>);

impl<F: FnMut() -> R, R: CallbackResult> Kind<Repeat<F>> for Repeatedly<R> {
    unsafe fn call(slot: NonNull<Slot>, event_loop: &EventLoop) {
        // SAFETY: Payload; RUNNING keeps it from being dropped meanwhile.
        let repeat = unsafe { &mut *payload::<Repeat<F>>(slot) };
        report_failure(event_loop, (repeat.callback)());
    }

    unsafe fn after(slot: NonNull<Slot>, event_loop: &EventLoop) {
        // SAFETY: the loop's reference stands.
        let head = unsafe { slot.as_ref() };
        if head.has(CANCELLED) || event_loop.is_closed() {
            // SAFETY: Payload, unless its drop has panicked and this is the
            // second time here; the loop's reference.
            return unsafe {
                if !head.has(EMPTY) {
                    head.set(EMPTY);
                    drop_in_place(payload::<Repeat<F>>(slot));
                }
                release(slot);
            };
        }
        // SAFETY: Payload.
        let repeat = unsafe { &*payload::<Repeat<F>>(slot) };
        let next = repeat.missed.next(head.when(), event_loop.time(), repeat.interval);
        // SAFETY: not set, not moved.
        unsafe { arm(slot, event_loop, next) };
    }
}

impl MissedTicks {
    /// When the call after the one that was due at `due` is due.
    fn next(self, due: Instant, now: Instant, interval: Duration) -> Instant {
        match self {
            MissedTicks::Delay => now.saturating_add(interval),
            MissedTicks::Burst => due.saturating_add(interval),
            MissedTicks::Skip => {
                let interval = nanos(interval).max(1);
                let passed = now.as_nanos().saturating_sub(due.as_nanos()) / interval;
                let step = interval.saturating_mul(passed.saturating_add(1));
                due.saturating_add(Duration::from_nanos(step))
            }
        }
    }
}

/// The table of slots with payload `P`, of kind `K`, kept at `S`.
pub(super) struct Table<P, K, S>(PhantomData<(P, K, S)>);

impl<P, K: Kind<P>, S: Place> Table<P, K, S> {
    pub(super) const TABLE: &'static CallbackVTable = &CallbackVTable {
        node: NodeVTable {
            run: run::<P, K>,
            discard: discard::<P>,
            #[cfg(feature = "threads")]
            panicked: panicked::<P, K>,
            described: crate::trace::Described::callback::<P>(),
        },
        drop_payload: drop_payload::<P>,
        free: S::free::<P>,
    };
}

/// Makes a free slot that of a new callback, with a reference for the loop and
/// one for the handle.
///
/// # Safety
///
/// Its payload has been written, and `table` is made for it.
pub(super) unsafe fn begin(
    slot: NonNull<Slot>,
    table: &'static CallbackVTable,
    event_loop: &EventLoop,
) {
    // SAFETY: alive.
    let head = unsafe { slot.as_ref() };
    head.node.set_vtable(&table.node);
    head.owner.set(event_loop);
    head.references.set(2);
    head.flags.set(0);
}

/// Puts a slot in the ready queue.
///
/// # Safety
///
/// The loop's reference stands; it is neither queued nor in the wheel.
pub(super) unsafe fn enqueue(slot: NonNull<Slot>, event_loop: &EventLoop) {
    // SAFETY: alive; In One Chain by the mark; Alive In Chain by the reference.
    unsafe {
        slot.as_ref().set(QUEUED);
        event_loop.ready.push(slot.cast());
    }
}

/// Puts the slots of a chain in the ready queue, in order.
///
/// # Safety
///
/// As for [`enqueue`], for each node of the chain, all of which begin slots.
pub(super) unsafe fn enqueue_chain(mut chain: super::node::Chain, event_loop: &EventLoop) {
    // SAFETY: the caller's promise.
    unsafe {
        while let Some(node) = chain.pop() {
            enqueue(node.cast(), event_loop);
        }
    }
}

/// Puts a slot in the wheel.
///
/// # Safety
///
/// As for [`enqueue`].
pub(super) unsafe fn arm(slot: NonNull<Slot>, event_loop: &EventLoop, when: Instant) {
    // SAFETY: alive, and it does not move: it is in a box or a static.
    unsafe {
        let head = slot.as_ref();
        head.when.set(when.as_nanos());
        let data = slot.as_ptr().cast_const().cast();
        head.timer.give_waker(Waker::new(data, &DUE));
        head.timer.set(event_loop, when);
    }
}

/// The waker of a slot's timer: the wheel takes it out once and wakes it, on
/// the loop's thread; nobody else has it.
static DUE: RawWakerVTable = RawWakerVTable::new(
    |slot| RawWaker::new(slot, &DUE),
    |slot| {
        // SAFETY: the data is a slot whose loop's reference stands while its
        // timer is set; its timer has just come out of its loop's wheel.
        unsafe {
            let slot = NonNull::new_unchecked(slot.cast_mut().cast::<Slot>());
            enqueue(slot, &*slot.as_ref().owner.get());
        }
    },
    |_slot| {},
    |_slot| {},
);

fn table(slot: &Slot) -> Option<&'static CallbackVTable> {
    // SAFETY: Right Table and repr(C): the node's part is the first field.
    slot.node.vtable().map(|table| unsafe { &*core::ptr::from_ref(table).cast() })
}

/// Cancels the callback. Idempotent.
///
/// # Safety
///
/// The caller owns a reference.
pub(super) unsafe fn cancel(slot: NonNull<Slot>) {
    // SAFETY: alive, by the caller's reference.
    let head = unsafe { slot.as_ref() };
    if head.has(CANCELLED) || head.has(EMPTY) && !head.has(RUNNING) {
        return;
    }
    head.set(CANCELLED);
    if head.has(RUNNING) {
        return;
    }
    let was_set = head.timer.unset();
    head.set(EMPTY);
    // The loop's reference, when the slot is not in the wheel any more.
    let _released_also_by_a_panic = was_set.then(|| LoopReference(slot));
    if let Some(table) = table(head) {
        // SAFETY: Payload: EMPTY was clear.
        unsafe { (table.drop_payload)(slot) };
    }
}

pub(super) fn is_cancelled(slot: &Slot) -> bool {
    slot.has(CANCELLED)
}

/// Whether it waits in the ready queue or in the batch.
pub(super) fn is_queued(slot: &Slot) -> bool {
    slot.has(QUEUED)
}

/// Whether it is a callback of `event_loop`.
pub(super) fn is_of(slot: &Slot, event_loop: &EventLoop) -> bool {
    core::ptr::eq(slot.owner.get(), event_loop)
}

/// Takes another reference.
pub(super) fn retain(slot: &Slot) {
    slot.references.set(slot.references.get() + 1);
}

/// Drops the payload of a slot that was cancelled while it ran.
///
/// # Safety
///
/// *Payload*: a `P` is there, and its call is over.
pub(super) unsafe fn empty_if_cancelled<P>(slot: NonNull<Slot>) {
    // SAFETY: alive, by the loop's reference.
    let head = unsafe { slot.as_ref() };
    if head.has(CANCELLED) && !head.has(EMPTY) {
        head.set(EMPTY);
        // SAFETY: Payload.
        unsafe { drop_in_place(payload::<P>(slot)) };
    }
}

/// Gives a reference up.
///
/// # Safety
///
/// The caller owns it.
pub(super) unsafe fn release(slot: NonNull<Slot>) {
    // SAFETY: alive, by the caller's reference.
    let head = unsafe { slot.as_ref() };
    let left = head.references.get() - 1;
    head.references.set(left);
    if left == 0
        && let Some(table) = table(head)
    {
        // SAFETY: Counted: nobody is left; whoever gave up the loop's
        // reference emptied the slot before.
        unsafe { (table.free)(slot) };
    }
}

unsafe fn run<P, K: Kind<P>>(node: NonNull<Node>, event_loop: &EventLoop) {
    let slot = node.cast::<Slot>();
    // SAFETY: Alive In Chain: the loop's reference stands until released.
    let head = unsafe { slot.as_ref() };
    head.clear(QUEUED);
    if head.has(CANCELLED) {
        // SAFETY: the loop's reference; `cancel` emptied it.
        return unsafe { release(slot) };
    }
    head.set(RUNNING);
    event_loop.runs_callback();
    // SAFETY: Payload: not EMPTY, or it would be CANCELLED.
    unsafe {
        K::call(slot, event_loop);
        head.clear(RUNNING);
        K::after(slot, event_loop);
    }
}

#[cfg(feature = "threads")]
unsafe fn panicked<P, K: Kind<P>>(
    node: NonNull<Node>,
    event_loop: &EventLoop,
    payload: crate::platform::Payload,
) {
    let slot = node.cast::<Slot>();
    event_loop.report_panic("a callback panicked", &payload);
    // SAFETY: the loop's reference stands: the panic came from `call`.
    unsafe {
        slot.as_ref().clear(RUNNING);
        K::after(slot, event_loop);
    }
}

/// The loop closes while the callback is queued.
unsafe fn discard<P>(node: NonNull<Node>, _event_loop: &EventLoop) {
    let slot = node.cast::<Slot>();
    // SAFETY: Alive In Chain; Payload; the loop's reference.
    unsafe {
        let head = slot.as_ref();
        head.clear(QUEUED);
        let _released_also_by_a_panic = LoopReference(slot);
        if !head.has(EMPTY) {
            head.set(EMPTY | CANCELLED);
            drop_payload::<P>(slot);
        }
    }
}

/// The loop's reference to a slot, given up when dropped.
struct LoopReference(NonNull<Slot>);

impl Drop for LoopReference {
    fn drop(&mut self) {
        // SAFETY: who made it owned the reference.
        unsafe { release(self.0) }
    }
}

unsafe fn drop_payload<P>(slot: NonNull<Slot>) {
    // SAFETY: Payload, as the caller saw.
    unsafe { drop_in_place(payload::<P>(slot)) }
}

pub(super) fn report_failure<R: CallbackResult>(event_loop: &EventLoop, result: R) {
    result.report(|error| {
        event_loop.call_exception_handler(&ExceptionContext::new("a callback failed", Some(error)));
    });
}
