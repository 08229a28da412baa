//! Combinators by tasks: wait, as_completed, gather and shield: behaviours 117
//! to 158, without `wait_for`.

use crate::case::{Case, Failure, Outcome};
use crate::fixture::{OnDrop, at, event, hold, ms, say_after, test};
use core::convert::Infallible;
use core::future::pending;
use molen::combine::{GatherError, RaceLost, RaceWon, WaitError, Waited};
use molen::error::{ScheduleError, TimeoutError};
use molen::testing::{drop_at_every_poll, static_ref};
use molen::{
    Duration, Promise, ReturnWhen, Task, TaskError, as_completed, catch_cancel, create_task,
    current_task, gather, join, shield, sleep, staggered_race, try_gather, wait, yield_now,
};

pub(crate) const CASES: &[Case] = &[
    case!(117, tasks_that_end_before_the_waiter_resumes_are_done),
    not_applicable!(120, the_same_task_twice_in_wait, "a task has one handle"),
    case!(121, waiting_for_no_tasks_is_an_error),
    case!(122, cancelling_who_waits_leaves_the_tasks),
    case!(123, results_come_in_the_order_of_completion),
    case!(124, as_completed_gives_up_at_its_timeout),
    not_applicable!(
        125,
        awaitables_of_as_completed_in_reverse,
        "`next` borrows the tasks, so there is one awaitable at a time"
    ),
    case!(127, an_unused_timeout_of_as_completed_is_cancelled),
    case!(139, gather_gives_values_in_order_after_the_last),
    case!(141, gather_returns_exceptions_in_place),
    case!(142, a_cancelled_child_does_not_cancel_who_gathers),
    case!(144, a_cancel_after_the_last_child_cancels_no_child),
    case!(145, a_cancel_of_who_gathers_is_no_result),
    not_applicable!(146, one_coroutine_gathered_thrice, "a task, like a future, has one owner"),
    case!(147, waiting_for_a_task_of_another_loop_is_an_error),
    case!(148, gathering_nothing_is_ready_at_once),
    case!(149, of_two_failures_the_first_surfaces_and_none_is_reported),
    case!(150, a_shielded_task_goes_on_when_who_waits_is_cancelled),
    case!(151, cancelling_a_shielded_task_tells_who_waits),
    not_applicable!(153, two_shields_on_one_task, "a task has one handle, and a shield owns it"),
    case!(154, a_cancelled_shield_leaves_no_waker_behind),
    case!(158, a_cancelled_race_drops_its_attempts_first),
    case!(1423, wait_returns_at_the_first_exception),
    case!(1424, wait_for_the_first_exception_ignores_cancelled_tasks),
    case!(1425, wait_returns_at_its_timeout_and_cancels_nothing),
    case!(1426, waiting_for_what_is_done_does_not_yield),
    case!(1427, a_zero_timeout_gives_the_tasks_a_turn),
    case!(1428, an_endless_timeout_is_no_timeout),
    case!(1429, a_task_that_awaits_itself_is_told),
    case!(1430, a_cancelled_gather_cancels_its_tasks_and_waits_for_them),
    case!(1431, a_second_cancel_of_a_gather_reaches_its_tasks_too),
    case!(1432, a_dropped_gather_cancels_its_tasks),
    case!(1433, a_gather_that_cannot_start_all_starts_none),
    case!(1434, gather_of_fallible_tasks_stops_at_the_first_error),
    case!(1435, a_staggered_race_begins_the_next_after_the_delay),
    case!(1436, a_staggered_race_begins_the_next_after_a_failure),
    case!(1437, a_staggered_race_without_delay_waits_for_a_failure),
    case!(1438, a_staggered_race_that_is_lost_gives_all_errors),
    case!(1439, wait_loses_nothing_at_any_poll),
    case!(1440, as_completed_loses_nothing_at_any_poll),
    case!(1441, gather_leaves_no_task_at_any_poll),
    case!(1442, a_shielded_task_ends_wherever_the_shield_is_dropped),
    case!(1443, a_staggered_race_drops_all_at_any_poll),
];

const NOW: Option<Duration> = Some(Duration::ZERO);

/// Ends with `value` after `millis` milliseconds.
#[molen::task(pool_size = 4)]
async fn after(millis: u64, value: u8) -> u8 {
    sleep(ms(millis)).await;
    value
}

