//! Catching a cancel: the edges of the state machine of `molen::task::cancel`.

use crate::case::{Case, Failure, Outcome};
use crate::fixture::{OnDrop, Slot, event, ms};
use molen::task::PromiseError;
use molen::testing::static_ref;
use molen::{Cancelled, Duration, Promise, Task, TaskError, catch_cancel, sleep, yield_now};

pub(crate) const CASES: &[Case] = &[
    case!(88, a_task_may_refuse_to_be_cancelled),
    case!(1200, a_caught_cancel_drops_what_was_awaited),
    case!(1201, clean_up_may_await_and_hand_the_cancel_on),
    case!(1202, the_innermost_catch_takes_the_cancel),
    case!(1203, a_propagated_cancel_reaches_the_next_catch),
    case!(1204, a_second_cancel_reaches_the_outer_catch),
    case!(1205, two_cancels_before_delivery_are_caught_once),
    case!(1206, a_cancel_wins_over_a_value_that_comes_with_it),
    case!(1212, a_cancel_before_the_first_step_is_not_caught),
    case!(1215, an_abort_is_not_caught),
    case!(1218, a_catch_without_a_cancel_is_its_future),
    case!(1223, a_cancelled_sleep_leaves_no_timer),
    case!(1227, a_closed_loop_drops_what_catches),
];

pub(crate) const NOW: Option<Duration> = Some(Duration::ZERO);

pub(crate) type TaskSlot = Slot<Task<u8>>;

/// Waits for `promise`, in a catch; notes whether it was cancelled.
pub(crate) async fn caught(promise: &Promise<u8>, name: &'static str) -> Result<u8, Cancelled> {
    let result = catch_cancel(promise.wait()).await;
    if result.is_err() {
        event(name);
    }
    result.map(|value| value.unwrap_or(0))
}

/// Refuses the first cancel, then waits for `second`.
#[molen::task(pool_size = 2)]
pub(crate) async fn refuse(first: &'static Promise<u8>, second: &'static Promise<u8>) -> u8 {
    if let Err(cancelled) = caught(first, "caught").await {
        drop(cancelled);
    }
    let _guard = OnDrop("ended");
    second.wait().await.unwrap_or(0)
}

/// Cleans up, with an await, and hands the cancel on.
#[molen::task(pool_size = 2)]
pub(crate) async fn clean_up(promise: &'static Promise<u8>) -> u8 {
    let _guard = OnDrop("dropped");
    match caught(promise, "caught").await {
        Ok(value) => value,
        Err(cancelled) => {
            yield_now().await;
            event("cleaned up");
            match cancelled.propagate().await {}
        }
    }
}

fn a_task_may_refuse_to_be_cancelled() -> Outcome {
    let event_loop = new_loop!();
    let (first, second) =
        (static_ref!(Promise<u8> = Promise::new()), static_ref!(Promise<u8> = Promise::new()));
    let mut task = event_loop.create_task(refuse(first, second))?;
    event_loop.turn(NOW)?;
    check!(task.cancel(), "the cancel was refused by the loop");
    event_loop.turn(NOW)?;
    check_events!["caught"];
    check!(!task.done() && !second.done(), "it did not go on");
    second.set_result(7)?;
    event_loop.turn(NOW)?;
    check_matches!(task.take_result(), Some(Ok(7)));
    check!(!task.cancelled(), "it is cancelled");
    check_events!["caught", "ended"];
    Ok(())
}

fn a_caught_cancel_drops_what_was_awaited() -> Outcome {
    #[molen::task]
    async fn body(promise: &'static Promise<u8>) {
        let inner = async {
            let _guard = OnDrop("inner dropped");
            drop(promise.wait().await);
        };
        event(if catch_cancel(inner).await.is_err() { "caught" } else { "value" });
    }
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let task = event_loop.create_task(body(promise))?;
    event_loop.turn(NOW)?;
    task.cancel();
    check_events![];
    event_loop.turn(NOW)?;
    check_events!["inner dropped", "caught"];
    check!(task.done() && !task.cancelled(), "it did not end by itself");
    check!(!promise.done(), "the promise was completed");
    Ok(())
}

fn clean_up_may_await_and_hand_the_cancel_on() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let mut task = event_loop.create_task(clean_up(promise))?;
    event_loop.turn(NOW)?;
    task.cancel();
    event_loop.turn(NOW)?;
    check_events!["caught"];
    event_loop.turn(NOW)?;
    check_events!["caught", "cleaned up"];
    check!(!task.done(), "it ended before its next step");
    event_loop.turn(NOW)?;
    check_events!["caught", "cleaned up", "dropped"];
    check!(task.cancelled(), "it is not cancelled");
    check_matches!(task.take_result(), Some(Err(TaskError::Cancelled(_))));
    check_eq!(task.cancelling(), 1);
    Ok(())
}

