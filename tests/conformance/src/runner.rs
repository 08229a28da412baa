//! Running main futures, and clearing up behind them: behaviours 408 to 415.
//! Current loops, and the attributes of tests.
//!
//! ```text
//!   run ─▶ run ─▶ … ─▶ close: cancel what is left ─▶ turn until it has ended ─▶ closed
//! ```
//!
//! What Ctrl-C does is observed by processes of their own, in `tests/interrupt.rs`.

use crate::case::{Case, Failure, Outcome};
use crate::fixture::{OnDrop, at, event, hold, ms, say, say_after, stop, test};
use molen::error::{NoEventLoop, RunError};
use molen::io::{SelectError, Wait};
use molen::testing::{Step, TestBackend, static_ref};
use molen::{
    Duration, LoopRef, Promise, Runner, catch_cancel, create_task, current_task, get_event_loop,
    get_running_loop, set_event_loop, sleep, yield_now,
};

macro_rules! cases {
    ($($number:literal $threads:ident)*; $($context:literal $alloc:ident)*) => {
        pub(crate) const CASES: &[Case] = &[
            case!(409, a_runner_refuses_to_run_inside_of_a_loop),
            case!(411, a_closed_runner_is_closed_for_good),
            unsupported!(413, ctrl_c_on_a_cancelled_main_task, "it takes a process of its own, and a signal: tests/interrupt.rs does it on desktops, and elsewhere there are no signals"),
            case!(414, a_runner_works_where_ctrl_c_cannot_be_watched),
            case!(415, the_current_loop_is_the_running_one_or_the_one_set),
            case!(1260, tasks_left_by_a_run_go_on_in_the_next),
            case!(1261, tasks_that_are_left_clean_up_before_the_loop_is_closed),
            case!(1262, all_are_cancelled_before_any_cleans_up),
            case!(1263, dropping_a_runner_closes_it),
            case!(1264, a_task_that_refuses_keeps_close_waiting),
            case!(1265, a_task_that_refuses_and_waits_for_nothing_is_dropped),
            case!(1266, what_cleans_up_may_start_tasks_and_await_them),
            case!(1267, a_task_started_while_clearing_up_is_not_waited_for),
            case!(1268, a_stop_does_not_end_clearing_up),
            case!(1269, a_task_that_is_left_before_its_first_step_never_begins),
            case!(1270, a_cancelled_main_ends_the_run),
            case!(1271, a_main_that_catches_its_cancel_returns_its_value),
            case!(1272, a_main_that_hands_its_cancel_on_ends_the_run),
            case!(1273, a_main_cancelled_before_its_first_step_never_begins),
            case!(1274, a_stopped_main_is_dropped_and_the_runner_goes_on),
            case!(1275, a_runner_does_not_close_a_loop_that_runs),
            case!(1276, a_runner_that_cannot_turn_its_loop_closes_it),
            case!(1277, a_failing_selector_ends_clearing_up),
            case!(1278, the_error_of_a_loop_factory_is_the_runners),
            case!(1279, a_test_by_the_manual_clock_takes_no_time),
            case!(1280, clearing_up_takes_the_time_that_it_sleeps),
            case!(1281, a_main_cancelled_in_its_last_step_is_cancelled),
            case!(1283, the_running_loop_is_current_whatever_was_set),
            case!(1282, a_cancelled_run_leaves_no_stop_behind),
            $(case!($number, $threads),)*
            $(case!($context, $alloc),)*
        ];

        #[cfg(any(target_os = "none", target_os = "wasi"))]
        mod failing {
            use crate::case::{Failure, Outcome};
            $(pub(super) fn $threads() -> Outcome {
                Err(Failure::Unsupported("panics abort on this platform"))
            })*
        }

        #[cfg(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc")))]
        mod contexts {
            use crate::case::{Failure, Outcome};
            $(pub(super) fn $alloc() -> Outcome {
                Err(Failure::Unsupported("contexts and done callbacks need an allocator"))
            })*
        }
    };
}
cases! {
    408 a_task_that_fails_while_it_cleans_up_is_reported
    1290 a_runner_clears_up_behind_a_main_that_panics;
    410 what_a_main_sets_in_its_context_is_set_in_the_next
    1284 done_callbacks_of_the_tasks_that_are_left_run
    1285 the_error_of_a_task_that_is_left_is_reported
    1291 a_main_may_run_in_a_context_of_the_callers
}
use contexts::*;
use failing::*;