/// Ends with `result` after `millis` milliseconds.
#[molen::task(pool_size = 4)]
async fn result_after(
    millis: u64,
    result: Result<u8, &'static str>,
    name: &'static str,
) -> Result<u8, &'static str> {
    sleep(ms(millis)).await;
    event(name);
    result
}

/// Waits for ever; cleans up for a millisecond when it is cancelled.
#[molen::task(pool_size = 2)]
async fn slow_to_end(name: &'static str) -> u8 {
    let cancelled = match catch_cancel(pending::<Infallible>()).await {
        Ok(never) => match never {},
        Err(cancelled) => cancelled,
    };
    sleep(ms(1)).await;
    event(name);
    match cancelled.propagate().await {}
}

fn tasks_that_end_before_the_waiter_resumes_are_done() -> Outcome {
    let event_loop = new_loop!();
    let (first, second) =
        (static_ref!(Promise<u8> = Promise::new()), static_ref!(Promise<u8> = Promise::new()));
    event_loop.run_until_complete(async {
        let mut tasks = [
            create_task(hold(first, "first", "first ended"))?,
            create_task(hold(second, "second", "second ended"))?,
            create_task(hold(static_ref!(Promise<u8> = Promise::new()), "third", "dropped"))?,
        ];
        // Both end in one batch; the waiter is woken by the first.
        let set = async {
            yield_now().await;
            first.set_result(1)?;
            second.set_result(2)?;
            Outcome::Ok(())
        };
        let waiting = wait(&mut tasks).return_when(ReturnWhen::FIRST_COMPLETED);
        let (waited, set) = join((waiting, set)).await;
        set?;
        check_eq!(waited?, Waited { done: 2, pending: 1 });
        check!(tasks[0].done() && tasks[1].done() && !tasks[2].done(), "others are done");
        check_matches!(tasks[1].take_result(), Some(Ok(2)));
        Ok(())
    })??;
    check_events!["first", "second", "third", "first ended", "second ended"];
    Ok(())
}

fn waiting_for_no_tasks_is_an_error() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let mut none: [Task<u8>; 0] = [];
        check_matches!(wait(&mut none).await, Err(WaitError::NothingToWaitFor));
        let in_time = wait(&mut none).timeout(Duration::MAX);
        check_matches!(in_time.await, Err(WaitError::NothingToWaitFor));
        Ok(())
    })?
}

fn cancelling_who_waits_leaves_the_tasks() -> Outcome {
    #[molen::task]
    async fn wait_for_both(first: Task<u8>, second: Task<u8>) {
        let mut tasks = [first, second];
        let _guard = OnDrop("waiter dropped");
        if wait(&mut tasks).await.is_ok() {
            event("waited");
        }
    }
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let first = event_loop.create_task(hold(promise, "first", "first ended"))?;
    let second = event_loop.create_task(hold(promise, "second", "second ended"))?;
    let mut waiter = event_loop.create_task(wait_for_both(first, second))?;
    event_loop.turn(NOW)?;
    waiter.cancel();
    event_loop.turn(NOW)?;
    check_matches!(waiter.take_result(), Some(Err(TaskError::Cancelled(_))));
    promise.set_result(1)?;
    event_loop.turn(NOW)?;
    check_events!["first", "second", "waiter dropped", "first ended", "second ended"];
    Ok(())
}

fn results_come_in_the_order_of_completion() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let mut results = as_completed([after(30, 3), after(10, 1), after(20, 2)])?;
        for expected in [(1, 1), (2, 2), (0, 3)] {
            let Some((number, value)) = results.next().await else {
                return Err(Failure::said("there are too few results"));
            };
            check_eq!((number, value?), expected);
        }
        check!(results.next().await.is_none(), "there are too many results");
        check!(results.next().await.is_none(), "the end is not the end");
        Ok(())
    })??;
    check_eq!(event_loop.time(), at(30));
    Ok(())
}

fn as_completed_gives_up_at_its_timeout() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let mut results = as_completed([after(10, 1), after(30, 2)])?.timeout(ms(20));
        check_matches!(results.next().await, Ok(Some((0, Ok(1)))));
        check_matches!(results.next().await, Err(TimeoutError));
        check_matches!(results.next().await, Err(TimeoutError));
        check_eq!(molen::get_running_loop()?.time(), at(20));
        // The rest is still running.
        let mut results = results.into_inner();
        check_matches!(results.next().await, Some((1, Ok(2))));
        check_eq!(molen::get_running_loop()?.time(), at(30));
        Ok(())
    })?
}

