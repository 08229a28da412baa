//! Closing a loop with work left in it.

use crate::case::{Case, Outcome};
use crate::fixture::{OnDrop, Slot, event, hold, ms, test, with};
use core::cell::Cell;
use molen::testing::static_ref;
use molen::{Duration, LoopRef, Promise, Task, TaskError};

pub(crate) const CASES: &[Case] = &[
    case!(1129, closing_drops_sleepers),
    case!(1130, closing_drops_ready_callbacks_without_running_them),
    case!(1131, closing_drops_timers_without_running_them),
    case!(1132, closing_drops_tasks_where_they_wait),
    case!(1133, closing_again_does_nothing),
    case!(1134, what_is_dropped_by_closing_cannot_schedule),
    case!(1135, handles_of_a_closed_loop_do_no_harm),
    case!(1136, a_task_of_a_closed_loop_is_cancelled),
    case!(1137, completing_a_promise_of_a_closed_loop),
    case!(1138, a_closed_loop_still_tells_the_time),
    case!(1139, a_task_dropped_by_closing_may_cancel_another),
];

const NOW: Option<Duration> = Some(Duration::ZERO);

fn closing_drops_ready_callbacks_without_running_them() -> Outcome {
    let event_loop = new_loop!();
    let (first, second) = (OnDrop("first"), OnDrop("second"));
    event_loop.call_soon(move || {
        let _captured = &first;
        event("called");
    })?;
    event_loop.call_soon(move || {
        let _captured = &second;
        event("called");
    })?;
    event_loop.close()?;
    check_events!["first", "second"];
    check!(!event_loop.has_ready(), "something is left");
    Ok(())
}

fn closing_drops_timers_without_running_them() -> Outcome {
    let event_loop = new_loop!();
    let captured = OnDrop("released");
    let handle = event_loop.call_later(ms(1), move || {
        let _captured = &captured;
        event("called");
    })?;
    let repeated = OnDrop("repeated released");
    let missed = molen::MissedTicks::Skip;
    event_loop.call_repeatedly(ms(2), missed, move || {
        let _captured = &repeated;
        event("called");
    })?;
    event_loop.close()?;
    check_events!["released", "repeated released"];
    check_eq!(event_loop.next_deadline(), None);
    handle.cancel();
    Ok(())
}

fn closing_drops_tasks_where_they_wait() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    drop(event_loop.create_task(hold(promise, "first", "first dropped"))?);
    drop(event_loop.create_task(hold(promise, "second", "second dropped"))?);
    event_loop.turn(NOW)?;
    drop(event_loop.create_task(hold(promise, "never begun", "never begun"))?);
    event_loop.close()?;
    check_events!["first", "second", "first dropped", "second dropped"];
    check_eq!(test().backend.report_count(), 0);
    Ok(())
}

fn closing_drops_sleepers() -> Outcome {
    #[molen::task(pool_size = 2)]
    async fn sleep_guarded(name: &'static str) {
        let _guard = OnDrop(name);
        molen::sleep(ms(5)).await;
        event("woke");
    }
    let event_loop = new_loop!();
    let kept = event_loop.create_task(sleep_guarded("first"))?;
    drop(event_loop.create_task(sleep_guarded("second"))?);
    event_loop.turn(NOW)?;
    event_loop.close()?;
    check_events!["first", "second"];
    check_eq!(event_loop.next_deadline(), None);
    check!(kept.cancelled(), "it is not cancelled");
    Ok(())
}

fn closing_again_does_nothing() -> Outcome {
    let event_loop = new_loop!();
    check!(!event_loop.is_closed(), "a new loop is closed");
    event_loop.close()?;
    event_loop.close()?;
    check!(event_loop.is_closed(), "it is not closed");
    Ok(())
}

/// Tries to schedule when it is dropped.
struct ScheduleOnDrop(LoopRef);

impl Drop for ScheduleOnDrop {
    fn drop(&mut self) {
        let refused = self.0.call_soon(|| event("called")).is_err()
            && self.0.create_task(crate::fixture::say("ran")).is_err();
        event(if refused { "refused" } else { "taken" });
    }
}

fn what_is_dropped_by_closing_cannot_schedule() -> Outcome {
    let event_loop = new_loop!();
    let captured = ScheduleOnDrop(event_loop.clone());
    event_loop.call_soon(move || {
        let _captured = &captured;
        event("called");
    })?;
    event_loop.close()?;
    check_events!["refused"];
    Ok(())
}

fn handles_of_a_closed_loop_do_no_harm() -> Outcome {
    let event_loop = new_loop!();
    let soon = event_loop.call_soon(|| event("called"))?;
    let later = event_loop.call_later(ms(1), || event("called"))?;
    event_loop.close()?;
    soon.cancel();
    later.cancel();
    check_eq!(later.when(), crate::fixture::at(1));
    drop((soon, later));
    check_events![];
    Ok(())
}

fn a_task_of_a_closed_loop_is_cancelled() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let mut task = event_loop.create_task(hold(promise, "begun", "dropped"))?;
    event_loop.turn(NOW)?;
    event_loop.close()?;
    check!(task.done() && task.cancelled(), "it is not cancelled");
    check!(!task.cancel() && !task.abort(), "it could still be ended");
    check_matches!(task.take_result(), Some(Err(TaskError::Cancelled(_))));
    check_events!["begun", "dropped"];
    Ok(())
}

fn completing_a_promise_of_a_closed_loop() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    event_loop.run_until_complete(async {
        let captured = OnDrop("released");
        promise.add_done_callback(move || {
            let _captured = &captured;
            event("called");
        })?;
        Outcome::Ok(())
    })??;
    event_loop.close()?;
    check_events![];
    promise.set_result(1)?;
    check_events!["released"];
    Ok(())
}

fn a_closed_loop_still_tells_the_time() -> Outcome {
    let event_loop = new_loop!();
    event_loop.close()?;
    test().backend.advance(ms(3));
    check_eq!(event_loop.time(), crate::fixture::at(3));
    check!(!event_loop.is_running(), "it runs");
    Ok(())
}

fn a_task_dropped_by_closing_may_cancel_another() -> Outcome {
    struct CancelOnDrop(&'static Slot<Task<u8>>);
    impl Drop for CancelOnDrop {
        fn drop(&mut self) {
            event(if with(self.0, |task| task.cancel()) { "cancels" } else { "too late" });
        }
    }
    #[molen::task]
    async fn cancel_when_dropped(slot: &'static Slot<Task<u8>>) {
        let _guard = CancelOnDrop(slot);
        core::future::pending().await
    }
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let slot = static_ref!(Slot<Task<u8>> = Cell::new(None));
    drop(event_loop.create_task(cancel_when_dropped(slot))?);
    slot.set(Some(event_loop.create_task(hold(promise, "begun", "dropped"))?));
    event_loop.turn(NOW)?;
    event_loop.close()?;
    check!(slot.take().is_some_and(|task| task.cancelled()), "it is not cancelled");
    check_events!["begun", "cancels", "dropped"];
    Ok(())
}
