//! `molen::testing::drop_at_every_poll`: where it drops, and that it finds what is lost.

use crate::case::{Case, Outcome};
use crate::fixture::{OnDrop, event, ms};
use core::cell::Cell;
use core::future::Future;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use molen::testing::{DropPoint, TestBackend, WakeFlag};
use molen::testing::{drop_at_every_poll, static_ref, test_loop};
use molen::{Duration, Promise, create_task, sleep, yield_now};

pub(crate) const CASES: &[Case] = &[
    case!(1400, a_future_is_dropped_before_after_and_in_place_of_each_poll),
    case!(1401, dropping_at_every_poll_finds_a_planted_leak),
    case!(1402, a_future_that_is_ready_at_once_is_dropped_unpolled_and_ended),
    case!(1403, a_flag_is_raised_by_its_wakers),
    case!(1404, the_example_of_drop_at_every_poll),
];

fn a_future_is_dropped_before_after_and_in_place_of_each_poll() -> Outcome {
    let event_loop = new_loop!();
    let two_waits = || async {
        let _guard = OnDrop("dropped");
        event("begun");
        yield_now().await;
        event("middle");
        sleep(ms(1)).await;
        7
    };
    let polls = event_loop.run_until_complete(drop_at_every_poll(two_waits, async |point| {
        event(match point {
            DropPoint::Waiting { polls: 0 } => "never polled",
            DropPoint::Waiting { polls: 1 } => "waiting 1",
            DropPoint::Woken { polls: 1 } => "woken 1",
            DropPoint::Waiting { polls: 2 } => "waiting 2",
            DropPoint::Woken { polls: 2 } => "woken 2",
            DropPoint::Ready { polls: 3, output: 7 } => "ready 3",
            _ => "elsewhere",
        });
        Outcome::Ok(())
    }))??;
    check_eq!(polls, 3);
    check_events![
        "never polled",
        "begun",
        "dropped",
        "waiting 1",
        "begun",
        "dropped",
        "woken 1",
        "begun",
        "middle",
        "dropped",
        "waiting 2",
        "begun",
        "middle",
        "dropped",
        "woken 2",
        "begun",
        "middle",
        "dropped",
        "ready 3",
    ];
    Ok(())
}

/// A permit, handed to who waits for it.
struct Permit {
    free: Cell<bool>,
    granted: Cell<bool>,
    waiter: Cell<Option<Waker>>,
}

impl Permit {
    fn release(&self) {
        match self.waiter.take() {
            Some(waker) => {
                self.granted.set(true);
                waker.wake();
            }
            None => self.free.set(true),
        }
    }
}

/// How well a waiter behaves when it is dropped.
#[derive(Clone, Copy)]
enum Manners {
    StaysInTheQueue,
    LeavesTheQueue,
    HandsThePermitOn,
}

/// Waits for the permit; the first two ways lose it.
struct Acquire {
    permit: &'static Permit,
    manners: Manners,
}

impl Future for Acquire {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.permit.granted.replace(false) {
            return Poll::Ready(());
        }
        self.permit.waiter.set(Some(cx.waker().clone()));
        Poll::Pending
    }
}

impl Drop for Acquire {
    fn drop(&mut self) {
        if matches!(self.manners, Manners::StaysInTheQueue) {
            return;
        }
        drop(self.permit.waiter.take());
        if matches!(self.manners, Manners::HandsThePermitOn) && self.permit.granted.replace(false) {
            self.permit.release();
        }
    }
}

#[molen::task]
async fn release(permit: &'static Permit) {
    permit.release();
}

/// Drops an [`Acquire`] at every poll; the point where the permit was lost, if it was.
async fn where_lost(permit: &'static Permit, manners: Manners) -> Result<usize, DropPoint<()>> {
    let make = || {
        permit.free.set(false);
        permit.granted.set(false);
        if create_task(release(permit)).map(drop).is_err() {
            event("no task");
        }
        Acquire { permit, manners }
    };
    let after = async |point| {
        yield_now().await;
        let taken = matches!(point, DropPoint::Ready { .. });
        if taken || permit.free.get() { Ok(()) } else { Err(point) }
    };
    drop_at_every_poll(make, after).await
}

fn dropping_at_every_poll_finds_a_planted_leak() -> Outcome {
    let event_loop = new_loop!();
    let permit = static_ref!(
        Permit =
            Permit { free: Cell::new(false), granted: Cell::new(false), waiter: Cell::new(None) }
    );
    event_loop.run_until_complete(async {
        let lost = where_lost(permit, Manners::StaysInTheQueue).await;
        check_eq!(lost, Err(DropPoint::Waiting { polls: 1 }));
        permit.waiter.take();
        let lost = where_lost(permit, Manners::LeavesTheQueue).await;
        check_eq!(lost, Err(DropPoint::Woken { polls: 1 }));
        check_eq!(where_lost(permit, Manners::HandsThePermitOn).await, Ok(2));
        Outcome::Ok(())
    })??;
    check_events![];
    Ok(())
}

fn a_future_that_is_ready_at_once_is_dropped_unpolled_and_ended() -> Outcome {
    let event_loop = new_loop!();
    let mut points = [None; 2];
    let mut count = 0;
    let polls = event_loop.run_until_complete(drop_at_every_poll(
        || core::future::ready(5),
        async |point| {
            points[count] = Some(point);
            count += 1;
            Outcome::Ok(())
        },
    ))??;
    check_eq!(polls, 1);
    check_eq!(
        points,
        [Some(DropPoint::Waiting { polls: 0 }), Some(DropPoint::Ready { polls: 1, output: 5 })]
    );
    Ok(())
}

fn a_flag_is_raised_by_its_wakers() -> Outcome {
    let flag = static_ref!(WakeFlag = WakeFlag::new());
    let promise = Promise::<u8>::new();
    let mut wait = pin!(promise.wait());
    let waker = flag.waker();
    let mut cx = Context::from_waker(&waker);
    check!(wait.as_mut().poll(&mut cx).is_pending() && !flag.take(), "it did not wait");
    promise.set_result(7)?;
    check!(flag.take() && !flag.take(), "it was not woken once");
    check_eq!(wait.poll(&mut cx), Poll::Ready(Ok(7)));
    Ok(())
}

fn the_example_of_drop_at_every_poll() -> Outcome {
    let event_loop = test_loop!(static_ref!(TestBackend = TestBackend::new()))?;
    let sent = Promise::<u8>::new();
    sent.set_result(7)?;
    let slow = || async {
        sleep(Duration::from_secs(1)).await;
        sent.wait().await
    };
    let polls =
        event_loop.run_until_complete(drop_at_every_poll(slow, async |point| match point {
            DropPoint::Ready { output, .. } if output != Ok(7) => Err("it lost the result"),
            _ if sent.result() != Ok(Ok(7)) => Err("dropping it changed the promise"),
            _ => Ok(()),
        }))?;
    check_eq!(polls, Ok(2));
    Ok(())
}