fn an_unused_timeout_of_as_completed_is_cancelled() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let mut results = as_completed([after(10, 1), after(20, 2)])?.timeout(ms(1000));
        while let Some((_, value)) = results.next().await? {
            value?;
        }
        Ok::<_, Failure>(())
    })??;
    check_eq!(event_loop.next_deadline(), None);
    Ok(())
}

fn gather_gives_values_in_order_after_the_last() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let all = gather((after(20, 1), say_after(ms(30), "said"), after(10, 3)))?;
        check_eq!(all.await?, (1, (), 3));
        check_eq!(molen::get_running_loop()?.time(), at(30));
        check_eq!(gather([after(2, 1), after(1, 2)])?.await?, [1, 2]);
        Outcome::Ok(())
    })??;
    check_events!["said"];
    Ok(())
}

fn gather_returns_exceptions_in_place() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let all = gather((
            result_after(2, Err("first"), "second to end"),
            after(3, 2),
            result_after(1, Err("third"), "first to end"),
        ))?;
        check_matches!(all.return_exceptions().await, (Ok(Err("first")), Ok(2), Ok(Err("third"))));
        Ok(())
    })??;
    check_events!["first to end", "second to end"];
    Ok(())
}

/// Cancels itself, and waits.
#[molen::task]
async fn cancel_itself() -> u8 {
    if let Some(task) = current_task() {
        task.cancel();
    }
    pending().await
}

fn a_cancelled_child_does_not_cancel_who_gathers() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let mut waiter = create_task(gather_one_cancelled())?;
        check_eq!((&mut waiter).await?, Some(1));
        check!(!waiter.cancelled(), "who gathers was cancelled");
        Ok(())
    })??;
    // The other went on.
    event_loop.run_until_complete(sleep(ms(5)))?;
    check_events!["other"];
    Ok(())
}

/// The number of the cancelled one of two.
#[molen::task]
async fn gather_one_cancelled() -> Option<usize> {
    let both = gather((say_after(ms(1), "other"), cancel_itself())).ok()?;
    match both.await {
        Err(GatherError::Task { number, error }) if error.is_cancelled() => Some(number),
        _ => None,
    }
}

#[molen::task]
async fn gather_two(first: &'static Promise<u8>, second: &'static Promise<u8>) {
    let _guard = OnDrop("gatherer ended");
    match gather((hold(first, "first", "first ended"), hold(second, "second", "second ended"))) {
        Ok(both) => event(if both.await.is_ok() { "gathered" } else { "failed" }),
        Err(_) => event("not started"),
    }
}

fn a_cancel_after_the_last_child_cancels_no_child() -> Outcome {
    let event_loop = new_loop!();
    let (first, second) =
        (static_ref!(Promise<u8> = Promise::new()), static_ref!(Promise<u8> = Promise::new()));
    let mut gatherer = event_loop.create_task(gather_two(first, second))?;
    event_loop.turn(NOW)?;
    event_loop.turn(NOW)?;
    first.set_result(1)?;
    second.set_result(2)?;
    event_loop.turn(NOW)?;
    check_events!["first", "second", "first ended", "second ended"];
    // The gather has not resumed. With asyncio, whose gather is an object of its
    // own, that one refuses; the task around it is cancelled there as here.
    check!(gatherer.cancel(), "the task had ended");
    event_loop.run_until_complete(yield_now())?;
    event_loop.turn(NOW)?;
    check_matches!(gatherer.take_result(), Some(Err(TaskError::Cancelled(_))));
    check_events!["first", "second", "first ended", "second ended", "gatherer ended"];
    Ok(())
}

#[molen::task]
async fn gather_exceptions() -> usize {
    let _guard = OnDrop("gatherer ended");
    let Ok(both) = gather([slow_to_end("first"), slow_to_end("second")]) else { return 0 };
    let ended = both.return_exceptions().await.len();
    event("gathered");
    ended
}

fn a_cancel_of_who_gathers_is_no_result() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let mut gatherer = create_task(gather_exceptions())?;
        sleep(ms(1)).await;
        gatherer.cancel();
        check_matches!((&mut gatherer).await, Err(TaskError::Cancelled(_)));
        Ok(())
    })??;
    check_events!["first", "second", "gatherer ended"];
    Ok(())
}

