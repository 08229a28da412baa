//! Callbacks that fail, and the chain of exception handlers: behaviours 44 to 51.

use crate::case::{Case, Outcome};
use crate::fixture::{event, ms, stop, test};
use molen::schedule::{ExceptionContext, HandlerFailed};
use molen::testing::{handler, static_ref};
use molen::{EventLoop, Promise};

pub(crate) const CASES: &[Case] = &[
    case!(44, a_failing_callback_is_reported_and_the_loop_goes_on),
    case!(45, a_handler_is_told_what_failed_and_can_be_reset),
    case!(47, failing_handlers_end_at_the_last_resort),
    case!(49, a_failure_that_was_read_is_not_reported),
    case!(50, a_failure_is_not_reported_after_a_cancel),
    case!(51, a_pending_task_without_a_handle_goes_on),
    case!(1020, a_handler_may_set_another_handler),
    case!(1021, anybody_may_call_the_handler),
    case!(1022, the_default_handler_can_be_called_from_a_handler),
    case!(1023, a_failure_that_nobody_read_is_reported_once),
    case!(1024, a_failing_handler_does_not_hide_the_failure),
];

/// What `test()` was told as report `number`.
fn reported(number: usize, text: &str) -> bool {
    test().backend.reported(number).is_some_and(|report| *report == *text)
}

fn a_failing_callback_is_reported_and_the_loop_goes_on() -> Outcome {
    let event_loop = new_loop!();
    event_loop.call_soon(|| Err::<(), _>("soon"))?;
    event_loop.call_soon(|| event("goes on"))?;
    event_loop.call_later(ms(1), || Err::<(), _>("later"))?;
    event_loop.call_later(ms(1), stop)?;
    event_loop.run_forever()?;
    check_events!["goes on"];
    check_eq!(test().backend.report_count(), 2);
    check!(reported(0, "a callback failed: soon"), "the first report is another");
    check!(reported(1, "a callback failed: later"), "the second report is another");
    Ok(())
}

fn a_handler_is_told_what_failed_and_can_be_reset() -> Outcome {
    fn on_failure(_: &EventLoop, context: &ExceptionContext<'_>) -> Result<(), HandlerFailed> {
        let exception = context.exception.map(molen::testing::Text::<16>::of);
        let is_boom = exception.is_some_and(|text| text.as_str() == "boom");
        event(if context.message == "a callback failed" && is_boom { "handled" } else { "other" });
        Ok(())
    }
    let event_loop = new_loop!();
    check!(event_loop.get_exception_handler().is_none(), "a new loop has a handler");
    event_loop.set_exception_handler(Some(handler(&on_failure)));
    check!(event_loop.get_exception_handler().is_some(), "the handler is not there");
    event_loop.call_soon(|| Err::<(), _>("boom"))?;
    event_loop.turn(None)?;
    check_events!["handled"];
    check_eq!(test().backend.report_count(), 0);
    event_loop.set_exception_handler(None);
    event_loop.call_soon(|| Err::<(), _>("boom"))?;
    event_loop.turn(None)?;
    check_events!["handled"];
    check_eq!(test().backend.report_count(), 1);
    Ok(())
}

fn failing_handlers_end_at_the_last_resort() -> Outcome {
    let event_loop = new_loop!();
    event_loop.set_exception_handler(Some(handler(&|_, _| {
        event("custom");
        Err(HandlerFailed)
    })));
    test().backend.fail_reports(1);
    event_loop.call_soon(|| Err::<(), _>("boom"))?;
    event_loop.call_soon(|| event("goes on"))?;
    event_loop.turn(None)?;
    check_events!["custom", "goes on"];
    check_eq!(test().backend.report_count(), 1);
    let last = test().backend.reported(0).is_some_and(|text| text.starts_with("last resort: "));
    check!(last, "the report was not the last resort");
    Ok(())
}

