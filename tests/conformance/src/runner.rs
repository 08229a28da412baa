//! Running main futures: behaviours 409 to 415. Current loops, and the
//! attributes of tests. (Closing is `clearing_up`.)
//!
//! ```text
//!   run ─▶ run ─▶ … ─▶ close: cancel what is left ─▶ turn until it has ended ─▶ closed
//! ```
//!
//! What Ctrl-C does is observed by processes of their own, in `tests/interrupt.rs`.

use crate::case::{Case, Failure, Outcome};
use crate::fixture::{OnDrop, at, event, ms, say_after, stop};
use molen::error::{NoEventLoop, RunError};
use molen::testing::TestBackend;
use molen::{
    Duration, LoopRef, Runner, catch_cancel, create_task, current_task, get_event_loop,
    get_running_loop, set_event_loop, sleep, yield_now,
};

macro_rules! cases {
    ($($context:literal $alloc:ident)*) => {
        pub(crate) const CASES: &[Case] = &[
            case!(409, a_runner_refuses_to_run_inside_of_a_loop),
            case!(411, a_closed_runner_is_closed_for_good),
            unsupported!(413, ctrl_c_on_a_cancelled_main_task, "it takes a process of its own, and a signal: tests/interrupt.rs does it on desktops, and elsewhere there are no signals"),
            case!(414, a_runner_works_where_ctrl_c_cannot_be_watched),
            case!(415, the_current_loop_is_the_running_one_or_the_one_set),
            case!(1260, tasks_left_by_a_run_go_on_in_the_next),
            case!(1270, a_cancelled_main_ends_the_run),
            case!(1271, a_main_that_catches_its_cancel_returns_its_value),
            case!(1272, a_main_that_hands_its_cancel_on_ends_the_run),
            case!(1273, a_main_cancelled_before_its_first_step_never_begins),
            case!(1274, a_stopped_main_is_dropped_and_the_runner_goes_on),
            case!(1278, the_error_of_a_loop_factory_is_the_runners),
            case!(1279, a_test_by_the_manual_clock_takes_no_time),
            case!(1281, a_main_cancelled_in_its_last_step_is_cancelled),
            case!(1283, the_running_loop_is_current_whatever_was_set),
            case!(1282, a_cancelled_run_leaves_no_stop_behind),
            $(case!($context, $alloc),)*
        ];

        lacking_where! {
            all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc")),
            "contexts need an allocator",
            contexts { $($alloc)* }
        }
    };
}
cases! {
    410 what_a_main_sets_in_its_context_is_set_in_the_next
    1291 a_main_may_run_in_a_context_of_the_callers
}
use contexts::*;

/// A runner with the loop of a case.
pub(crate) fn runner(event_loop: &LoopRef) -> Runner {
    Runner::with_loop(event_loop.clone())
}

/// Sleeps for ever; when it is cancelled, notes that it cleans up, takes
/// `delay` to do it, notes that it is clean, and hands the cancel on.
#[molen::task(pool_size = 4)]
pub(crate) async fn clean(delay: Duration, cleans: &'static str, is_clean: &'static str) {
    let _guard = OnDrop("dropped");
    if let Err(cancelled) = catch_cancel(core::future::pending::<()>()).await {
        event(cleans);
        sleep(delay).await;
        event(is_clean);
        cancelled.propagate().await;
    }
}

fn a_runner_refuses_to_run_inside_of_a_loop() -> Outcome {
    let event_loop = new_loop!();
    let mut inner = runner(&event_loop);
    let refused = event_loop.run_until_complete(async { inner.run(async { event("ran") }) })?;
    check_eq!(refused, Err(RunError::AlreadyRunning));
    check_events![];
    inner.run(async { event("later") })?;
    check_events!["later"];
    Ok(())
}

fn a_closed_runner_is_closed_for_good() -> Outcome {
    let event_loop = new_loop!();
    let mut runner = runner(&event_loop);
    check_eq!(runner.run(async { 1 }), Ok(1));
    check!(runner.get_loop()? == *event_loop, "it is another loop");
    runner.close()?;
    runner.close()?;
    check!(event_loop.is_closed(), "the loop is open");
    check_eq!(runner.run(async { event("ran") }), Err(RunError::Closed));
    check_matches!(runner.get_loop(), Err(RunError::Closed));
    check_events![];
    Ok(())
}

