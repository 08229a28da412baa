//! Tracers, counters and debug mode: behaviour 52, and Molen's own. They need
//! the feature `trace`.

use crate::case::Case;

cases_here_where! {
    feature = "trace", "built without the feature trace",
    traced {
        52 slow_callbacks_and_steps_are_reported_by_name
        1520 debug_mode_is_off_until_it_is_turned_on
        1521 a_step_is_slow_from_100_milliseconds_on
        1522 without_debug_mode_nothing_is_slow
        1523 the_events_of_a_turn_nest
        1524 the_life_of_a_task_is_told
        1525 a_wait_is_told_and_a_look_is_not
        1526 a_tracer_can_be_taken_away_in_the_middle_of_a_turn
        1527 each_turn_is_counted
        1528 all_turns_are_counted_together
        1529 a_busy_loop_turns_without_asking_the_selector
        1530 wakes_in_vain_are_counted
        1531 a_failed_wait_ends_its_turn
        1532 a_step_that_panics_ends
        1533 the_longest_step_is_known_while_somebody_looks_on
        1534 steps_are_named_by_their_functions
        1535 a_slow_step_is_told_to_the_tracer
        1537 an_eager_step_nests_in_the_step_that_creates_it
        2040 a_tracer_that_panics_is_told_no_more
        1536 a_wake_from_another_thread_is_told_when_it_is_taken_in
    }
}

#[cfg(feature = "trace")]
mod traced {
    #[cfg(any(target_os = "none", target_os = "wasi"))]
    use crate::case::Failure;
    use crate::case::Outcome;
    use crate::fixture::{event, ms, say, stop, stop_after, test};
    use molen::io::{PollBudget, SelectError};
    use molen::task::Builder;
    use molen::testing::{Step as Script, Text};
    use molen::trace::{DEFAULT_SLOW_CALLBACK_DURATION, Event, Kind, Trace};
    use molen::{Duration, EventLoop, RunError, yield_now};

    const NOW: Option<Duration> = Some(Duration::ZERO);

    /// Puts what it is told into the log.
    struct Recorder;

    impl Trace for Recorder {
        fn record(&self, _event_loop: &EventLoop, told: Event<'_>) {
            event(match told {
                Event::TurnBegin => "turn (",
                Event::TurnEnd(_) => ") turn",
                Event::SleepBegin(_) => "sleep (",
                Event::SleepEnd => ") sleep",
                Event::StepBegin(step) => match step.kind() {
                    Kind::Task => "task (",
                    Kind::Callback => "callback (",
                },
                Event::StepEnd(step) => match step.kind() {
                    Kind::Task => ") task",
                    Kind::Callback => ") callback",
                },
                Event::Slow(..) => "slow",
                Event::TaskCreated(_) => "created",
                Event::TaskWoken(_) => "woken",
                Event::TaskEnded(_) => "ended",
                Event::TimerSet { .. } => "set",
                Event::TimerFired { .. } => "fired",
                _ => "something new",
            });
        }
    }

    /// Takes 150 ms, as far as the clock can tell.
    fn slow_function() {
        test().backend.advance(ms(150));
    }

    /// Takes `millis` at each of its two steps.
    #[molen::task]
    async fn slow_task(millis: u64) {
        test().backend.advance(ms(millis));
        yield_now().await;
        test().backend.advance(ms(millis));
    }

    fn reported(number: usize, part: &str) -> bool {
        test().backend.reported(number).is_some_and(|report| report.contains(part))
    }

    pub(super) fn slow_callbacks_and_steps_are_reported_by_name() -> Outcome {
        let event_loop = new_loop!();
        event_loop.set_debug(true);
        event_loop.set_slow_callback_duration(Duration::ZERO);
        event_loop.call_soon(slow_function)?;
        event_loop.turn(NOW)?;
        check!(reported(0, "slow callback: callback "), "another report");
        check!(reported(0, "slow_function took 150ms"), "the callback is not named");
        drop(event_loop.create_task(slow_task(0))?);
        event_loop.turn(NOW)?;
        check!(reported(1, "slow callback: task "), "another report");
        check!(reported(1, "slow_task took 0ns"), "the task is not named");
        event_loop.turn(NOW)?;
        check_eq!(test().backend.report_count(), 3);
        Ok(())
    }

