//! Callbacks and their handles, beyond asyncio's own.

use crate::case::{Case, Outcome};
use crate::fixture::{OnDrop, event, ms, say, stop};
use molen::{Duration, get_running_loop};

pub(crate) const CASES: &[Case] = &[
    case!(1080, callbacks_tasks_and_timers_share_one_queue),
    case!(1081, a_dropped_handle_leaves_its_callback_scheduled),
    case!(1082, cancelling_what_has_run_changes_nothing),
    case!(1083, what_a_callback_captured_is_dropped_after_its_call),
    case!(1084, a_cancelled_timer_releases_its_callback_at_once),
    case!(1085, releasing_a_callback_may_schedule_another),
    case!(1086, a_callback_may_return_ok),
    case!(1087, callbacks_without_end_run_in_order),
];

const NOW: Option<Duration> = Some(Duration::ZERO);

fn callbacks_tasks_and_timers_share_one_queue() -> Outcome {
    let event_loop = new_loop!();
    event_loop.call_later(Duration::ZERO, || event("timer"))?;
    event_loop.call_soon(|| event("first"))?;
    drop(event_loop.create_task(say("task"))?);
    event_loop.call_soon(|| event("second"))?;
    event_loop.turn(NOW)?;
    check_events!["first", "task", "second", "timer"];
    Ok(())
}

fn a_dropped_handle_leaves_its_callback_scheduled() -> Outcome {
    let event_loop = new_loop!();
    drop(event_loop.call_soon(|| event("soon"))?);
    drop(event_loop.call_later(ms(1), || event("later"))?);
    event_loop.call_later(ms(2), stop)?;
    event_loop.run_forever()?;
    check_events!["soon", "later"];
    Ok(())
}

fn cancelling_what_has_run_changes_nothing() -> Outcome {
    let event_loop = new_loop!();
    let handle = event_loop.call_soon(|| event("soon"))?;
    let timer = event_loop.call_later(Duration::ZERO, || event("timer"))?;
    event_loop.turn(NOW)?;
    handle.cancel();
    timer.cancel();
    check!(!event_loop.has_ready(), "something was queued");
    check_events!["soon", "timer"];
    Ok(())
}

fn what_a_callback_captured_is_dropped_after_its_call() -> Outcome {
    let event_loop = new_loop!();
    let captured = OnDrop("released");
    let handle = event_loop.call_soon(move || {
        let _captured = &captured;
        event("called");
    })?;
    event_loop.call_soon(|| event("next"))?;
    event_loop.turn(NOW)?;
    check_events!["called", "released", "next"];
    drop(handle);
    check_events!["called", "released", "next"];
    Ok(())
}

fn a_cancelled_timer_releases_its_callback_at_once() -> Outcome {
    let event_loop = new_loop!();
    let captured = OnDrop("released");
    let handle = event_loop.call_later(ms(10), move || drop(captured))?;
    handle.cancel();
    check_events!["released"];
    check_eq!(event_loop.next_deadline(), None);
    Ok(())
}

/// Has another callback called when it is dropped.
struct ScheduleOnDrop;

impl Drop for ScheduleOnDrop {
    fn drop(&mut self) {
        let scheduled = get_running_loop().map(|it| it.call_soon(|| event("scheduled")).is_ok());
        event(if scheduled == Ok(true) { "released" } else { "not scheduled" });
    }
}

fn releasing_a_callback_may_schedule_another() -> Outcome {
    let event_loop = new_loop!();
    let captured = ScheduleOnDrop;
    let handle = event_loop.call_later(ms(10), move || drop(captured))?;
    event_loop.call_soon(move || handle.cancel())?;
    event_loop.turn(NOW)?;
    check_events!["released"];
    event_loop.turn(NOW)?;
    check_events!["released", "scheduled"];
    Ok(())
}

fn a_callback_may_return_ok() -> Outcome {
    let event_loop = new_loop!();
    event_loop.call_soon(|| {
        event("ok");
        Ok::<(), &str>(())
    })?;
    event_loop.turn(NOW)?;
    check_events!["ok"];
    check_eq!(crate::fixture::test().backend.report_count(), 0);
    Ok(())
}

fn callbacks_without_end_run_in_order() -> Outcome {
    use core::cell::Cell;
    use molen::testing::static_ref;
    let event_loop = new_loop!();
    let next = static_ref!(Cell<u32> = Cell::new(0));
    // More than any store holds, but never all at once.
    for round in 0..50 {
        for number in 0..10 {
            event_loop.call_soon(move || {
                if next.get() != round * 10 + number {
                    event("out of order");
                }
                next.set(next.get() + 1);
            })?;
        }
        event_loop.turn(NOW)?;
    }
    check_eq!(next.get(), 500);
    check_events![];
    Ok(())
}
