//! Barriers: behaviours 212 to 216, and Molen's own.

use crate::case::{Case, Outcome};
use crate::fixture::event;
use crate::locks::{NOW, settle};
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use molen::sync::{BrokenBarrier, NoParties};
use molen::testing::static_ref;
use molen::{Barrier, EventLoop, Task};

pub(crate) const CASES: &[Case] = &[
    case!(212, a_cancelled_waiter_of_a_barrier_is_not_counted),
    case!(214, who_comes_while_a_barrier_drains_is_held_back),
    case!(216, each_who_passes_has_another_index),
    case!(1330, a_reset_fails_those_who_wait),
    case!(1331, an_aborted_barrier_is_broken_until_it_is_reset),
    case!(1332, a_reset_while_it_drains_fails_the_rest),
    case!(1333, a_cancel_after_the_last_came_keeps_nobody),
    case!(1334, a_barrier_for_one_never_waits),
    case!(1335, a_barrier_for_none_is_refused),
    case!(1336, those_held_back_come_in_before_later_ones),
    case!(1337, a_full_round_held_back_passes_at_once),
    case!(1338, an_abort_fails_those_held_back),
    case!(1339, a_barrier_is_used_again_and_again),
];

/// A barrier in a static: the check is made when it is compiled.
const fn barrier_for(parties: usize) -> Barrier {
    match Barrier::new(parties) {
        Ok(barrier) => barrier,
        Err(NoParties) => panic!("no parties"),
    }
}

/// Waits at the barrier, and notes its name and how it ended.
#[molen::task(pool_size = 8)]
async fn wait(barrier: &'static Barrier, name: &'static str) -> u8 {
    let result = barrier.wait().await;
    event(name);
    event(match result {
        Ok(index) => ["0", "1", "2", "3"].get(index).copied().unwrap_or("more"),
        Err(BrokenBarrier) => "broken",
    });
    0
}

