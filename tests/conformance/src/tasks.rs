//! Tasks and their cancellation: behaviours 82 to 114.

use crate::case::{Case, Outcome};
use crate::fixture::{OnDrop, Slot, cancel, event, hold, say, test, with};
use core::cell::Cell;
use molen::error::ScheduleError;
use molen::task::PromiseError;
use molen::testing::static_ref;
use molen::{Promise, Task, TaskError, yield_now};

pub(crate) const CASES: &[Case] = &[
    not_applicable!(
        82,
        cancelling_a_task_cancels_what_it_awaits,
        "a promise may have several waiters, and each only withdraws its own wait; see 1050"
    ),
    case!(83, a_cancelled_task_says_so_and_cannot_be_cancelled_again),
    case!(84, a_task_cancelled_before_its_first_step_never_runs),
    case!(86, promise_and_task_cancelled_in_one_turn_is_one_cancellation),
    case!(90, a_task_that_cancels_itself_and_returns_is_cancelled),
    case!(93, a_cancel_reaches_a_task_that_yields),
    case!(94, two_cancels_before_delivery_are_one_cancellation),
    case!(95, cancelling_a_pending_task_twice_is_accepted_twice),
    case!(97, a_cancel_taken_back_before_delivery_never_was),
    case!(99, cancellation_surfaces_innermost_first),
    not_applicable!(
        100,
        a_process_exit_during_cancel,
        "there is no exception that passes through the loop; panics are cases 1170 to 1184"
    ),
    not_applicable!(103, setting_a_tasks_result, "a Task has no such method"),
    case!(104, current_task_with_interleaving_tasks),
    case!(108, a_closed_loop_gives_the_task_back),
    case!(1040, tasks_begin_in_order_of_creation),
    case!(1041, tasks_run_in_order_of_waking),
    case!(1042, several_wakes_before_a_step_are_one),
    case!(1043, a_wake_during_a_step_asks_for_another),
    case!(1044, a_waker_that_outlives_its_task_does_no_harm),
    case!(1045, awaiting_a_task_gives_its_value),
    case!(1046, a_result_is_taken_once),
    case!(1047, a_task_of_another_loop_is_refused),
    case!(1048, a_task_is_created_on_the_running_loop_only),
    case!(1049, two_tasks_hand_a_turn_to_and_fro),
];

/// A task's slot that callbacks can reach.
type TaskSlot<T> = Slot<Task<T>>;

fn a_cancelled_task_says_so_and_cannot_be_cancelled_again() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let mut task = event_loop.create_task(hold(promise, "begun", "dropped"))?;
    event_loop.turn(None)?;
    check!(task.cancel() && !task.done() && !task.cancelled(), "it ended too early");
    check_events!["begun"];
    event_loop.turn(None)?;
    check!(task.done() && task.cancelled(), "it is not cancelled");
    check!(!task.cancel(), "it could be cancelled again");
    check_matches!(task.take_result(), Some(Err(TaskError::Cancelled(_))));
    check_events!["begun", "dropped"];
    Ok(())
}

fn a_task_cancelled_before_its_first_step_never_runs() -> Outcome {
    let event_loop = new_loop!();
    let task = event_loop.create_task(say("body"))?;
    check!(task.cancel(), "it could not be cancelled");
    event_loop.turn(None)?;
    check!(task.cancelled(), "it is not cancelled");
    check_events![];
    Ok(())
}

fn promise_and_task_cancelled_in_one_turn_is_one_cancellation() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let task = event_loop.create_task(hold(promise, "begun", "dropped"))?;
    event_loop.turn(None)?;
    check!(promise.cancel() && task.cancel(), "one could not be cancelled");
    let turn = event_loop.turn(None)?;
    check_eq!((turn.ran, turn.more), (1, false));
    check!(task.cancelled() && promise.cancelled(), "one is not cancelled");
    check_eq!(task.cancelling(), 1);
    check_events!["begun", "dropped"];
    Ok(())
}

