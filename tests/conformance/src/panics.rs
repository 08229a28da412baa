//! Panics of callbacks and tasks: behaviours 27, 28 and 48, and Molen's own.
//!
//! asyncio's exceptions that nobody catches are panics here. They are
//! contained where the platform unwinds.

use crate::case::Case;

cases_here_where! {
    all(panic = "unwind", not(any(target_os = "none", target_os = "wasi"))), "panics abort on this platform",
    unwinding {
        27 callbacks_run_after_a_main_task_that_panicked
        28 a_panic_of_the_main_task_leaves_the_run_and_is_not_reported
        48 a_failed_task_dropped_unread_is_reported_once
        1170 a_panic_of_a_callback_is_reported_and_the_batch_goes_on
        1171 a_panic_of_a_timer_is_reported_and_the_loop_goes_on
        1172 who_awaits_a_task_that_panicked_gets_its_payload
        1173 a_detached_task_that_panics_is_reported
        1174 a_panicking_handler_counts_as_failing
        1175 a_panicking_repetition_goes_on
        1176 a_panic_in_a_drop_by_cancellation_is_contained
        1177 a_panic_in_a_done_callback_is_reported
        1178 a_task_that_panics_drops_what_it_held
        1179 several_panics_in_one_batch_are_all_reported
        1180 a_panic_in_a_drop_by_abort_is_the_task_s
        1181 a_panic_in_a_drop_by_close_is_reported_and_the_rest_is_closed
        1182 a_panic_in_the_drop_of_an_unwanted_result_is_the_task_s
        1183 a_panic_in_the_drop_of_a_cancelled_repetition_is_reported_once
    }
}

#[cfg(all(panic = "unwind", not(any(target_os = "none", target_os = "wasi"))))]
mod unwinding {
    use crate::case::{Failure, Outcome};
    use crate::fixture::{OnDrop, event, ms, stop, test};
    use molen::testing::{handler, static_ref};
    use molen::{Duration, MissedTicks, Promise, TaskError, yield_now};
    use std::boxed::Box;
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

    const NOW: Option<Duration> = Some(Duration::ZERO);

    /// A panic that prints nothing.
    fn panic_quietly(text: &'static str) {
        resume_unwind(Box::new(text))
    }

    fn reported(number: usize, text: &str) -> bool {
        test().backend.reported(number).is_some_and(|report| *report == *text)
    }

    #[molen::task(pool_size = 2)]
    async fn panic_after_a_turn() -> u8 {
        let _guard = OnDrop("dropped");
        yield_now().await;
        event("panics");
        panic_quietly("boom");
        7
    }

    pub(super) fn callbacks_run_after_a_main_task_that_panicked() -> Outcome {
        let event_loop = new_loop!();
        let run = catch_unwind(AssertUnwindSafe(|| {
            event_loop.run_until_complete(async { panic_quietly("boom") })
        }));
        check!(run.is_err(), "the panic did not leave the run");
        check!(!event_loop.is_running(), "it still runs");
        event_loop.call_soon(|| {
            event("first");
            let event_loop = molen::get_running_loop().map_err(|_| "no loop")?;
            event_loop
                .call_soon(|| {
                    event("second");
                    stop();
                })
                .map(drop)
                .map_err(|_| "no room")
        })?;
        event_loop.run_forever()?;
        check_events!["first", "second"];
        Ok(())
    }

    pub(super) fn a_panic_of_the_main_task_leaves_the_run_and_is_not_reported() -> Outcome {
        let event_loop = new_loop!();
        let run = catch_unwind(AssertUnwindSafe(|| {
            event_loop.run_until_complete(async {
                yield_now().await;
                panic_quietly("boom");
            })
        }));
        let payload = run.err().and_then(|payload| payload.downcast::<&str>().ok());
        check_eq!(payload.as_deref(), Some(&"boom"));
        check_eq!(test().backend.report_count(), 0);
        Ok(())
    }

    pub(super) fn a_failed_task_dropped_unread_is_reported_once() -> Outcome {
        let event_loop = new_loop!();
        let task = event_loop.create_task(panic_after_a_turn())?;
        event_loop.turn(NOW)?;
        event_loop.turn(NOW)?;
        check!(task.done() && !task.cancelled(), "it is not done");
        check_eq!(test().backend.report_count(), 0);
        drop(task);
        check_eq!(test().backend.report_count(), 1);
        check!(
            reported(0, "a task panicked and its result was never retrieved: boom"),
            "the report is another"
        );
        Ok(())
    }

