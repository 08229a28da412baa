//! `wait_for`: a task that is cancelled and waited for, or given up.

use super::NOW;
use crate::case::{Failure, Outcome};
use crate::fixture::{OnDrop, Slot, at, event, hold, ms, test};
use core::cell::Cell;
use core::future::pending;
use molen::testing::static_ref;
use molen::timeouts::WaitForError;
use molen::{
    Duration, Promise, Task, catch_cancel, create_task, sleep, timeout, wait_for, yield_now,
};

/// Waits for ever; when it is cancelled, cleans up for `millis` and ends with `value`.
#[molen::task(pool_size = 3)]
async fn clean_up_for(millis: u64, value: Result<u8, &'static str>) -> Result<u8, &'static str> {
    event("begun");
    if let Err(cancelled) = catch_cancel(pending::<()>()).await {
        sleep(ms(millis)).await;
        event("cleaned up");
        if value == Ok(0) {
            match cancelled.propagate().await {}
        }
    }
    value
}

pub(super) fn a_task_that_takes_too_long_is_cancelled_and_has_ended() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let result =
        event_loop.run_until_complete(wait_for(hold(promise, "begun", "dropped"), ms(5)))?;
    check_matches!(result, Err(WaitForError::Elapsed));
    check_eq!(event_loop.time(), at(5));
    check_events!["begun", "dropped"];
    Ok(())
}

pub(super) fn wait_for_waits_for_the_clean_up() -> Outcome {
    let event_loop = new_loop!();
    let result = event_loop.run_until_complete(async {
        let result = wait_for(clean_up_for(7, Ok(0)), ms(5)).await;
        event("returned");
        result
    })?;
    check_matches!(result, Err(WaitForError::Elapsed));
    check_eq!(event_loop.time(), at(12));
    check_events!["begun", "cleaned up", "returned"];
    Ok(())
}

pub(super) fn a_task_that_refuses_gives_its_value() -> Outcome {
    let event_loop = new_loop!();
    let result = event_loop.run_until_complete(wait_for(clean_up_for(7, Ok(3)), ms(5)))?;
    check_matches!(result, Ok(Ok(3)));
    check_eq!(event_loop.time(), at(12));
    Ok(())
}

pub(super) fn an_error_of_the_clean_up_counts_more_than_the_time() -> Outcome {
    let event_loop = new_loop!();
    let result = event_loop.run_until_complete(wait_for(clean_up_for(1, Err("broken")), ms(5)))?;
    check_matches!(result, Ok(Err("broken")));
    Ok(())
}

pub(super) fn without_time_a_future_is_never_begun() -> Outcome {
    let event_loop = new_loop!();
    let result = event_loop.run_until_complete(wait_for(clean_up_for(1, Ok(1)), Duration::ZERO))?;
    check_matches!(result, Err(WaitForError::Elapsed));
    check_events![];
    Ok(())
}

pub(super) fn without_time_a_task_that_is_done_gives_its_result() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    promise.set_result(4)?;
    let result = event_loop.run_until_complete(async {
        let task = create_task(hold(promise, "begun", "ended"))?;
        yield_now().await;
        yield_now().await;
        let done = wait_for(task.spawned(), Duration::ZERO).await;
        let pending = create_task(clean_up_for(2, Ok(0)))?;
        yield_now().await;
        Ok::<_, Failure>((done.ok(), wait_for(pending.spawned(), Duration::ZERO).await.is_err()))
    })??;
    check_eq!(result, (Some(4), true));
    check_events!["begun", "ended", "begun", "cleaned up"];
    Ok(())
}

/// Waits for [`hold`] for a long time.
#[molen::task(pool_size = 2)]
async fn wait_long(promise: &'static Promise<u8>) -> bool {
    let _guard = OnDrop("waiter dropped");
    let result = wait_for(hold(promise, "begun", "ended"), Duration::from_secs(60)).await;
    event("went on");
    result.is_ok()
}

pub(super) fn cancelling_who_waits_cancels_the_task() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let task = event_loop.create_task(wait_long(promise))?;
    event_loop.turn(NOW)?;
    event_loop.turn(NOW)?;
    task.cancel();
    for _ in 0..4 {
        event_loop.turn(NOW)?;
    }
    check!(task.cancelled(), "the waiter is not cancelled");
    check_events!["begun", "ended", "waiter dropped"];
    check!(event_loop.next_deadline().is_none(), "a timer is still set");
    Ok(())
}

pub(super) fn a_cancel_with_the_result_is_not_swallowed() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let slot = static_ref!(Slot<Task<bool>> = Cell::new(None));
    slot.set(Some(event_loop.create_task(wait_long(promise))?));
    event_loop.turn(NOW)?;
    event_loop.turn(NOW)?;
    promise.set_result(1)?;
    // After the inner task's step, before the waiter's.
    event_loop.call_soon(|| event(if crate::fixture::cancel(slot) { "cancel" } else { "late" }))?;
    for _ in 0..4 {
        event_loop.turn(NOW)?;
    }
    check_events!["begun", "ended", "cancel", "waiter dropped"];
    check!(slot.take().is_some_and(|task| task.cancelled()), "the cancel was swallowed");
    Ok(())
}

pub(super) fn a_result_that_is_ready_beats_the_time() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    event_loop.call_later(ms(4), || {
        let _set = promise.set_result(9);
        // The loop is busy until long after the deadline.
        test().backend.advance(ms(20));
    })?;
    let result = event_loop.run_until_complete(async {
        (timeout(ms(5), promise.wait()).await, molen::get_running_loop().map(|it| it.time()))
    })?;
    check_matches!(result.0, Ok(Ok(9)));
    check_eq!(result.1.ok(), Some(at(24)));
    Ok(())
}

pub(super) fn a_dropped_wait_for_cancels_its_task() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    event_loop.run_until_complete(async {
        let result =
            timeout(ms(5), wait_for(hold(promise, "begun", "dropped"), ms(50))).await.is_err();
        event(if result { "timed out" } else { "value" });
        yield_now().await;
        yield_now().await;
    })?;
    check_events!["begun", "dropped", "timed out"];
    Ok(())
}