fn a_task_that_cancels_itself_and_returns_is_cancelled() -> Outcome {
    #[molen::task]
    async fn cancel_itself(slot: &'static TaskSlot<u8>) -> u8 {
        event(if cancel(slot) { "accepted" } else { "refused" });
        7
    }
    let event_loop = new_loop!();
    let slot = static_ref!(TaskSlot<u8> = Cell::new(None));
    slot.set(Some(event_loop.create_task(cancel_itself(slot))?));
    event_loop.turn(None)?;
    event_loop.turn(Some(molen::Duration::ZERO))?;
    check_events!["accepted"];
    let Some(mut task) = slot.take() else {
        return Err(crate::case::Failure::said("the task's handle is gone"));
    };
    check!(task.cancelled(), "it is not cancelled");
    check_matches!(task.take_result(), Some(Err(TaskError::Cancelled(_))));
    Ok(())
}

#[molen::task]
async fn yield_for_ever() {
    let _guard = OnDrop("dropped");
    loop {
        event("step");
        yield_now().await;
    }
}

fn a_cancel_reaches_a_task_that_yields() -> Outcome {
    let event_loop = new_loop!();
    let task = event_loop.create_task(yield_for_ever())?;
    event_loop.turn(None)?;
    event_loop.turn(None)?;
    task.cancel();
    check_events!["step", "step"];
    event_loop.turn(None)?;
    check!(task.cancelled(), "it is not cancelled");
    check_events!["step", "step", "dropped"];
    check!(!event_loop.has_ready(), "it is still queued");
    Ok(())
}

fn two_cancels_before_delivery_are_one_cancellation() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let task = event_loop.create_task(hold(promise, "begun", "dropped"))?;
    event_loop.turn(None)?;
    task.cancel();
    task.cancel();
    check_eq!(task.cancelling(), 2);
    event_loop.turn(None)?;
    check!(task.cancelled(), "it is not cancelled");
    check_events!["begun", "dropped"];
    Ok(())
}

fn cancelling_a_pending_task_twice_is_accepted_twice() -> Outcome {
    let event_loop = new_loop!();
    let task = event_loop.create_task(say("body"))?;
    check_eq!(task.cancelling(), 0);
    check!(task.cancel(), "the first cancel was refused");
    check!(task.cancel(), "the second cancel was refused");
    event_loop.turn(None)?;
    check!(!task.cancel(), "a cancel of a done task was accepted");
    Ok(())
}

fn a_cancel_taken_back_before_delivery_never_was() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let mut task = event_loop.create_task(hold(promise, "begun", "ended"))?;
    event_loop.turn(None)?;
    task.cancel();
    check_eq!(task.uncancel(), 0);
    event_loop.turn(None)?;
    check!(!task.done(), "it ended");
    promise.set_result(7)?;
    event_loop.turn(None)?;
    check_matches!(task.take_result(), Some(Ok(7)));
    check!(!task.cancelled(), "it is cancelled");
    check_events!["begun", "ended"];
    Ok(())
}

fn cancellation_surfaces_innermost_first() -> Outcome {
    async fn inner(promise: &Promise<u8>) -> Result<u8, PromiseError<core::convert::Infallible>> {
        let _guard = OnDrop("inner");
        promise.wait().await
    }
    #[molen::task]
    async fn outer(promise: &'static Promise<u8>) {
        let _guard = OnDrop("outer");
        let _got = inner(promise).await;
        event("went on");
    }
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let task = event_loop.create_task(outer(promise))?;
    event_loop.turn(None)?;
    task.cancel();
    event_loop.turn(None)?;
    check_events!["inner", "outer"];
    Ok(())
}

fn a_closed_loop_gives_the_task_back() -> Outcome {
    let event_loop = new_loop!();
    event_loop.close()?;
    let Err(ScheduleError::Closed(call)) = event_loop.create_task(say("body")) else {
        return Err(crate::case::Failure::said("a closed loop took a task"));
    };
    check_eq!(call.into_arguments(), ("body",));
    check_events![];
    Ok(())
}