fn waiting_for_a_task_of_another_loop_is_an_error() -> Outcome {
    crate::fixture::two_loops()?;
    let event_loop = new_loop!();
    let other = new_loop!();
    let mut tasks = [event_loop.create_task(after(1, 1))?, other.create_task(after(1, 2))?];
    event_loop.run_until_complete(async {
        let Err(WaitError::Task { number: 1, error: TaskError::ForeignLoop }) =
            wait(&mut tasks).await
        else {
            return Err(Failure::said("it was waited for"));
        };
        Ok(())
    })?
}

fn gathering_nothing_is_ready_at_once() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let none: [molen::task::Call<fn() -> core::future::Ready<()>, ()>; 0] = [];
        check_eq!(gather(none)?.await?, []);
        Ok(())
    })?
}

fn of_two_failures_the_first_surfaces_and_none_is_reported() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let both = try_gather([
            result_after(2, Err("later"), "later"),
            result_after(1, Err("first"), "first"),
        ])?;
        check_matches!(both.await, Err(GatherError::Failed { number: 1, error: "first" }));
        event("gathered");
        sleep(ms(5)).await;
        Outcome::Ok(())
    })??;
    check_events!["first", "gathered", "later"];
    check_eq!(test().backend.report_count(), 0);
    Ok(())
}

#[molen::task]
async fn shield_it(promise: &'static Promise<u8>) -> u8 {
    let _guard = OnDrop("outer ended");
    match shield(hold(promise, "inner", "inner ended")) {
        Ok(inner) => match inner.await {
            Ok(value) => value,
            Err(_) => {
                event("inner cancelled");
                0
            }
        },
        Err(_) => 0,
    }
}

fn a_shielded_task_goes_on_when_who_waits_is_cancelled() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    event_loop.run_until_complete(async {
        let mut outer = create_task(shield_it(promise))?;
        yield_now().await;
        yield_now().await;
        outer.cancel();
        check_matches!((&mut outer).await, Err(TaskError::Cancelled(_)));
        promise.set_result(1)?;
        yield_now().await;
        Ok(())
    })??;
    check_events!["inner", "outer ended", "inner ended"];
    Ok(())
}

fn cancelling_a_shielded_task_tells_who_waits() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let inner = shield(cancel_itself())?;
        check_matches!(inner.await, Err(TaskError::Cancelled(_)));
        Ok(())
    })?
}

fn a_cancelled_shield_leaves_no_waker_behind() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let mut outer = event_loop.create_task(shield_it(promise))?;
    event_loop.turn(NOW)?;
    event_loop.turn(NOW)?;
    let mut inner = None;
    event_loop.for_each_task(|task| {
        if task != outer.task_ref() {
            inner = Some(task);
        }
    });
    let Some(inner) = inner else {
        return Err(Failure::said("there is no inner task"));
    };
    check!(inner.awaited_by() == Some(outer.task_ref()), "nobody awaits the inner task");
    outer.cancel();
    event_loop.turn(NOW)?;
    check_matches!(outer.take_result(), Some(Err(TaskError::Cancelled(_))));
    check!(inner.awaited_by().is_none() && !inner.done(), "somebody still awaits the inner task");
    check_events!["inner", "outer ended"];
    Ok(())
}

/// An attempt: notes its beginning and its end, whichever it is.
async fn attempt(
    begun: &'static str,
    over: &'static str,
    millis: u64,
    result: Result<u8, &'static str>,
) -> Result<u8, &'static str> {
    let _guard = OnDrop(over);
    event(begun);
    sleep(ms(millis)).await;
    result
}

fn a_cancelled_race_drops_its_attempts_first() -> Outcome {
    #[molen::task]
    async fn race_for_ever() -> u8 {
        let attempts = [attempt("a", "a over", 100, Ok(1)), attempt("b", "b over", 100, Ok(2))];
        staggered_race(attempts, Some(ms(1))).await.map_or(0, |won| won.value)
    }
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let mut race = create_task(race_for_ever())?;
        sleep(ms(2)).await;
        race.cancel();
        check_matches!((&mut race).await, Err(TaskError::Cancelled(_)));
        event("told");
        Ok(())
    })??;
    check_events!["a", "b", "a over", "b over", "told"];
    Ok(())
}

