//! Signals that a shell sends to this process. Each case has one of its own.

use super::each;
use crate::case::{Failure, Outcome};
use crate::fixture::event;
use crate::real::{ok, run};
use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use molen::signals::{self, InvalidSignal, Signal, SignalEventLoop, SignalRefused};
use molen::subprocess::create_subprocess_shell;
use molen::{Duration, create_task, get_running_loop, sleep};
use std::format;
use std::process::Command;

/// Has `signal` sent to this process after `delay` seconds, and goes on.
fn send_after(delay: &str, signal: Signal) -> Outcome {
    let script = format!("sleep {delay}; kill -{} $PPID", signal.as_raw());
    ok(Command::new("/bin/sh").args(["-c", &script]).spawn())?;
    Ok(())
}

/// Sends `signal` to this process, and lets the loop see to it.
async fn send(signal: Signal) -> Outcome {
    let sender = create_subprocess_shell(format!("kill -{} $PPID", signal.as_raw()));
    ok(ok(sender.await)?.wait().await)?;
    sleep(Duration::from_millis(1)).await;
    Ok(())
}

/// Whether this process has a handler for `signal`, where the system tells.
fn is_caught(signal: Signal) -> Option<bool> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:"))?;
    let mask = u64::from_str_radix(mask.trim(), 16).ok()?;
    Some(mask & 1 << (signal.as_raw() - 1) != 0)
}

pub(super) fn a_signal_wakes_a_waiting_loop_and_is_an_ordinary_callback() -> Outcome {
    each::wakes_a_waiting_loop_and_is_an_ordinary_callback(Signal::USR1, |_loop| {
        send_after("0.05", Signal::USR1)
    })
}

pub(super) fn handlers_are_refused_replaced_and_removed() -> Outcome {
    for number in [-1, 0, 1000] {
        check_eq!(Signal::from_raw(number), Err(InvalidSignal(number)));
    }
    run(async {
        let event_loop = get_running_loop()?;
        let add = |signal, name| event_loop.add_signal_handler(signal, move || event(name));
        for signal in [Signal::KILL, Signal::STOP] {
            let refused = add(signal, "never").map_err(|error| error.cause);
            check_matches!(refused, Err(SignalRefused::NotCatchable));
        }
        let refused = add(Signal::SEGV, "never").map_err(|error| error.cause);
        check_matches!(refused, Err(SignalRefused::Fault));
        ok(add(Signal::WINCH, "first"))?;
        ok(add(Signal::WINCH, "second"))?;
        send(Signal::WINCH).await?;
        check_events!("second");
        check!(is_caught(Signal::WINCH) != Some(false), "the system has no handler");
        check!(event_loop.remove_signal_handler(Signal::WINCH), "there was none");
        check!(!event_loop.remove_signal_handler(Signal::WINCH), "there still was one");
        check!(is_caught(Signal::WINCH) != Some(true), "the system still has the handler");
        send(Signal::WINCH).await?;
        check_events!("second");
        Ok(())
    })
}

pub(super) fn a_cancelled_handler_is_removed_when_its_signal_comes() -> Outcome {
    run(async {
        let event_loop = get_running_loop()?;
        let handle = ok(event_loop.add_signal_handler(Signal::URG, || event("called")))?;
        handle.cancel();
        check!(is_caught(Signal::URG) != Some(false), "the system has no handler");
        send(Signal::URG).await?;
        check_events!();
        check!(is_caught(Signal::URG) != Some(true), "the system still has the handler");
        check!(!event_loop.remove_signal_handler(Signal::URG), "it is still there");
        Ok(())
    })
}

pub(super) fn closing_the_loop_removes_its_handlers() -> Outcome {
    let event_loop = ok(molen::new_event_loop())?;
    for signal in [Signal::CONT, Signal::CHLD] {
        ok(event_loop.add_signal_handler(signal, || event("called")))?;
        check!(is_caught(signal) != Some(false), "the system has no handler");
    }
    event_loop.close()?;
    for signal in [Signal::CONT, Signal::CHLD] {
        check!(is_caught(signal) != Some(true), "the system still has the handler");
        let refused = event_loop.add_signal_handler(signal, || ()).map_err(|error| error.cause);
        check_matches!(refused, Err(SignalRefused::Loop(_)));
    }
    run(send(Signal::CONT))?;
    check_events!();
    Ok(())
}

