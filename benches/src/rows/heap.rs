//! Heap bytes per spawned task and per armed timer, by a counting allocator.
//!
//! The allocator is that of every row, so it counts only while it is told to:
//! the other rows pay one predicted branch per allocation, all columns alike.

use super::timers::arm;
use crate::peer::Peer;
use crate::row::Row;
use crate::sample::Reading;
use crate::sync::SelfWake;
use std::alloc::{GlobalAlloc, Layout, System};
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

struct Counting;

static ON: AtomicBool = AtomicBool::new(false);
static LIVE: AtomicIsize = AtomicIsize::new(0);
static CALLS: AtomicUsize = AtomicUsize::new(0);

fn count(bytes: isize, calls: usize) {
    if ON.load(Relaxed) {
        LIVE.fetch_add(bytes, Relaxed);
        CALLS.fetch_add(calls, Relaxed);
    }
}

// SAFETY: forwards every call to the system allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize, 1);
        // SAFETY: the caller's contract is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize, 1);
        // SAFETY: the caller's contract is passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        count(-(layout.size() as isize), 0);
        // SAFETY: the caller's contract is passed on.
        unsafe { System.dealloc(ptr, layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(new_size as isize - layout.size() as isize, 0);
        // SAFETY: the caller's contract is passed on.
        unsafe { System.realloc(ptr, layout, new_size) }
    }
}

#[global_allocator]
static HEAP: Counting = Counting;

/// What is live now, to be compared with later.
struct Before {
    live: isize,
    calls: usize,
}

impl Before {
    fn now() -> Self {
        Before { live: LIVE.load(Relaxed), calls: CALLS.load(Relaxed) }
    }

    fn bytes_each(&self, count: usize) -> f64 {
        (LIVE.load(Relaxed) - self.live) as f64 / count as f64
    }

    fn calls_each(&self, count: usize) -> f64 {
        (CALLS.load(Relaxed) - self.calls) as f64 / count as f64
    }
}

/// 64 bytes that never finish.
struct Idle([u64; 8]);

impl Future for Idle {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        if std::hint::black_box(self.0[7]) == 7 { Poll::Pending } else { Poll::Ready(()) }
    }
}

async fn tasks<P: Peer>() {
    const N: usize = 100_000;
    let before = Before::now();
    for _ in 0..N {
        P::spawn(Idle([7; 8]));
    }
    // Let every task be polled once, so that it waits as an idle task does.
    for _ in 0..3 {
        SelfWake::default().await;
    }
    Reading::new("task_bytes", before.bytes_each(N)).print();
    Reading::new("task_allocs", before.calls_each(N)).print();
}

async fn timers<P: Peer>() {
    // Below the 32 767 wakers per task that one of the loops allows.
    const N: usize = 20_000;
    let mut sleeps = Vec::with_capacity(N);
    let before = Before::now();
    for at in 0..N {
        sleeps.push(P::sleep(Duration::from_micros(60_000_000 + at as u64 * 997)));
        // SAFETY: the vector never grows and is dropped in place.
        unsafe { arm(&mut sleeps[at]) }.await;
    }
    Reading::new("timer_inline_bytes", size_of_val(&sleeps[0]) as f64).print();
    Reading::new("timer_heap_bytes", before.bytes_each(N)).print();
}

/// Prints what one task and one timer cost. Does not return: taking a
/// hundred thousand idle tasks apart is not measured.
pub fn run<P: Peer>() {
    ON.store(true, Relaxed);
    if P::lacks(Row::Timers1k).is_none() {
        P::block_on(P::unbudgeted(timers::<P>()));
    }
    P::block_on(async {
        tasks::<P>().await;
        std::process::exit(0);
    });
}