/// A runner with the loop of a case.
fn runner(event_loop: &LoopRef) -> Runner {
    Runner::with_loop(event_loop.clone())
}

/// Sleeps for ever; when it is cancelled, notes that it cleans up, takes
/// `delay` to do it, notes that it is clean, and hands the cancel on.
#[molen::task(pool_size = 4)]
async fn clean(delay: Duration, cleans: &'static str, is_clean: &'static str) {
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

fn tasks_that_are_left_clean_up_before_the_loop_is_closed() -> Outcome {
    let event_loop = new_loop!();
    let mut runner = runner(&event_loop);
    let promise = static_ref!(Promise<u8> = Promise::new());
    let value = runner.run(async {
        create_task(clean(ms(5), "cleans up", "is clean"))?.detach();
        create_task(hold(promise, "plain", "plain is dropped"))?.detach();
        yield_now().await;
        event("main ends");
        Result::<_, Failure>::Ok(123)
    })??;
    check_eq!(value, 123);
    check_events!["plain", "main ends"];
    runner.close()?;
    check!(event_loop.is_closed(), "the loop is open");
    check_events!["plain", "main ends", "cleans up", "plain is dropped", "is clean", "dropped"];
    check_eq!(test().backend.report_count(), 0);
    Ok(())
}

fn all_are_cancelled_before_any_cleans_up() -> Outcome {
    #[molen::task(pool_size = 2)]
    async fn see(other: &'static core::cell::Cell<Option<molen::TaskRef>>) {
        if let Err(cancelled) = catch_cancel(core::future::pending::<()>()).await {
            drop(cancelled);
            let seen = other.take();
            event(match &seen {
                Some(other) if other.done() => "done",
                Some(other) if other.cancelling() == 1 => "cancelled",
                _ => "not cancelled",
            });
            other.set(seen);
        }
    }
    type Place = core::cell::Cell<Option<molen::TaskRef>>;
    let event_loop = new_loop!();
    let mut runner = runner(&event_loop);
    let first = static_ref!(Place = Place::new(None));
    let second = static_ref!(Place = Place::new(None));
    runner.run(async {
        let (one, two) = (create_task(see(second))?, create_task(see(first))?);
        first.set(Some(one.task_ref()));
        second.set(Some(two.task_ref()));
        yield_now().await;
        Outcome::Ok(())
    })??;
    runner.close()?;
    check_events!["cancelled", "done"];
    drop((first.take(), second.take()));
    Ok(())
}

fn dropping_a_runner_closes_it() -> Outcome {
    let event_loop = new_loop!();
    let mut runner = runner(&event_loop);
    runner.run(async {
        create_task(clean(ms(5), "cleans up", "is clean"))?.detach();
        yield_now().await;
        Outcome::Ok(())
    })??;
    drop(runner);
    check!(event_loop.is_closed(), "the loop is open");
    check_events!["cleans up", "is clean", "dropped"];
    Ok(())
}

fn a_task_that_refuses_keeps_close_waiting() -> Outcome {
    #[molen::task]
    async fn refuse() {
        for name in ["refuses", "refuses again"] {
            if catch_cancel(sleep(ms(10))).await.is_err() {
                event(name);
            }
        }
        sleep(ms(30)).await;
        event("ends by itself");
    }
    let event_loop = new_loop!();
    let mut runner = runner(&event_loop);
    runner.run(async {
        create_task(refuse())?.detach();
        yield_now().await;
        Outcome::Ok(())
    })??;
    runner.close()?;
    // It is cancelled once.
    check_events!["refuses", "ends by itself"];
    check_eq!(event_loop.time(), at(40));
    Ok(())
}

fn a_task_that_refuses_and_waits_for_nothing_is_dropped() -> Outcome {
    #[molen::task]
    async fn refuse() {
        let _guard = OnDrop("dropped");
        if catch_cancel(core::future::pending::<()>()).await.is_err() {
            event("refuses");
        }
        core::future::pending::<()>().await;
    }
    let event_loop = new_loop!();
    let mut runner = runner(&event_loop);
    runner.run(async {
        create_task(refuse())?.detach();
        yield_now().await;
        Outcome::Ok(())
    })??;
    check_eq!(runner.close(), Err(RunError::NothingToWaitFor));
    check!(event_loop.is_closed(), "the loop is open");
    check_events!["refuses", "dropped"];
    Ok(())
}

fn what_cleans_up_may_start_tasks_and_await_them() -> Outcome {
    #[molen::task]
    async fn parent() {
        if let Err(cancelled) = catch_cancel(core::future::pending::<()>()).await {
            if let Ok(child) = create_task(say_after(ms(5), "child")) {
                event(if child.await.is_ok() { "child is done" } else { "child is cancelled" });
            }
            cancelled.propagate().await;
        }
    }
    let event_loop = new_loop!();
    let mut runner = runner(&event_loop);
    runner.run(async {
        create_task(parent())?.detach();
        yield_now().await;
        Outcome::Ok(())
    })??;
    runner.close()?;
    check_events!["child", "child is done"];
    Ok(())
}

fn a_task_started_while_clearing_up_is_not_waited_for() -> Outcome {
    #[molen::task]
    async fn parent(promise: &'static Promise<u8>) {
        if catch_cancel(core::future::pending::<()>()).await.is_err() {
            match create_task(hold(promise, "begun", "dropped")) {
                Ok(child) => child.detach(),
                Err(_) => event("refused"),
            }
            sleep(ms(1)).await;
            event("parent ends");
        }
    }
    let event_loop = new_loop!();
    let mut runner = runner(&event_loop);
    let promise = static_ref!(Promise<u8> = Promise::new());
    runner.run(async {
        create_task(parent(promise))?.detach();
        yield_now().await;
        Outcome::Ok(())
    })??;
    runner.close()?;
    check_events!["begun", "parent ends", "dropped"];
    Ok(())
}

fn a_stop_does_not_end_clearing_up() -> Outcome {
    #[molen::task]
    async fn stop_then_clean() {
        if let Err(cancelled) = catch_cancel(core::future::pending::<()>()).await {
            stop();
            sleep(ms(5)).await;
            event("is clean");
            cancelled.propagate().await;
        }
    }
    let event_loop = new_loop!();
    let mut runner = runner(&event_loop);
    runner.run(async {
        create_task(stop_then_clean())?.detach();
        yield_now().await;
        Outcome::Ok(())
    })??;
    test().backend.script(
        const {
            &[
                Step::expect(Wait::No),
                // The stop does not make it look without waiting.
                Step::expect(Wait::Until(at(5))),
                Step::any(),
            ]
        },
    );
    runner.close()?;
    check_events!["is clean"];
    Ok(())
}

fn a_task_that_is_left_before_its_first_step_never_begins() -> Outcome {
    let event_loop = new_loop!();
    let mut runner = runner(&event_loop);
    let mut kept = None;
    runner.run(async {
        kept = Some(create_task(say("begun"))?);
        Outcome::Ok(())
    })??;
    runner.close()?;
    check_events![];
    check!(kept.is_some_and(|task| task.cancelled()), "it is not cancelled");
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

fn a_runner_does_not_close_a_loop_that_runs() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let mut runner = runner(&get_running_loop()?);
        create_task(say_after(ms(1), "goes on"))?.detach();
        check_eq!(runner.close(), Err(RunError::AlreadyRunning));
        drop(runner);
        sleep(ms(2)).await;
        Outcome::Ok(())
    })??;
    check_events!["goes on"];
    check!(!event_loop.is_closed(), "the loop is closed");
    Ok(())
}

