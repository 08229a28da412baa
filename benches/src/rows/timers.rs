//! Timers armed, cancelled and fired, with few and with many outstanding.
//!
//! Delays come from a generator with fixed seeds, so that every column sees
//! the same deadlines.
//!
//! # Invariants
//!
//! * **STILL**: a sleep that was armed stays where it is until it is dropped:
//!   it is a local that is not touched again, or an element of a vector that
//!   was made with its final capacity and is only cleared or forgotten.

use crate::measure::{Mark, Spent};
use crate::peer::Peer;
use crate::sample::Reading;
use crate::sync::{Gate, SelfWake};
use fastrand::Rng;
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::ops::Range;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

/// Armed timers of whatever type the loop has.
type Held = Rc<RefCell<Vec<Box<dyn Any>>>>;

/// Polls a sleep once so that it registers itself.
///
/// # Safety
///
/// STILL must hold for `sleep`.
pub(super) async unsafe fn arm<F: Future<Output = ()>>(sleep: &mut F) {
    poll_fn(|cx| {
        // SAFETY: STILL, by this function's contract.
        let sleep = unsafe { Pin::new_unchecked(&mut *sleep) };
        assert!(sleep.poll(cx).is_pending(), "a timer was due too early");
        Poll::Ready(())
    })
    .await
}

/// Arms `count` timers that are due after the given seconds.
///
/// Tasks hold at most 20 000 each, because some loops count the wakers of
/// one task in 16 bits.
async fn arm_many<P: Peer>(count: usize, seconds: Range<u64>) -> Held {
    const EACH: usize = 20_000;
    let held = Held::default();
    let tasks = count.div_ceil(EACH);
    let gate = Gate::new(tasks);
    for task in 0..tasks {
        let (held, gate) = (held.clone(), gate.clone());
        let (seconds, share) = (seconds.clone(), EACH.min(count - task * EACH));
        P::spawn(P::unbudgeted(async move {
            let mut rng = Rng::with_seed(100 + task as u64);
            let mut sleeps = Vec::with_capacity(share);
            for at in 0..share {
                let delay = rng.u64(seconds.start * 1_000_000..seconds.end * 1_000_000);
                sleeps.push(P::sleep(Duration::from_micros(delay)));
                // SAFETY: STILL, an element of a vector that never grows.
                unsafe { arm(&mut sleeps[at]) }.await;
            }
            held.borrow_mut().push(Box::new(sleeps));
            gate.arrive();
        }));
    }
    gate.opened().await;
    held
}

/// Arms one timer sooner than any other and lets the loop go idle once, so
/// that the loop knows its next wake-up and later ones are not the first.
async fn settle<P: Peer>() -> Pin<Box<impl Future<Output = ()>>> {
    let mut nearest = Box::pin(P::sleep(Duration::from_secs(4)));
    // SAFETY: STILL, it is pinned in its box already.
    unsafe { arm(&mut nearest) }.await;
    P::sleep(Duration::from_millis(5)).await;
    nearest
}

/// Arms and drops one timer over and over.
async fn churn<P: Peer>(figure: &str) {
    const N: u64 = 300_000;
    let mut rng = Rng::with_seed(3);
    let start = Mark::now();
    for _ in 0..N {
        let delay = Duration::from_micros(rng.u64(5_000_000..35_000_000));
        let mut sleep = P::sleep(delay);
        // SAFETY: STILL, a local that is dropped where it stands.
        unsafe { arm(&mut sleep) }.await;
    }
    // What the loop put off to its next turn is part of the price.
    SelfWake::default().await;
    start.spent().print_cpu(figure, N);
}

/// Insert and cancel as a pair: with nothing armed, and with one nearer timer.
pub async fn one<P: Peer>() {
    churn::<P>("timer_churn_0").await;
    let nearest = settle::<P>().await;
    churn::<P>("timer_churn_1").await;
    drop(nearest);
}

