//! One turn of the loop, and `call_soon`: behaviours 1 to 19.

use crate::case::{Case, Outcome};
use crate::fixture::{OnDrop, Slot, at, event, ms, say_when_readable, stop, test, with};
use core::cell::Cell;
use molen::error::RunError;
use molen::io::{PollBudget, Ready, Wait};
use molen::testing::{Step, static_ref};
use molen::{Duration, Handle, LoopRef, get_running_loop};

pub(crate) const CASES: &[Case] = &[
    case!(1, call_soon_queues_and_does_not_run),
    case!(2, a_callback_gets_its_arguments_once),
    case!(3, what_a_callback_schedules_runs_in_the_next_turn),
    case!(4, ready_then_io_then_timer_in_one_batch),
    case!(5, a_handle_cancelled_in_its_batch_does_not_run),
    case!(6, what_was_cancelled_is_not_queued_by_an_event),
    case!(7, a_source_is_served_beside_a_callback_that_requeues_itself),
    not_applicable!(8, a_callback_that_cannot_be_called, "the type FnOnce says it"),
    not_applicable!(
        9,
        a_coroutine_as_a_callback,
        "an async fn is not a FnOnce() -> (), by its type"
    ),
    not_applicable!(10, a_call_from_another_thread, "loops are not Send, by their type"),
    case!(11, cancelling_twice_releases_once),
    case!(12, an_event_pending_over_a_restart_is_served_once),
    case!(13, run_forever_returns_at_stop),
    case!(14, a_closed_loop_refuses_every_call),
    case!(16, a_running_loop_refuses_to_close),
    case!(17, run_until_complete_does_not_nest),
    case!(18, no_other_loop_runs_inside_a_loop),
    case!(19, a_host_drives_single_turns),
];

fn call_soon_queues_and_does_not_run() -> Outcome {
    let event_loop = new_loop!();
    event_loop.call_soon(|| event("callback"))?;
    check_events![];
    check!(event_loop.has_ready(), "the callback is not queued");
    Ok(())
}

fn a_callback_gets_its_arguments_once() -> Outcome {
    let event_loop = new_loop!();
    let got = static_ref!(Cell<(u8, char, u8)> = Cell::new((0, ' ', 0)));
    let (number, letter) = (7, 'x');
    event_loop.call_soon(move || got.set((number, letter, got.get().2 + 1)))?;
    event_loop.turn(Some(Duration::ZERO))?;
    event_loop.turn(Some(Duration::ZERO))?;
    check_eq!(got.get(), (7, 'x', 1));
    Ok(())
}

fn what_a_callback_schedules_runs_in_the_next_turn() -> Outcome {
    let event_loop = new_loop!();
    let inner: LoopRef = event_loop.clone();
    event_loop.call_soon(move || {
        event("outer");
        inner.call_soon(|| event("inner")).map(drop).map_err(|_| "no room")
    })?;
    let turn = event_loop.turn(Some(Duration::ZERO))?;
    check_events!["outer"];
    check!(turn.more && event_loop.has_ready(), "the inner callback is not queued");
    event_loop.turn(Some(Duration::ZERO))?;
    check_events!["outer", "inner"];
    Ok(())
}

fn ready_then_io_then_timer_in_one_batch() -> Outcome {
    let event_loop = new_loop!();
    drop(event_loop.create_task(say_when_readable(0, "io"))?);
    event_loop.turn(Some(Duration::ZERO))?;
    event_loop.call_at(at(1), || event("timer"))?;
    event_loop.call_soon(|| event("ready"))?;
    test().backend.advance_to(at(2));
    test().backend.script(const { &[Step::expect(Wait::No).then_ready(0, Ready::READABLE)] });
    let turn = event_loop.turn(None)?;
    test().backend.check_script()?;
    check_events!["ready", "io", "timer"];
    check_eq!((turn.ran, turn.fired, turn.more), (3, 1, false));
    Ok(())
}

fn a_handle_cancelled_in_its_batch_does_not_run() -> Outcome {
    let event_loop = new_loop!();
    let second = static_ref!(Slot<Handle> = Cell::new(None));
    event_loop.call_soon(|| {
        event("first");
        with(second, |handle| {
            handle.cancel();
            true
        });
    })?;
    second.set(Some(event_loop.call_soon(|| event("second"))?));
    event_loop.call_soon(|| event("third"))?;
    event_loop.turn(Some(Duration::ZERO))?;
    event_loop.turn(Some(Duration::ZERO))?;
    second.set(None);
    check_events!["first", "third"];
    Ok(())
}

fn what_was_cancelled_is_not_queued_by_an_event() -> Outcome {
    let event_loop = new_loop!();
    let task = event_loop.create_task(say_when_readable(0, "io"))?;
    event_loop.turn(Some(Duration::ZERO))?;
    check!(task.abort(), "the task had ended");
    test().backend.script(const { &[Step::any().then_ready(0, Ready::READABLE)] });
    let turn = event_loop.turn(Some(Duration::ZERO))?;
    check_eq!(turn.ran, 0);
    check_events![];
    Ok(())
}