fn a_runner_that_cannot_turn_its_loop_closes_it() -> Outcome {
    crate::fixture::two_loops()?;
    let (outer, inner) = (new_loop!(), new_loop!());
    let mut runner = runner(&inner);
    let promise = static_ref!(Promise<u8> = Promise::new());
    runner.run(async {
        create_task(hold(promise, "begun", "dropped"))?.detach();
        yield_now().await;
        Outcome::Ok(())
    })??;
    let closed = outer.run_until_complete(async { runner.close() })?;
    check_eq!(closed, Err(RunError::AlreadyRunning));
    check!(inner.is_closed(), "the loop is open");
    check_events!["begun", "dropped"];
    Ok(())
}

fn a_failing_selector_ends_clearing_up() -> Outcome {
    let event_loop = new_loop!();
    let mut runner = runner(&event_loop);
    runner.run(async {
        create_task(clean(ms(5), "cleans up", "is clean"))?.detach();
        yield_now().await;
        Outcome::Ok(())
    })??;
    test().backend.script(const { &[Step::any(), Step::any().then_fail(SelectError::Os(9))] });
    check_eq!(runner.close(), Err(RunError::Select(9)));
    check!(event_loop.is_closed(), "the loop is open");
    check_events!["cleans up", "dropped"];
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

fn clearing_up_takes_the_time_that_it_sleeps() -> Outcome {
    let event_loop = new_loop!();
    let mut runner = runner(&event_loop);
    runner.run(async {
        create_task(clean(ms(10), "first", "first is clean"))?.detach();
        create_task(clean(ms(5), "second", "second is clean"))?.detach();
        yield_now().await;
        Outcome::Ok(())
    })??;
    runner.close()?;
    check_eq!(event_loop.time(), at(10));
    check_events!["first", "second", "second is clean", "dropped", "first is clean", "dropped"];
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

#[cfg(not(any(target_os = "none", target_os = "wasi")))]
mod failing {
    use super::*;
    extern crate std;

    pub(super) fn a_task_that_fails_while_it_cleans_up_is_reported() -> Outcome {
        #[molen::task]
        async fn fail() {
            if catch_cancel(core::future::pending::<()>()).await.is_err() {
                yield_now().await;
                panic!("no broom");
            }
        }
        let event_loop = new_loop!();
        let mut runner = runner(&event_loop);
        let value = runner.run(async {
            create_task(fail())?.detach();
            create_task(clean(ms(5), "cleans up", "is clean"))?.detach();
            yield_now().await;
            Result::<_, Failure>::Ok(123)
        })??;
        check_eq!(value, 123);
        runner.close()?;
        check_events!["cleans up", "is clean", "dropped"];
        check_eq!(test().backend.report_count(), 1);
        let reported = test().backend.reported(0);
        check!(reported.is_some_and(|report| report.contains("no broom")), "it is another report");
        Ok(())
    }

    pub(super) fn a_runner_clears_up_behind_a_main_that_panics() -> Outcome {
        let event_loop = new_loop!();
        let mut runner = runner(&event_loop);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            runner.run(async {
                if let Ok(task) = create_task(clean(ms(5), "cleans up", "is clean")) {
                    task.detach();
                }
                yield_now().await;
                panic!("no main");
            })
        }));
        check!(panicked.is_err(), "the panic is lost");
        check_eq!(runner.run(async { 2 }), Ok(2));
        drop(runner);
        check_events!["cleans up", "is clean", "dropped"];
        check_eq!(test().backend.report_count(), 0);
        Ok(())
    }
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

    pub(super) fn done_callbacks_of_the_tasks_that_are_left_run() -> Outcome {
        let event_loop = new_loop!();
        let mut runner = runner(&event_loop);
        runner.run(async {
            let task = create_task(clean(ms(5), "cleans up", "is clean"))?;
            task.add_done_callback(|| event("done"))?;
            task.detach();
            yield_now().await;
            Outcome::Ok(())
        })??;
        runner.close()?;
        check_events!["cleans up", "is clean", "dropped", "done"];
        Ok(())
    }

    pub(super) fn the_error_of_a_task_that_is_left_is_reported() -> Outcome {
        let event_loop = new_loop!();
        let mut runner = runner(&event_loop);
        let value = runner.run(async {
            let fail = async {
                match catch_cancel(core::future::pending::<()>()).await {
                    Ok(()) => Ok(()),
                    Err(_cancelled) => Err("no broom"),
                }
            };
            check!(create_task(fail)?.detach_reporting().is_ok(), "it was refused");
            yield_now().await;
            Result::<_, Failure>::Ok(123)
        })??;
        check_eq!(value, 123);
        runner.close()?;
        check_eq!(test().backend.report_count(), 1);
        let text = "the exception of a task was never retrieved: no broom";
        check!(test().backend.reported(0).is_some_and(|report| *report == *text), "another report");
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
