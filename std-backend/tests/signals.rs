//! Real signals, sent to this process. Each test has a signal of its own: they
//! are the whole process's.
#![cfg(unix)]

mod local;

use molen_core::{Duration, LoopRef, sleep};
use molen_std::signals::{InvalidSignal, Signal, SignalEventLoop, SignalRefused};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Sends `signal` to this process, which has had it when this returns: of several
/// threads, `kill` may choose one that does not run just now.
fn send(signal: Signal) {
    // SAFETY: it has no pointers.
    assert_eq!(unsafe { libc::raise(signal.as_raw()) }, 0);
}

fn disposition(signal: Signal) -> libc::sighandler_t {
    // SAFETY: all zero is a `sigaction`, which is only written to.
    unsafe {
        let mut now: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal.as_raw(), std::ptr::null(), &mut now);
        now.sa_sigaction
    }
}

fn new_loop() -> LoopRef {
    molen_std::new_event_loop().expect("a new event loop")
}

/// Sends `signal` from another thread when the loop has gone to sleep.
fn send_later(signal: Signal) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(50));
        send(signal);
    })
}

#[test]
fn a_signal_wakes_a_sleeping_loop_and_is_an_ordinary_callback() {
    let event_loop = new_loop();
    let (stop, log) = (event_loop.clone(), Rc::new(RefCell::new(Vec::new())));
    let its = log.clone();
    event_loop
        .add_signal_handler(Signal::USR1, move || {
            its.borrow_mut().push("signal");
            let later = its.clone();
            stop.call_soon(move || later.borrow_mut().push("soon")).unwrap();
            stop.stop();
        })
        .unwrap();
    event_loop
        .call_later(Duration::from_secs(60), || -> () { panic!("the loop slept on") })
        .unwrap();
    let sender = send_later(Signal::USR1);
    event_loop.run_forever().unwrap();
    sender.join().unwrap();
    event_loop.run_until_complete(sleep(Duration::ZERO)).unwrap();
    assert_eq!(*log.borrow(), ["signal", "soon"]);
}

#[test]
fn a_thousand_signals_before_a_turn_are_one_call_and_none_is_lost() {
    let event_loop = new_loop();
    let calls = Rc::new(Cell::new(0));
    let its = calls.clone();
    event_loop.add_signal_handler(Signal::USR2, move || its.set(its.get() + 1)).unwrap();
    for _ in 0..1000 {
        send(Signal::USR2);
    }
    event_loop.run_until_complete(sleep(Duration::from_millis(1))).unwrap();
    assert!((1..1000).contains(&calls.get()), "{} calls", calls.get());
    let before = calls.get();
    send(Signal::USR2);
    event_loop.run_until_complete(sleep(Duration::from_millis(1))).unwrap();
    assert_eq!(calls.get(), before + 1);
}

#[test]
fn a_second_handler_replaces_the_first_and_removing_restores_the_default() {
    let event_loop = new_loop();
    let log = Rc::new(RefCell::new(Vec::new()));
    for name in ["first", "second"] {
        let its = log.clone();
        event_loop.add_signal_handler(Signal::WINCH, move || its.borrow_mut().push(name)).unwrap();
    }
    send(Signal::WINCH);
    event_loop.run_until_complete(sleep(Duration::from_millis(1))).unwrap();
    assert_eq!(*log.borrow(), ["second"]);
    assert_ne!(disposition(Signal::WINCH), libc::SIG_DFL);
    assert!(event_loop.remove_signal_handler(Signal::WINCH));
    assert!(!event_loop.remove_signal_handler(Signal::WINCH));
    assert_eq!(disposition(Signal::WINCH), libc::SIG_DFL);
    assert_eq!(Rc::strong_count(&log), 1, "the callback is left in memory");
}