/// A catch in a catch; the inner one does with the cancel what `propagates` says.
#[molen::task(pool_size = 3)]
async fn nested(promise: &'static Promise<u8>, then: Then) {
    let outer = catch_cancel(async {
        if let Err(cancelled) = caught(promise, "inner").await {
            match then {
                Then::Propagate => match cancelled.propagate().await {},
                Then::Refuse => drop(cancelled),
            }
        }
        event("inner goes on");
        drop(promise.wait().await);
    })
    .await;
    event(if outer.is_err() { "outer" } else { "value" });
}

#[derive(Clone, Copy)]
enum Then {
    Propagate,
    Refuse,
}

fn the_innermost_catch_takes_the_cancel() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let task = event_loop.create_task(nested(promise, Then::Refuse))?;
    event_loop.turn(NOW)?;
    task.cancel();
    event_loop.turn(NOW)?;
    check_events!["inner", "inner goes on"];
    promise.set_result(1)?;
    event_loop.turn(NOW)?;
    check_events!["inner", "inner goes on", "value"];
    check!(!task.cancelled(), "it is cancelled");
    Ok(())
}

fn a_propagated_cancel_reaches_the_next_catch() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let task = event_loop.create_task(nested(promise, Then::Propagate))?;
    event_loop.turn(NOW)?;
    task.cancel();
    event_loop.turn(NOW)?;
    check_events!["inner"];
    event_loop.turn(NOW)?;
    check_events!["inner", "outer"];
    check!(task.done() && !task.cancelled(), "it did not end by itself");
    Ok(())
}

fn a_second_cancel_reaches_the_outer_catch() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let task = event_loop.create_task(nested(promise, Then::Refuse))?;
    event_loop.turn(NOW)?;
    task.cancel();
    event_loop.turn(NOW)?;
    task.cancel();
    check_eq!(task.cancelling(), 2);
    event_loop.turn(NOW)?;
    check_events!["inner", "inner goes on", "outer"];
    Ok(())
}

fn two_cancels_before_delivery_are_caught_once() -> Outcome {
    let event_loop = new_loop!();
    let (first, second) =
        (static_ref!(Promise<u8> = Promise::new()), static_ref!(Promise<u8> = Promise::new()));
    let task = event_loop.create_task(refuse(first, second))?;
    event_loop.turn(NOW)?;
    task.cancel();
    task.cancel();
    event_loop.turn(NOW)?;
    event_loop.turn(NOW)?;
    check_events!["caught"];
    check_eq!(task.cancelling(), 2);
    check!(!task.done(), "it ended");
    Ok(())
}

fn a_cancel_wins_over_a_value_that_comes_with_it() -> Outcome {
    let event_loop = new_loop!();
    let (first, second) =
        (static_ref!(Promise<u8> = Promise::new()), static_ref!(Promise<u8> = Promise::new()));
    let task = event_loop.create_task(refuse(first, second))?;
    event_loop.turn(NOW)?;
    first.set_result(1)?;
    task.cancel();
    event_loop.turn(NOW)?;
    check_events!["caught"];
    Ok(())
}

fn a_cancel_before_the_first_step_is_not_caught() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let task = event_loop.create_task(clean_up(promise))?;
    task.cancel();
    event_loop.turn(NOW)?;
    check!(task.cancelled(), "it is not cancelled");
    check_events![];
    Ok(())
}

fn an_abort_is_not_caught() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let task = event_loop.create_task(clean_up(promise))?;
    event_loop.turn(NOW)?;
    task.cancel();
    check!(task.abort(), "it had ended");
    check!(task.cancelled(), "it is not cancelled");
    check_events!["dropped"];
    event_loop.turn(NOW)?;
    check_events!["dropped"];
    Ok(())
}

fn a_catch_without_a_cancel_is_its_future() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let got = event_loop.run_until_complete(async {
        check_eq!(catch_cancel(core::future::ready(3)).await, Ok(3));
        promise.set_result(4)?;
        check_eq!(catch_cancel(promise.wait()).await, Ok(Ok::<_, PromiseError<_>>(4)));
        Ok::<_, Failure>(catch_cancel(sleep(ms(1))).await)
    })??;
    check_eq!(got, Ok(()));
    Ok(())
}

fn a_cancelled_sleep_leaves_no_timer() -> Outcome {
    #[molen::task]
    async fn body() {
        event(if catch_cancel(sleep(ms(50))).await.is_err() { "caught" } else { "slept" });
    }
    let event_loop = new_loop!();
    let task = event_loop.create_task(body())?;
    event_loop.turn(NOW)?;
    check!(event_loop.next_deadline().is_some(), "it does not sleep");
    task.cancel();
    event_loop.turn(NOW)?;
    check_events!["caught"];
    check!(event_loop.next_deadline().is_none(), "its timer is still set");
    Ok(())
}

fn a_closed_loop_drops_what_catches() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let task = event_loop.create_task(clean_up(promise))?;
    event_loop.turn(NOW)?;
    task.cancel();
    event_loop.close()?;
    check_events!["dropped"];
    check!(task.cancelled(), "it is not cancelled");
    Ok(())
}
