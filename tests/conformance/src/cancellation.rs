//! The edges of cancel, uncancel, abort and detach, beyond asyncio's own.
//!
//! ```text
//!            cancel                 next step
//!  waiting ─────────▶ cancel stands ─────────▶ cancelled
//!     │ ▲                  │
//!     │ └──── uncancel ────┘
//!     └── abort ──▶ cancelled, at once
//! ```

use crate::case::{Case, Failure, Outcome};
use crate::fixture::{OnDrop, Slot, at, event, hold, ms, say, say_after, stop};
use core::cell::Cell;
use molen::testing::static_ref;
use molen::{Duration, Promise, Task, TaskError, yield_now};

pub(crate) const CASES: &[Case] = &[
    case!(1050, a_cancelled_task_withdraws_its_wait),
    case!(1051, a_cancel_that_comes_with_the_result_wins),
    case!(1052, a_cancel_wakes_a_sleeper_at_once),
    case!(1053, one_of_two_cancels_taken_back_still_cancels),
    case!(1054, nothing_to_take_back_is_nothing),
    case!(1055, cancelling_what_is_done_changes_nothing),
    case!(1056, a_cancel_of_a_queued_task_comes_before_its_step),
    case!(1057, who_awaits_a_cancelled_task_is_told),
    case!(1058, cancelling_who_awaits_leaves_the_awaited),
    case!(1060, abort_drops_the_future_at_once),
    case!(1061, aborting_itself_ends_at_the_end_of_the_step),
    case!(1062, an_aborted_task_that_was_queued_has_no_step),
    case!(1063, aborting_what_is_done_changes_nothing),
    case!(1064, aborting_before_the_first_step),
    case!(1065, who_awaits_an_aborted_task_is_told),
    case!(1070, a_detached_task_goes_on),
    case!(1071, a_handle_dropped_before_the_first_step),
    case!(1072, the_value_of_a_detached_task_is_dropped),
    case!(1073, a_value_nobody_takes_is_dropped_with_the_handle),
    case!(1074, awaiting_by_reference_keeps_the_handle),
    case!(1075, a_cancelled_task_whose_handle_is_dropped_ends),
    case!(1076, a_task_may_drop_its_own_handle),
];

const NOW: Option<Duration> = Some(Duration::ZERO);

fn a_cancelled_task_withdraws_its_wait() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let task = event_loop.create_task(hold(promise, "begun", "dropped"))?;
    event_loop.turn(NOW)?;
    task.cancel();
    check_events!["begun"];
    check!(!promise.done(), "the promise was completed");
    event_loop.turn(NOW)?;
    check_events!["begun", "dropped"];
    check!(!promise.done(), "the promise was completed");
    promise.set_result(1)?;
    let turn = event_loop.turn(NOW)?;
    check_eq!(turn.ran, 0);
    Ok(())
}

fn a_cancel_that_comes_with_the_result_wins() -> Outcome {
    let event_loop = new_loop!();
    let (first, second) =
        (static_ref!(Promise<u8> = Promise::new()), static_ref!(Promise<u8> = Promise::new()));
    let mut task = event_loop.create_task(hold(first, "begun", "dropped"))?;
    event_loop.turn(NOW)?;
    task.cancel();
    first.set_result(7)?;
    event_loop.turn(NOW)?;
    check_matches!(task.take_result(), Some(Err(TaskError::Cancelled(_))));

    let mut task = event_loop.create_task(hold(second, "begun", "dropped"))?;
    event_loop.turn(NOW)?;
    second.set_result(7)?;
    task.cancel();
    event_loop.turn(NOW)?;
    check_matches!(task.take_result(), Some(Err(TaskError::Cancelled(_))));
    check_events!["begun", "dropped", "begun", "dropped"];
    Ok(())
}

fn a_cancel_wakes_a_sleeper_at_once() -> Outcome {
    let event_loop = new_loop!();
    let result = event_loop.run_until_complete(async {
        let task = molen::create_task(say_after(Duration::from_secs(60), "slept"))?;
        molen::sleep(ms(2)).await;
        task.cancel();
        Ok::<_, Failure>(task.await)
    })??;
    check_matches!(result, Err(TaskError::Cancelled(_)));
    check_eq!(event_loop.time(), at(2));
    check_events![];
    Ok(())
}

fn one_of_two_cancels_taken_back_still_cancels() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let task = event_loop.create_task(hold(promise, "begun", "dropped"))?;
    event_loop.turn(NOW)?;
    task.cancel();
    task.cancel();
    check_eq!(task.uncancel(), 1);
    check_eq!(task.cancelling(), 1);
    event_loop.turn(NOW)?;
    check!(task.cancelled(), "it is not cancelled");
    check_events!["begun", "dropped"];
    Ok(())
}

