//! A place where tasks wait until a number of them has come.
//!
//! ```text
//!          the last of them comes
//!  Filling ──────────────────────▶ Draining
//!   ▲  │ ▲                            │  │ all have gone on
//!   │  │ └────────────────────────────│──┘
//!   │  │ reset, some wait             │ reset
//!   │  ▼                              ▼
//!   │ Resetting ◀─────────────────────┘
//!   └──┘ all have failed
//!
//!  abort, from every state: Broken; reset: back to Filling, or to Resetting
//!  until those who waited have failed
//! ```
//!
//! Those who come in `Draining` or `Resetting` are held back until all of the
//! round before have gone on; then they fill the barrier in order of arrival,
//! before all who come later. Those who come in `Broken` fail.
//!
//! Whether a wait succeeds is known when its task resumes, as in asyncio: a
//! reset or an abort also fails those whose round was complete but who have not
//! gone on yet.
//!
//! # Invariants
//!
//! * **Counted**: `count` is the number of waits that are not over and not held
//!   back: those in `filling`, and those taken out of it that have not resumed.
//! * **Own List**: a wait that is `HeldBack` is in `held_back`, if it is linked,
//!   and one that is `Inside` in `filling`.
//! * **Pinned**, **Same List**: those of `wait_list`.

use super::wait_list::{WaitList, Waiter};
use crate::schedule::wake_contained;
use core::cell::Cell;
use core::fmt;
use core::future::Future;
use core::marker::PhantomPinned;
use core::pin::Pin;
use core::task::{Context, Poll};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Filling,
    Draining,
    Resetting,
    Broken,
}

/// Where a wait is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Not polled yet, or over.
    Outside,
    /// It waits for the round before to end.
    HeldBack,
    /// It belongs to the present round, as number so-and-so when that is complete.
    Inside(usize),
}

/// A place where tasks wait until a number of them has come.
///
/// ```no_run
/// # use molen_core as molen;
/// # futures::executor::block_on(async {
/// use molen::sync::{Barrier, BrokenBarrier};
///
/// let barrier = Barrier::new(2)?;
/// let indexes: (Result<_, _>, Result<_, _>) = futures::join!(barrier.wait(), barrier.wait());
/// assert_eq!(indexes, (Ok(0), Ok(1)));
/// # Ok::<(), molen::sync::NoParties>(())
/// # }).unwrap();
/// ```
///
/// asyncio: `asyncio.Barrier`.
pub struct Barrier {
    parties: usize,
    count: Cell<usize>,
    state: Cell<State>,
    filling: WaitList<Cell<Phase>>,
    held_back: WaitList<Cell<Phase>>,
}

impl Barrier {
    /// A barrier for so many tasks.
    ///
    /// # Errors
    ///
    /// [`NoParties`] for zero. asyncio: `ValueError`.
    pub const fn new(parties: usize) -> Result<Barrier, NoParties> {
        if parties == 0 {
            return Err(NoParties);
        }
        Ok(Barrier {
            parties,
            count: Cell::new(0),
            state: Cell::new(State::Filling),
            filling: WaitList::new(),
            held_back: WaitList::new(),
        })
    }