    pub(super) fn debug_mode_is_off_until_it_is_turned_on() -> Outcome {
        let event_loop = new_loop!();
        check!(!event_loop.get_debug(), "debug mode is on");
        event_loop.set_debug(true);
        check!(event_loop.get_debug(), "debug mode is off");
        event_loop.set_debug(false);
        check!(!event_loop.get_debug(), "debug mode is still on");
        check_eq!(event_loop.slow_callback_duration(), DEFAULT_SLOW_CALLBACK_DURATION);
        Ok(())
    }

    pub(super) fn a_step_is_slow_from_100_milliseconds_on() -> Outcome {
        let event_loop = new_loop!();
        event_loop.set_debug(true);
        event_loop.call_soon(|| test().backend.advance(ms(99)))?;
        event_loop.call_soon(|| test().backend.advance(ms(1)))?;
        event_loop.call_soon(|| test().backend.advance(ms(100)))?;
        event_loop.turn(NOW)?;
        check_eq!(test().backend.report_count(), 1);
        check!(reported(0, "took 100ms"), "another step was reported");
        Ok(())
    }

    pub(super) fn without_debug_mode_nothing_is_slow() -> Outcome {
        let event_loop = new_loop!();
        event_loop.set_slow_callback_duration(Duration::ZERO);
        event_loop.call_soon(slow_function)?;
        event_loop.turn(NOW)?;
        event_loop.set_tracer(Some(&Recorder));
        event_loop.call_soon(slow_function)?;
        event_loop.turn(NOW)?;
        check_eq!(test().backend.report_count(), 0);
        check_events!["turn (", "callback (", ") callback", ") turn"];
        Ok(())
    }

    pub(super) fn the_events_of_a_turn_nest() -> Outcome {
        let event_loop = new_loop!();
        event_loop.set_tracer(Some(&Recorder));
        event_loop.call_later(ms(1), || event("late"))?;
        event_loop.call_soon(|| event("soon"))?;
        drop(event_loop.create_task(say("said"))?);
        event_loop.turn(None)?;
        event_loop.turn(None)?;
        check_events![
            "set",
            "created",
            "woken",
            "turn (",
            "callback (",
            "soon",
            ") callback",
            "task (",
            "said",
            "ended",
            ") task",
            ") turn",
            "turn (",
            "sleep (",
            ") sleep",
            "fired",
            "callback (",
            "late",
            ") callback",
            ") turn",
        ];
        Ok(())
    }

    pub(super) fn the_life_of_a_task_is_told() -> Outcome {
        let event_loop = new_loop!();
        event_loop.set_tracer(Some(&Recorder));
        drop(event_loop.create_task(stop_after(ms(3), "stop"))?);
        event_loop.run_forever()?;
        check_events![
            "created", "woken", "turn (", "task (", "set", ") task", ") turn", "turn (", "sleep (",
            ") sleep", "fired", "woken", "task (", "stop", "ended", ") task", ") turn",
        ];
        Ok(())
    }

    pub(super) fn a_wait_is_told_and_a_look_is_not() -> Outcome {
        let event_loop = new_loop!();
        event_loop.set_tracer(Some(&Recorder));
        event_loop.turn(NOW)?;
        event_loop.turn(Some(ms(1)))?;
        check_events!["turn (", ") turn", "turn (", "sleep (", ") sleep", ") turn"];
        Ok(())
    }