fn tasks_begin_in_order_of_creation() -> Outcome {
    let event_loop = new_loop!();
    event_loop.call_soon(|| event("callback"))?;
    drop(event_loop.create_task(say("first"))?);
    drop(event_loop.create_task(say("second"))?);
    event_loop.call_soon(|| event("callback"))?;
    check_events![];
    event_loop.turn(None)?;
    check_events!["callback", "first", "second", "callback"];
    Ok(())
}

fn tasks_run_in_order_of_waking() -> Outcome {
    use molen::io::Ready;
    let event_loop = new_loop!();
    for (number, name) in ["0", "1", "2"].into_iter().enumerate() {
        drop(event_loop.create_task(crate::fixture::say_when_readable(number, name))?);
    }
    event_loop.turn(None)?;
    let sources = test().backend.sources();
    sources[2].set_ready(Ready::READABLE);
    sources[0].set_ready(Ready::READABLE);
    sources[1].set_ready(Ready::READABLE);
    event_loop.turn(None)?;
    check_events!["2", "0", "1"];
    Ok(())
}

/// Leaves its waker in the slot, says that it had a step, and goes on waiting.
#[molen::task]
async fn leave_waker(slot: &'static Slot<core::task::Waker>) {
    core::future::poll_fn::<(), _>(|cx| {
        event("step");
        slot.set(Some(cx.waker().clone()));
        core::task::Poll::Pending
    })
    .await;
}

fn several_wakes_before_a_step_are_one() -> Outcome {
    let event_loop = new_loop!();
    let waker = static_ref!(Slot<core::task::Waker> = Cell::new(None));
    drop(event_loop.create_task(leave_waker(waker))?);
    event_loop.turn(None)?;
    let wake = |waker: &mut core::task::Waker| {
        waker.wake_by_ref();
        waker.wake_by_ref();
        let copy = waker.clone();
        copy.wake();
        true
    };
    check!(with(waker, wake), "the task left no waker");
    let turn = event_loop.turn(None)?;
    check_eq!((turn.ran, turn.more), (1, false));
    check_events!["step", "step"];
    waker.set(None);
    Ok(())
}