#[test]
fn what_cannot_be_handled_is_refused() {
    let event_loop = new_loop();
    let add = |signal| event_loop.add_signal_handler(signal, || ()).map_err(|error| error.cause);
    assert!(matches!(add(Signal::KILL), Err(SignalRefused::NotCatchable)));
    assert!(matches!(add(Signal::STOP), Err(SignalRefused::NotCatchable)));
    assert!(matches!(add(Signal::SEGV), Err(SignalRefused::Fault)));
    for number in [-1, 0, 1000] {
        assert_eq!(Signal::from_raw(number), Err(InvalidSignal(number)));
    }
    event_loop.close().unwrap();
    assert!(matches!(add(Signal::HUP), Err(SignalRefused::Loop(_))));
    assert_eq!(disposition(Signal::HUP), libc::SIG_DFL);
}

/// glibc keeps two signals for itself, and `sigaction` refuses them.
#[test]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn a_refusal_of_the_system_leaves_nothing_behind() {
    let event_loop = new_loop();
    let kept = Signal::from_raw(32).unwrap();
    for _ in 0..2 {
        let error = event_loop.add_signal_handler(kept, || ()).unwrap_err();
        assert!(matches!(error.cause, SignalRefused::Os(_)), "{error}");
        assert_eq!(
            error.to_string(),
            "cannot add a handler for signal 32: Invalid argument (os error 22)"
        );
    }
    assert!(!event_loop.remove_signal_handler(kept));
}

#[test]
fn closing_the_loop_gives_signals_back_and_another_loop_may_have_them() {
    let (first, second) = (new_loop(), new_loop());
    first.add_signal_handler(Signal::CONT, || ()).unwrap();
    let refused = second.add_signal_handler(Signal::CONT, || ()).unwrap_err();
    assert!(matches!(refused.cause, SignalRefused::OfAnotherLoop));
    first.close().unwrap();
    assert_eq!(disposition(Signal::CONT), libc::SIG_DFL);
    second.add_signal_handler(Signal::CONT, || ()).unwrap();
    assert_ne!(disposition(Signal::CONT), libc::SIG_DFL);
    drop(second);
    assert_eq!(disposition(Signal::CONT), libc::SIG_DFL);
}

#[test]
fn a_cancelled_handler_is_removed_when_its_signal_comes() {
    let event_loop = new_loop();
    let handle =
        event_loop.add_signal_handler(Signal::URG, || -> () { panic!("cancelled") }).unwrap();
    handle.cancel();
    send(Signal::URG);
    event_loop.run_until_complete(sleep(Duration::from_millis(1))).unwrap();
    assert_eq!(disposition(Signal::URG), libc::SIG_DFL);
    assert!(!event_loop.remove_signal_handler(Signal::URG));
}

#[test]
fn a_forked_child_has_no_loop_and_signals_do_there_what_they_do_by_default() {
    let event_loop = new_loop();
    let calls = Rc::new(Cell::new(0));
    let its = calls.clone();
    event_loop.add_signal_handler(Signal::ALRM, move || its.set(its.get() + 1)).unwrap();
    let status = event_loop
        .run_until_complete(async {
            // SAFETY: the child calls what is safe in a signal handler only.
            unsafe {
                let child = libc::fork();
                if child == 0 {
                    if molen_core::get_running_loop().is_ok() {
                        libc::_exit(1);
                    }
                    libc::raise(libc::SIGALRM);
                    libc::_exit(2);
                }
                let mut status = 0;
                assert_eq!(libc::waitpid(child, &mut status, 0), child);
                assert!(molen_core::get_running_loop().is_ok());
                sleep(Duration::from_millis(1)).await;
                status
            }
        })
        .unwrap();
    assert!(libc::WIFSIGNALED(status), "the child ended with status {status:#x}");
    assert_eq!(libc::WTERMSIG(status), libc::SIGALRM);
    assert_eq!(calls.get(), 0, "the child's signal came to the parent");
}

/// In a process of its own, where nothing was done with signals before.
#[test]
fn the_first_handler_of_a_process_is_called() {
    if std::env::var_os("MOLEN_FIRST").is_none() {
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "the_first_handler_of_a_process_is_called"])
            .env("MOLEN_FIRST", "1")
            .status();
        assert!(status.unwrap().success());
        return;
    }
    let event_loop = new_loop();
    let stop = event_loop.clone();
    event_loop.add_signal_handler(Signal::HUP, move || stop.stop()).unwrap();
    let sender = send_later(Signal::HUP);
    event_loop.run_forever().unwrap();
    sender.join().unwrap();
}