fn wait_returns_at_the_first_exception() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let mut tasks = [
            create_task(result_after(3, Ok(1), "third"))?,
            create_task(result_after(1, Ok(2), "first"))?,
            create_task(result_after(2, Err("boom"), "second"))?,
        ];
        let waited = wait(&mut tasks).return_when(ReturnWhen::FIRST_EXCEPTION).await?;
        check_eq!(waited, Waited { done: 2, pending: 1 });
        check_eq!(tasks[2].result(), Some(&Err("boom")));
        check_matches!(tasks[2].take_result(), Some(Ok(Err("boom"))));
        check_eq!(tasks[2].result(), None);
        Outcome::Ok(())
    })??;
    check_events!["first", "second"];
    Ok(())
}

fn wait_for_the_first_exception_ignores_cancelled_tasks() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let mut tasks = [
            create_task(result_after(3, Ok(1), "third"))?,
            create_task(result_after(1, Ok(2), "first"))?,
        ];
        tasks[1].cancel();
        let waited = wait(&mut tasks).return_when(ReturnWhen::FIRST_EXCEPTION).await?;
        check_eq!(waited, Waited { done: 2, pending: 0 });
        check_eq!(molen::get_running_loop()?.time(), at(3));
        Outcome::Ok(())
    })?
}

fn wait_returns_at_its_timeout_and_cancels_nothing() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let mut tasks = [create_task(after(10, 1))?, create_task(after(30, 2))?];
        let waited = wait(&mut tasks).timeout(ms(20)).await?;
        check_eq!(waited, Waited { done: 1, pending: 1 });
        check_eq!(tasks[1].cancelling(), 0);
        check_eq!((&mut tasks[1]).await?, 2);
        Outcome::Ok(())
    })?
}

fn waiting_for_what_is_done_does_not_yield() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let mut tasks = [create_task(after(0, 1))?];
        sleep(ms(1)).await;
        create_task(crate::fixture::say("other"))?.detach();
        check_eq!(wait(&mut tasks).await?, Waited { done: 1, pending: 0 });
        event("waited");
        yield_now().await;
        Outcome::Ok(())
    })??;
    check_events!["waited", "other"];
    Ok(())
}

fn a_zero_timeout_gives_the_tasks_a_turn() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let promise = static_ref!(Promise<u8> = Promise::new());
        let mut tasks = [create_task(hold(promise, "begun", "ended"))?];
        let waited = wait(&mut tasks).timeout(Duration::ZERO).await?;
        check_eq!(waited, Waited { done: 0, pending: 1 });
        event("waited");
        Outcome::Ok(())
    })??;
    check_events!["begun", "waited"];
    Ok(())
}

fn an_endless_timeout_is_no_timeout() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let mut tasks = [create_task(after(10, 1))?];
        check_eq!(wait(&mut tasks).timeout(Duration::MAX).await?, Waited { done: 1, pending: 0 });
        let mut results = as_completed([after(10, 1)])?.timeout(Duration::MAX);
        check_matches!(results.next().await, Ok(Some((0, Ok(1)))));
        Outcome::Ok(())
    })?
}

fn a_task_that_awaits_itself_is_told() -> Outcome {
    #[molen::task]
    async fn await_itself(own: &'static crate::fixture::Slot<Task<()>>) {
        let Some(mut task) = own.take() else { return };
        match (&mut task).await {
            Err(TaskError::Itself) => event("told"),
            _ => event("ended"),
        }
        if let Err(WaitError::Task { number: 0, error: TaskError::Itself }) =
            wait(&mut [task]).await
        {
            event("told by wait");
        }
    }
    let event_loop = new_loop!();
    let own = static_ref!(crate::fixture::Slot<Task<()>> = core::cell::Cell::new(None));
    own.set(Some(event_loop.create_task(await_itself(own))?));
    event_loop.turn(NOW)?;
    check_events!["told", "told by wait"];
    Ok(())
}

#[molen::task]
async fn gather_slow() -> u8 {
    let _guard = OnDrop("gatherer ended");
    match gather((slow_to_end("first ended"), slow_to_end("second ended"))) {
        Ok(both) => both.await.map_or(1, |_| 2),
        Err(_) => 3,
    }
}

fn a_cancelled_gather_cancels_its_tasks_and_waits_for_them() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let mut gatherer = create_task(gather_slow())?;
        sleep(ms(1)).await;
        gatherer.cancel_with("enough");
        let Err(TaskError::Cancelled(cancelled)) = (&mut gatherer).await else {
            return Err(Failure::said("it is not cancelled"));
        };
        let told = cancelled.message().is_some_and(|text| text.as_str() == "enough");
        check!(told, "it lost the message");
        check_eq!(molen::get_running_loop()?.time(), at(2));
        Ok(())
    })??;
    check_events!["first ended", "second ended", "gatherer ended"];
    Ok(())
}

