//! Waiting, but not for ever: behaviours 128 to 137 and 182 to 192.

use crate::case::{Case, Failure, Outcome};
use crate::fixture::{OnDrop, at, event, ms, stop, test};
use core::future::{pending, ready};
use molen::testing::static_ref;
use molen::timeouts::{Deadline, RescheduleError};
use molen::{
    Duration, TimeoutError, catch_cancel, current_task, sleep, timeout, timeout_at, yield_now,
};
use waiting_for::*;

mod waiting_for;

pub(crate) const CASES: &[Case] = &[
    case!(128, a_task_that_takes_too_long_is_cancelled_and_has_ended),
    case!(129, wait_for_waits_for_the_clean_up),
    case!(131, a_task_that_refuses_gives_its_value),
    case!(132, an_error_of_the_clean_up_counts_more_than_the_time),
    case!(133, without_time_a_future_is_never_begun),
    case!(134, without_time_a_task_that_is_done_gives_its_result),
    case!(135, cancelling_who_waits_cancels_the_task),
    case!(136, a_cancel_with_the_result_is_not_swallowed),
    case!(137, a_result_that_is_ready_beats_the_time),
    case!(182, of_nested_timeouts_with_one_deadline_the_outer_converts),
    case!(183, an_inner_timeout_is_caught_before_the_outer_interrupts),
    case!(186, a_timeout_after_a_refused_cancel_still_converts),
    case!(187, a_cancel_in_a_timeout_after_a_refused_one_is_not_converted),
    case!(188, a_deadline_that_is_past_ends_what_yields),
    case!(190, a_timeout_can_be_rescheduled),
    case!(192, a_timeout_without_a_task_is_refused),
    case!(1450, a_future_that_is_ready_in_time_gives_its_value),
    case!(1451, a_timeout_drops_what_does_not_catch),
    case!(1452, a_timeout_lets_what_catches_clean_up),
    case!(1453, a_body_that_refuses_gives_its_value),
    case!(1454, a_cancel_in_time_is_not_converted),
    case!(1455, a_timeout_without_an_end_waits),
    case!(1456, a_finished_timeout_leaves_no_timer),
    case!(1457, a_future_that_never_waits_is_never_timed_out),
    case!(1458, a_dropped_timeout_takes_its_cancel_back),
    case!(1459, a_timeout_in_a_clean_up_works),
    case!(1460, a_deadline_is_entered_once),
    case!(1461, an_inner_timeout_leaves_the_outer_its_time),
    case!(1462, a_dropped_wait_for_cancels_its_task),
    case!(1463, an_endless_timeout_overflows_nothing),
];

const NOW: Option<Duration> = Some(Duration::ZERO);

fn of_nested_timeouts_with_one_deadline_the_outer_converts() -> Outcome {
    let event_loop = new_loop!();
    let (outer, inner) = (Deadline::at(at(10)), Deadline::at(at(10)));
    let result = event_loop.run_until_complete(outer.limit(async {
        match catch_cancel(inner.limit(sleep(ms(100)))).await {
            Ok(Ok(())) => event("value"),
            Ok(Err(_)) => event("inner timed out"),
            Err(cancelled) => {
                event("cancelled");
                match cancelled.propagate().await {}
            }
        }
        event("went on");
    }))?;
    check_matches!(result, Err(TimeoutError::Elapsed));
    check_events!["cancelled"];
    check!(outer.expired(), "the outer one has not expired");
    check_eq!(event_loop.time(), at(10));
    // The same where nothing catches between the two.
    let (outer, inner) = (Deadline::at(at(20)), Deadline::at(at(20)));
    let result = event_loop.run_until_complete(outer.limit(async {
        let inner = inner.limit(sleep(ms(100))).await;
        event(if inner.is_err() { "inner timed out" } else { "value" });
    }))?;
    check_matches!(result, Err(TimeoutError::Elapsed));
    check_events!["cancelled"];
    Ok(())
}

