//! Combinators by tasks that belong to them: gather and shield; behaviours 139 to 155.

use crate::case::{Case, Failure, Outcome};
use crate::fixture::{OnDrop, after, at, event, hold, ms, result_after, say_after, test};
use core::convert::Infallible;
use core::future::pending;
use molen::combine::GatherError;
use molen::error::ScheduleError;
use molen::testing::{drop_at_every_poll, static_ref};
use molen::{
    Duration, Promise, TaskError, catch_cancel, create_task, current_task, gather, shield, sleep,
    try_gather, yield_now,
};

pub(crate) const CASES: &[Case] = &[
    case!(139, gather_gives_values_in_order_after_the_last),
    case!(141, gather_returns_exceptions_in_place),
    case!(142, a_cancelled_child_does_not_cancel_who_gathers),
    case!(144, a_cancel_after_the_last_child_cancels_no_child),
    case!(145, a_cancel_of_who_gathers_is_no_result),
    not_applicable!(146, one_coroutine_gathered_thrice, "a task, like a future, has one owner"),
    case!(148, gathering_nothing_is_ready_at_once),
    case!(149, of_two_failures_the_first_surfaces_and_none_is_reported),
    case!(150, a_shielded_task_goes_on_when_who_waits_is_cancelled),
    case!(151, cancelling_a_shielded_task_tells_who_waits),
    not_applicable!(153, two_shields_on_one_task, "a task has one handle, and a shield owns it"),
    case!(154, a_cancelled_shield_leaves_no_waker_behind),
    case!(1430, a_cancelled_gather_cancels_its_tasks_and_waits_for_them),
    case!(1431, a_second_cancel_of_a_gather_reaches_its_tasks_too),
    case!(1432, a_dropped_gather_cancels_its_tasks),
    case!(1433, a_gather_that_cannot_start_all_starts_none),
    case!(1434, gather_of_fallible_tasks_stops_at_the_first_error),
    case!(1441, gather_leaves_no_task_at_any_poll),
    case!(1442, a_shielded_task_ends_wherever_the_shield_is_dropped),
];

const NOW: Option<Duration> = Some(Duration::ZERO);

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

fn gathering_nothing_is_ready_at_once() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        type Call = molen::task::Call<fn() -> core::future::Ready<()>, ()>;
        let none: [Call; 0] = [];
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
        // The place of the one that was aborted is free when its turn would have come.
        yield_now().await;
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
            // This one.
            check_eq!(tasks, 1);
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
