//! `stop` and `run_until_complete`: behaviours 20 to 29.

use crate::case::{Case, Outcome};
use crate::fixture::{at, event, ms, say_after, stop, test};
use molen::error::RunError;
use molen::io::{PollBudget, SelectError, Wait};
use molen::task::PromiseError;
use molen::testing::{Step, static_ref};
use molen::{Promise, get_running_loop, sleep, yield_now};

pub(crate) const CASES: &[Case] = &[
    case!(20, the_batch_of_a_stop_is_run_to_its_end),
    case!(21, a_stop_before_the_run_lets_one_batch_run),
    case!(22, a_stop_before_completion_is_an_error),
    case!(23, a_task_stopped_with_its_loop_goes_on_in_the_next_run),
    not_applicable!(24, something_not_awaitable, "the type Future says it"),
    case!(25, a_promise_of_another_loop_is_refused),
    case!(26, the_rest_of_an_aborted_run_does_not_end_the_next_run),
    case!(29, run_until_complete_sleeps_long_enough),
    case!(1000, two_stops_are_one),
    case!(1001, a_task_stops_the_loop),
    case!(1002, nothing_to_wait_for_is_an_error),
    case!(1003, a_failing_selector_ends_the_run_and_not_the_loop),
    case!(1004, a_borrowing_future_runs_to_its_end),
    case!(1007, a_main_task_dropped_while_it_was_ready_has_no_step),
    case!(1006, a_run_that_failed_within_a_batch_leaves_nothing_behind),
    case!(1005, a_stop_with_nothing_ready_does_not_wait),
];

fn the_batch_of_a_stop_is_run_to_its_end() -> Outcome {
    let event_loop = new_loop!();
    event_loop.call_soon(|| {
        event("a");
        stop();
        let event_loop = get_running_loop().map_err(|_| "no loop")?;
        event_loop.call_soon(|| event("c")).map(drop).map_err(|_| "no room")
    })?;
    event_loop.call_soon(|| event("b"))?;
    event_loop.run_forever()?;
    check_events!["a", "b"];
    event_loop.call_soon(|| event("d"))?;
    event_loop.call_soon(stop)?;
    event_loop.run_forever()?;
    check_events!["a", "b", "c", "d"];
    Ok(())
}

fn a_stop_before_the_run_lets_one_batch_run() -> Outcome {
    let event_loop = new_loop!();
    event_loop.call_soon(|| event("ready"))?;
    event_loop.call_later(ms(1), || event("timer"))?;
    event_loop.stop();
    event_loop.run_forever()?;
    check_events!["ready"];
    check_eq!(test().backend.selects(), 1);
    check_eq!(test().backend.wait(0), Some(Wait::No));
    Ok(())
}

fn a_stop_before_completion_is_an_error() -> Outcome {
    let event_loop = new_loop!();
    let result = event_loop.run_until_complete(async {
        stop();
        sleep(ms(1)).await;
        event("never");
    });
    check_eq!(result, Err(RunError::Stopped));
    check_events![];
    Ok(())
}

fn a_task_stopped_with_its_loop_goes_on_in_the_next_run() -> Outcome {
    #[molen::task(pool_size = 2)]
    async fn stop_then_sleep() -> u8 {
        stop();
        sleep(ms(1)).await;
        7
    }
    let event_loop = new_loop!();
    let mut task = event_loop.create_task(stop_then_sleep())?;
    check_matches!(event_loop.run_until_complete(&mut task), Err(RunError::Stopped));
    check!(!task.done(), "the task is done");
    check_matches!(event_loop.run_until_complete(&mut task), Ok(Ok(7)));

    let mut task = event_loop.create_task(stop_then_sleep())?;
    check_matches!(event_loop.run_until_complete(&mut task), Err(RunError::Stopped));
    check!(task.cancel(), "the task cannot be cancelled");
    let result = event_loop.run_until_complete(&mut task)?;
    check!(result.is_err_and(|error| error.is_cancelled()), "it was not cancelled");
    Ok(())
}

fn a_promise_of_another_loop_is_refused() -> Outcome {
    crate::fixture::two_loops()?;
    let (here, there) = (new_loop!(), new_loop!());
    let promise = static_ref!(Promise<u8> = Promise::new());
    there.run_until_complete(async { promise.add_done_callback(|| ()).map(drop) })??;
    let result = here.run_until_complete(promise.wait())?;
    check_eq!(result, Err(PromiseError::ForeignLoop));
    Ok(())
}

