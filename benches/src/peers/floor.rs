//! The floor for scheduling: nothing but a queue of boxed tasks.
//!
//! No timers, no sleeping, no atomics, and wakers that must stay on this
//! thread although the type system does not say so. Useless as a library; it
//! shows how much of another column is the price of being one.
//!
//! # Invariants
//!
//! * **LIVE**: the data of a task's waker, and every entry of the queue, is a
//!   task that `spawn` made, of which the holder owns one reference.
//! * **ONE-THREAD**: no waker leaves the thread that spawned the task.
//! * **TYPED**: the function pointers in a header were made for the very `F`
//!   that lies behind that header.
//! * **PINNED**: a future never moves, and is dropped once, when it is done.

use crate::peer::Peer;
use crate::row::Row;
use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::ptr::NonNull;
use std::task::{Context, RawWaker, RawWakerVTable, Waker};
use std::time::Duration;

/// The bare queue.
pub struct Floor;

#[repr(C)]
struct Header {
    poll: unsafe fn(NonNull<Header>) -> bool,
    drop: unsafe fn(NonNull<Header>),
    free: unsafe fn(NonNull<Header>),
    refs: Cell<u32>,
    queued: Cell<bool>,
    done: Cell<bool>,
}

#[repr(C)]
struct Cellular<F> {
    header: Header,
    future: F,
}

thread_local! {
    static READY: RefCell<VecDeque<NonNull<Header>>> = const { RefCell::new(VecDeque::new()) };
    static MAIN_WOKEN: Cell<bool> = const { Cell::new(false) };
}

static TASK: RawWakerVTable = RawWakerVTable::new(clone, wake, wake_by_ref, drop_waker);
static MAIN: RawWakerVTable = RawWakerVTable::new(
    |_| RawWaker::new(std::ptr::null(), &MAIN),
    |_| MAIN_WOKEN.set(true),
    |_| MAIN_WOKEN.set(true),
    |_| (),
);

unsafe fn header<'a>(data: *const ()) -> &'a Header {
    // SAFETY: LIVE.
    unsafe { &*data.cast::<Header>() }
}

unsafe fn clone(data: *const ()) -> RawWaker {
    // SAFETY: LIVE.
    let header = unsafe { header(data) };
    header.refs.set(header.refs.get() + 1);
    RawWaker::new(data, &TASK)
}

unsafe fn wake(data: *const ()) {
    // SAFETY: LIVE; the reference is given up last.
    unsafe {
        wake_by_ref(data);
        drop_waker(data);
    }
}

unsafe fn wake_by_ref(data: *const ()) {
    // SAFETY: LIVE.
    let header = unsafe { header(data) };
    if !header.queued.replace(true) && !header.done.get() {
        header.refs.set(header.refs.get() + 1);
        READY.with_borrow_mut(|ready| ready.push_back(NonNull::from(header)));
    }
}

unsafe fn drop_waker(data: *const ()) {
    // SAFETY: LIVE.
    let task = unsafe { header(data) };
    task.refs.set(task.refs.get() - 1);
    if task.refs.get() == 0 {
        // SAFETY: TYPED; this was the last reference.
        unsafe { (task.free)(NonNull::from(task)) };
    }
}

unsafe fn poll<F: Future<Output = ()>>(task: NonNull<Header>) -> bool {
    // SAFETY: LIVE, TYPED, PINNED.
    unsafe {
        let raw = RawWaker::new(task.as_ptr().cast(), &TASK);
        let waker = std::mem::ManuallyDrop::new(Waker::from_raw(raw));
        let future = Pin::new_unchecked(&mut (*task.cast::<Cellular<F>>().as_ptr()).future);
        future.poll(&mut Context::from_waker(&waker)).is_ready()
    }
}

unsafe fn drop_future<F>(task: NonNull<Header>) {
    // SAFETY: TYPED, PINNED.
    unsafe { std::ptr::drop_in_place(&raw mut (*task.cast::<Cellular<F>>().as_ptr()).future) }
}

unsafe fn free<F>(task: NonNull<Header>) {
    // SAFETY: TYPED, so `spawn` used this very layout; no reference is left.
    unsafe { dealloc(task.as_ptr().cast(), Layout::new::<Cellular<F>>()) }
}

fn spawn<F: Future<Output = ()> + 'static>(future: F) {
    let layout = Layout::new::<Cellular<F>>();
    // SAFETY: the layout is never empty, and the block is written whole.
    unsafe {
        let Some(task) = NonNull::new(alloc(layout).cast::<Cellular<F>>()) else {
            handle_alloc_error(layout)
        };
        task.write(Cellular {
            header: Header {
                poll: poll::<F>,
                drop: drop_future::<F>,
                free: free::<F>,
                refs: Cell::new(1),
                queued: Cell::new(true),
                done: Cell::new(false),
            },
            future,
        });
        READY.with_borrow_mut(|ready| ready.push_back(task.cast()));
    }
}

fn turn() {
    for _ in 0..64 {
        let Some(task) = READY.with_borrow_mut(|ready| ready.pop_front()) else {
            return;
        };
        // SAFETY: LIVE (the queue owns one reference), TYPED, ONE-THREAD.
        unsafe {
            task.as_ref().queued.set(false);
            if !task.as_ref().done.get() && (task.as_ref().poll)(task) {
                task.as_ref().done.set(true);
                (task.as_ref().drop)(task);
            }
            drop_waker(task.as_ptr().cast());
        }
    }
}

impl Peer for Floor {
    const NAME: &'static str = "floor";

    fn lacks(row: Row) -> Option<&'static str> {
        match row {
            Row::Wake | Row::Messages => Some("wakers must stay on their thread"),
            row if row.needs_timers() => Some("no timers"),
            _ => None,
        }
    }

    fn block_on<F: Future<Output = ()> + 'static>(main: F) {
        // SAFETY: the table touches only thread-local state.
        let waker = unsafe { Waker::from_raw(RawWaker::new(std::ptr::null(), &MAIN)) };
        let mut main = std::pin::pin!(main);
        MAIN_WOKEN.set(true);
        loop {
            if MAIN_WOKEN.replace(false)
                && main.as_mut().poll(&mut Context::from_waker(&waker)).is_ready()
            {
                return;
            }
            turn();
        }
    }

    fn spawn<F: Future<Output = ()> + 'static>(task: F) {
        spawn(task);
    }

    fn spawn_join<F: Future<Output = ()> + 'static>(task: F) -> impl Future<Output = ()> {
        let slot = crate::sync::Slot::new();
        let done = slot.clone();
        spawn(async move {
            task.await;
            done.put(());
        });
        async move { slot.take().await }
    }

    async fn sleep(_: Duration) {
        unreachable!("`lacks` keeps timers away");
    }

    fn yield_now() -> impl Future<Output = ()> {
        crate::sync::SelfWake::default()
    }
}
