//! The wait: how exact it is, and who ends it.

mod local;

use local::run;
use molen_core::{create_task, get_running_loop, sleep, sleep_until, yield_now};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Lateness of `count` sleeps of about `delay`, sorted.
fn lateness(count: u32, delay: Duration) -> Vec<Duration> {
    run(async {
        let event_loop = get_running_loop().unwrap();
        let mut late = Vec::new();
        for number in 0..count {
            // Not at multiples of anything.
            let when = event_loop.time() + delay + Duration::from_micros(u64::from(number) * 37);
            sleep_until(when).await;
            assert!(event_loop.time() >= when, "a timer fired early");
            late.push(event_loop.time().saturating_since(when));
        }
        late.sort();
        late
    })
}

#[test]
#[cfg_attr(windows, ignore = "Windows waits by the tick of its clock: see the test below")]
fn timers_are_late_by_microseconds_and_not_milliseconds() {
    for (count, delay) in [(50, 200), (50, 1_000), (50, 5_000), (10, 60_000), (5, 120_000)] {
        let late = lateness(count, Duration::from_micros(delay));
        let (least, median) = (late[0], late[late.len() / 2]);
        println!("{delay} µs: late by {least:?} at least, {median:?} in the middle");
        // The least tells what the wait can do, whatever else the machine does.
        assert!(least < Duration::from_micros(500), "{delay} µs: {late:?}");
        if delay <= 5_000 && cfg!(any(target_os = "linux", target_vendor = "apple")) {
            assert!(median < Duration::from_micros(500), "{delay} µs: {late:?}");
        }
    }
}

/// Everywhere, but where it matters is Windows: mio's waits are whole
/// milliseconds there, and may last to the next tick of the system's clock.
#[test]
fn timers_are_never_early_and_late_by_a_tick_at_most() {
    const TICK: Duration = Duration::from_millis(16);
    for (count, delay) in [(20, 200), (20, 1_000), (10, 20_000)] {
        let late = lateness(count, Duration::from_micros(delay));
        let (least, median) = (late[0], late[late.len() / 2]);
        println!("{delay} µs: late by {least:?} at least, {median:?} in the middle");
        assert!(least < TICK, "{delay} µs: {late:?}");
    }
}

#[test]
fn a_post_from_another_thread_ends_an_endless_wait() {
    let event_loop = molen_std::new_event_loop().unwrap();
    let remote = event_loop.remote();
    let (ask, asked) = mpsc::channel::<()>();
    let (answer, answered) = mpsc::channel::<Instant>();
    let poster = std::thread::spawn(move || {
        let mut slowest = Duration::ZERO;
        for _ in 0..200 {
            let began = Instant::now();
            let answer = answer.clone();
            let posted = remote.call_soon_threadsafe(move || {
                let _ = answer.send(Instant::now());
            });
            assert!(posted.is_ok());
            let ran: Instant =
                answered.recv_timeout(Duration::from_secs(20)).expect("a lost wake-up");
            slowest = slowest.max(ran - began);
        }
        let _ = remote.call_soon_threadsafe(move || drop(ask));
        slowest
    });
    // Nothing else to do: only the posts end the wait.
    while asked.try_recv() != Err(mpsc::TryRecvError::Disconnected) {
        event_loop.turn(None).unwrap();
    }
    let slowest = poster.join().unwrap();
    println!("slowest of 200 posts to an idle loop: {slowest:?}");
}

#[test]
fn a_post_from_another_thread_gets_into_a_busy_loop() {
    run(async {
        let remote = get_running_loop().unwrap().remote();
        let (done, is_done) = mpsc::channel();
        let busy = create_task(async move {
            while is_done.try_recv().is_err() {
                yield_now().await;
            }
        })
        .unwrap();
        let poster = std::thread::spawn(move || {
            for number in 0..1000 {
                let done = done.clone();
                let posted = remote.call_soon_threadsafe(move || {
                    if number == 999 {
                        let _ = done.send(());
                    }
                });
                assert!(posted.is_ok());
            }
        });
        busy.await.unwrap();
        poster.join().unwrap();
    });
}

#[test]
fn a_busy_loop_still_looks_at_timers_and_sockets() {
    run(async {
        let (client, server) = local::pair().await;
        let busy = create_task(async {
            loop {
                yield_now().await;
            }
        })
        .unwrap();
        sleep(Duration::from_millis(2)).await;
        client.write_all(b"through").await.unwrap();
        assert_eq!(server.read(&mut [0; 16]).await, Ok(7));
        busy.cancel();
    });
}

#[test]
#[cfg_attr(windows, ignore = "Windows has no signals that interrupt a wait")]
fn a_signal_that_interrupts_the_wait_is_not_an_error() {
    #[cfg(unix)]
    {
        extern "C" fn ignore(_signal: libc::c_int) {}
        // SAFETY: a handler that does nothing, without SA_RESTART.
        unsafe {
            let mut action: libc::sigaction = core::mem::zeroed();
            action.sa_sigaction = ignore as *const () as usize;
            assert_eq!(libc::sigaction(libc::SIGUSR1, &action, core::ptr::null_mut()), 0);
        }
        // SAFETY: no preconditions.
        let sleeper = unsafe { libc::pthread_self() } as usize;
        let (stop, stopped) = mpsc::channel::<()>();
        let sender = std::thread::spawn(move || {
            while stopped.recv_timeout(Duration::from_millis(1)).is_err() {
                // SAFETY: the thread waits for this one, so it is alive.
                unsafe { libc::pthread_kill(sleeper as libc::pthread_t, libc::SIGUSR1) };
            }
        });
        run(async {
            let event_loop = get_running_loop().unwrap();
            let until = event_loop.time() + Duration::from_millis(50);
            sleep_until(until).await;
            assert!(event_loop.time() >= until);
        });
        stop.send(()).unwrap();
        sender.join().unwrap();
    }
}

#[test]
fn a_busy_loop_looks_as_often_as_its_budget_says() {
    use molen_core::io::PollBudget;
    use std::cell::Cell;
    use std::rc::Rc;

    // A timer of no time at all is due at the loop's next look: the steps that
    // a busy task makes until then are the budget.
    let steps_until_a_look = |callbacks| {
        let event_loop = molen_std::new_event_loop().unwrap();
        let selector = event_loop.backend_as::<molen_std::StdSelector>().unwrap();
        selector.set_poll_budget(PollBudget { callbacks, nanos: u32::MAX });
        event_loop
            .run_until_complete(async {
                let due = Rc::new(Cell::new(false));
                let seen = due.clone();
                let timer = create_task(async move {
                    sleep(Duration::from_nanos(1)).await;
                    seen.set(true);
                });
                timer.unwrap().detach();
                yield_now().await;
                let mut steps = 0;
                while !due.get() {
                    yield_now().await;
                    steps += 1;
                }
                steps
            })
            .unwrap()
    };
    let (few, many) = (steps_until_a_look(10), steps_until_a_look(1000));
    assert!(few <= 10, "{few} steps with a budget of 10");
    assert!((900..=1000).contains(&many), "{many} steps with a budget of 1000");
}