fn nothing_to_take_back_is_nothing() -> Outcome {
    let event_loop = new_loop!();
    let task = event_loop.create_task(say("body"))?;
    check_eq!(task.uncancel(), 0);
    check_eq!(task.cancelling(), 0);
    event_loop.turn(NOW)?;
    check_eq!(task.uncancel(), 0);
    check!(task.done() && !task.cancelled(), "it did not end by itself");
    check_events!["body"];
    Ok(())
}

#[molen::task(pool_size = 2)]
async fn give(value: u8) -> u8 {
    value
}

fn cancelling_what_is_done_changes_nothing() -> Outcome {
    let event_loop = new_loop!();
    let mut task = event_loop.create_task(give(7))?;
    event_loop.turn(NOW)?;
    check!(!task.cancel() && !task.cancelled(), "it was cancelled");
    check_eq!(task.cancelling(), 0);
    check!(!event_loop.has_ready(), "it was queued");
    check_matches!(task.take_result(), Some(Ok(7)));
    Ok(())
}

fn a_cancel_of_a_queued_task_comes_before_its_step() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let slot = static_ref!(Slot<Task<u8>> = Cell::new(None));
    slot.set(Some(event_loop.create_task(hold(promise, "begun", "dropped"))?));
    event_loop.turn(NOW)?;
    // In one batch: the callback, then the task that the result has queued.
    event_loop.call_soon(|| event(if crate::fixture::cancel(slot) { "cancel" } else { "late" }))?;
    promise.set_result(7)?;
    event_loop.turn(NOW)?;
    let Some(mut task) = slot.take() else {
        return Err(Failure::said("the task's handle is gone"));
    };
    check_matches!(task.take_result(), Some(Err(TaskError::Cancelled(_))));
    check_events!["begun", "cancel", "dropped"];
    Ok(())
}

/// Awaits the task in the slot and notes how it ended.
#[molen::task(pool_size = 2)]
async fn join(slot: &'static Slot<Task<u8>>) {
    if let Some(task) = slot.take() {
        event(match task.await {
            Ok(_) => "value",
            Err(TaskError::Cancelled(_)) => "cancelled",
            Err(_) => "other error",
        });
    }
}

fn who_awaits_a_cancelled_task_is_told() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let slot = static_ref!(Slot<Task<u8>> = Cell::new(None));
    let task = event_loop.create_task(hold(promise, "begun", "dropped"))?;
    task.cancel();
    slot.set(Some(task));
    drop(event_loop.create_task(join(slot))?);
    event_loop.turn(NOW)?;
    event_loop.turn(NOW)?;
    check_events!["cancelled"];
    Ok(())
}

fn cancelling_who_awaits_leaves_the_awaited() -> Outcome {
    #[molen::task]
    async fn join_held(slot: &'static Slot<Task<u8>>) {
        // The handle outlives this task, as in asyncio; here it lives in the slot.
        core::future::poll_fn(|cx| {
            let mut held = slot.take();
            let polled = match held.as_mut() {
                Some(task) => core::pin::Pin::new(task).poll(cx).map(drop),
                None => core::task::Poll::Ready(()),
            };
            slot.set(held);
            polled
        })
        .await;
        event("joined");
    }
    use core::future::Future;
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let slot = static_ref!(Slot<Task<u8>> = Cell::new(None));
    slot.set(Some(event_loop.create_task(hold(promise, "begun", "ended"))?));
    let outer = event_loop.create_task(join_held(slot))?;
    event_loop.turn(NOW)?;
    outer.cancel();
    event_loop.turn(NOW)?;
    check!(outer.cancelled(), "the outer task is not cancelled");
    promise.set_result(7)?;
    event_loop.turn(NOW)?;
    let result = slot.take().and_then(|mut task| task.take_result());
    check_matches!(result, Some(Ok(7)));
    check_events!["begun", "ended"];
    Ok(())
}

fn abort_drops_the_future_at_once() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let mut task = event_loop.create_task(hold(promise, "begun", "dropped"))?;
    event_loop.turn(NOW)?;
    check!(task.abort(), "it had ended");
    check_events!["begun", "dropped"];
    check!(task.done() && task.cancelled(), "it is not cancelled");
    check_matches!(task.take_result(), Some(Err(TaskError::Cancelled(_))));
    Ok(())
}

fn aborting_itself_ends_at_the_end_of_the_step() -> Outcome {
    #[molen::task]
    async fn abort_itself(slot: &'static Slot<Task<()>>) {
        let _guard = OnDrop("dropped");
        crate::fixture::with(slot, |task| task.abort());
        event("still here");
        yield_now().await;
        event("never");
    }
    let event_loop = new_loop!();
    let slot = static_ref!(Slot<Task<()>> = Cell::new(None));
    slot.set(Some(event_loop.create_task(abort_itself(slot))?));
    event_loop.turn(NOW)?;
    event_loop.turn(NOW)?;
    check_events!["still here", "dropped"];
    check!(slot.take().is_some_and(|task| task.cancelled()), "it is not cancelled");
    Ok(())
}