fn start(
    event_loop: &EventLoop,
    barrier: &'static Barrier,
    names: &[&'static str],
) -> Result<Option<Task<u8>>, crate::case::Failure> {
    let mut last = None;
    for name in names {
        last = Some(event_loop.create_task(wait(barrier, name))?);
    }
    event_loop.turn(NOW)?;
    Ok(last)
}

fn cancel(task: Option<Task<u8>>) -> Outcome {
    check!(task.is_some_and(|task| task.cancel()), "it could not be cancelled");
    Ok(())
}

fn a_cancelled_waiter_of_a_barrier_is_not_counted() -> Outcome {
    let event_loop = new_loop!();
    let barrier = static_ref!(Barrier = barrier_for(3));
    let first = start(&event_loop, barrier, &["cancelled"])?;
    start(&event_loop, barrier, &["a"])?;
    check_eq!(barrier.n_waiting(), 2);
    cancel(first)?;
    event_loop.turn(NOW)?;
    check_eq!(barrier.n_waiting(), 1);
    start(&event_loop, barrier, &["b"])?;
    check_events![];
    start(&event_loop, barrier, &["c"])?;
    settle(&event_loop)?;
    check_events!["c", "2", "a", "0", "b", "1"];
    check_eq!(barrier.n_waiting(), 0);
    check!(!barrier.broken(), "it is broken");
    Ok(())
}

fn who_comes_while_a_barrier_drains_is_held_back() -> Outcome {
    let event_loop = new_loop!();
    let barrier = static_ref!(Barrier = barrier_for(2));
    // The third comes before the first has gone on.
    start(&event_loop, barrier, &["a", "b", "c"])?;
    check_events!["b", "1"];
    check_eq!(barrier.n_waiting(), 0);
    settle(&event_loop)?;
    check_events!["b", "1", "a", "0"];
    check_eq!(barrier.n_waiting(), 1);
    start(&event_loop, barrier, &["d"])?;
    settle(&event_loop)?;
    check_events!["b", "1", "a", "0", "d", "1", "c", "0"];
    Ok(())
}

fn each_who_passes_has_another_index() -> Outcome {
    let event_loop = new_loop!();
    let barrier = static_ref!(Barrier = barrier_for(4));
    check_eq!(barrier.parties(), 4);
    start(&event_loop, barrier, &["a", "b", "c", "d"])?;
    settle(&event_loop)?;
    check_events!["d", "3", "a", "0", "b", "1", "c", "2"];
    Ok(())
}

fn a_reset_fails_those_who_wait() -> Outcome {
    let event_loop = new_loop!();
    let barrier = static_ref!(Barrier = barrier_for(3));
    start(&event_loop, barrier, &["a", "b"])?;
    barrier.reset();
    check_eq!(barrier.n_waiting(), 0);
    // Who comes before they have failed is held back, and belongs to the next round.
    start(&event_loop, barrier, &["c"])?;
    settle(&event_loop)?;
    check_events!["a", "broken", "b", "broken"];
    check!(!barrier.broken(), "it is broken");
    check_eq!(barrier.n_waiting(), 1);
    start(&event_loop, barrier, &["d", "e"])?;
    settle(&event_loop)?;
    check_events!["a", "broken", "b", "broken", "e", "2", "c", "0", "d", "1"];
    Ok(())
}

fn an_aborted_barrier_is_broken_until_it_is_reset() -> Outcome {
    let event_loop = new_loop!();
    let barrier = static_ref!(Barrier = barrier_for(2));
    start(&event_loop, barrier, &["a"])?;
    barrier.abort();
    check!(barrier.broken(), "it is not broken");
    start(&event_loop, barrier, &["b", "c"])?;
    check_events!["a", "broken", "b", "broken", "c", "broken"];
    check!(barrier.broken(), "it is not broken");
    barrier.reset();
    check!(!barrier.broken(), "it is broken");
    start(&event_loop, barrier, &["d", "e"])?;
    settle(&event_loop)?;
    check_events!["a", "broken", "b", "broken", "c", "broken", "e", "1", "d", "0"];
    Ok(())
}

fn a_reset_while_it_drains_fails_the_rest() -> Outcome {
    let event_loop = new_loop!();
    let barrier = static_ref!(Barrier = barrier_for(3));
    start(&event_loop, barrier, &["a", "b", "c"])?;
    barrier.reset();
    settle(&event_loop)?;
    check_events!["c", "2", "a", "broken", "b", "broken"];
    check!(!barrier.broken() && barrier.n_waiting() == 0, "it is not empty");
    Ok(())
}

fn a_cancel_after_the_last_came_keeps_nobody() -> Outcome {
    let event_loop = new_loop!();
    let barrier = static_ref!(Barrier = barrier_for(3));
    let first = start(&event_loop, barrier, &["cancelled"])?;
    start(&event_loop, barrier, &["b", "c", "d"])?;
    cancel(first)?;
    settle(&event_loop)?;
    check_events!["c", "2", "b", "1"];
    check_eq!(barrier.n_waiting(), 1);
    Ok(())
}

fn a_barrier_for_one_never_waits() -> Outcome {
    let barrier = barrier_for(1);
    for _ in 0..2 {
        let polled = pin!(barrier.wait()).poll(&mut Context::from_waker(Waker::noop()));
        check_eq!(polled, Poll::Ready(Ok(0)));
    }
    Ok(())
}

fn a_barrier_for_none_is_refused() -> Outcome {
    check_eq!(Barrier::new(0).err(), Some(NoParties));
    Ok(())
}

fn those_held_back_come_in_before_later_ones() -> Outcome {
    let event_loop = new_loop!();
    let barrier = static_ref!(Barrier = barrier_for(2));
    let first = start(&event_loop, barrier, &["cancelled"])?;
    start(&event_loop, barrier, &["b", "c"])?;
    check_events!["b", "1"];
    // The round ends by a cancel; who comes then is behind the one held back.
    cancel(first)?;
    event_loop.turn(NOW)?;
    check_eq!(barrier.n_waiting(), 1);
    start(&event_loop, barrier, &["d"])?;
    settle(&event_loop)?;
    check_events!["b", "1", "d", "1", "c", "0"];
    Ok(())
}

fn a_full_round_held_back_passes_at_once() -> Outcome {
    let event_loop = new_loop!();
    let barrier = static_ref!(Barrier = barrier_for(2));
    start(&event_loop, barrier, &["a", "b", "c", "d", "e"])?;
    settle(&event_loop)?;
    check_events!["b", "1", "a", "0", "c", "0", "d", "1"];
    check_eq!(barrier.n_waiting(), 1);
    Ok(())
}

fn an_abort_fails_those_held_back() -> Outcome {
    let event_loop = new_loop!();
    let barrier = static_ref!(Barrier = barrier_for(2));
    start(&event_loop, barrier, &["a", "b", "c"])?;
    barrier.abort();
    settle(&event_loop)?;
    check_events!["b", "1", "a", "broken", "c", "broken"];
    check!(barrier.broken(), "it is not broken");
    Ok(())
}

fn a_barrier_is_used_again_and_again() -> Outcome {
    #[molen::task(pool_size = 2)]
    async fn rounds(barrier: &'static Barrier, name: &'static str) {
        for _ in 0..3 {
            if barrier.wait().await.is_ok() {
                event(name);
            }
        }
    }
    let event_loop = new_loop!();
    let barrier = static_ref!(Barrier = barrier_for(2));
    for name in ["a", "b"] {
        drop(event_loop.create_task(rounds(barrier, name))?);
    }
    for _ in 0..16 {
        event_loop.turn(NOW)?;
    }
    // The one who completes a round is in the next one first, held back.
    check_events!["b", "a", "a", "b", "b", "a"];
    Ok(())
}
