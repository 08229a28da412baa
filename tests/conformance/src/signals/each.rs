//! What is so of each signal, wherever it comes from.

use crate::case::Outcome;
use crate::fixture::{event, stop};
use crate::real::{ok, run};
use core::future::Future;
use molen::schedule::ExceptionContext;
use molen::signals::{Signal, SignalEventLoop, SignalRefused};
use molen::{Duration, LoopRef, get_running_loop};
use std::rc::Rc;

/// `send` has `signal` come while the loop waits.
pub(super) fn wakes_a_waiting_loop_and_is_an_ordinary_callback(
    signal: Signal,
    send: impl FnOnce(&LoopRef) -> Outcome,
) -> Outcome {
    let event_loop = ok(molen::new_event_loop())?;
    let its = event_loop.clone();
    ok(event_loop.add_signal_handler(signal, move || {
        event("signal");
        // After what is ready already, before the end of the turn's batch.
        let soon = its.call_soon(|| event("soon"));
        stop();
        soon.map(drop)
    }))?;
    event_loop.call_later(Duration::from_secs(60), || {
        event("slept on");
        stop();
    })?;
    send(&event_loop)?;
    event_loop.run_forever()?;
    check_events!("signal");
    event_loop.turn(Some(Duration::ZERO))?;
    check_events!("signal", "soon");
    Ok(())
}

/// `send` has `signal` come, and lets the running loop see to it.
pub(super) fn has_one_loop_at_a_time(
    signal: Signal,
    send: impl Future<Output = Outcome>,
) -> Outcome {
    let first = ok(molen::new_event_loop())?;
    let second = ok(molen::new_event_loop())?;
    ok(first.add_signal_handler(signal, || event("first")))?;
    let refused = second.add_signal_handler(signal, || ()).map_err(|error| error.cause);
    check_matches!(refused, Err(SignalRefused::OfAnotherLoop));
    check!(!second.remove_signal_handler(signal), "another loop's was removed");
    check!(first.remove_signal_handler(signal), "it was not there");
    ok(second.add_signal_handler(signal, || event("second")))?;
    second.run_until_complete(send)??;
    check_events!("second");
    Ok(())
}

/// `send_twice` has `signal` come, and then once more.
pub(super) fn is_reported_when_its_handler_fails(
    signal: Signal,
    send_twice: impl Future<Output = Outcome>,
) -> Outcome {
    run(async {
        let event_loop = get_running_loop()?;
        event_loop.set_exception_handler(Some(Rc::new(
            |_loop, _context: &ExceptionContext<'_>| {
                event("reported");
                Ok(())
            },
        )));
        ok(event_loop.add_signal_handler(signal, || {
            event("called");
            Err("out of flour")
        }))?;
        send_twice.await?;
        check_events!("called", "reported", "called", "reported");
        Ok(())
    })
}
