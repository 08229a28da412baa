//! A cancel of itself: where a task that cancels itself catches that.

use crate::case::{Case, Outcome};
use crate::catching::{NOW, TaskSlot, caught};
use crate::fixture::{OnDrop, cancel, event};
use core::cell::Cell;
use molen::testing::static_ref;
use molen::{Promise, catch_cancel, yield_now};

pub(crate) const CASES: &[Case] = &[
    case!(1207, a_catch_that_is_ready_first_hands_the_cancel_to_the_task),
    case!(1208, a_cancel_of_itself_is_caught_where_it_next_waits),
    case!(1209, a_cancel_of_itself_in_a_catch_is_caught_inside_it),
    case!(1210, a_cancel_of_itself_within_a_catch_that_ends_goes_on),
    case!(1228, a_cancelled_main_future_ends_the_run),
];

/// Cancels the task in `slot`, and is ready.
async fn cancel_at_once(slot: &TaskSlot) -> u8 {
    cancel(slot);
    event("cancel");
    5
}

fn a_catch_that_is_ready_first_hands_the_cancel_to_the_task() -> Outcome {
    #[molen::task]
    async fn body(slot: &'static TaskSlot) -> u8 {
        let got = catch_cancel(cancel_at_once(slot)).await;
        event(if got.is_ok() { "value" } else { "caught" });
        yield_now().await;
        event("never");
        0
    }
    let event_loop = new_loop!();
    let slot = static_ref!(TaskSlot = Cell::new(None));
    slot.set(Some(event_loop.create_task(body(slot))?));
    event_loop.turn(NOW)?;
    event_loop.turn(NOW)?;
    check_events!["cancel", "value"];
    check!(slot.take().is_some_and(|task| task.cancelled()), "it is not cancelled");
    Ok(())
}

fn a_cancel_of_itself_is_caught_where_it_next_waits() -> Outcome {
    #[molen::task]
    async fn body(slot: &'static TaskSlot, promise: &'static Promise<u8>) -> u8 {
        cancel(slot);
        // Ready at once: nothing waits.
        event(if catch_cancel(core::future::ready(1)).await.is_ok() { "first" } else { "early" });
        event(if caught(promise, "caught").await.is_err() { "second" } else { "missed" });
        7
    }
    let event_loop = new_loop!();
    let slot = static_ref!(TaskSlot = Cell::new(None));
    let promise = static_ref!(Promise<u8> = Promise::new());
    slot.set(Some(event_loop.create_task(body(slot, promise))?));
    event_loop.turn(NOW)?;
    check_events!["first"];
    event_loop.turn(NOW)?;
    check_events!["first", "caught", "second"];
    let result = slot.take().and_then(|mut task| task.take_result());
    check_matches!(result, Some(Ok(7)));
    Ok(())
}

fn a_cancel_of_itself_in_a_catch_is_caught_inside_it() -> Outcome {
    #[molen::task]
    async fn body(slot: &'static TaskSlot, promise: &'static Promise<u8>) -> u8 {
        let outer = catch_cancel(async {
            cancel(slot);
            caught(promise, "inner").await.is_err()
        });
        event(if outer.await == Ok(true) { "refused inside" } else { "outer" });
        7
    }
    let event_loop = new_loop!();
    let slot = static_ref!(TaskSlot = Cell::new(None));
    let promise = static_ref!(Promise<u8> = Promise::new());
    slot.set(Some(event_loop.create_task(body(slot, promise))?));
    event_loop.turn(NOW)?;
    event_loop.turn(NOW)?;
    check_events!["inner", "refused inside"];
    Ok(())
}

fn a_cancel_of_itself_within_a_catch_that_ends_goes_on() -> Outcome {
    #[molen::task]
    async fn body(slot: &'static TaskSlot) -> u8 {
        let outer = catch_cancel(async {
            event(if catch_cancel(cancel_at_once(slot)).await.is_ok() { "value" } else { "inner" });
            yield_now().await;
            event("never");
        });
        event(if outer.await.is_err() { "outer" } else { "missed" });
        7
    }
    let event_loop = new_loop!();
    let slot = static_ref!(TaskSlot = Cell::new(None));
    slot.set(Some(event_loop.create_task(body(slot))?));
    event_loop.turn(NOW)?;
    event_loop.turn(NOW)?;
    check_events!["cancel", "value", "outer"];
    check!(slot.take().is_some_and(|task| task.done() && !task.cancelled()), "it is cancelled");
    Ok(())
}

fn a_cancelled_main_future_ends_the_run() -> Outcome {
    let event_loop = new_loop!();
    let result = event_loop.run_until_complete(async {
        let _guard = OnDrop("dropped");
        if let Some(task) = molen::current_task() {
            task.cancel();
        }
        yield_now().await;
        event("never");
    });
    check_matches!(result, Err(molen::RunError::Cancelled));
    check_events!["dropped"];
    // The loop goes on as if nothing had been.
    check_eq!(event_loop.run_until_complete(async { 7 })?, 7);
    event_loop.call_soon(|| event("callback"))?;
    let turn = event_loop.turn(NOW)?;
    check_eq!(turn.ran, 1);
    Ok(())
}