fn a_source_is_served_beside_a_callback_that_requeues_itself() -> Outcome {
    fn requeue() -> Result<(), &'static str> {
        let event_loop = get_running_loop().map_err(|_| "no loop")?;
        event_loop.call_soon(requeue).map(drop).map_err(|_| "no room")
    }
    #[molen::task]
    async fn stop_when_readable() {
        crate::fixture::readable(0).await;
        event("io");
        stop();
    }
    let event_loop = new_loop!();
    test().backend.set_poll_budget(PollBudget { callbacks: 8, ..PollBudget::DEFAULT });
    drop(event_loop.create_task(stop_when_readable())?);
    event_loop.call_soon(requeue)?;
    test().backend.script(
        const {
            &[
                Step::expect(Wait::No),
                Step::expect(Wait::No),
                Step::expect(Wait::No).then_ready(0, Ready::READABLE),
            ]
        },
    );
    event_loop.run_forever()?;
    test().backend.check_script()?;
    check_events!["io"];
    check_eq!(test().backend.report_count(), 0);
    Ok(())
}

fn cancelling_twice_releases_once() -> Outcome {
    let event_loop = new_loop!();
    let captured = OnDrop("released");
    let handle = event_loop.call_soon(move || {
        let _captured = &captured;
        event("called");
    })?;
    check!(!handle.cancelled(), "cancelled before it was");
    handle.cancel();
    check_events!["released"];
    handle.cancel();
    check!(handle.cancelled(), "not cancelled");
    event_loop.turn(Some(Duration::ZERO))?;
    check_events!["released"];
    Ok(())
}

fn an_event_pending_over_a_restart_is_served_once() -> Outcome {
    let event_loop = new_loop!();
    drop(event_loop.create_task(say_when_readable(0, "io"))?);
    event_loop.turn(Some(Duration::ZERO))?;
    event_loop.call_soon(|| {
        event("stop");
        stop();
    })?;
    test().backend.script(const { &[Step::any().then_ready(0, Ready::READABLE)] });
    event_loop.run_forever()?;
    event_loop.call_soon(stop)?;
    event_loop.run_forever()?;
    check_events!["stop", "io"];
    Ok(())
}

fn run_forever_returns_at_stop() -> Outcome {
    let event_loop = new_loop!();
    event_loop.call_soon(|| event("callback"))?;
    event_loop.call_soon(stop)?;
    event_loop.run_forever()?;
    check_events!["callback"];
    check!(!event_loop.is_running(), "it still runs");
    Ok(())
}

fn a_closed_loop_refuses_every_call() -> Outcome {
    use molen::error::ScheduleError::Closed;
    let event_loop = new_loop!();
    event_loop.close()?;
    check!(event_loop.is_closed(), "not closed");
    check_eq!(event_loop.run_forever(), Err(RunError::Closed));
    check_eq!(event_loop.run_until_complete(async {}), Err(RunError::Closed));
    check_matches!(event_loop.turn(None), Err(RunError::Closed));
    check_matches!(event_loop.call_soon(stop), Err(Closed(_)));
    check_matches!(event_loop.call_later(ms(1), stop), Err(Closed(_)));
    check_matches!(event_loop.call_at(at(1), stop), Err(Closed(_)));
    let missed = molen::MissedTicks::Skip;
    check_matches!(event_loop.call_repeatedly(ms(1), missed, stop), Err(Closed(_)));
    check_matches!(event_loop.create_task(crate::fixture::say("never")), Err(Closed(_)));
    #[cfg(not(any(target_os = "none", target_os = "wasi")))]
    check_matches!(event_loop.remote().call_soon_threadsafe(stop), Err(Closed(_)));
    check_events![];
    Ok(())
}

fn a_running_loop_refuses_to_close() -> Outcome {
    let event_loop = new_loop!();
    let inner = event_loop.clone();
    event_loop.call_soon(move || {
        event(match inner.close() {
            Err(RunError::AlreadyRunning) => "refused",
            _ => "closed",
        });
    })?;
    event_loop.call_soon(|| event("goes on"))?;
    event_loop.call_soon(stop)?;
    event_loop.run_forever()?;
    check_events!["refused", "goes on"];
    check!(!event_loop.is_closed(), "it is closed");
    Ok(())
}

fn run_until_complete_does_not_nest() -> Outcome {
    let event_loop = new_loop!();
    let inner = event_loop.clone();
    let nested = event_loop.run_until_complete(async move {
        let nested = inner.run_until_complete(async { event("inner") });
        molen::yield_now().await;
        nested
    })?;
    check_eq!(nested, Err(RunError::AlreadyRunning));
    check_events![];
    Ok(())
}

fn no_other_loop_runs_inside_a_loop() -> Outcome {
    crate::fixture::two_loops()?;
    let (outer, inner) = (new_loop!(), new_loop!());
    let other = inner.clone();
    let started = outer.run_until_complete(async move {
        (other.run_forever(), other.run_until_complete(async { event("inner") }), other.turn(None))
    })?;
    check_matches!(
        started,
        (
            Err(RunError::AlreadyRunning),
            Err(RunError::AlreadyRunning),
            Err(RunError::AlreadyRunning)
        )
    );
    check_events![];
    inner.run_until_complete(async { event("alone") })?;
    check_events!["alone"];
    Ok(())
}

fn a_host_drives_single_turns() -> Outcome {
    let event_loop = new_loop!();
    let inner = event_loop.clone();
    event_loop.call_soon(move || event(if inner.is_running() { "running" } else { "idle" }))?;
    for polls in 1..=3 {
        event_loop.turn(Some(Duration::ZERO))?;
        check_eq!(test().backend.selects(), polls);
        check!(!event_loop.is_running(), "it runs between turns");
    }
    check_events!["running"];
    Ok(())
}
