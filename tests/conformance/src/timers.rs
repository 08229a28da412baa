//! Timers: behaviours 30 to 42, and times at the ends of time.

use crate::case::{Case, Outcome};
use crate::fixture::{OnDrop, Slot, at, event, ms, say_after, stop, test};
use core::cell::Cell;
use molen::io::Wait;
use molen::testing::{Step, static_ref};
use molen::time::{InvalidDelay, seconds};
use molen::{Duration, Instant, TimerHandle, create_task, current_time, sleep, sleep_until};

pub(crate) const CASES: &[Case] = &[
    case!(30, call_later_sets_a_timer_and_nothing_is_ready),
    case!(32, a_delay_of_zero_comes_after_what_is_ready),
    case!(33, equal_deadlines_are_first_in_first_out),
    case!(34, a_timer_never_fires_early),
    case!(35, a_cancelled_timer_does_not_shorten_the_wait),
    case!(36, cancelled_timers_are_gone_and_only_those),
    case!(37, tiny_sleeps_do_not_spin),
    case!(38, endless_delays_do_not_overflow),
    case!(39, timer_handles_compare_by_deadline),
    case!(41, cancelling_a_sleeping_task_cancels_its_timer),
    case!(42, nan_is_no_delay),
    case!(1010, a_selector_that_returns_early_fires_nothing_early),
    case!(1011, a_time_that_is_past_comes_after_what_is_ready),
    case!(1012, a_jump_of_the_clock_fires_in_order_of_deadlines),
    case!(1013, a_timer_set_by_a_timer_waits_for_its_turn),
    case!(1014, negative_and_too_large_seconds),
    case!(1015, sleeping_until_a_past_time_gives_others_a_turn),
    case!(1016, a_sleep_counts_from_its_first_poll),
    case!(1017, a_timer_cancelled_by_one_of_the_same_time_does_not_fire),
    case!(1018, dropping_a_sleep_takes_its_timer_out),
    case!(1019, a_timer_that_never_comes_is_nothing_to_wait_for),
    case!(2105, the_current_time_is_the_running_loops),
];

const NOW: Option<Duration> = Some(Duration::ZERO);

fn call_later_sets_a_timer_and_nothing_is_ready() -> Outcome {
    let event_loop = new_loop!();
    let handle = event_loop.call_later(Duration::from_secs(10), || event("timer"))?;
    check!(!event_loop.has_ready(), "something is ready");
    check_eq!(handle.when(), at(10_000));
    check_eq!(event_loop.next_deadline(), Some(at(10_000)));
    check_events![];
    Ok(())
}

fn a_delay_of_zero_comes_after_what_is_ready() -> Outcome {
    let event_loop = new_loop!();
    event_loop.call_later(Duration::ZERO, || event("later"))?;
    event_loop.call_soon(|| event("soon"))?;
    event_loop.turn(NOW)?;
    check_events!["soon", "later"];
    Ok(())
}

fn equal_deadlines_are_first_in_first_out() -> Outcome {
    let event_loop = new_loop!();
    for name in ["0", "1", "2", "3", "4", "5"] {
        event_loop.call_at(at(7), move || event(name))?;
    }
    event_loop.call_at(at(7), stop)?;
    event_loop.run_forever()?;
    check_events!["0", "1", "2", "3", "4", "5"];
    check_eq!(test().backend.selects(), 1);
    Ok(())
}

fn a_timer_never_fires_early() -> Outcome {
    let event_loop = new_loop!();
    let when = at(100);
    event_loop.call_at(when, || event("timer"))?;
    test().backend.advance_to(Instant::from_nanos(when.as_nanos() - 1));
    event_loop.turn(NOW)?;
    check_events![];
    test().backend.advance_to(when);
    event_loop.turn(NOW)?;
    check_events!["timer"];
    Ok(())
}

fn a_cancelled_timer_does_not_shorten_the_wait() -> Outcome {
    let event_loop = new_loop!();
    let head = event_loop.call_later(Duration::from_secs(5), || event("cancelled"))?;
    event_loop.call_later(Duration::from_secs(10), || event("live"))?;
    head.cancel();
    event_loop.turn(None)?;
    check_eq!(test().backend.wait(0), Some(Wait::Until(at(10_000))));
    check_events!["live"];
    check_eq!(event_loop.next_deadline(), None);
    Ok(())
}