fn an_inner_timeout_is_caught_before_the_outer_interrupts() -> Outcome {
    let event_loop = new_loop!();
    let result = event_loop.run_until_complete(timeout(ms(100), async {
        let inner = timeout(ms(10), async {
            // Busy past both deadlines.
            test().backend.advance(ms(150));
            sleep(ms(1000)).await;
        })
        .await;
        event(if inner == Err(TimeoutError::Elapsed) { "inner timed out" } else { "value" });
        sleep(ms(10_000)).await;
        event("never");
    }))?;
    check_matches!(result, Err(TimeoutError::Elapsed));
    check_events!["inner timed out"];
    check_eq!(event_loop.time(), at(150));
    Ok(())
}

/// Cancels the task that runs.
fn cancel_current() {
    if let Some(task) = current_task() {
        task.cancel();
    }
}

fn a_timeout_after_a_refused_cancel_still_converts() -> Outcome {
    let event_loop = new_loop!();
    let result = event_loop.run_until_complete(async {
        cancel_current();
        let refused = catch_cancel(sleep(ms(1000))).await.is_err();
        let count = current_task().map_or(0, |task| task.cancelling());
        let result = timeout(Duration::ZERO, sleep(ms(1000))).await;
        (refused, count, result, current_task().map_or(0, |task| task.cancelling()))
    })?;
    check_eq!(result, (true, 1, Err(TimeoutError::Elapsed), 1));
    Ok(())
}

fn a_cancel_in_a_timeout_after_a_refused_one_is_not_converted() -> Outcome {
    let event_loop = new_loop!();
    let result = event_loop.run_until_complete(async {
        cancel_current();
        let refused = catch_cancel(sleep(ms(1000))).await.is_err();
        let result = catch_cancel(timeout(ms(1000), async {
            cancel_current();
            sleep(ms(2000)).await;
        }));
        (refused, result.await.is_err(), current_task().map_or(0, |task| task.cancelling()))
    })?;
    check_eq!(result, (true, true, 2));
    check_eq!(event_loop.time(), at(0));
    Ok(())
}

fn a_deadline_that_is_past_ends_what_yields() -> Outcome {
    let event_loop = new_loop!();
    let result = event_loop.run_until_complete(async {
        sleep(ms(5)).await;
        let none = timeout(Duration::ZERO, sleep(Duration::ZERO)).await;
        let past = timeout_at(at(1), yield_now()).await;
        (none, past)
    })?;
    // A yield is over in the next turn, as the time is; the value beats the time.
    check_matches!(result.1, Ok(()) | Err(TimeoutError::Elapsed));
    let result = event_loop.run_until_complete(timeout(Duration::ZERO, sleep(ms(1))))?;
    check_matches!(result, Err(TimeoutError::Elapsed));
    let result = event_loop.run_until_complete(timeout_at(at(1), pending::<()>()))?;
    check_matches!(result, Err(TimeoutError::Elapsed));
    check_eq!(event_loop.time(), at(5));
    Ok(())
}

fn a_timeout_can_be_rescheduled() -> Outcome {
    #[molen::task]
    async fn limited(deadline: &'static Deadline) {
        let result = deadline.limit(sleep(ms(500))).await;
        event(if result.is_ok() { "value" } else { "timed out" });
    }
    let event_loop = new_loop!();
    let deadline = static_ref!(Deadline = Deadline::after(Duration::from_millis(10)));
    check_eq!(
        (deadline.when(), deadline.reschedule(None)),
        (None, Err(RescheduleError::NotEntered))
    );
    let task = event_loop.create_task(limited(deadline))?;
    event_loop.turn(NOW)?;
    check_eq!(deadline.when(), Some(at(10)));
    check_eq!(deadline.reschedule(Some(at(30))), Ok(()));
    check_eq!(deadline.when(), Some(at(30)));
    event_loop.call_at(at(20), stop)?;
    event_loop.run_forever()?;
    check!(!task.done() && !deadline.expired(), "the old deadline counts");
    check_eq!(deadline.reschedule(None), Ok(()));
    check_eq!(deadline.when(), None);
    event_loop.call_at(at(40), stop)?;
    event_loop.run_forever()?;
    check!(!task.done() && !deadline.expired(), "the second deadline counts");
    // To an earlier time than any before.
    check_eq!(deadline.reschedule(Some(at(41))), Ok(()));
    event_loop.run_until_complete(task)?.map_err(|error| Failure::shown(&error))?;
    check_eq!(event_loop.time(), at(41));
    check_events!["timed out"];
    check!(deadline.expired(), "it has not expired");
    check_eq!(deadline.reschedule(None), Err(RescheduleError::Expired));
    Ok(())
}

