//! Dropping a future at each point where it can be dropped.

use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;

/// When a run of [`drop_at_every_poll`] dropped its future.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DropPoint<T> {
    /// While it waited: right after its poll number `polls` (from 1) was
    /// pending. With `polls` 0 it was never polled.
    Waiting {
        /// How often it was polled.
        polls: usize,
    },
    /// When it had been woken: in place of the poll after number `polls`. What
    /// it was given in between, it never came to take.
    Woken {
        /// How often it was polled.
        polls: usize,
    },
    /// It was ready in its poll number `polls`, so this is the last run.
    Ready {
        /// How often it was polled.
        polls: usize,
        /// What it ended with.
        output: T,
    },
}

impl<T> DropPoint<T> {
    /// How often it was polled.
    pub fn polls(&self) -> usize {
        match self {
            Self::Waiting { polls } | Self::Woken { polls } | Self::Ready { polls, .. } => *polls,
        }
    }

    /// What the future ended with, unless it was dropped before its end.
    pub fn output(self) -> Option<T> {
        match self {
            Self::Ready { output, .. } => Some(output),
            Self::Waiting { .. } | Self::Woken { .. } => None,
        }
    }
}

/// Makes a future again and again, and drops it at each point where it can be
/// dropped: before its first poll; after each poll that is pending; and when
/// it was woken for another poll, in place of that. Each time `after` is told
/// where, and looks whether anything was lost. Ends with the run in which the
/// future was ready, and returns how many polls that took.
///
/// ```text
///  made ── poll 1 ──▶ waits ── woken ──▶ poll 2 ──▶ … ──▶ ready
///    │                  │        │
///    ▼                  ▼        ▼
///  Waiting{0}    Waiting{1}   Woken{1}      each a run of its own, then `after`
/// ```
///
/// Dropping is how Rust code is cancelled, so each of these is what a cancel
/// may do to the future. The point *woken* is where most mistakes are: a lock
/// or a queue has just given something to the future, and somebody else must get it.
///
/// It is awaited on any executor. On a [`test_loop!`](crate::test_loop) `make`
/// may create tasks, and timers are over at once:
///
/// ```no_run
/// # use molen_core as molen;
/// use molen::testing::{DropPoint, TestBackend, drop_at_every_poll, static_ref, test_loop};
/// use molen::{Duration, Promise, sleep};
///
/// let event_loop = test_loop!(static_ref!(TestBackend = TestBackend::new()))?;
/// let sent = Promise::<u8>::new();
/// sent.set_result(7)?;
/// let slow = || async {
///     sleep(Duration::from_secs(1)).await;
///     sent.wait().await
/// };
/// let polls = event_loop.run_until_complete(drop_at_every_poll(slow, async |point| {
///     match point {
///         DropPoint::Ready { output, .. } if output != Ok(7) => Err("it lost the result"),
///         _ if sent.result() != Ok(Ok(7)) => Err("dropping it changed the promise"),
///         _ => Ok(()),
///     }
/// }))?;
/// assert_eq!(polls, Ok(2));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// Case 1404 of the conformance suite is this example.
///
/// A future without an end has points without end: have `make` return one that ends.
///
/// # Errors
///
/// The first that `after` returns; no further future is made then.
///
/// # Cancellation
///
/// The future under test is dropped.
pub async fn drop_at_every_poll<F, E>(
    mut make: impl FnMut() -> F,
    mut after: impl AsyncFnMut(DropPoint<F::Output>) -> Result<(), E>,
) -> Result<usize, E>
where
    F: Future,
{
    let mut polls = 0;
    loop {
        for moment in [Moment::AtOnce, Moment::WhenWoken] {
            let point = drop_at(make(), polls, moment).await;
            let (took, ended) = (point.polls(), matches!(point, DropPoint::Ready { .. }));
            after(point).await?;
            if ended {
                return Ok(took);
            }
            if polls == 0 {
                // What was never polled nobody can wake.
                break;
            }
        }
        polls += 1;
    }
}

/// When a future is dropped that has been polled as often as it was to be.
#[derive(Clone, Copy)]
enum Moment {
    AtOnce,
    WhenWoken,
}

/// One run: polls `future` until it was polled `polls` times, then drops it.
async fn drop_at<F: Future>(future: F, polls: usize, moment: Moment) -> DropPoint<F::Output> {
    if polls == 0 {
        return DropPoint::Waiting { polls };
    }
    let mut future = pin!(Some(future));
    let mut polled = 0;
    poll_fn(|cx| {
        let running = future.as_mut().as_pin_mut().filter(|_| polled < polls);
        let Some(running) = running else {
            future.set(None);
            return Poll::Ready(DropPoint::Woken { polls });
        };
        polled += 1;
        match (running.poll(cx), moment) {
            (Poll::Ready(output), _) => Poll::Ready(DropPoint::Ready { polls: polled, output }),
            (Poll::Pending, Moment::AtOnce) if polled == polls => {
                future.set(None);
                Poll::Ready(DropPoint::Waiting { polls })
            }
            (Poll::Pending, _) => Poll::Pending,
        }
    })
    .await
}