fn cancelled_timers_are_gone_and_only_those() -> Outcome {
    const TIMERS: usize = 12;
    let event_loop = new_loop!();
    let mut handles = [const { None::<TimerHandle> }; TIMERS];
    for (number, handle) in handles.iter_mut().enumerate() {
        let released = OnDrop(if number % 4 == 3 { "kept" } else { "released" });
        let delay = ms(1 + number as u64);
        *handle = Some(event_loop.call_later(delay, move || drop(released))?);
    }
    for (number, handle) in handles.iter().enumerate() {
        if let Some(handle) = handle
            && number % 4 != 3
        {
            handle.cancel();
        }
    }
    // All at once, and not at some later sweep.
    check_events![
        "released", "released", "released", "released", "released", "released", "released",
        "released", "released"
    ];
    check_eq!(event_loop.next_deadline(), Some(at(4)));
    test().log.clear();
    test().backend.advance_to(at(100));
    let turn = event_loop.turn(NOW)?;
    check_eq!(turn.fired, 3);
    check_events!["kept", "kept", "kept"];
    Ok(())
}

fn tiny_sleeps_do_not_spin() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let mut nanos = 10_000_000;
        for _ in 0..9 {
            sleep(Duration::from_nanos(nanos)).await;
            nanos /= 10;
        }
    })?;
    check!(test().backend.selects() <= 20, "more than 20 turns for 9 sleeps");
    check_eq!(event_loop.time(), Instant::from_nanos(11_111_111));
    Ok(())
}

fn endless_delays_do_not_overflow() -> Outcome {
    #[molen::task(pool_size = 4)]
    async fn sleep_long(delay: Duration) {
        sleep(delay).await;
        event("fired");
    }
    let event_loop = new_loop!();
    test().backend.advance(Duration::from_secs(1));
    event_loop.run_until_complete(async {
        for delay in [
            Duration::from_secs(1 << 54),
            Duration::from_secs(1 << 55),
            Duration::from_nanos(u64::MAX),
            Duration::MAX,
        ] {
            let task = create_task(sleep_long(delay))?;
            sleep(ms(1)).await;
            check!(!task.done(), "it fired early");
            task.cancel();
            let result = task.await;
            check!(result.is_err_and(|error| error.is_cancelled()), "not cancelled");
        }
        Ok(())
    })??;
    let endless = event_loop.call_later(Duration::MAX, || event("fired"))?;
    check_eq!(endless.when(), Instant::FAR_FUTURE);
    let last = event_loop.call_at(Instant::FAR_FUTURE, || event("fired"))?;
    event_loop.turn(Some(ms(1)))?;
    endless.cancel();
    last.cancel();
    check_events![];
    check_eq!(event_loop.next_deadline(), None);
    Ok(())
}

fn timer_handles_compare_by_deadline() -> Outcome {
    let event_loop = new_loop!();
    let early = event_loop.call_at(at(1), || event("early"))?;
    let late = event_loop.call_at(at(2), || event("late"))?;
    let same = event_loop.call_at(at(2), stop)?;
    check!(early < late && late <= same && early != late, "wrong order");
    check!(late == same, "equal deadlines differ");
    Ok(())
}

fn cancelling_a_sleeping_task_cancels_its_timer() -> Outcome {
    let event_loop = new_loop!();
    let task = event_loop.create_task(say_after(Duration::from_secs(100), "woke"))?;
    event_loop.turn(NOW)?;
    check_eq!(event_loop.next_deadline(), Some(at(100_000)));
    task.cancel();
    event_loop.turn(NOW)?;
    check!(task.cancelled(), "not cancelled");
    check_eq!(event_loop.next_deadline(), None);
    check_events![];
    Ok(())
}

fn nan_is_no_delay() -> Outcome {
    check_eq!(seconds(f64::NAN), Err(InvalidDelay));
    Ok(())
}

fn a_selector_that_returns_early_fires_nothing_early() -> Outcome {
    let event_loop = new_loop!();
    event_loop.call_later(ms(10), || {
        event("timer");
        stop();
    })?;
    test().backend.script(
        const {
            &[
                Step::expect(Wait::Until(at(10))).then_advance(Duration::ZERO),
                Step::expect(Wait::Until(at(10))).then_advance(ms(9)),
                Step::expect(Wait::Until(at(10))).then_advance(ms(5)),
            ]
        },
    );
    event_loop.run_forever()?;
    test().backend.check_script()?;
    check_events!["timer"];
    check_eq!(event_loop.time(), at(14));
    Ok(())
}

fn a_time_that_is_past_comes_after_what_is_ready() -> Outcome {
    let event_loop = new_loop!();
    test().backend.advance_to(at(50));
    event_loop.call_at(at(20), || event("past"))?;
    event_loop.call_at(at(10), || event("longer past"))?;
    event_loop.call_soon(|| event("ready"))?;
    event_loop.turn(NOW)?;
    check_events!["ready", "longer past", "past"];
    Ok(())
}