fn a_second_cancel_of_a_gather_reaches_its_tasks_too() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let mut gatherer = create_task(gather_slow())?;
        sleep(ms(1)).await;
        gatherer.cancel();
        yield_now().await;
        yield_now().await;
        // They are cleaning up, with nothing that catches: this ends them.
        gatherer.cancel();
        check_matches!((&mut gatherer).await, Err(TaskError::Cancelled(_)));
        check_eq!(molen::get_running_loop()?.time(), at(1));
        Ok(())
    })??;
    check_events!["gatherer ended"];
    Ok(())
}

fn a_dropped_gather_cancels_its_tasks() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let both = gather((slow_to_end("first ended"), slow_to_end("second ended")))?;
        yield_now().await;
        drop(both);
        event("dropped");
        sleep(ms(5)).await;
        Outcome::Ok(())
    })??;
    check_events!["dropped", "first ended", "second ended"];
    Ok(())
}

fn a_gather_that_cannot_start_all_starts_none() -> Outcome {
    #[molen::task]
    async fn only_one() {
        event("ran");
    }
    let event_loop = new_loop!();
    check_matches!(gather([only_one()]), Err(ScheduleError::NoRunningLoop(0)));
    event_loop.run_until_complete(async {
        check_matches!(gather([only_one(), only_one()]), Err(ScheduleError::Full(1)));
        check_matches!(gather((only_one(), only_one())), Err(ScheduleError::Full(1)));
        yield_now().await;
        yield_now().await;
        check_events![];
        gather([only_one()])?.await?;
        Outcome::Ok(())
    })??;
    check_events!["ran"];
    Ok(())
}

fn gather_of_fallible_tasks_stops_at_the_first_error() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let both = try_gather((result_after(2, Ok(1), "first"), result_after(1, Ok(2), "second")))?;
        check_eq!(both.await.ok(), Some((1, 2)));
        let both =
            try_gather((result_after(2, Ok(1), "goes on"), result_after(1, Err("no"), "failed")))?;
        check_matches!(both.await, Err(GatherError::Failed { number: 1, error: "no" }));
        sleep(ms(2)).await;
        Outcome::Ok(())
    })??;
    check_events!["second", "first", "failed", "goes on"];
    Ok(())
}

fn a_staggered_race_begins_the_next_after_the_delay() -> Outcome {
    let event_loop = new_loop!();
    let attempts = [
        attempt("a", "a over", 100, Ok(1)),
        attempt("b", "b over", 20, Ok(2)),
        attempt("c", "c over", 100, Ok(3)),
        attempt("d", "d over", 100, Ok(4)),
    ];
    let won = event_loop.run_until_complete(staggered_race(attempts, Some(ms(15))))?;
    check_eq!(won, Ok(RaceWon { value: 2, number: 1, errors: [None; 4] }));
    check_eq!(event_loop.time(), at(35));
    check_events!["a", "b", "c", "b over", "a over", "c over"];
    Ok(())
}

fn a_staggered_race_begins_the_next_after_a_failure() -> Outcome {
    let event_loop = new_loop!();
    let attempts = [
        attempt("a", "a over", 30, Ok(1)),
        attempt("b", "b over", 2, Err("b")),
        attempt("c", "c over", 100, Ok(3)),
    ];
    let won = event_loop.run_until_complete(staggered_race(attempts, Some(ms(10))))?;
    check_eq!(won, Ok(RaceWon { value: 1, number: 0, errors: [None, Some("b"), None] }));
    check_eq!(event_loop.time(), at(30));
    check_events!["a", "b", "b over", "c", "a over", "c over"];
    Ok(())
}

fn a_staggered_race_without_delay_waits_for_a_failure() -> Outcome {
    let event_loop = new_loop!();
    let attempts = [attempt("a", "a over", 50, Err("a")), attempt("b", "b over", 1, Ok(2))];
    let won = event_loop.run_until_complete(staggered_race(attempts, None))?;
    check_eq!(won, Ok(RaceWon { value: 2, number: 1, errors: [Some("a"), None] }));
    check_eq!(event_loop.time(), at(51));
    check_events!["a", "a over", "b", "b over"];
    Ok(())
}