pub(super) fn a_refusal_of_the_system_leaves_no_handler() -> Outcome {
    // glibc keeps this one for itself; where it is free, it can be had.
    let Ok(signal) = Signal::from_raw(32) else { return Ok(()) };
    let event_loop = ok(molen::new_event_loop())?;
    let added = event_loop.add_signal_handler(signal, || ());
    let has_it = added.is_ok();
    if let Err(refused) = added {
        check_matches!(refused.cause, SignalRefused::Os(_));
        // Nothing half done keeps it from another loop.
        let other = ok(molen::new_event_loop())?;
        let refused = other.add_signal_handler(signal, || ()).map_err(|error| error.cause);
        check_matches!(refused, Err(SignalRefused::Os(_)));
    }
    check_eq!(event_loop.remove_signal_handler(signal), has_it);
    Ok(())
}

pub(super) fn signals_of_one_kind_before_a_turn_are_one_call() -> Outcome {
    let event_loop = ok(molen::new_event_loop())?;
    ok(event_loop.add_signal_handler(Signal::IO, || event("called")))?;
    let script = format!("for i in 1 2 3 4 5; do kill -{} $PPID; done", Signal::IO.as_raw());
    ok(Command::new("/bin/sh").args(["-c", &script]).status())?;
    event_loop.turn(Some(Duration::ZERO))?;
    event_loop.turn(Some(Duration::ZERO))?;
    check_events!("called");
    Ok(())
}

pub(super) fn a_signal_has_one_loop_at_a_time() -> Outcome {
    each::has_one_loop_at_a_time(Signal::TTIN, send(Signal::TTIN))
}

pub(super) fn a_failing_handler_is_reported_and_called_again() -> Outcome {
    each::is_reported_when_its_handler_fails(Signal::USR2, async {
        send(Signal::USR2).await?;
        send(Signal::USR2).await
    })
}

pub(super) fn waiting_for_a_signal_listens_only_meanwhile() -> Outcome {
    const BOTH: [Signal; 2] = [Signal::XCPU, Signal::XFSZ];
    let none_is_caught = || BOTH.iter().all(|signal| is_caught(*signal) != Some(true));
    let mut cx = Context::from_waker(Waker::noop());
    let Poll::Ready(Err(refused)) = pin!(signals::wait(&BOTH)).poll(&mut cx) else {
        return Err(Failure::said("it waits without a loop"));
    };
    check_matches!(refused.cause, SignalRefused::NoRunningLoop);
    run(async {
        check!(none_is_caught(), "the system has a handler at the beginning");
        {
            let mut waiting = pin!(signals::wait(&BOTH));
            check!(waiting.as_mut().poll(&mut cx).is_pending(), "one has come");
            check!(BOTH.iter().all(|it| is_caught(*it) != Some(false)), "it does not listen");
        }
        check!(none_is_caught(), "it listens when it is dropped");
        let waiting = create_task(signals::wait(&BOTH))?;
        sleep(Duration::ZERO).await;
        send(Signal::XFSZ).await?;
        check_eq!(ok(waiting.await?)?, Signal::XFSZ);
        check!(none_is_caught(), "it listens when it is over");
        // Refused for one, it listens to none.
        let waiting = signals::wait(&[Signal::XCPU, Signal::KILL]).await;
        let refused = waiting.err().ok_or_else(|| Failure::said("it was not refused"))?;
        check_eq!(refused.signal, Signal::KILL);
        check_matches!(refused.cause, SignalRefused::NotCatchable);
        check!(none_is_caught(), "it listens when it was refused");
        Ok(())
    })
}

pub(super) fn all_who_wait_for_a_signal_and_its_handler_learn_of_it() -> Outcome {
    async fn wait(signals: &'static [Signal], name: &'static str) -> bool {
        let came = signals::wait(signals).await;
        event(name);
        came.is_ok_and(|signal| signal == Signal::ALRM)
    }
    run(async {
        let event_loop = get_running_loop()?;
        let first = create_task(wait(&[Signal::ALRM], "first"))?;
        let second = create_task(wait(&[Signal::HUP, Signal::ALRM], "second"))?;
        let other = create_task(wait(&[Signal::HUP], "other"))?;
        sleep(Duration::ZERO).await;
        ok(event_loop.add_signal_handler(Signal::ALRM, || event("handler")))?;
        send(Signal::ALRM).await?;
        check!(first.await? && second.await?, "another signal came");
        check_events!("handler", "first", "second");
        // The handler stays, and who waits for another.
        send(Signal::ALRM).await?;
        check_events!("handler", "first", "second", "handler");
        check!(event_loop.remove_signal_handler(Signal::ALRM), "there was none");
        check!(is_caught(Signal::ALRM) != Some(true), "the system still has the handler");
        check!(!event_loop.remove_signal_handler(Signal::HUP), "who waits is no handler");
        check!(is_caught(Signal::HUP) != Some(false), "nobody waits any more");
        other.cancel();
        check!(other.await.is_err(), "it was not cancelled");
        check!(is_caught(Signal::HUP) != Some(true), "the system still has the handler");
        Ok(())
    })
}