fn a_jump_of_the_clock_fires_in_order_of_deadlines() -> Outcome {
    let event_loop = new_loop!();
    event_loop.call_later(ms(30), || event("30"))?;
    event_loop.call_later(ms(10), || event("10"))?;
    event_loop.call_later(ms(20), || event("20"))?;
    event_loop.call_later(ms(10), || event("10 again"))?;
    test().backend.advance(Duration::from_secs(3600));
    event_loop.turn(NOW)?;
    check_events!["10", "10 again", "20", "30"];
    Ok(())
}

fn a_timer_set_by_a_timer_waits_for_its_turn() -> Outcome {
    let event_loop = new_loop!();
    event_loop.call_later(ms(1), || {
        event("first");
        let event_loop = molen::get_running_loop().map_err(|_| "no loop")?;
        event_loop.call_later(Duration::ZERO, || event("second")).map(drop).map_err(|_| "no room")
    })?;
    event_loop.call_later(ms(1), || event("other"))?;
    event_loop.turn(None)?;
    check_events!["first", "other"];
    event_loop.turn(None)?;
    check_events!["first", "other", "second"];
    Ok(())
}

fn negative_and_too_large_seconds() -> Outcome {
    check_eq!(seconds(-0.5), Ok(Duration::ZERO));
    check_eq!(seconds(f64::NEG_INFINITY), Ok(Duration::ZERO));
    check_eq!(seconds(0.25), Ok(ms(250)));
    check_eq!(seconds(1e40), Ok(Duration::MAX));
    check_eq!(seconds(f64::INFINITY), Ok(Duration::MAX));
    check_eq!(Instant::FAR_FUTURE + ms(1), Instant::FAR_FUTURE);
    Ok(())
}

fn sleeping_until_a_past_time_gives_others_a_turn() -> Outcome {
    let event_loop = new_loop!();
    test().backend.advance_to(at(9));
    event_loop.run_until_complete(async {
        drop(create_task(crate::fixture::say("other"))?);
        sleep_until(at(3)).await;
        event("slept");
        drop(create_task(crate::fixture::say("other"))?);
        sleep(Duration::ZERO).await;
        event("slept");
        Outcome::Ok(())
    })??;
    check_events!["other", "slept", "other", "slept"];
    check_eq!(event_loop.time(), at(9));
    Ok(())
}

fn a_sleep_counts_from_its_first_poll() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let sleeping = sleep(ms(10));
        test().backend.advance(ms(5));
        sleeping.await;
    })?;
    check_eq!(event_loop.time(), at(15));
    Ok(())
}

fn a_timer_cancelled_by_one_of_the_same_time_does_not_fire() -> Outcome {
    let event_loop = new_loop!();
    let second = static_ref!(Slot<TimerHandle> = Cell::new(None));
    event_loop.call_at(at(1), || {
        event("first");
        if let Some(handle) = second.take() {
            handle.cancel();
        }
    })?;
    second.set(Some(event_loop.call_at(at(1), || event("second"))?));
    event_loop.call_at(at(1), || event("third"))?;
    event_loop.turn(None)?;
    check_events!["first", "third"];
    Ok(())
}

fn dropping_a_sleep_takes_its_timer_out() -> Outcome {
    use core::future::{Future, poll_fn};
    use core::pin::pin;
    use core::task::Poll;
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        {
            let mut sleeping = pin!(sleep(Duration::from_secs(60)));
            poll_fn(|cx| {
                let _pending = sleeping.as_mut().poll(cx);
                Poll::Ready(())
            })
            .await;
        }
        sleep(ms(1)).await;
    })?;
    check_eq!(event_loop.next_deadline(), None);
    check_eq!(event_loop.time(), at(1));
    Ok(())
}

fn a_timer_that_never_comes_is_nothing_to_wait_for() -> Outcome {
    let event_loop = new_loop!();
    event_loop.call_at(Instant::FAR_FUTURE, || event("fired"))?;
    check_eq!(event_loop.run_forever(), Err(molen::RunError::NothingToWaitFor));
    check_eq!(test().backend.wait(0), Some(Wait::Forever));
    check_events![];
    Ok(())
}

fn the_current_time_is_the_running_loops() -> Outcome {
    let event_loop = new_loop!();
    let its = event_loop.clone();
    event_loop.run_until_complete(async move {
        let began = current_time();
        check_eq!(began, its.time());
        sleep(ms(5)).await;
        check_eq!(current_time(), began + ms(5));
        // A deadline that is counted from it is kept to the tick.
        sleep_until(current_time() + ms(7)).await;
        check_eq!(current_time(), began + ms(12));
        Ok(())
    })?
}