fn a_timeout_without_a_task_is_refused() -> Outcome {
    use core::future::Future;
    use core::task::{Context, Poll, Waker};
    let mut timed = core::pin::pin!(timeout(ms(1), ready(1)));
    let polled = timed.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    check_eq!(polled, Poll::Ready(Err(TimeoutError::NoTask)));
    Ok(())
}

fn a_future_that_is_ready_in_time_gives_its_value() -> Outcome {
    let event_loop = new_loop!();
    let deadline = Deadline::after(ms(10));
    let result = event_loop.run_until_complete(deadline.limit(async {
        sleep(ms(3)).await;
        7
    }))?;
    check_eq!(result, Ok(7));
    check_eq!(event_loop.time(), at(3));
    check!(!deadline.expired(), "it has expired");
    check_eq!(deadline.reschedule(None), Err(RescheduleError::Finished));
    Ok(())
}

fn a_timeout_drops_what_does_not_catch() -> Outcome {
    let event_loop = new_loop!();
    let result = event_loop.run_until_complete(async {
        let result = timeout(ms(10), async {
            let _guard = OnDrop("dropped");
            pending::<()>().await;
        });
        let result = result.await;
        event("went on");
        (result, current_task().map_or(9, |task| task.cancelling()))
    })?;
    check_eq!(result, (Err(TimeoutError::Elapsed), 0));
    check_events!["dropped", "went on"];
    Ok(())
}

fn a_timeout_lets_what_catches_clean_up() -> Outcome {
    let event_loop = new_loop!();
    let result = event_loop.run_until_complete(timeout(ms(10), async {
        if let Err(cancelled) = catch_cancel(pending::<()>()).await {
            event(if current_task().is_some_and(|task| task.cancelling() == 1) {
                "counted"
            } else {
                "not counted"
            });
            sleep(ms(5)).await;
            event("cleaned up");
            match cancelled.propagate().await {}
        }
        event("never");
    }))?;
    check_eq!(result, Err(TimeoutError::Elapsed));
    check_eq!(event_loop.time(), at(15));
    check_events!["counted", "cleaned up"];
    Ok(())
}

fn a_body_that_refuses_gives_its_value() -> Outcome {
    let event_loop = new_loop!();
    let deadline = Deadline::after(ms(10));
    let result = event_loop.run_until_complete(async {
        let result = deadline
            .limit(async {
                drop(catch_cancel(pending::<()>()).await);
                sleep(ms(5)).await;
                7
            })
            .await;
        (result, current_task().map_or(9, |task| task.cancelling()))
    })?;
    check_eq!(result, (Ok(7), 0));
    check!(deadline.expired(), "it has not expired");
    check_eq!(event_loop.time(), at(15));
    Ok(())
}

fn a_cancel_in_time_is_not_converted() -> Outcome {
    #[molen::task]
    async fn limited() {
        let result = timeout(ms(10), sleep(ms(20))).await;
        event(if result.is_ok() { "value" } else { "timed out" });
    }
    let event_loop = new_loop!();
    let task = event_loop.create_task(limited())?;
    event_loop.turn(NOW)?;
    task.cancel();
    event_loop.turn(NOW)?;
    check!(task.cancelled(), "it is not cancelled");
    check_events![];
    check!(event_loop.next_deadline().is_none(), "a timer is still set");
    Ok(())
}