    pub(super) fn a_tracer_can_be_taken_away_in_the_middle_of_a_turn() -> Outcome {
        let event_loop = new_loop!();
        event_loop.set_tracer(Some(&Recorder));
        event_loop.call_soon(|| {
            if let Ok(event_loop) = molen::get_running_loop() {
                event_loop.set_tracer(None);
            }
        })?;
        event_loop.call_soon(|| event("next"))?;
        event_loop.turn(NOW)?;
        event_loop.turn(NOW)?;
        check_events!["turn (", "callback (", "next"];
        Ok(())
    }

    pub(super) fn each_turn_is_counted() -> Outcome {
        let event_loop = new_loop!();
        event_loop.call_later(ms(1), || ())?;
        event_loop.call_later(ms(1), || ())?;
        drop(event_loop.create_task(say("said"))?);
        event_loop.turn(None)?;
        let turn = event_loop.last_turn();
        check_eq!((turn.turns, turn.polls, turn.fired, turn.ran), (1, 1, 0, 1));
        check_eq!((turn.wakes, turn.redundant_wakes), (1, 0));
        event_loop.turn(None)?;
        let turn = event_loop.last_turn();
        check_eq!((turn.turns, turn.polls, turn.fired, turn.ran), (1, 1, 2, 2));
        check_eq!((turn.wakes, turn.redundant_wakes), (0, 0));
        check_eq!(turn.longest_step, Duration::ZERO);
        Ok(())
    }

    pub(super) fn all_turns_are_counted_together() -> Outcome {
        let event_loop = new_loop!();
        for _ in 0..3 {
            event_loop.call_soon(|| ())?;
            event_loop.call_later(ms(1), || ())?;
            event_loop.turn(None)?;
            event_loop.turn(None)?;
        }
        let all = event_loop.counters();
        check_eq!((all.turns, all.polls, all.fired, all.ran), (6, 6, 3, 6));
        Ok(())
    }

    #[molen::task]
    async fn stop_after_yields(mut count: usize) {
        while count > 0 {
            yield_now().await;
            count -= 1;
        }
        stop();
    }

    pub(super) fn a_busy_loop_turns_without_asking_the_selector() -> Outcome {
        let event_loop = new_loop!();
        test().backend.set_poll_budget(PollBudget { callbacks: 4, nanos: u32::MAX });
        drop(event_loop.create_task(stop_after_yields(11))?);
        event_loop.run_forever()?;
        let all = event_loop.counters();
        check_eq!((all.turns, all.ran, all.polls), (12, 12, 3));
        check_eq!(event_loop.last_turn().polls, 0);
        Ok(())
    }

    #[molen::task]
    async fn wake_itself_twice() {
        let mut first = true;
        core::future::poll_fn(|cx| {
            cx.waker().wake_by_ref();
            cx.waker().wake_by_ref();
            if core::mem::take(&mut first) {
                core::task::Poll::Pending
            } else {
                core::task::Poll::Ready(())
            }
        })
        .await;
    }

    pub(super) fn wakes_in_vain_are_counted() -> Outcome {
        let event_loop = new_loop!();
        let task = event_loop.create_task(wake_itself_twice())?;
        event_loop.turn(NOW)?;
        let turn = event_loop.last_turn();
        // Its creation is the first wake.
        check_eq!((turn.wakes, turn.redundant_wakes), (2, 1));
        event_loop.turn(NOW)?;
        let turn = event_loop.last_turn();
        check_eq!((turn.wakes, turn.redundant_wakes), (1, 1));
        drop(task);
        Ok(())
    }

    pub(super) fn a_failed_wait_ends_its_turn() -> Outcome {
        let event_loop = new_loop!();
        event_loop.set_tracer(Some(&Recorder));
        test().backend.script(const { &[Script::any().then_fail(SelectError::Os(4))] });
        check_eq!(event_loop.turn(None), Err(RunError::Select(4)));
        check_events!["turn (", "sleep (", ") sleep", ") turn"];
        check_eq!(event_loop.counters().turns, 1);
        Ok(())
    }