fn a_failure_that_was_read_is_not_reported() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let promise = Promise::<(), &str>::new();
        promise.add_done_callback(|| ())?;
        promise.set_exception("boom")?;
        check!(promise.result()?.is_err(), "it did not fail");
        drop(promise);
        let awaited = Promise::<(), &str>::new();
        awaited.add_done_callback(|| ())?;
        awaited.set_exception("boom")?;
        check!(awaited.wait().await.is_err(), "it did not fail");
        Ok(())
    })??;
    check_eq!(test().backend.report_count(), 0);
    Ok(())
}

fn a_failure_is_not_reported_after_a_cancel() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let promise = Promise::<(), &str>::new();
        promise.add_done_callback(|| ())?;
        promise.set_exception("boom")?;
        check!(!promise.cancel(), "it could still be cancelled");
        Ok(())
    })??;
    check_eq!(test().backend.report_count(), 0);
    Ok(())
}

fn a_pending_task_without_a_handle_goes_on() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    drop(event_loop.create_task(crate::fixture::hold(promise, "begun", "ended"))?);
    event_loop.turn(None)?;
    event_loop.call_later(ms(1), || promise.set_result(1))?;
    event_loop.call_later(ms(2), stop)?;
    event_loop.run_forever()?;
    check_events!["begun", "ended"];
    check_eq!(test().backend.report_count(), 0);
    Ok(())
}

fn a_handler_may_set_another_handler() -> Outcome {
    let event_loop = new_loop!();
    event_loop.set_exception_handler(Some(handler(&|event_loop, _| {
        event("first");
        event_loop.set_exception_handler(Some(handler(&|_, _| {
            event("second");
            Ok(())
        })));
        Ok(())
    })));
    event_loop.call_soon(|| Err::<(), _>("boom"))?;
    event_loop.call_soon(|| Err::<(), _>("boom"))?;
    event_loop.turn(None)?;
    check_events!["first", "second"];
    Ok(())
}

fn anybody_may_call_the_handler() -> Outcome {
    let event_loop = new_loop!();
    event_loop.call_exception_handler(&ExceptionContext::new("the pump is dry", Some(&7)));
    check!(reported(0, "the pump is dry: 7"), "the report is another");
    event_loop.call_exception_handler(&ExceptionContext::new("only a sentence", None));
    check!(reported(1, "only a sentence"), "the report is another");
    Ok(())
}

fn the_default_handler_can_be_called_from_a_handler() -> Outcome {
    let event_loop = new_loop!();
    event_loop.set_exception_handler(Some(handler(&|event_loop, context| {
        event("custom");
        event_loop.default_exception_handler(context)
    })));
    event_loop.call_soon(|| Err::<(), _>("boom"))?;
    event_loop.turn(None)?;
    check_events!["custom"];
    check_eq!(test().backend.report_count(), 1);
    check!(reported(0, "a callback failed: boom"), "the report is another");
    Ok(())
}

fn a_failure_that_nobody_read_is_reported_once() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let promise = Promise::<(), &str>::new();
        promise.add_done_callback(|| ())?;
        promise.set_exception("boom")?;
        Outcome::Ok(())
    })??;
    check_eq!(test().backend.report_count(), 1);
    check!(
        reported(0, "the exception of a promise was never retrieved: boom"),
        "the report is another"
    );
    Ok(())
}

fn a_failing_handler_does_not_hide_the_failure() -> Outcome {
    let event_loop = new_loop!();
    event_loop.set_exception_handler(Some(handler(&|_, _| Err(HandlerFailed))));
    event_loop.call_soon(|| Err::<(), _>("boom"))?;
    event_loop.turn(None)?;
    check_eq!(test().backend.report_count(), 1);
    let told = test().backend.reported(0).is_some_and(|text| {
        text.starts_with("the exception handler itself failed")
            && text.contains("a callback failed: boom")
    });
    check!(told, "the report does not hold the first failure");
    Ok(())
}