    pub(super) fn a_panic_of_a_callback_is_reported_and_the_batch_goes_on() -> Outcome {
        let event_loop = new_loop!();
        event_loop.call_soon(|| event("before"))?;
        let captured = OnDrop("released");
        event_loop.call_soon(move || {
            let _captured = captured;
            panic_quietly("boom");
        })?;
        event_loop.call_soon(|| event("after"))?;
        let turn = event_loop.turn(NOW)?;
        check_eq!((turn.ran, turn.more), (3, false));
        check_events!["before", "released", "after"];
        check!(reported(0, "a callback panicked: boom"), "the report is another");
        Ok(())
    }

    pub(super) fn a_panic_of_a_timer_is_reported_and_the_loop_goes_on() -> Outcome {
        let event_loop = new_loop!();
        event_loop.call_later(ms(1), || panic_quietly("boom"))?;
        event_loop.call_later(ms(2), stop)?;
        event_loop.run_forever()?;
        check_eq!(test().backend.report_count(), 1);
        check!(reported(0, "a callback panicked: boom"), "the report is another");
        Ok(())
    }

    pub(super) fn who_awaits_a_task_that_panicked_gets_its_payload() -> Outcome {
        let event_loop = new_loop!();
        let result = event_loop.run_until_complete(async {
            let task = molen::create_task(panic_after_a_turn())?;
            Ok::<_, Failure>(task.await)
        })??;
        let Err(TaskError::Panicked(payload)) = result else {
            return Err(Failure::said("the result is not a panic"));
        };
        check_eq!(payload.downcast_ref::<&str>(), Some(&"boom"));
        check_eq!(test().backend.report_count(), 0);
        check_events!["panics", "dropped"];
        Ok(())
    }

    pub(super) fn a_detached_task_that_panics_is_reported() -> Outcome {
        let event_loop = new_loop!();
        event_loop.create_task(panic_after_a_turn())?.detach();
        event_loop.call_soon(|| event("other"))?;
        event_loop.turn(NOW)?;
        event_loop.turn(NOW)?;
        check_events!["other", "panics", "dropped"];
        check_eq!(test().backend.report_count(), 1);
        check!(reported(0, "a task panicked and nobody awaits it: boom"), "the report is another");
        Ok(())
    }

    pub(super) fn a_panicking_handler_counts_as_failing() -> Outcome {
        let event_loop = new_loop!();
        event_loop.set_exception_handler(Some(handler(&|_, _| {
            panic_quietly("the handler");
            Ok(())
        })));
        event_loop.call_soon(|| Err::<(), _>("boom"))?;
        event_loop.call_soon(|| event("goes on"))?;
        event_loop.turn(NOW)?;
        check_events!["goes on"];
        check_eq!(test().backend.report_count(), 1);
        let told = test()
            .backend
            .reported(0)
            .is_some_and(|text| text.starts_with("the exception handler itself failed"));
        check!(told, "the report is another");
        Ok(())
    }

    pub(super) fn a_panicking_repetition_goes_on() -> Outcome {
        let event_loop = new_loop!();
        event_loop.call_repeatedly(ms(1), MissedTicks::Skip, || {
            event("tick");
            panic_quietly("boom");
        })?;
        event_loop.turn(None)?;
        event_loop.turn(None)?;
        check_events!["tick", "tick"];
        check_eq!(test().backend.report_count(), 2);
        Ok(())
    }

    /// Panics when it is dropped.
    struct PanicOnDrop;

    impl Drop for PanicOnDrop {
        fn drop(&mut self) {
            panic_quietly("in drop");
        }
    }

    pub(super) fn a_panic_in_a_drop_by_cancellation_is_contained() -> Outcome {
        #[molen::task]
        async fn hold_bomb(promise: &'static Promise<u8>) {
            let _bomb = PanicOnDrop;
            let _got = promise.wait().await;
        }
        let event_loop = new_loop!();
        let promise = static_ref!(Promise<u8> = Promise::new());
        let mut task = event_loop.create_task(hold_bomb(promise))?;
        event_loop.turn(NOW)?;
        task.cancel();
        event_loop.call_soon(|| event("goes on"))?;
        event_loop.turn(NOW)?;
        check_events!["goes on"];
        check!(task.done(), "it is not done");
        check_matches!(task.take_result(), Some(Err(TaskError::Panicked(_))));
        Ok(())
    }