fn a_timeout_without_an_end_waits() -> Outcome {
    let event_loop = new_loop!();
    let result = event_loop.run_until_complete(timeout(None, sleep(ms(500))))?;
    check_eq!(result, Ok(()));
    let result = event_loop.run_until_complete(timeout_at(None, sleep(ms(500))))?;
    check_eq!(result, Ok(()));
    check_eq!(event_loop.time(), at(1000));
    Ok(())
}

fn a_finished_timeout_leaves_no_timer() -> Outcome {
    let event_loop = new_loop!();
    let deadline = event_loop.run_until_complete(async {
        let mut timed = core::pin::pin!(timeout(ms(50), yield_now()));
        let result = timed.as_mut().await;
        event(if result.is_ok() { "value" } else { "timed out" });
        molen::get_running_loop().ok().and_then(|event_loop| event_loop.next_deadline())
    })?;
    check_eq!(deadline, None);
    check_events!["value"];
    Ok(())
}

fn a_future_that_never_waits_is_never_timed_out() -> Outcome {
    let event_loop = new_loop!();
    let result = event_loop.run_until_complete(timeout(ms(1), async {
        test().backend.advance(ms(10));
        7
    }))?;
    check_eq!(result, Ok(7));
    Ok(())
}

fn a_dropped_timeout_takes_its_cancel_back() -> Outcome {
    use core::future::{Future, poll_fn};
    use core::task::Poll;
    let event_loop = new_loop!();
    let count = event_loop.run_until_complete(async {
        {
            let mut timed = core::pin::pin!(timeout(ms(10), async {
                drop(catch_cancel(pending::<()>()).await);
                event("asked");
                pending::<()>().await;
            }));
            let mut end = core::pin::pin!(sleep(ms(20)));
            poll_fn(|cx| {
                let _ = timed.as_mut().poll(cx);
                match end.as_mut().poll(cx) {
                    Poll::Ready(()) => Poll::Ready(()),
                    Poll::Pending => Poll::Pending,
                }
            })
            .await;
            check_eq!(current_task().map(|task| task.cancelling()), Some(1));
        }
        Ok::<_, Failure>(current_task().map_or(9, |task| task.cancelling()))
    })??;
    check_eq!(count, 0);
    check_events!["asked"];
    Ok(())
}

fn a_timeout_in_a_clean_up_works() -> Outcome {
    let event_loop = new_loop!();
    let result = event_loop.run_until_complete(timeout(ms(10), async {
        if let Err(cancelled) = catch_cancel(sleep(ms(1000))).await {
            let inner = timeout(ms(10), sleep(ms(10_000))).await;
            event(if inner.is_err() { "inner timed out" } else { "value" });
            match cancelled.propagate().await {}
        }
    }))?;
    check_eq!(result, Err(TimeoutError::Elapsed));
    check_events!["inner timed out"];
    check_eq!(event_loop.time(), at(20));
    Ok(())
}

fn a_deadline_is_entered_once() -> Outcome {
    let event_loop = new_loop!();
    let deadline = Deadline::after(ms(10));
    check_eq!(event_loop.run_until_complete(deadline.limit(ready(1)))?, Ok(1));
    let again = event_loop.run_until_complete(deadline.limit(ready(1)))?;
    check_eq!(again, Err(TimeoutError::AlreadyEntered));
    Ok(())
}

fn an_inner_timeout_leaves_the_outer_its_time() -> Outcome {
    let event_loop = new_loop!();
    let result = event_loop.run_until_complete(timeout(ms(30), async {
        let inner = timeout(ms(10), sleep(ms(1000))).await;
        sleep(ms(5)).await;
        inner
    }))?;
    check_eq!(result, Ok(Err(TimeoutError::Elapsed)));
    check_eq!(event_loop.time(), at(15));
    Ok(())
}

fn an_endless_timeout_overflows_nothing() -> Outcome {
    let event_loop = new_loop!();
    test().backend.advance(ms(1));
    for delay in [Duration::MAX, Duration::from_secs(1 << 54)] {
        let result = event_loop.run_until_complete(timeout(delay, sleep(ms(1))))?;
        check_eq!(result, Ok(()));
    }
    check_eq!(event_loop.time(), at(3));
    Ok(())
}
