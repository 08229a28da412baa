//! Coroutines that other threads have a loop run.

use super::fixture::{beside_a_loop, elsewhere, ok};
use crate::case::{Failure, Outcome};
use crate::fixture::{OnDrop, event, test};
use molen::error::ScheduleError;
use molen::schedule::Remote;
use molen::task::{TaskRefused, eager_task_factory};
use molen::{
    ConcurrentError, ConcurrentFuture, Duration, InvalidState, catch_cancel, current_task,
    run_coroutine_threadsafe, wrap_future, yield_now,
};
use std::boxed::Box;
use std::future::{Future, pending};
use std::panic::resume_unwind;
use std::rc::Rc;
use std::string::ToString;
use std::sync::{Arc, Mutex};
use std::thread;
use std::vec::Vec;

const NOW: Option<Duration> = Some(Duration::ZERO);

/// Submits from another thread, and comes back with the future.
fn submit<F: Future<Output: Send> + 'static>(
    remote: &Remote,
    make: impl FnOnce() -> F + Send + 'static,
) -> Result<ConcurrentFuture<F::Output>, Failure> {
    let remote = remote.clone();
    elsewhere(move || run_coroutine_threadsafe(make, &remote))
}

pub(super) fn a_thread_sees_a_cancelled_task() -> Outcome {
    let ended = beside_a_loop(|remote| {
        let coroutine = || async {
            if let Some(task) = current_task() {
                task.cancel();
            }
            yield_now().await;
            event("went on");
        };
        run_coroutine_threadsafe(coroutine, remote).result(None)
    })?;
    check_matches!(ended, Err(ConcurrentError::Cancelled));
    check_events![];
    Ok(())
}

pub(super) fn a_thread_is_told_that_no_task_was_made() -> Outcome {
    let event_loop = new_loop!();
    event_loop.set_task_factory(Some(Rc::new(|_, _| Err(TaskRefused))));
    let future = submit(&event_loop.remote(), || async { event("begun") })?;
    event_loop.turn(NOW)?;
    check_eq!(test().backend.report_count(), 1);
    check_eq!(
        test().backend.reported(0).as_deref(),
        Some(
            "making the task of run_coroutine_threadsafe failed: cannot schedule: \
             the loop's task factory refused the task"
        )
    );
    let ended = elsewhere(move || future.result(None))?;
    check_matches!(ended, Err(ConcurrentError::NotCreated(ScheduleError::Refused(()))));

    event_loop.set_task_factory(None);
    let future = submit(&event_loop.remote(), || -> std::future::Ready<()> {
        resume_unwind(Box::new("no coroutine"))
    })?;
    event_loop.turn(NOW)?;
    check_eq!(test().backend.report_count(), 2);
    check_eq!(
        test().backend.reported(1).as_deref(),
        Some("making the coroutine of run_coroutine_threadsafe panicked: no coroutine")
    );
    let ended = elsewhere(move || future.result(None))?;
    let Err(ConcurrentError::Panicked(payload)) = ended else {
        return Err(Failure::said("the thread was told something else"));
    };
    check_eq!(payload.downcast_ref::<&str>(), Some(&"no coroutine"));
    check_events![];
    Ok(())
}

pub(super) fn cancelling_a_wrapper_cancels_its_source() -> Outcome {
    let event_loop = new_loop!();
    let source = ConcurrentFuture::<u8>::new();
    let wrapper = wrap_future(&source);
    let task = event_loop.create_task(async move { drop(wrapper.await) })?;
    event_loop.turn(NOW)?;
    task.cancel();
    check!(!source.done(), "it was cancelled inside of cancel");
    event_loop.turn(NOW)?;
    check!(source.cancelled(), "the source was not cancelled");

    let source = ConcurrentFuture::new();
    let wrapper = wrap_future(&source);
    source.set_result(7)?;
    drop(wrapper);
    check!(source.done() && !source.cancelled(), "a source that was done was cancelled");
    check_eq!(ok(source.result(None))?, 7);
    Ok(())
}

pub(super) fn a_coroutine_cancelled_by_another_thread() -> Outcome {
    let event_loop = new_loop!();
    let future = submit(&event_loop.remote(), || async {
        let _guard = OnDrop("dropped");
        event("begun");
        pending::<()>().await;
    })?;
    event_loop.turn(NOW)?;
    event_loop.turn(NOW)?;
    check_events!["begun"];
    check_eq!(event_loop.all_tasks().len(), 1);
    let theirs = future.clone();
    check!(elsewhere(move || theirs.cancel())?, "it could not be cancelled");
    check!(future.cancelled() && !future.cancel(), "the future is not cancelled at once");
    check_events!["begun"];
    while event_loop.turn(NOW)?.more {}
    check_events!["begun", "dropped"];
    check_eq!(event_loop.all_tasks().len(), 0);
    check_eq!(test().backend.report_count(), 0);
    Ok(())
}