fn a_wake_during_a_step_asks_for_another() -> Outcome {
    #[molen::task]
    async fn wake_itself() {
        let mut steps = 0;
        core::future::poll_fn(|cx| {
            event("step");
            steps += 1;
            if steps == 3 {
                return core::task::Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            cx.waker().wake_by_ref();
            core::task::Poll::Pending
        })
        .await;
    }
    let event_loop = new_loop!();
    let task = event_loop.create_task(wake_itself())?;
    event_loop.call_soon(|| event("other"))?;
    let turn = event_loop.turn(None)?;
    check_eq!((turn.ran, turn.more), (2, true));
    event_loop.turn(None)?;
    let turn = event_loop.turn(None)?;
    check_eq!((turn.ran, turn.more), (1, false));
    check!(task.done(), "it is not done");
    check_events!["step", "other", "step", "step"];
    Ok(())
}

fn a_waker_that_outlives_its_task_does_no_harm() -> Outcome {
    let event_loop = new_loop!();
    let slot = static_ref!(Slot<core::task::Waker> = Cell::new(None));
    let task = event_loop.create_task(leave_waker(slot))?;
    event_loop.turn(None)?;
    task.abort();
    drop(task);
    check!(
        with(slot, |waker| {
            waker.wake_by_ref();
            true
        }),
        "the task left no waker"
    );
    let turn = event_loop.turn(Some(molen::Duration::ZERO))?;
    check_eq!(turn.more, false);
    check_events!["step"];
    event_loop.close()?;
    if let Some(waker) = slot.take() {
        waker.wake();
    }
    check_events!["step"];
    Ok(())
}

#[molen::task(pool_size = 2)]
async fn give(value: u8) -> u8 {
    yield_now().await;
    value
}

fn awaiting_a_task_gives_its_value() -> Outcome {
    let event_loop = new_loop!();
    let got = event_loop.run_until_complete(async {
        let (first, second) = (molen::create_task(give(1))?, molen::create_task(give(2))?);
        let second = second.await?;
        Ok::<_, crate::Failure>((first.await?, second))
    })??;
    check_eq!(got, (1, 2));
    Ok(())
}

fn a_result_is_taken_once() -> Outcome {
    let event_loop = new_loop!();
    let mut task = event_loop.create_task(give(7))?;
    check!(task.take_result().is_none(), "a task that has not run has a result");
    event_loop.turn(None)?;
    event_loop.turn(None)?;
    check_matches!(task.take_result(), Some(Ok(7)));
    check_matches!(task.take_result(), Some(Err(TaskError::Taken)));
    check!(task.done() && !task.cancelled(), "its state has changed");
    Ok(())
}

fn a_task_of_another_loop_is_refused() -> Outcome {
    crate::fixture::two_loops()?;
    let (here, there) = (new_loop!(), new_loop!());
    let mut task = there.create_task(give(7))?;
    let result = here.run_until_complete(&mut task)?;
    check_matches!(result, Err(TaskError::ForeignLoop));
    check_matches!(there.run_until_complete(&mut task)?, Ok(7));
    Ok(())
}

fn a_task_is_created_on_the_running_loop_only() -> Outcome {
    let event_loop = new_loop!();
    check_matches!(molen::create_task(say("body")), Err(ScheduleError::NoRunningLoop(_)));
    check_matches!(molen::get_running_loop(), Err(molen::NoRunningLoop));
    let same = event_loop
        .run_until_complete(async { molen::get_running_loop().map(|it| it == *event_loop) })??;
    check!(same, "get_running_loop is another loop");
    check_matches!(molen::get_running_loop(), Err(molen::NoRunningLoop));
    check_events![];
    Ok(())
}

fn two_tasks_hand_a_turn_to_and_fro() -> Outcome {
    #[molen::task(pool_size = 2)]
    async fn play(name: &'static str) {
        for _ in 0..3 {
            event(name);
            yield_now().await;
        }
    }
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let (ping, pong) = (molen::create_task(play("ping"))?, molen::create_task(play("pong"))?);
        ping.await?;
        pong.await?;
        Outcome::Ok(())
    })??;
    check_events!["ping", "pong", "ping", "pong", "ping", "pong"];
    Ok(())
}

fn current_task_with_interleaving_tasks() -> Outcome {
    #[molen::task(pool_size = 2)]
    async fn look(slot: &'static Slot<molen::TaskRef>, name: &'static str) {
        for _ in 0..3 {
            let mut expected = None;
            with(slot, |task| {
                expected = Some(task.clone());
                true
            });
            event(if molen::current_task() == expected { name } else { "another" });
            yield_now().await;
        }
    }
    let event_loop = new_loop!();
    let (first, second) = (
        static_ref!(Slot<molen::TaskRef> = Cell::new(None)),
        static_ref!(Slot<molen::TaskRef> = Cell::new(None)),
    );
    check!(molen::current_task().is_none(), "there is a task outside of the loop");
    first.set(Some(event_loop.create_task(look(first, "first"))?.task_ref()));
    second.set(Some(event_loop.create_task(look(second, "second"))?.task_ref()));
    event_loop.call_soon(|| {
        event(if molen::current_task().is_none() { "none" } else { "a task in a callback" });
    })?;
    event_loop.turn(None)?;
    event_loop.turn(None)?;
    event_loop.turn(None)?;
    check!(molen::current_task().is_none(), "there is a task after the turn");
    check_events!["first", "second", "none", "first", "second", "first", "second"];
    Ok(())
}
