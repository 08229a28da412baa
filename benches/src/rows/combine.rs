//! Waiting for several futures at once, in place.
//!
//! No loop is involved: the same few lines poll every library's combinator by
//! hand, so that the combinator itself is measured. Each child wakes its waker
//! and is pending once, then ready; so each combinator is polled twice.

use crate::measure::Mark;
use crate::peer::Peer;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// A vector of futures, joined.
pub type AllOf = Pin<Box<dyn Future<Output = Vec<u64>>>>;

/// What a library has, each with what [`join_all`](Forms::join_all) needs to
/// be driven; a function runs [`BATCH`] times what it is named after.
#[derive(Clone, Copy)]
pub struct Forms {
    /// Two futures, all outputs.
    pub join_2: fn() -> u64,
    /// Eight futures, all outputs.
    pub join_8: Option<fn() -> u64>,
    /// A vector of futures, all outputs.
    pub join_all: Option<fn(Vec<Woken>) -> AllOf>,
    /// The first of two futures.
    pub select_2: fn() -> u64,
    /// The first of eight futures.
    pub select_8: Option<fn() -> u64>,
}

/// How often a function of [`Forms`] runs its form.
pub const BATCH: u64 = 1000;

/// Runs `make` [`BATCH`] times, and its futures to the end.
pub fn batch<F: Future>(make: impl Fn() -> F, value: impl Fn(F::Output) -> u64) -> u64 {
    (0..BATCH).map(|_| value(drive(make()))).sum()
}

fn drive<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let mut cx = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
    }
}

/// Pending `left` times, then ready with `left` as it was.
pub struct Countdown {
    left: u64,
    value: u64,
}

/// A child that is pending `polls` times.
#[inline]
pub fn child(polls: u64) -> Countdown {
    Countdown { left: black_box(polls), value: polls }
}

impl Future for Countdown {
    type Output = u64;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u64> {
        if self.left == 0 {
            return Poll::Ready(self.value);
        }
        self.left -= 1;
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// A child that somebody else makes ready.
#[derive(Clone, Default)]
pub struct Woken(Rc<(Cell<bool>, RefCell<Option<Waker>>)>);

impl Woken {
    fn wake(&self) {
        self.0.0.set(true);
        if let Some(waker) = self.0.1.take() {
            waker.wake();
        }
    }
}

impl Future for Woken {
    type Output = u64;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<u64> {
        if self.0.0.get() {
            return Poll::Ready(1);
        }
        let mut waiting = self.0.1.borrow_mut();
        if !waiting.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            *waiting = Some(cx.waker().clone());
        }
        Poll::Pending
    }
}

fn time(figure: &'static str, form: fn() -> u64) {
    const BATCHES: u64 = 1000;
    black_box(form());
    let start = Mark::now();
    for _ in 0..BATCHES {
        black_box(form());
    }
    start.spent().print_cpu(figure, BATCHES * BATCH);
}

/// All of two and of eight, per join.
pub fn join<P: Peer>() {
    if let Some(forms) = P::FORMS {
        time("join_2", forms.join_2);
        if let Some(form) = forms.join_8 {
            time("join_8", form);
        }
    }
}

/// The first of two and of eight, per select.
pub fn select<P: Peer>() {
    if let Some(forms) = P::FORMS {
        time("select_2", forms.select_2);
        if let Some(form) = forms.select_8 {
            time("select_8", form);
        }
    }
}

/// Vectors whose children become ready one after the other, per child.
pub fn join_all<P: Peer>() {
    let Some(form) = P::FORMS.and_then(|forms| forms.join_all) else { return };
    for (figure, count, rounds) in
        [("join_all_8", 8, 50_000), ("join_all_100", 100, 4_000), ("join_all_10k", 10_000, 30)]
    {
        let start = Mark::now();
        for _ in 0..rounds {
            let children: Vec<Woken> = (0..count).map(|_| Woken::default()).collect();
            let mut all = form(children.clone());
            let mut cx = Context::from_waker(Waker::noop());
            assert!(all.as_mut().poll(&mut cx).is_pending());
            for (number, child) in children.iter().enumerate() {
                child.wake();
                assert_eq!(all.as_mut().poll(&mut cx).is_ready(), number + 1 == count);
            }
        }
        start.spent().print_cpu(figure, rounds * count as u64);
    }
}