pub(super) fn a_coroutine_of_another_thread_runs_on_the_loop() -> Outcome {
    let here = thread::current().id();
    let (made, sent) = beside_a_loop(move |remote| {
        let made = || async {
            // Made here, so it need not be able to travel.
            let thread = Rc::new(thread::current().id());
            yield_now().await;
            *thread
        };
        let made = run_coroutine_threadsafe(made, remote).result(None);
        let sent = async { thread::current().id() };
        (made, run_coroutine_threadsafe(sent, remote).result(None))
    })?;
    check_eq!(ok(made)?, here);
    check_eq!(ok(sent)?, here);
    Ok(())
}

pub(super) fn a_coroutine_cancelled_before_it_begins_never_runs() -> Outcome {
    let event_loop = new_loop!();
    let captured = OnDrop("dropped");
    let remote = event_loop.remote();
    let future = run_coroutine_threadsafe(
        move || {
            event("made");
            async move { drop(captured) }
        },
        &remote,
    );
    check!(future.cancel(), "it could not be cancelled");
    check_events![];
    event_loop.turn(NOW)?;
    check_events!["dropped"];
    check_eq!(event_loop.all_tasks().len(), 0);

    // Cancelled between the making of its task and the first step.
    let future = submit(&remote, || async { event("begun") })?;
    event_loop.turn(NOW)?;
    check_eq!(event_loop.all_tasks().len(), 1);
    check!(future.cancel(), "it could not be cancelled");
    while event_loop.turn(NOW)?.more {}
    check_events!["dropped"];
    check_eq!(event_loop.all_tasks().len(), 0);
    Ok(())
}

pub(super) fn a_coroutine_catches_the_cancel_of_another_thread() -> Outcome {
    let event_loop = new_loop!();
    let future = submit(&event_loop.remote(), || async {
        event("begun");
        let cancelled = catch_cancel(pending::<()>()).await;
        event(if cancelled.is_err() { "caught" } else { "missed" });
        yield_now().await;
        event("cleaned up");
        7
    })?;
    event_loop.turn(NOW)?;
    event_loop.turn(NOW)?;
    let theirs = future.clone();
    check!(elsewhere(move || theirs.cancel())?, "it could not be cancelled");
    while event_loop.turn(NOW)?.more {}
    check_events!["begun", "caught", "cleaned up"];
    // The thread was told at once, and stays told.
    check_matches!(future.result(None), Err(ConcurrentError::Cancelled));
    Ok(())
}

pub(super) fn a_panic_in_a_coroutine_comes_with_its_payload() -> Outcome {
    let ended = beside_a_loop(|remote| {
        let coroutine = || async {
            yield_now().await;
            resume_unwind(Box::new("no disk"))
        };
        let ended: Result<(), _> = run_coroutine_threadsafe(coroutine, remote).result(None);
        ended
    })?;
    let Err(error) = ended else { return Err(Failure::said("it ended with a value")) };
    check_eq!(
        error.to_string().as_str(),
        "the coroutine on the other event loop panicked: no disk"
    );
    check_matches!(error, ConcurrentError::Panicked(_));
    Ok(())
}

pub(super) fn a_closed_loop_makes_no_task_for_others() -> Outcome {
    let event_loop = new_loop!();
    let remote = event_loop.remote();
    let captured = OnDrop("dropped by close");
    let posted = run_coroutine_threadsafe(
        move || {
            drop(captured);
            async {}
        },
        &remote,
    );
    check!(!posted.done(), "it was made here");
    event_loop.close()?;
    check_events!["dropped by close"];
    let refused = ConcurrentError::NotCreated(ScheduleError::Closed(())).to_string();
    check_eq!(
        refused.as_str(),
        "the coroutine was not made a task: cannot schedule: the event loop is closed"
    );
    let closed = |ended: Result<(), ConcurrentError>| {
        matches!(ended, Err(ConcurrentError::NotCreated(ScheduleError::Closed(()))))
    };
    check!(closed(posted.result(None)), "a post that was dropped ended otherwise");
    let captured = OnDrop("dropped at once");
    let late = run_coroutine_threadsafe(
        move || {
            drop(captured);
            async {}
        },
        &remote,
    );
    check_events!["dropped by close", "dropped at once"];
    check!(closed(late.result(None)), "a closed loop ended it otherwise");
    Ok(())
}