fn the_rest_of_an_aborted_run_does_not_end_the_next_run() -> Outcome {
    let event_loop = new_loop!();
    let mut orphan = event_loop.create_task(say_after(ms(10), "orphan"))?;
    event_loop.call_soon(stop)?;
    check_matches!(event_loop.run_until_complete(&mut orphan), Err(RunError::Stopped));
    let result = event_loop.run_until_complete(async {
        sleep(ms(50)).await;
        event("second run");
        50
    })?;
    check_eq!(result, 50);
    check_events!["orphan", "second run"];
    check!(orphan.done(), "the orphan is not done");
    Ok(())
}

fn run_until_complete_sleeps_long_enough() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(sleep(ms(100)))?;
    check_eq!(event_loop.time(), at(100));
    Ok(())
}

fn two_stops_are_one() -> Outcome {
    let event_loop = new_loop!();
    event_loop.call_soon(|| {
        stop();
        stop();
    })?;
    event_loop.run_forever()?;
    event_loop.call_soon(|| event("second run"))?;
    event_loop.call_later(ms(1), stop)?;
    event_loop.run_forever()?;
    check_events!["second run"];
    check_eq!(event_loop.time(), at(1));
    Ok(())
}

fn a_task_stops_the_loop() -> Outcome {
    let event_loop = new_loop!();
    drop(event_loop.create_task(crate::fixture::stop_after(ms(3), "stop"))?);
    event_loop.run_forever()?;
    check_events!["stop"];
    check_eq!(event_loop.time(), at(3));
    Ok(())
}

fn nothing_to_wait_for_is_an_error() -> Outcome {
    let event_loop = new_loop!();
    event_loop.call_later(ms(5), || event("timer"))?;
    check_eq!(event_loop.run_forever(), Err(RunError::NothingToWaitFor));
    check_events!["timer"];
    let result = event_loop.run_until_complete(core::future::pending::<()>());
    check_eq!(result, Err(RunError::NothingToWaitFor));
    event_loop.run_until_complete(async { event("goes on") })?;
    check_events!["timer", "goes on"];
    Ok(())
}

fn a_failing_selector_ends_the_run_and_not_the_loop() -> Outcome {
    let event_loop = new_loop!();
    event_loop.call_later(ms(1), || event("timer"))?;
    event_loop.call_later(ms(2), stop)?;
    test().backend.script(const { &[Step::any().then_fail(SelectError::Os(9))] });
    check_eq!(event_loop.run_forever(), Err(RunError::Select(9)));
    check!(!event_loop.is_running(), "it still runs");
    check_events![];
    event_loop.run_forever()?;
    check_events!["timer"];
    Ok(())
}

fn a_borrowing_future_runs_to_its_end() -> Outcome {
    let event_loop = new_loop!();
    let mut steps = 0;
    event_loop.run_until_complete(async {
        for _ in 0..3 {
            yield_now().await;
            steps += 1;
        }
    })?;
    check_eq!(steps, 3);
    Ok(())
}

fn a_stop_with_nothing_ready_does_not_wait() -> Outcome {
    let event_loop = new_loop!();
    event_loop.call_later(ms(1), || event("timer"))?;
    event_loop.stop();
    test().backend.script(const { &[Step::expect(Wait::No)] });
    event_loop.run_forever()?;
    test().backend.check_script()?;
    check_events![];
    check_eq!(event_loop.time(), at(0));
    Ok(())
}

fn a_run_that_failed_within_a_batch_leaves_nothing_behind() -> Outcome {
    use core::task::Poll;
    let event_loop = new_loop!();
    test().backend.set_poll_budget(PollBudget { callbacks: 2, nanos: u32::MAX });
    test().backend.script(const { &[Step::any(), Step::any().then_fail(SelectError::Os(5))] });
    let inner = event_loop.clone();
    let mut polls = 0;
    // Its second step is the first of a batch of four, and wakes it again; then
    // the selector fails.
    let result = event_loop.run_until_complete(core::future::poll_fn(move |cx| {
        cx.waker().wake_by_ref();
        polls += 1;
        if polls == 1 {
            for name in ["first", "second", "third"] {
                if inner.call_soon(move || event(name)).is_err() {
                    event("no room");
                }
            }
        }
        Poll::<()>::Pending
    }));
    check_eq!(result, Err(RunError::Select(5)));
    check_events![];
    event_loop.run_until_complete(async { event("next run") })?;
    check_events!["first", "second", "third", "next run"];
    Ok(())
}

fn a_main_task_dropped_while_it_was_ready_has_no_step() -> Outcome {
    let event_loop = new_loop!();
    let result = event_loop.run_until_complete(async {
        stop();
        yield_now().await;
        event("never");
    });
    check_eq!(result, Err(RunError::Stopped));
    event_loop.run_until_complete(async { event("next run") })?;
    check_events!["next run"];
    Ok(())
}