fn a_runner_works_where_ctrl_c_cannot_be_watched() -> Outcome {
    let event_loop = new_loop!();
    // This backend could not be woken by a signal.
    check_eq!(runner(&event_loop).run(async { 7 }), Ok(7));
    Ok(())
}

fn the_current_loop_is_the_running_one_or_the_one_set() -> Outcome {
    let event_loop = new_loop!();
    set_event_loop(None);
    check_eq!(get_event_loop(), Err(NoEventLoop));
    check_eq!(get_running_loop().map(drop), Err(molen::NoRunningLoop));
    event_loop.call_soon(|| {
        event(if get_event_loop().is_ok_and(|it| it.is_running()) { "inside" } else { "none" });
    })?;
    event_loop.turn(Some(Duration::ZERO))?;
    check_events!["inside"];
    check_eq!(get_event_loop(), Err(NoEventLoop));

    set_event_loop(Some(event_loop.clone()));
    check_eq!(get_event_loop().as_ref(), Ok(&*event_loop));
    check_eq!(get_running_loop().map(drop), Err(molen::NoRunningLoop));
    set_event_loop(None);
    check_eq!(get_event_loop(), Err(NoEventLoop));
    Ok(())
}

fn the_running_loop_is_current_whatever_was_set() -> Outcome {
    crate::fixture::two_loops()?;
    let (event_loop, other) = (new_loop!(), new_loop!());
    set_event_loop(Some(other.clone()));
    let inside = event_loop.run_until_complete(async { get_event_loop() })?;
    set_event_loop(None);
    check_eq!(inside.as_ref(), Ok(&*event_loop));
    Ok(())
}

fn tasks_left_by_a_run_go_on_in_the_next() -> Outcome {
    let event_loop = new_loop!();
    let mut runner = runner(&event_loop);
    runner.run(async {
        create_task(say_after(ms(10), "left"))?.detach();
        Outcome::Ok(())
    })??;
    check_events![];
    runner.run(sleep(ms(20)))?;
    check_events!["left"];
    check_eq!(event_loop.time(), at(20));
    Ok(())
}

/// Cancels the task that runs.
fn cancel_myself() {
    if let Some(task) = current_task() {
        task.cancel();
    }
}

fn a_cancelled_main_ends_the_run() -> Outcome {
    struct Ask;
    impl Drop for Ask {
        fn drop(&mut self) {
            let runs = get_running_loop().is_ok();
            event(if runs { "dropped while the loop runs" } else { "dropped later" });
        }
    }
    let event_loop = new_loop!();
    let mut runner = runner(&event_loop);
    let result = runner.run(async {
        let _ask = Ask;
        cancel_myself();
        event("asked");
        sleep(ms(10)).await;
        event("never");
    });
    check_eq!(result, Err(RunError::Cancelled));
    check_events!["asked", "dropped while the loop runs"];
    check_eq!(event_loop.time(), at(0));
    check_eq!(runner.run(async { 2 }), Ok(2));
    Ok(())
}

fn a_main_that_catches_its_cancel_returns_its_value() -> Outcome {
    let event_loop = new_loop!();
    let result = runner(&event_loop).run(async {
        cancel_myself();
        let caught = catch_cancel(sleep(ms(10))).await.is_err();
        sleep(ms(1)).await;
        caught
    });
    check_eq!(result, Ok(true));
    Ok(())
}

fn a_main_that_hands_its_cancel_on_ends_the_run() -> Outcome {
    let event_loop = new_loop!();
    let result = runner(&event_loop).run(async {
        cancel_myself();
        if let Err(cancelled) = catch_cancel(sleep(ms(10))).await {
            sleep(ms(1)).await;
            event("cleaned up");
            cancelled.propagate().await;
        }
        event("never");
    });
    check_eq!(result, Err(RunError::Cancelled));
    check_events!["cleaned up"];
    Ok(())
}

fn a_main_cancelled_before_its_first_step_never_begins() -> Outcome {
    let event_loop = new_loop!();
    let guard = OnDrop("dropped");
    let main = async move {
        let _guard = guard;
        event("never");
    };
    let result = event_loop.run_main(main, &mut |task| {
        task.cancel();
    });
    check_eq!(result, Err(RunError::Cancelled));
    check_events!["dropped"];
    Ok(())
}