    /// Waits until as many tasks wait as the barrier is for; then all go on.
    /// Each gets another number from 0 on, by order of arrival. The last one
    /// to come does not wait, and others get no turn first.
    ///
    /// asyncio: `await barrier.wait()`, `async with barrier as index`.
    ///
    /// # Errors
    ///
    /// [`BrokenBarrier`] when the barrier is broken, or is reset or aborted
    /// while this waits.
    ///
    /// # Cancellation
    ///
    /// One fewer waits. If its round was complete already, the others go on.
    pub fn wait(&self) -> WaitBarrier<'_> {
        WaitBarrier {
            barrier: self,
            waiter: Waiter::carrying(Cell::new(Phase::Outside)),
            _pin: PhantomPinned,
        }
    }

    /// Makes it empty and whole: those who wait fail with [`BrokenBarrier`].
    /// Those who are held back come in when they have.
    ///
    /// asyncio: `await barrier.reset()`; here it does not wait.
    pub fn reset(&self) {
        if self.count.get() > 0 {
            self.state.set(State::Resetting);
            self.filling.wake_all();
        } else {
            self.state.set(State::Filling);
        }
    }

    /// Breaks it: those who wait, and those who come, fail with
    /// [`BrokenBarrier`] until it is [`reset`](Barrier::reset).
    ///
    /// asyncio: `await barrier.abort()`; here it does not wait.
    pub fn abort(&self) {
        self.state.set(State::Broken);
        self.filling.wake_all();
        self.held_back.wake_all();
    }

    /// How many tasks it is for. asyncio: `Barrier.parties`.
    pub fn parties(&self) -> usize {
        self.parties
    }

    /// How many wait for the others; none while those of a complete round go on.
    /// asyncio: `Barrier.n_waiting`.
    pub fn n_waiting(&self) -> usize {
        if self.state.get() == State::Filling { self.count.get() } else { 0 }
    }

    /// Whether it is broken. asyncio: `Barrier.broken`.
    pub fn broken(&self) -> bool {
        self.state.get() == State::Broken
    }

    /// Counts one more, and says whether that completes the round.
    fn enter(&self) -> bool {
        self.count.set(self.count.get() + 1);
        self.count.get() == self.parties
    }

    /// Lets all of a complete round go on, in order of arrival.
    fn drain(&self) {
        self.state.set(State::Draining);
        let mut index = 0;
        while let Some(waker) = self.filling.take_first_and(|phase| phase.set(Phase::Inside(index)))
        {
            index += 1;
            // Whatever a foreign one does, the others have passed too.
            wake_contained(waker);
        }
    }

    /// Counts one fewer; when the round is over, lets those in who were held back.
    fn exit(&self) {
        self.count.set(self.count.get() - 1);
        let over = matches!(self.state.get(), State::Draining | State::Resetting);
        if self.count.get() > 0 || !over {
            return;
        }
        self.state.set(State::Filling);
        let inside = |phase: &Cell<Phase>| phase.set(Phase::Inside(0));
        // SAFETY: Own List; both are the barrier's.
        while unsafe { self.held_back.move_first_to(&self.filling, inside) } {
            if self.enter() {
                self.drain();
                break;
            }
        }
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier")
            .field("state", &self.state.get())
            .field("count", &self.count.get())
            .field("parties", &self.parties)
            .finish()
    }
}

/// The future of [`Barrier::wait`].
#[must_use = "futures do nothing unless awaited"]
pub struct WaitBarrier<'a> {
    barrier: &'a Barrier,
    waiter: Waiter<Cell<Phase>>,
    _pin: PhantomPinned,
}

impl WaitBarrier<'_> {
    fn phase(&self) -> &Cell<Phase> {
        self.waiter.carried()
    }

    /// Comes to the barrier.
    fn arrive(&self, cx: &mut Context<'_>) -> Poll<Result<usize, BrokenBarrier>> {
        let barrier = self.barrier;
        let (list, phase) = match barrier.state.get() {
            State::Broken => return Poll::Ready(Err(BrokenBarrier)),
            State::Draining | State::Resetting => (&barrier.held_back, Phase::HeldBack),
            State::Filling if barrier.enter() => {
                barrier.drain();
                barrier.exit();
                return Poll::Ready(Ok(barrier.parties - 1));
            }
            State::Filling => (&barrier.filling, Phase::Inside(0)),
        };
        self.phase().set(phase);
        // SAFETY: Pinned by this future; Same List: it borrows the barrier; Own List.
        unsafe { list.wait(&self.waiter, cx.waker()) };
        Poll::Pending
    }

    /// Goes on, taken out of its list.
    fn depart(&self) -> Result<usize, BrokenBarrier> {
        self.waiter.forget_taken();
        let Phase::Inside(index) = self.phase().replace(Phase::Outside) else {
            return Err(BrokenBarrier);
        };
        let passed = self.barrier.state.get() == State::Draining;
        self.barrier.exit();
        if passed { Ok(index) } else { Err(BrokenBarrier) }
    }
}

impl Future for WaitBarrier<'_> {
    type Output = Result<usize, BrokenBarrier>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.into_ref().get_ref();
        if this.waiter.was_taken() {
            return Poll::Ready(this.depart());
        }
        if !this.waiter.is_linked() {
            return this.arrive(cx);
        }
        this.waiter.set_waker(cx.waker());
        Poll::Pending
    }
}

impl Drop for WaitBarrier<'_> {
    fn drop(&mut self) {
        let barrier = self.barrier;
        match self.phase().replace(Phase::Outside) {
            Phase::Outside => {}
            // SAFETY: Same List, Own List.
            Phase::HeldBack => unsafe { barrier.held_back.remove(&self.waiter) },
            Phase::Inside(_) => {
                // SAFETY: Same List, Own List.
                unsafe { barrier.filling.remove(&self.waiter) };
                barrier.exit();
            }
        }
    }
}

/// The barrier is broken, or was reset or aborted while the task waited.
///
/// asyncio: `BrokenBarrierError`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BrokenBarrier;

impl fmt::Display for BrokenBarrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot pass the barrier: it is broken, or was reset or aborted")
    }
}

impl core::error::Error for BrokenBarrier {}

/// A barrier is for one task at least.
///
/// asyncio: `ValueError: parties must be > 0`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoParties;

impl fmt::Display for NoParties {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot make a barrier for no tasks: it is for one at least")
    }
}

impl core::error::Error for NoParties {}
