//! Promises, asyncio's futures: behaviours 70 to 81.

use crate::case::{Case, Outcome};
use crate::fixture::{OnDrop, Slot, cancel, event, hold, ms, say_when_done, stop, test};
use core::cell::Cell;
use molen::error::{InvalidState, ScheduleError};
use molen::task::PromiseError;
use molen::testing::static_ref;
use molen::{Handle, Promise, Task, create_task, yield_now};

pub(crate) const CASES: &[Case] = &[
    case!(70, a_promise_is_completed_once),
    case!(71, done_callbacks_run_in_order_in_the_next_turn),
    case!(73, removed_done_callbacks_do_not_run),
    case!(74, a_scheduled_done_callback_cannot_be_removed),
    case!(75, a_done_callback_that_removes_others_skips_none),
    case!(76, a_second_await_returns_at_once),
    case!(77, awaiting_what_is_done_does_not_yield),
    case!(78, a_late_result_leaves_a_cancelled_promise_cancelled),
    case!(80, cancelling_in_a_done_callback_does_nothing),
    case!(81, any_value_arrives_unchanged),
    case!(1030, waiters_wake_in_the_order_of_waiting),
    case!(1031, waiters_come_before_done_callbacks),
    case!(1032, a_waiter_that_was_cancelled_leaves_the_others),
    case!(1033, a_done_callback_added_late_is_called_in_the_next_turn),
    case!(1034, dropping_a_promise_drops_its_callbacks),
    case!(1035, a_cancelled_promise_says_so_to_its_waiters),
    case!(1036, a_failed_promise_fails_its_waiters),
    case!(1037, without_a_loop_no_done_callback_is_taken),
    case!(1038, a_done_callback_that_fails_is_reported),
    case!(1039, completing_may_complete_another),
];

fn a_promise_is_completed_once() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let pending = Promise::<u8, &str>::new();
        check_eq!(pending.result(), Err(InvalidState::Pending));
        check!(!pending.done() && !pending.cancelled(), "a new promise is done");

        let (done, failed, cancelled) = (pending, Promise::new(), Promise::new());
        done.set_result(1)?;
        failed.set_exception("boom")?;
        check!(cancelled.cancel(), "a pending promise could not be cancelled");
        for promise in [&done, &failed, &cancelled] {
            check!(promise.done(), "it is not done");
            check_eq!(promise.set_result(2), Err(InvalidState::Done));
            check_eq!(promise.set_exception("again"), Err(InvalidState::Done));
            check!(!promise.cancel(), "it could be cancelled again");
        }
        check_eq!(done.result(), Ok(Ok(1)));
        check_eq!(failed.result(), Ok(Err(PromiseError::Failed("boom"))));
        check_eq!(cancelled.result(), Ok(Err(PromiseError::Cancelled)));
        check!(cancelled.cancelled() && !done.cancelled(), "cancelled() is wrong");
        Ok(())
    })?
}

fn done_callbacks_run_in_order_in_the_next_turn() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    event_loop.run_until_complete(async {
        promise.add_done_callback(|| event("first"))?;
        promise.add_done_callback(|| event("second"))?;
        promise.set_result(1)?;
        event("set");
        yield_now().await;
        Outcome::Ok(())
    })??;
    check_events!["set", "first", "second"];
    Ok(())
}

fn removed_done_callbacks_do_not_run() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    event_loop.run_until_complete(async {
        let mut handles = [const { None::<Handle> }; 6];
        for handle in &mut handles {
            *handle = Some(promise.add_done_callback(|| event("called"))?);
        }
        let remove = |handle: &Handle| promise.remove_done_callback(handle);
        check_eq!(handles.iter().flatten().filter(|handle| remove(handle)).count(), 6);
        check_eq!(handles.iter().flatten().filter(|handle| remove(handle)).count(), 0);
        promise.set_result(1)?;
        yield_now().await;
        Ok(())
    })??;
    check_events![];
    Ok(())
}

fn a_scheduled_done_callback_cannot_be_removed() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    event_loop.run_until_complete(async {
        let handle = promise.add_done_callback(|| event("called"))?;
        promise.set_result(1)?;
        check!(!promise.remove_done_callback(&handle), "it was removed");
        yield_now().await;
        Ok(())
    })??;
    check_events!["called"];
    Ok(())
}

fn a_done_callback_that_removes_others_skips_none() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let second = static_ref!(Slot<Handle> = Cell::new(None));
    event_loop.run_until_complete(async {
        promise.add_done_callback(|| {
            event("first");
            if let Some(handle) = second.take()
                && promise.remove_done_callback(&handle)
            {
                event("removed");
            }
        })?;
        second.set(Some(promise.add_done_callback(|| event("second"))?));
        promise.add_done_callback(|| event("third"))?;
        promise.set_result(1)?;
        yield_now().await;
        Outcome::Ok(())
    })??;
    check_events!["first", "second", "third"];
    Ok(())
}

fn a_second_await_returns_at_once() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    event_loop.call_soon(|| promise.set_result(7))?;
    event_loop.run_until_complete(async {
        check_eq!(promise.await, Ok(7));
        drop(create_task(crate::fixture::say("other"))?);
        check_eq!(promise.await, Ok(7));
        event("second await");
        yield_now().await;
        Ok(())
    })??;
    check_events!["second await", "other"];
    Ok(())
}

fn awaiting_what_is_done_does_not_yield() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    promise.set_result(7)?;
    event_loop.run_until_complete(async {
        drop(create_task(crate::fixture::say("other"))?);
        check_eq!(promise.wait().await, Ok(7));
        event("awaited");
        yield_now().await;
        Ok(())
    })??;
    check_events!["awaited", "other"];
    Ok(())
}