pub(super) fn closing_cancels_the_coroutines_of_others() -> Outcome {
    let event_loop = new_loop!();
    let future = submit(&event_loop.remote(), || async {
        let _guard = OnDrop("dropped");
        pending::<()>().await;
    })?;
    event_loop.turn(NOW)?;
    event_loop.turn(NOW)?;
    let told = Arc::new(Mutex::new(Vec::new()));
    let theirs = told.clone();
    future.add_done_callback(move |future| {
        if let Ok(mut told) = theirs.lock() {
            told.push(future.cancelled());
        }
    });
    event_loop.close()?;
    check_events!["dropped"];
    check_matches!(future.result(None), Err(ConcurrentError::Cancelled));
    check!(told.lock().is_ok_and(|told| *told == [true]), "its callback was not called");
    Ok(())
}

pub(super) fn a_result_that_takes_too_long_is_not_lost() -> Outcome {
    let (early, late) = beside_a_loop(|remote| {
        let gate = ConcurrentFuture::<()>::new();
        let inside = gate.clone();
        let coroutine = move || async move { inside.await.map(|()| 7) };
        let future = run_coroutine_threadsafe(coroutine, remote);
        let early = future.result(Some(Duration::from_millis(1))).map(drop);
        let opened = gate.set_result(());
        (early, opened.map(|()| future.result(Some(Duration::MAX))))
    })?;
    check_matches!(early, Err(ConcurrentError::TimedOut));
    check_eq!(ok(ok(late?)?)?, 7);
    Ok(())
}

pub(super) fn waiting_on_the_loops_own_thread_is_refused() -> Outcome {
    let event_loop = new_loop!();
    let future = run_coroutine_threadsafe(|| async { 7 }, &event_loop.remote());
    check_matches!(future.result(None), Err(ConcurrentError::WouldBlockItsLoop));
    let value = event_loop.run_until_complete(wrap_future(&future))?;
    check_eq!(ok(value)?, 7);
    Ok(())
}

pub(super) fn a_concurrent_future_is_done_once() -> Outcome {
    let future = ConcurrentFuture::new();
    check_matches!(future.result(Some(Duration::ZERO)), Err(ConcurrentError::TimedOut));
    future.set_result(7)?;
    check_eq!(future.set_result(8), Err(InvalidState::Done));
    check_eq!(future.set_exception(ConcurrentError::TimedOut), Err(InvalidState::Done));
    check!(!future.cancel(), "it was cancelled when it was done");
    let copy = future.clone();
    check_eq!(ok(elsewhere(move || copy.result(None))?)?, 7);
    check_matches!(future.result(None), Err(ConcurrentError::Taken));

    let cancelled = ConcurrentFuture::<u8>::new();
    cancelled.set_exception(ConcurrentError::Cancelled)?;
    check!(cancelled.cancelled(), "it is not cancelled");
    for _ in 0..2 {
        check_matches!(cancelled.result(None), Err(ConcurrentError::Cancelled));
    }
    Ok(())
}

pub(super) fn an_eager_coroutine_of_another_thread() -> Outcome {
    let event_loop = new_loop!();
    event_loop.set_task_factory(Some(Rc::new(eager_task_factory)));
    let at_once = submit(&event_loop.remote(), || async { 7 })?;
    let waiting = submit(&event_loop.remote(), || async {
        let _guard = OnDrop("dropped");
        event("begun");
        pending::<()>().await;
    })?;
    event_loop.turn(NOW)?;
    check_events!["begun"];
    check_eq!(ok(at_once.result(None))?, 7);
    check_eq!(event_loop.all_tasks().len(), 1);
    check!(elsewhere(move || waiting.cancel())?, "it could not be cancelled");
    while event_loop.turn(NOW)?.more {}
    check_events!["begun", "dropped"];
    check_eq!(event_loop.all_tasks().len(), 0);
    Ok(())
}

pub(super) fn done_callbacks_are_called_in_order_whatever_they_do() -> Outcome {
    let future = ConcurrentFuture::new();
    future.add_done_callback(|_| event("first"));
    future.add_done_callback(|_| resume_unwind(Box::new("second")));
    future.add_done_callback(|future| {
        // Not under a lock: it may be asked, and cancelled in vain.
        event(if future.done() && !future.cancel() { "third" } else { "not done" });
    });
    check_events![];
    future.set_result(7)?;
    check_events!["first", "third"];
    future.add_done_callback(|_| event("late"));
    check_events!["first", "third", "late"];
    Ok(())
}
