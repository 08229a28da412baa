//! Events of a console. Each case runs in a process with a console of its own,
//! for Ctrl-C goes to all that share one.

use super::each;
use crate::case::{Failure, Outcome};
use crate::fixture::event;
use crate::interrupts::interrupt_self;
use crate::real::{ok, run};
use crate::real::until_events;
use crate::subprocesses::in_console;
use molen::signals::{self, InvalidSignal, Signal, SignalEventLoop, SignalRefused};
use molen::subprocess::create_subprocess_exec;
use molen::{Duration, create_task, get_running_loop, sleep};
use std::string::String;

/// Runs case `number` in a process with a console of its own.
pub(super) fn run_there(number: u16) -> Outcome {
    run(async {
        let mut command = in_console(&["case", &std::format!("{number}")])?;
        let mut process = ok(create_subprocess_exec(command.pipes()).await)?;
        let output = ok(process.communicate(None).await)?;
        let said = String::from_utf8_lossy(&output.stderr.unwrap_or_default()).into_owned();
        match output.status.code() {
            Some(0) => Ok(()),
            Some(77) => Err(Failure::Unsupported(match number {
                359 => "Windows refuses no handler",
                _ => "the console refuses",
            })),
            code => Err(Failure::shown(&std::format!("{}, code {code:?}", said.trim()))),
        }
    })
}

/// Has Ctrl-C come, and waits until `count` events were noted in all.
async fn send(count: usize) -> Outcome {
    interrupt_self().await?;
    until_events(count).await;
    Ok(())
}

pub(super) fn a_signal_wakes_a_waiting_loop_and_is_an_ordinary_callback() -> Outcome {
    each::wakes_a_waiting_loop_and_is_an_ordinary_callback(Signal::INT, |event_loop| {
        event_loop.create_task(async { send(1).await.is_ok() })?.detach();
        Ok(())
    })
}

pub(super) fn handlers_are_refused_replaced_and_removed() -> Outcome {
    for number in [-1, 0, 1000] {
        check_eq!(Signal::from_raw(number), Err(InvalidSignal(number)));
    }
    run(async {
        let event_loop = get_running_loop()?;
        let add = |signal, name| event_loop.add_signal_handler(signal, move || event(name));
        let refused = add(Signal::KILL, "never").map_err(|error| error.cause);
        check_matches!(refused, Err(SignalRefused::NotCatchable));
        let refused = add(Signal::TERM, "never").map_err(|error| error.cause);
        check_matches!(refused, Err(SignalRefused::Loop(_)));
        ok(add(Signal::BREAK, "break"))?;
        ok(add(Signal::INT, "first"))?;
        ok(add(Signal::INT, "second"))?;
        send(1).await?;
        check_events!("second");
        for signal in [Signal::INT, Signal::BREAK] {
            check!(event_loop.remove_signal_handler(signal), "there was none");
            check!(!event_loop.remove_signal_handler(signal), "there still was one");
        }
        Ok(())
    })
}

pub(super) fn a_cancelled_handler_is_removed_when_its_signal_comes() -> Outcome {
    run(async {
        let event_loop = get_running_loop()?;
        let handle = ok(event_loop.add_signal_handler(Signal::INT, || event("called")))?;
        handle.cancel();
        interrupt_self().await?;
        // Nothing tells that nothing comes.
        sleep(Duration::from_secs(1)).await;
        check_events!();
        check!(!event_loop.remove_signal_handler(Signal::INT), "it is still there");
        Ok(())
    })
}

pub(super) fn closing_the_loop_removes_its_handlers() -> Outcome {
    let event_loop = ok(molen::new_event_loop())?;
    ok(event_loop.add_signal_handler(Signal::INT, || event("of the closed loop")))?;
    event_loop.close()?;
    let refused = event_loop.add_signal_handler(Signal::INT, || ()).map_err(|error| error.cause);
    check_matches!(refused, Err(SignalRefused::Loop(_)));
    run(async {
        ok(get_running_loop()?.add_signal_handler(Signal::INT, || event("of the next")))?;
        send(1).await
    })?;
    check_events!("of the next");
    Ok(())
}

pub(super) fn a_refusal_of_the_system_leaves_no_handler() -> Outcome {
    Err(Failure::Unsupported("Windows refuses no handler"))
}

pub(super) fn signals_of_one_kind_before_a_turn_are_one_call() -> Outcome {
    run(async {
        ok(get_running_loop()?.add_signal_handler(Signal::INT, || event("called")))?;
        // While this loop is busy, another has them come.
        let sender = std::thread::spawn(|| {
            run(async {
                for _ in 0..3 {
                    interrupt_self().await?;
                }
                Ok(())
            })
            .is_ok()
        });
        check!(sender.join().unwrap_or(false), "they were not sent");
        std::thread::sleep(std::time::Duration::from_secs(1));
        check_events!();
        until_events(1).await;
        sleep(Duration::from_millis(200)).await;
        check_events!("called");
        Ok(())
    })
}

pub(super) fn a_signal_has_one_loop_at_a_time() -> Outcome {
    each::has_one_loop_at_a_time(Signal::INT, send(1))
}

pub(super) fn a_failing_handler_is_reported_and_called_again() -> Outcome {
    each::is_reported_when_its_handler_fails(Signal::INT, async {
        send(2).await?;
        send(4).await
    })
}

pub(super) fn waiting_for_a_signal_listens_only_meanwhile() -> Outcome {
    run(async {
        let waiting = create_task(signals::wait(&[Signal::BREAK, Signal::INT]))?;
        sleep(Duration::ZERO).await;
        interrupt_self().await?;
        check_eq!(ok(waiting.await?)?, Signal::INT);
        // Refused for one, it listens to none.
        let waiting = signals::wait(&[Signal::INT, Signal::TERM]).await;
        let refused = waiting.err().ok_or_else(|| Failure::said("it was not refused"))?;
        check_eq!(refused.signal, Signal::TERM);
        check_matches!(refused.cause, SignalRefused::Loop(_));
        // Another loop can have it.
        let next = ok(molen::new_event_loop())?;
        ok(next.add_signal_handler(Signal::INT, || ()))?;
        Ok(())
    })
}

pub(super) fn all_who_wait_for_a_signal_and_its_handler_learn_of_it() -> Outcome {
    async fn wait(name: &'static str) -> bool {
        let came = signals::wait(&[Signal::INT]).await;
        event(name);
        came.is_ok_and(|signal| signal == Signal::INT)
    }
    run(async {
        let event_loop = get_running_loop()?;
        let (first, second) = (create_task(wait("first"))?, create_task(wait("second"))?);
        sleep(Duration::ZERO).await;
        ok(event_loop.add_signal_handler(Signal::INT, || event("handler")))?;
        send(3).await?;
        check!(first.await? && second.await?, "another signal came");
        check_events!("handler", "first", "second");
        check!(event_loop.remove_signal_handler(Signal::INT), "there was none");
        Ok(())
    })
}