fn an_aborted_task_that_was_queued_has_no_step() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let slot = static_ref!(Slot<Task<u8>> = Cell::new(None));
    slot.set(Some(event_loop.create_task(hold(promise, "begun", "dropped"))?));
    event_loop.turn(NOW)?;
    event_loop.call_soon(|| {
        if let Some(task) = slot.take() {
            task.abort();
        }
        event("aborted");
    })?;
    promise.set_result(7)?;
    event_loop.call_soon(|| event("goes on"))?;
    event_loop.turn(NOW)?;
    check_events!["begun", "dropped", "aborted", "goes on"];
    drop(event_loop.create_task(say("a new task"))?);
    event_loop.turn(NOW)?;
    check_events!["begun", "dropped", "aborted", "goes on", "a new task"];
    Ok(())
}

fn aborting_what_is_done_changes_nothing() -> Outcome {
    let event_loop = new_loop!();
    let mut task = event_loop.create_task(give(7))?;
    event_loop.turn(NOW)?;
    check!(!task.abort() && !task.cancelled(), "it was aborted");
    check_matches!(task.take_result(), Some(Ok(7)));
    Ok(())
}

fn aborting_before_the_first_step() -> Outcome {
    let event_loop = new_loop!();
    let task = event_loop.create_task(say("body"))?;
    event_loop.call_soon(|| event("other"))?;
    check!(task.abort() && task.done(), "it is not done");
    drop(task);
    event_loop.turn(NOW)?;
    check_events!["other"];
    Ok(())
}

fn who_awaits_an_aborted_task_is_told() -> Outcome {
    let event_loop = new_loop!();
    let result = event_loop.run_until_complete(async {
        let mut task = molen::create_task(say_after(ms(10), "slept"))?;
        yield_now().await;
        task.abort();
        Ok::<_, Failure>((&mut task).await)
    })??;
    check_matches!(result, Err(TaskError::Cancelled(_)));
    check_eq!(event_loop.time(), at(0));
    Ok(())
}

fn a_detached_task_goes_on() -> Outcome {
    let event_loop = new_loop!();
    event_loop.create_task(say_after(ms(1), "slept"))?.detach();
    event_loop.call_later(ms(2), stop)?;
    event_loop.run_forever()?;
    check_events!["slept"];
    Ok(())
}

fn a_handle_dropped_before_the_first_step() -> Outcome {
    let event_loop = new_loop!();
    drop(event_loop.create_task(say("body"))?);
    event_loop.turn(NOW)?;
    check_events!["body"];
    Ok(())
}

#[molen::task]
async fn give_guard() -> OnDrop {
    yield_now().await;
    event("ended");
    OnDrop("value dropped")
}

fn the_value_of_a_detached_task_is_dropped() -> Outcome {
    let event_loop = new_loop!();
    event_loop.create_task(give_guard())?.detach();
    event_loop.turn(NOW)?;
    event_loop.turn(NOW)?;
    check_events!["ended", "value dropped"];
    Ok(())
}

fn a_value_nobody_takes_is_dropped_with_the_handle() -> Outcome {
    let event_loop = new_loop!();
    let task = event_loop.create_task(give_guard())?;
    event_loop.turn(NOW)?;
    event_loop.turn(NOW)?;
    check_events!["ended"];
    drop(task);
    check_events!["ended", "value dropped"];
    // Its place is free again.
    drop(event_loop.create_task(give_guard())?);
    Ok(())
}

fn awaiting_by_reference_keeps_the_handle() -> Outcome {
    let event_loop = new_loop!();
    let mut task = event_loop.create_task(give(7))?;
    check_matches!(event_loop.run_until_complete(&mut task)?, Ok(7));
    check!(task.done(), "it is not done");
    check_matches!(event_loop.run_until_complete(&mut task)?, Err(TaskError::Taken));
    Ok(())
}

fn a_cancelled_task_whose_handle_is_dropped_ends() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let task = event_loop.create_task(hold(promise, "begun", "dropped"))?;
    event_loop.turn(NOW)?;
    task.cancel();
    drop(task);
    check_events!["begun"];
    event_loop.turn(NOW)?;
    check_events!["begun", "dropped"];
    Ok(())
}

fn a_task_may_drop_its_own_handle() -> Outcome {
    #[molen::task]
    async fn drop_own_handle(slot: &'static Slot<Task<u8>>) -> u8 {
        drop(slot.take());
        yield_now().await;
        event("ended");
        7
    }
    let event_loop = new_loop!();
    let slot = static_ref!(Slot<Task<u8>> = Cell::new(None));
    slot.set(Some(event_loop.create_task(drop_own_handle(slot))?));
    event_loop.turn(NOW)?;
    event_loop.turn(NOW)?;
    check_events!["ended"];
    Ok(())
}