fn a_staggered_race_that_is_lost_gives_all_errors() -> Outcome {
    let event_loop = new_loop!();
    let attempts = [attempt("a", "a over", 9, Err("a")), attempt("b", "b over", 1, Err("b"))];
    let lost = event_loop.run_until_complete(staggered_race(attempts, Some(ms(3))))?;
    check_eq!(lost, Err(RaceLost { errors: ["a", "b"] }));
    let none = [attempt("x", "x over", 1, Ok(1)); 0];
    let lost = event_loop.run_until_complete(staggered_race(none, None))?;
    check_eq!(lost, Err(RaceLost { errors: [] }));
    check_events!["a", "b", "b over", "a over"];
    Ok(())
}

fn wait_loses_nothing_at_any_poll() -> Outcome {
    let event_loop = new_loop!();
    let tasks = core::cell::RefCell::new(None);
    event_loop.run_until_complete(async {
        let make = || async {
            let mut both = [create_task(after(1, 1)).ok()?, create_task(after(2, 2)).ok()?];
            let waited = wait(&mut both).timeout(ms(10)).await;
            tasks.replace(Some(both));
            waited.ok()
        };
        let polls = drop_at_every_poll(make, async |point| {
            if let Some(waited) = point.output() {
                check_eq!(waited, Some(Waited { done: 2, pending: 0 }));
            }
            // Those of a dropped wait end by themselves, and their places are free.
            tasks.replace(None);
            sleep(ms(5)).await;
            Outcome::Ok(())
        });
        check_eq!(polls.await?, 3);
        Ok(())
    })??;
    check_eq!(event_loop.next_deadline(), None);
    Ok(())
}

fn as_completed_loses_nothing_at_any_poll() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let results = core::cell::RefCell::new(None);
        let make = || {
            results.replace(as_completed([after(2, 1), after(1, 2)]).ok());
            async {
                let mut results = results.borrow_mut();
                results.as_mut()?.next().await
            }
        };
        let polls = drop_at_every_poll(make, async |point| {
            let mut left = if let Some(first) = point.output() {
                check_matches!(first, Some((1, Ok(2))));
                1
            } else {
                2
            };
            let Some(mut results) = results.take() else { return Ok(()) };
            while let Some((_, result)) = results.next().await {
                result?;
                left -= 1;
            }
            check_eq!(left, 0);
            Outcome::Ok(())
        });
        check_eq!(polls.await?, 2);
        Ok(())
    })?
}

fn gather_leaves_no_task_at_any_poll() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let make = || async { gather((after(1, 1), after(2, 2))).ok()?.await.ok() };
        let polls = drop_at_every_poll(make, async |point| {
            if let Some(values) = point.output() {
                check_eq!(values, Some((1, 2)));
            }
            yield_now().await;
            let mut tasks = 0;
            molen::get_running_loop()?.for_each_task(|_| tasks += 1);
            // Not even a task that waits for its end.
            check_eq!(tasks, 0);
            Outcome::Ok(())
        });
        check_eq!(polls.await?, 3);
        Ok(())
    })?
}

fn a_shielded_task_ends_wherever_the_shield_is_dropped() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let make = || async { shield(say_after(ms(1), "inner")).ok()?.await.ok() };
        let polls = drop_at_every_poll(make, async |_| {
            sleep(ms(2)).await;
            event("next");
            Outcome::Ok(())
        });
        check_eq!(polls.await?, 2);
        Ok(())
    })??;
    check_events!["next", "inner", "next", "inner", "next", "inner", "next"];
    Ok(())
}

fn a_staggered_race_drops_all_at_any_poll() -> Outcome {
    let event_loop = new_loop!();
    let make = || {
        let attempts = [attempt("a", "a over", 3, Ok(1)), attempt("b", "b over", 9, Ok(2))];
        staggered_race(attempts, Some(ms(1)))
    };
    let polls = event_loop.run_until_complete(drop_at_every_poll(make, async |_| {
        let (begun, over) = test().log.iter().fold((0, 0), |(begun, over), name| match name {
            "a" | "b" => (begun + 1, over),
            _ => (begun, over + 1),
        });
        check_eq!(begun, over);
        test().log.clear();
        check_eq!(molen::get_running_loop()?.next_deadline(), None);
        Outcome::Ok(())
    }))??;
    check_eq!(polls, 3);
    Ok(())
}