    pub(super) fn a_panic_in_a_done_callback_is_reported() -> Outcome {
        let event_loop = new_loop!();
        let promise = static_ref!(Promise<u8> = Promise::new());
        event_loop.run_until_complete(async {
            promise.add_done_callback(|| panic_quietly("boom"))?;
            promise.add_done_callback(|| event("second"))?;
            promise.set_result(1)?;
            yield_now().await;
            Outcome::Ok(())
        })??;
        check_events!["second"];
        check_eq!(test().backend.report_count(), 1);
        Ok(())
    }

    pub(super) fn a_task_that_panics_drops_what_it_held() -> Outcome {
        let event_loop = new_loop!();
        let task = event_loop.create_task(panic_after_a_turn())?;
        event_loop.turn(NOW)?;
        event_loop.turn(NOW)?;
        check_events!["panics", "dropped"];
        // Its place is free again, and others wait for it no longer.
        drop(task);
        drop(event_loop.create_task(panic_after_a_turn())?);
        Ok(())
    }

    pub(super) fn several_panics_in_one_batch_are_all_reported() -> Outcome {
        let event_loop = new_loop!();
        for text in ["first", "second", "third"] {
            event_loop.call_soon(move || panic_quietly(text))?;
        }
        event_loop.call_soon(|| event("goes on"))?;
        event_loop.turn(NOW)?;
        check_events!["goes on"];
        check_eq!(test().backend.report_count(), 3);
        check!(reported(2, "a callback panicked: third"), "the third report is another");
        Ok(())
    }

    pub(super) fn a_panic_in_a_drop_by_abort_is_the_task_s() -> Outcome {
        let event_loop = new_loop!();
        let mut task = event_loop.create_task(async {
            let _bomb = PanicOnDrop;
            yield_now().await;
        })?;
        event_loop.turn(NOW)?;
        check!(task.abort(), "it had ended");
        check!(task.done(), "it is not done");
        check_matches!(task.take_result(), Some(Err(TaskError::Panicked(_))));
        check_eq!(test().backend.report_count(), 0);
        event_loop.turn(NOW)?;
        Ok(())
    }

    pub(super) fn a_panic_in_a_drop_by_close_is_reported_and_the_rest_is_closed() -> Outcome {
        let event_loop = new_loop!();
        let promise = static_ref!(Promise<u8> = Promise::new());
        for _ in 0..2 {
            drop(event_loop.create_task(async {
                let _bomb = PanicOnDrop;
                let _got = promise.wait().await;
            })?);
        }
        drop(event_loop.create_task(async {
            let _guard = OnDrop("dropped");
            let _got = promise.wait().await;
        })?);
        event_loop.turn(NOW)?;
        let bomb = PanicOnDrop;
        event_loop.call_soon(move || drop(bomb))?;
        let guard = OnDrop("callback dropped");
        event_loop.call_soon(move || drop(guard))?;
        event_loop.close()?;
        check_events!["callback dropped", "dropped"];
        check_eq!(test().backend.report_count(), 3);
        Ok(())
    }

    pub(super) fn a_panic_in_the_drop_of_an_unwanted_result_is_the_task_s() -> Outcome {
        let event_loop = new_loop!();
        drop(event_loop.create_task(async { PanicOnDrop })?);
        event_loop.call_soon(|| event("goes on"))?;
        event_loop.turn(NOW)?;
        check_events!["goes on"];
        check_eq!(test().backend.report_count(), 1);
        event_loop.turn(NOW)?;
        Ok(())
    }

    pub(super) fn a_panic_in_the_drop_of_a_cancelled_repetition_is_reported_once() -> Outcome {
        let event_loop = new_loop!();
        let bomb = PanicOnDrop;
        let slot = std::rc::Rc::new(std::cell::RefCell::new(None::<molen::TimerHandle>));
        let own = slot.clone();
        let handle = event_loop.call_repeatedly(ms(1), MissedTicks::Skip, move || {
            let _held = &bomb;
            if let Some(handle) = &*own.borrow() {
                handle.cancel();
            }
        })?;
        *slot.borrow_mut() = Some(handle);
        event_loop.turn(None)?;
        check_eq!(test().backend.report_count(), 1);
        check_eq!(event_loop.next_deadline(), None);
        // The callback held the cell that holds its handle.
        slot.borrow_mut().take();
        Ok(())
    }
}