fn a_late_result_leaves_a_cancelled_promise_cancelled() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    event_loop.call_later(ms(1), || {
        event(if promise.set_result(7).is_err() { "too late" } else { "set" });
        stop();
    })?;
    promise.cancel();
    event_loop.run_forever()?;
    check_events!["too late"];
    check!(promise.cancelled(), "no longer cancelled");
    check_eq!(promise.result(), Ok(Err(PromiseError::Cancelled)));
    Ok(())
}

fn cancelling_in_a_done_callback_does_nothing() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    event_loop.run_until_complete(async {
        promise.add_done_callback(|| {
            event(if promise.cancel() { "cancelled again" } else { "was cancelled" });
        })?;
        promise.cancel();
        yield_now().await;
        yield_now().await;
        Outcome::Ok(())
    })??;
    check_events!["was cancelled"];
    Ok(())
}

fn any_value_arrives_unchanged() -> Outcome {
    let event_loop = new_loop!();
    let promise = Promise::<(u8, (), Option<&str>)>::new();
    let got = event_loop.run_until_complete(async {
        promise.set_result((1, (), Some("x")))?;
        Ok::<_, InvalidState>(promise.wait().await)
    })??;
    check_eq!(got, Ok((1, (), Some("x"))));
    Ok(())
}

fn waiters_wake_in_the_order_of_waiting() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    for name in ["first", "second", "third"] {
        drop(event_loop.create_task(say_when_done(promise, name))?);
    }
    event_loop.turn(None)?;
    promise.set_result(1)?;
    check_events![];
    event_loop.turn(None)?;
    check_events!["first", "second", "third"];
    Ok(())
}

fn waiters_come_before_done_callbacks() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    event_loop.run_until_complete(async {
        promise.add_done_callback(|| event("callback"))?;
        drop(create_task(say_when_done(promise, "waiter"))?);
        yield_now().await;
        promise.set_result(1)?;
        yield_now().await;
        Outcome::Ok(())
    })??;
    check_events!["waiter", "callback"];
    Ok(())
}

fn a_waiter_that_was_cancelled_leaves_the_others() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    drop(event_loop.create_task(say_when_done(promise, "first"))?);
    let second = event_loop.create_task(say_when_done(promise, "second"))?;
    drop(event_loop.create_task(say_when_done(promise, "third"))?);
    event_loop.turn(None)?;
    second.cancel();
    event_loop.turn(None)?;
    check!(second.cancelled() && !promise.done(), "the promise was cancelled as well");
    promise.set_result(1)?;
    event_loop.turn(None)?;
    check_events!["first", "third"];
    Ok(())
}

fn a_done_callback_added_late_is_called_in_the_next_turn() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    promise.set_result(1)?;
    event_loop.run_until_complete(async {
        promise.add_done_callback(|| event("callback"))?;
        event("added");
        yield_now().await;
        Outcome::Ok(())
    })??;
    check_events!["added", "callback"];
    Ok(())
}

fn dropping_a_promise_drops_its_callbacks() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let promise = Promise::<u8>::new();
        let captured = OnDrop("released");
        let handle = promise.add_done_callback(move || {
            let _captured = &captured;
            event("called");
        })?;
        drop(promise);
        check_events!["released"];
        handle.cancel();
        yield_now().await;
        Outcome::Ok(())
    })??;
    check_events!["released"];
    Ok(())
}

fn a_cancelled_promise_says_so_to_its_waiters() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    event_loop.call_soon(|| {
        promise.cancel();
    })?;
    let got = event_loop.run_until_complete(promise.wait())?;
    check_eq!(got, Err(PromiseError::Cancelled));
    Ok(())
}

fn a_failed_promise_fails_its_waiters() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8, &'static str> = Promise::new());
    event_loop.call_soon(|| promise.set_exception("boom"))?;
    let got = event_loop.run_until_complete(promise.wait())?;
    check_eq!(got, Err(PromiseError::Failed("boom")));
    Ok(())
}

fn without_a_loop_no_done_callback_is_taken() -> Outcome {
    let promise = Promise::<u8>::new();
    check_matches!(promise.add_done_callback(stop), Err(ScheduleError::NoRunningLoop(_)));
    Ok(())
}

fn a_done_callback_that_fails_is_reported() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    event_loop.run_until_complete(async {
        promise.add_done_callback(|| Err::<(), _>("boom"))?;
        promise.add_done_callback(|| event("second"))?;
        promise.set_result(1)?;
        yield_now().await;
        Outcome::Ok(())
    })??;
    check_events!["second"];
    check_eq!(test().backend.report_count(), 1);
    Ok(())
}

fn completing_may_complete_another() -> Outcome {
    let event_loop = new_loop!();
    let first = static_ref!(Promise<u8> = Promise::new());
    let second = static_ref!(Promise<u8> = Promise::new());
    let task = static_ref!(Slot<Task<u8>> = Cell::new(None));
    task.set(Some(event_loop.create_task(hold(second, "begun", "ended"))?));
    event_loop.run_until_complete(async {
        first.add_done_callback(|| second.set_result(2))?;
        second.add_done_callback(|| event("second"))?;
        yield_now().await;
        first.set_result(1)?;
        for _ in 0..3 {
            yield_now().await;
        }
        Outcome::Ok(())
    })??;
    check!(!cancel(task), "the task is not done");
    task.set(None);
    check_events!["begun", "ended", "second"];
    Ok(())
}