    pub(super) fn the_longest_step_is_known_while_somebody_looks_on() -> Outcome {
        let event_loop = new_loop!();
        event_loop.set_debug(true);
        event_loop.set_slow_callback_duration(Duration::MAX);
        event_loop.call_soon(|| test().backend.advance(ms(5)))?;
        event_loop.call_soon(|| test().backend.advance(ms(7)))?;
        event_loop.turn(NOW)?;
        check_eq!(event_loop.last_turn().longest_step, ms(7));
        drop(event_loop.create_task(slow_task(6))?);
        event_loop.turn(NOW)?;
        check_eq!(event_loop.last_turn().longest_step, ms(6));
        check_eq!(event_loop.counters().longest_step, ms(7));
        event_loop.set_debug(false);
        event_loop.turn(NOW)?;
        check_eq!(event_loop.last_turn().longest_step, Duration::ZERO);
        check_eq!(test().backend.report_count(), 0);
        Ok(())
    }

    /// Keeps what steps are called.
    struct Names;

    impl Trace for Names {
        fn record(&self, _event_loop: &EventLoop, told: Event<'_>) {
            let Event::StepBegin(step) = told else { return };
            let name = Text::<120>::of(step);
            event(match name.as_str() {
                name if name.starts_with("task ") && name.ends_with("::slow_task") => "task",
                name if name.starts_with("callback ") && name.ends_with("::slow_function") => {
                    "function"
                }
                name if name.starts_with("callback ") && name.ends_with("{{closure}}") => "closure",
                _ => "another name",
            });
        }
    }

    pub(super) fn steps_are_named_by_their_functions() -> Outcome {
        let event_loop = new_loop!();
        event_loop.set_tracer(Some(&Names));
        drop(event_loop.create_task(slow_task(0))?);
        event_loop.call_soon(slow_function)?;
        event_loop.call_soon(|| ())?;
        event_loop.turn(NOW)?;
        check_events!["task", "function", "closure"];
        Ok(())
    }

    pub(super) fn a_slow_step_is_told_to_the_tracer() -> Outcome {
        let event_loop = new_loop!();
        event_loop.set_tracer(Some(&Recorder));
        event_loop.set_debug(true);
        event_loop.call_soon(slow_function)?;
        event_loop.call_soon(|| ())?;
        event_loop.turn(NOW)?;
        check_events![
            "turn (",
            "callback (",
            ") callback",
            "slow",
            "callback (",
            ") callback",
            ") turn",
        ];
        check_eq!(test().backend.report_count(), 1);
        check_eq!(event_loop.last_turn().longest_step, ms(150));
        Ok(())
    }

    pub(super) fn an_eager_step_nests_in_the_step_that_creates_it() -> Outcome {
        let event_loop = new_loop!();
        event_loop.set_tracer(Some(&Recorder));
        event_loop.call_soon(|| {
            let eager = Builder::new().eager().create_task(say("said"));
            event(if eager.is_ok_and(|task| task.done()) { "done" } else { "not done" });
        })?;
        event_loop.turn(NOW)?;
        check_events![
            "turn (",
            "callback (",
            "created",
            "task (",
            "said",
            "ended",
            ") task",
            "done",
            ") callback",
            ") turn",
        ];
        check_eq!(event_loop.last_turn().ran, 1);
        Ok(())
    }

    #[cfg(any(target_os = "none", target_os = "wasi"))]
    pub(super) fn a_step_that_panics_ends() -> Outcome {
        Err(Failure::Unsupported("panics abort on this platform"))
    }

