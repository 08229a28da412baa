//! Callbacks that other threads post, and wakes that come from them.

use crate::case::{Failure, Outcome};
use crate::fixture::{OnDrop, at, event, test};
use molen::error::ScheduleError;
use molen::io::Wait;
use molen::testing::Step;
use molen::{Duration, EventLoop};
use std::sync::{Arc, Mutex};
use std::thread;

const NOW: Option<Duration> = Some(Duration::ZERO);

/// Posts from another thread, and waits until it has posted.
fn post(event_loop: &EventLoop, callback: impl FnOnce() + Send + 'static) -> bool {
    let remote = event_loop.remote();
    thread::spawn(move || remote.call_soon_threadsafe(callback).is_ok())
        .join()
        .is_ok_and(|posted| posted)
}

pub(super) fn a_post_wakes_a_sleeping_loop() -> Outcome {
    let event_loop = new_loop!();
    test().backend.script(
        const {
            &[
                Step::expect(Wait::Until(at(60_000))).then_call(|event_loop| {
                    if !post(event_loop, || event("posted")) {
                        event("refused");
                    }
                }),
                Step::expect(Wait::Until(at(60_000))),
            ]
        },
    );
    event_loop.call_at(at(60_000), || event("timer"))?;
    event_loop.turn(None)?;
    check_events!["posted"];
    event_loop.turn(None)?;
    test().backend.check_script()?;
    check_events!["posted", "timer"];
    Ok(())
}

pub(super) fn a_post_of_the_loops_own_thread_keeps_its_place() -> Outcome {
    let event_loop = new_loop!();
    event_loop.remote().call_soon_threadsafe(|| event("posted"))?;
    event_loop.turn(NOW)?;
    event_loop.call_soon(|| event("soon"))?;
    event_loop.turn(NOW)?;
    check_events!["posted", "soon"];
    Ok(())
}

pub(super) fn a_post_cancelled_by_another_thread_never_runs() -> Outcome {
    let event_loop = new_loop!();
    let handle = event_loop.remote().call_soon_threadsafe(|| event("posted"))?;
    let cancelled = thread::spawn(move || handle.cancel() && handle.cancelled()).join();
    check!(cancelled.is_ok_and(|it| it), "it could not be cancelled");
    event_loop.turn(NOW)?;
    check_events![];
    Ok(())
}

pub(super) fn a_post_that_cancels_itself_runs_to_its_end() -> Outcome {
    use molen::schedule::PostedHandle;
    let event_loop = new_loop!();
    let slot = Arc::new(Mutex::new(None::<PostedHandle>));
    let own = slot.clone();
    let handle = event_loop.remote().call_soon_threadsafe(move || {
        let cancelled = own.lock().is_ok_and(|own| own.as_ref().is_some_and(|it| it.cancel()));
        event(if cancelled { "cancelled" } else { "too late" });
        event("end");
    })?;
    if let Ok(mut slot) = slot.lock() {
        *slot = Some(handle);
    }
    event_loop.turn(NOW)?;
    check_events!["too late", "end"];
    Ok(())
}

pub(super) fn posts_of_one_thread_run_in_order() -> Outcome {
    let event_loop = new_loop!();
    let remote = event_loop.remote();
    let posted = thread::spawn(move || {
        ["0", "1", "2", "3"]
            .into_iter()
            .all(|name| remote.call_soon_threadsafe(move || event(name)).is_ok())
    });
    check!(posted.join().is_ok_and(|it| it), "a post was refused");
    event_loop.turn(NOW)?;
    check_events!["0", "1", "2", "3"];
    Ok(())
}

pub(super) fn a_closed_loop_gives_a_post_back() -> Outcome {
    let event_loop = new_loop!();
    let remote = event_loop.remote();
    let dropped = OnDrop("dropped by close");
    remote.call_soon_threadsafe(move || drop(dropped))?;
    event_loop.close()?;
    check_events!["dropped by close"];
    let kept = OnDrop("given back");
    let Err(ScheduleError::Closed(callback)) = remote.call_soon_threadsafe(move || drop(kept))
    else {
        return Err(Failure::said("a closed loop took a post"));
    };
    check_events!["dropped by close"];
    callback();
    check_events!["dropped by close", "given back"];
    Ok(())
}

pub(super) fn a_remote_outlives_its_loop() -> Outcome {
    let remote = {
        let event_loop = new_loop!();
        event_loop.remote().clone()
    };
    let refused = thread::spawn(move || remote.call_soon_threadsafe(|| ()).is_err()).join();
    check!(refused.is_ok_and(|it| it), "a loop that is gone took a post");
    Ok(())
}

pub(super) fn a_wake_from_another_thread_makes_its_task_ready() -> Outcome {
    use core::task::Poll;
    let event_loop = new_loop!();
    let mut polls = 0;
    test()
        .backend
        .script(const { &[Step::expect(Wait::No), Step::any().then_advance(Duration::ZERO)] });
    event_loop.run_until_complete(core::future::poll_fn(|cx| {
        polls += 1;
        if polls == 2 {
            return Poll::Ready(());
        }
        let waker = cx.waker().clone();
        let woken = thread::spawn(move || waker.wake()).join();
        event(if woken.is_ok() { "woken" } else { "lost" });
        Poll::Pending
    }))?;
    check_eq!(polls, 2);
    check_events!["woken"];
    Ok(())
}