/// A thousand inserted, then cancelled, again and again; then churn among them.
pub async fn thousand<P: Peer>() {
    const N: usize = 1000;
    const BLOCKS: u64 = 200;
    let nearest = settle::<P>().await;
    let mut rng = Rng::with_seed(5);
    let mut sleeps = Vec::with_capacity(N);
    let (mut inserting, mut cancelling) = (Spent::default(), Spent::default());
    for _ in 0..BLOCKS {
        let start = Mark::now();
        for at in 0..N {
            let delay = rng.u64(20_000_000..620_000_000);
            sleeps.push(P::sleep(Duration::from_micros(delay)));
            // SAFETY: STILL, an element of a vector that never grows.
            unsafe { arm(&mut sleeps[at]) }.await;
        }
        SelfWake::default().await;
        inserting = inserting + start.spent();
        let start = Mark::now();
        sleeps.clear();
        SelfWake::default().await;
        cancelling = cancelling + start.spent();
    }
    inserting.print_cpu("timer_insert_1k", N as u64 * BLOCKS);
    cancelling.print_cpu("timer_cancel_1k", N as u64 * BLOCKS);
    let held = arm_many::<P>(N, 40..640).await;
    churn::<P>("timer_churn_1k").await;
    drop((held, nearest));
}

/// A million inserted, churn among them, then all cancelled in order.
pub async fn million<P: Peer>() {
    const N: usize = 1_000_000;
    let nearest = settle::<P>().await;
    let start = Mark::now();
    let held = arm_many::<P>(N, 40..640).await;
    start.spent().print_cpu("timer_insert_1m", N as u64);
    churn::<P>("timer_churn_1m").await;
    let start = Mark::now();
    held.borrow_mut().clear();
    SelfWake::default().await;
    start.spent().print_cpu("timer_cancel_1m", N as u64);
    drop(nearest);
}

/// How late timers fired.
#[derive(Default)]
struct Lateness {
    sum: Cell<u64>,
    worst: Cell<u64>,
    early: Cell<u64>,
}

impl Lateness {
    fn note(&self, due: Instant) {
        let now = Instant::now();
        if now < due {
            self.early.set(self.early.get() + 1);
        }
        let by = now.saturating_duration_since(due).as_nanos() as u64;
        self.sum.set(self.sum.get() + by);
        self.worst.set(self.worst.get().max(by));
    }

    fn print(&self, figure: &str, fired: u64) {
        let mean = self.sum.get() as f64 / fired as f64;
        let early = self.early.get();
        Reading {
            detail: (early > 0).then(|| format!("{early} of {fired} fired too early")),
            ..Reading::new(format!("{figure}_late_mean"), mean)
        }
        .print();
        let worst = self.worst.get() as f64;
        Reading::new(format!("{figure}_late_worst"), worst).print();
    }
}

/// `tasks` tasks sleep `times` times each, for a delay of `micros`.
pub async fn fire_again<P: Peer>(
    figure: &'static str,
    tasks: usize,
    times: u64,
    micros: Range<u64>,
) {
    let gate = Gate::new(tasks);
    let late = Rc::new(Lateness::default());
    let start = Mark::now();
    for task in 0..tasks {
        let (gate, late, micros) = (gate.clone(), late.clone(), micros.clone());
        P::spawn(async move {
            let mut rng = Rng::with_seed(200 + task as u64);
            for _ in 0..times {
                let delay = Duration::from_micros(rng.u64(micros.clone()));
                let due = Instant::now() + delay;
                P::sleep(delay).await;
                late.note(due);
            }
            gate.arrive();
        });
    }
    gate.opened().await;
    let fired = tasks as u64 * times;
    start.spent().print_cpu_of_sleeper(figure, fired);
    late.print(figure, fired);
}

/// 100 000 tasks sleep once, within half a second, and 900 000 others stay armed.
pub async fn fire_among_million<P: Peer>() {
    const FIRED: usize = 100_000;
    let held = arm_many::<P>(1_000_000 - FIRED, 60..660).await;
    let mut rng = Rng::with_seed(9);
    let gate = Gate::new(FIRED);
    let late = Rc::new(Lateness::default());
    let start = Mark::now();
    let base = Instant::now();
    for _ in 0..FIRED {
        // Far enough out that every timer is armed before the first is due.
        let due = base + Duration::from_micros(rng.u64(300_000..800_000));
        let (gate, late) = (gate.clone(), late.clone());
        P::spawn(async move {
            P::sleep(due.saturating_duration_since(Instant::now())).await;
            late.note(due);
            gate.arrive();
        });
    }
    gate.opened().await;
    start.spent().print_cpu_of_sleeper("fire_1m", FIRED as u64);
    late.print("fire_1m", FIRED as u64);
    // Nobody measures how long it takes to take a million apart.
    std::mem::forget(held);
}