    #[cfg(not(any(target_os = "none", target_os = "wasi")))]
    pub(super) fn a_step_that_panics_ends() -> Outcome {
        let event_loop = new_loop!();
        event_loop.set_tracer(Some(&Recorder));
        event_loop.call_soon(|| {
            if !test().log.is_empty() {
                std::panic::resume_unwind(std::boxed::Box::new("boom"))
            }
        })?;
        event_loop.call_soon(|| event("next"))?;
        event_loop.turn(NOW)?;
        check_events![
            "turn (",
            "callback (",
            ") callback",
            "callback (",
            "next",
            ") callback",
            ") turn",
        ];
        check_eq!(event_loop.last_turn().ran, 2);
        check_eq!(test().backend.report_count(), 1);
        Ok(())
    }

    #[cfg(any(target_os = "none", target_os = "wasi"))]
    pub(super) fn a_tracer_that_panics_is_told_no_more() -> Outcome {
        Err(Failure::Unsupported("panics abort on this platform"))
    }

    #[cfg(not(any(target_os = "none", target_os = "wasi")))]
    pub(super) fn a_tracer_that_panics_is_told_no_more() -> Outcome {
        /// Panics at each event of one kind.
        struct Fragile(fn(&Event<'_>) -> bool);
        impl Trace for Fragile {
            fn record(&self, event_loop: &EventLoop, told: Event<'_>) {
                if (self.0)(&told) {
                    std::panic::resume_unwind(std::boxed::Box::new("boom"));
                }
                Recorder.record(event_loop, told);
            }
        }
        static AT: [Fragile; 4] = [
            Fragile(|told| matches!(told, Event::TurnBegin)),
            Fragile(|told| matches!(told, Event::StepBegin(_))),
            // Told while a step unwinds.
            Fragile(|told| matches!(told, Event::StepEnd(_))),
            Fragile(|told| matches!(told, Event::TurnEnd(_))),
        ];
        fn boom() {
            std::panic::resume_unwind(std::boxed::Box::new("step"))
        }
        let event_loop = new_loop!();
        for (round, fragile) in AT.iter().enumerate() {
            event_loop.set_tracer(Some(fragile));
            event_loop.call_soon(boom)?;
            event_loop.call_soon(|| event("next"))?;
            event_loop.turn(NOW)?;
            check_eq!(event_loop.last_turn().ran, 2);
            // The step's panic and the tracer's.
            check_eq!(test().backend.report_count(), 2 * (round + 1));
        }
        let of_tracer =
            |number: &usize| reported(*number, "a tracer panicked, and is told no more: boom");
        check_eq!((0..4).filter(of_tracer).count(), 2);
        check_events![
            "next",
            "turn (",
            "next",
            "turn (",
            "callback (",
            "next",
            "turn (",
            "callback (",
            ") callback",
            "callback (",
            "next",
            ") callback",
        ];
        Ok(())
    }

    #[cfg(any(target_os = "none", target_os = "wasi"))]
    pub(super) fn a_wake_from_another_thread_is_told_when_it_is_taken_in() -> Outcome {
        Err(Failure::Unsupported("there are no threads on this platform"))
    }

    #[cfg(not(any(target_os = "none", target_os = "wasi")))]
    pub(super) fn a_wake_from_another_thread_is_told_when_it_is_taken_in() -> Outcome {
        let event_loop = new_loop!();
        let mut waiting = true;
        let task = event_loop.create_task(core::future::poll_fn(move |cx| {
            if core::mem::take(&mut waiting) {
                let waker = cx.waker().clone();
                let woken = std::thread::spawn(move || {
                    waker.wake_by_ref();
                    waker.wake();
                });
                event(if woken.join().is_ok() { "woken away" } else { "no thread" });
                core::task::Poll::Pending
            } else {
                core::task::Poll::Ready(())
            }
        }))?;
        event_loop.set_tracer(Some(&Recorder));
        event_loop.turn(NOW)?;
        event_loop.turn(Some(ms(9)))?;
        check_events![
            "turn (",
            "task (",
            "woken away",
            ") task",
            ") turn",
            "turn (",
            "woken",
            "task (",
            "ended",
            ") task",
            ") turn",
        ];
        drop(task);
        Ok(())
    }
}