fn a_main_cancelled_in_its_last_step_is_cancelled() -> Outcome {
    let event_loop = new_loop!();
    let result = runner(&event_loop).run(async {
        cancel_myself();
        7
    });
    check_eq!(result, Err(RunError::Cancelled));
    Ok(())
}

fn a_cancelled_run_leaves_no_stop_behind() -> Outcome {
    let event_loop = new_loop!();
    let mut runner = runner(&event_loop);
    let result = runner.run(async {
        cancel_myself();
        yield_now().await;
    });
    check_eq!(result, Err(RunError::Cancelled));
    event_loop.call_soon(|| {
        event("one");
        let event_loop = get_running_loop().map_err(|_| "no loop")?;
        event_loop
            .call_soon(|| {
                event("two");
                stop();
            })
            .map(drop)
            .map_err(|_| "no room")
    })?;
    event_loop.run_forever()?;
    check_events!["one", "two"];
    Ok(())
}

fn a_stopped_main_is_dropped_and_the_runner_goes_on() -> Outcome {
    let event_loop = new_loop!();
    let mut runner = runner(&event_loop);
    let result = runner.run(async {
        let _guard = OnDrop("dropped");
        stop();
        sleep(ms(1)).await;
        event("never");
    });
    check_eq!(result, Err(RunError::Stopped));
    check_events!["dropped"];
    check_eq!(runner.run(async { sleep(ms(2)).await }), Ok(()));
    Ok(())
}

fn the_error_of_a_loop_factory_is_the_runners() -> Outcome {
    let refused = Runner::with_loop_factory(|| Result::<LoopRef, _>::Err("no loops today"));
    check_matches!(refused, Err("no loops today"));
    let event_loop = new_loop!();
    let factory = || Result::<_, Failure>::Ok(event_loop.clone());
    check_eq!(Runner::with_loop_factory(factory)?.run(async { 5 }), Ok(5));
    Ok(())
}

/// `inline` stands for the attribute of a harness, which would call it.
#[molen::test(clock = "manual", harness = inline)]
async fn sleep_for_a_year(backend: &'static TestBackend) -> Outcome {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
    let before = get_running_loop()?.time();
    create_task(say_after(YEAR / 2, "half a year"))?.detach();
    sleep(YEAR).await;
    check_eq!(get_running_loop()?.time().saturating_since(before), YEAR);
    check!(backend.selects() > 1, "the loop has not asked the backend");
    create_task(clean(YEAR, "cleans up", "is clean"))?.detach();
    yield_now().await;
    Ok(())
}

fn a_test_by_the_manual_clock_takes_no_time() -> Outcome {
    sleep_for_a_year()?;
    check_events!["half a year", "cleans up", "is clean", "dropped"];
    Ok(())
}

#[cfg(not(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc"))))]
mod contexts {
    use super::*;
    use molen::task::{Context, ContextVar};

    static NUMBER: ContextVar<i32> = ContextVar::with_default("number", || -1);

    async fn replace(value: i32) -> Option<i32> {
        let before = NUMBER.get();
        yield_now().await;
        drop(NUMBER.set(value).ok()?);
        before
    }

    pub(super) fn what_a_main_sets_in_its_context_is_set_in_the_next() -> Outcome {
        let event_loop = new_loop!();
        let mut runner = runner(&event_loop);
        check_eq!(runner.run(async { NUMBER.get() }), Ok(Some(-1)));
        check_eq!(runner.run(replace(1)), Ok(Some(-1)));
        check_eq!(runner.run(replace(2)), Ok(Some(1)));
        // A task has a copy: what it sets is its own.
        let task = runner.run(async { create_task(replace(3)).map(|task| task.spawned()) })?;
        let task = task.map_err(Failure::from)?;
        check_matches!(runner.run(task.into_inner())?, Ok(Some(2)));
        check_eq!(runner.run(async { NUMBER.get() }), Ok(Some(2)));
        Ok(())
    }

    pub(super) fn a_main_may_run_in_a_context_of_the_callers() -> Outcome {
        let event_loop = new_loop!();
        let mut runner = runner(&event_loop);
        let context = Context::new();
        check_eq!(runner.run_in(&context, replace(7)), Ok(Some(-1)));
        check_eq!(NUMBER.get_in(&context), Some(7));
        check_eq!(runner.run_in(&context, replace(8)), Ok(Some(7)));
        check_eq!(runner.run(async { NUMBER.get() }), Ok(Some(-1)));
        Ok(())
    }
}
