//! Closing a runner: what is left is cancelled, cleans up, and is waited for.
//! Behaviour 408, and Molen's own.
//!
//! ```text
//!   close ─▶ cancel each, once ─▶ turn until they have ended ─▶ done callbacks ─▶ closed
//! ```

use crate::case::{Case, Failure, Outcome};
use crate::fixture::{OnDrop, at, event, hold, ms, say, say_after, stop, test};
use crate::runner::{clean, runner};
use molen::error::RunError;
use molen::io::{SelectError, Wait};
use molen::testing::{Step, static_ref};
use molen::{Promise, catch_cancel, create_task, get_running_loop, sleep, yield_now};

macro_rules! cases {
    ($($number:literal $threads:ident)*; $($alone:literal $alloc:ident)*) => {
        pub(crate) const CASES: &[Case] = &[
            case!(1261, tasks_that_are_left_clean_up_before_the_loop_is_closed),
            case!(1262, all_are_cancelled_before_any_cleans_up),
            case!(1263, dropping_a_runner_closes_it),
            case!(1264, a_task_that_refuses_keeps_close_waiting),
            case!(1265, a_task_that_refuses_and_waits_for_nothing_is_dropped),
            case!(1266, what_cleans_up_may_start_tasks_and_await_them),
            case!(1267, a_task_started_while_clearing_up_is_not_waited_for),
            case!(1268, a_stop_does_not_end_clearing_up),
            case!(1269, a_task_that_is_left_before_its_first_step_never_begins),
            case!(1275, a_runner_does_not_close_a_loop_that_runs),
            case!(1276, a_runner_that_cannot_turn_its_loop_closes_it),
            case!(1277, a_failing_selector_ends_clearing_up),
            case!(1280, clearing_up_takes_the_time_that_it_sleeps),
            $(case!($number, $threads),)*
            $(case!($alone, $alloc),)*
        ];

        lacking_where! {
            any(target_os = "none", target_os = "wasi"), "panics abort on this platform",
            failing { $($threads)* }
        }

        lacking_where! {
            all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc")),
            "done callbacks of tasks need an allocator",
            callbacks { $($alloc)* }
        }
    };
}
cases! {
    408 a_task_that_fails_while_it_cleans_up_is_reported
    1290 a_runner_clears_up_behind_a_main_that_panics;
    1284 done_callbacks_of_the_tasks_that_are_left_run
    1285 the_error_of_a_task_that_is_left_is_reported
}
use callbacks::*;
use failing::*;

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
mod callbacks {
    use super::*;

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
}
