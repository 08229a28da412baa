//! Locks and events: behaviours 193 to 199, and Molen's own.

use crate::case::{Case, Outcome};
use crate::fixture::event;
use core::pin::pin;
use core::task::{Context, Waker};
use molen::sync::{LockGuard, ReleaseError};
use molen::testing::static_ref;
use molen::{Duration, Event, EventLoop, Lock, catch_cancel, yield_now};

pub(crate) const CASES: &[Case] = &[
    case!(193, a_lock_goes_to_one_waiter_a_release_in_order),
    case!(196, a_woken_waiter_that_is_cancelled_passes_the_lock_on),
    case!(197, a_cancel_that_comes_with_a_release_loses_no_lock),
    case!(198, a_cancelled_waiter_leaves_no_entry),
    case!(199, releasing_an_unlocked_lock_is_an_error),
    case!(1300, who_releases_and_acquires_again_goes_to_the_tail),
    case!(1301, a_pulse_wakes_all_who_wait_for_an_event),
    case!(1302, waiting_for_a_set_event_does_not_yield),
    case!(1303, a_cancelled_waiter_of_an_event_leaves_the_others),
    case!(1304, a_free_lock_is_acquired_without_yielding),
    case!(1305, a_guard_releases_and_forbids_another_release),
    case!(1306, nobody_takes_a_lock_that_is_promised),
    case!(1307, a_lock_guards_its_value),
    case!(1308, a_caught_cancel_of_a_woken_waiter_passes_the_lock_on),
    case!(1309, an_aborted_holder_releases_the_lock),
];

pub(crate) const NOW: Option<Duration> = Some(Duration::ZERO);

/// Turns the loop until all is done that can be.
pub(crate) fn settle(event_loop: &EventLoop) -> Outcome {
    for _ in 0..8 {
        event_loop.turn(NOW)?;
    }
    Ok(())
}

/// Acquires the lock, notes an event and keeps the lock, as asyncio's `acquire()` does.
#[molen::task(pool_size = 4)]
async fn keep(lock: &'static Lock, name: &'static str) {
    LockGuard::forget(lock.acquire().await);
    event(name);
}

/// Acquires the lock, notes an event and releases it.
#[molen::task(pool_size = 3)]
async fn hold_shortly(lock: &'static Lock, name: &'static str) {
    let _guard = lock.acquire().await;
    event(name);
}

fn a_lock_goes_to_one_waiter_a_release_in_order() -> Outcome {
    let event_loop = new_loop!();
    let lock = static_ref!(Lock = Lock::new());
    for name in ["zero", "one", "two"] {
        drop(event_loop.create_task(keep(lock, name))?);
    }
    event_loop.turn(NOW)?;
    check_events!["zero"];
    check_eq!(lock.release(), Ok(()));
    check!(!lock.locked(), "somebody has it before his turn");
    settle(&event_loop)?;
    check!(lock.locked(), "nobody has it");
    check_events!["zero", "one"];
    drop(event_loop.create_task(keep(lock, "three"))?);
    for _ in 0..2 {
        check_eq!(lock.release(), Ok(()));
        settle(&event_loop)?;
    }
    check_events!["zero", "one", "two", "three"];
    Ok(())
}

fn a_woken_waiter_that_is_cancelled_passes_the_lock_on() -> Outcome {
    let event_loop = new_loop!();
    let lock = static_ref!(Lock = Lock::new());
    drop(event_loop.create_task(keep(lock, "a"))?);
    let second = event_loop.create_task(keep(lock, "b"))?;
    drop(event_loop.create_task(keep(lock, "c"))?);
    event_loop.turn(NOW)?;
    check_eq!(lock.release(), Ok(()));
    second.cancel();
    settle(&event_loop)?;
    check!(second.cancelled(), "it is not cancelled");
    check_events!["a", "c"];
    Ok(())
}

fn a_cancel_that_comes_with_a_release_loses_no_lock() -> Outcome {
    let event_loop = new_loop!();
    let lock = static_ref!(Lock = Lock::new());
    let first = event_loop.create_task(keep(lock, "a"))?;
    let second = event_loop.create_task(keep(lock, "b"))?;
    let third = event_loop.create_task(keep(lock, "c"))?;
    drop(event_loop.create_task(keep(lock, "d"))?);
    event_loop.turn(NOW)?;
    check!(first.done(), "the first does not have it");
    second.cancel();
    check_eq!(lock.release(), Ok(()));
    third.cancel();
    settle(&event_loop)?;
    check!(second.cancelled() && third.cancelled(), "they are not cancelled");
    check_events!["a", "d"];
    check!(lock.locked(), "nobody has it");
    Ok(())
}

fn a_cancelled_waiter_leaves_no_entry() -> Outcome {
    let event_loop = new_loop!();
    let lock = static_ref!(Lock = Lock::new());
    drop(event_loop.create_task(keep(lock, "a"))?);
    let second = event_loop.create_task(keep(lock, "b"))?;
    event_loop.turn(NOW)?;
    second.cancel();
    event_loop.turn(NOW)?;
    check_eq!(lock.release(), Ok(()));
    check!(!event_loop.has_ready(), "somebody was woken");
    check!(lock.try_acquire().is_some(), "it is promised to somebody");
    check_events!["a"];
    Ok(())
}

fn releasing_an_unlocked_lock_is_an_error() -> Outcome {
    let lock = Lock::new();
    check_eq!(lock.release(), Err(ReleaseError::NotAcquired));
    check!(lock.try_acquire().is_some(), "it cannot be acquired");
    Ok(())
}

fn who_releases_and_acquires_again_goes_to_the_tail() -> Outcome {
    #[molen::task(pool_size = 3)]
    async fn twice(lock: &'static Lock, names: [&'static str; 2]) {
        for name in names {
            let guard = lock.acquire().await;
            event(name);
            yield_now().await;
            drop(guard);
            event(if lock.locked() { "locked" } else { "free" });
        }
    }
    let event_loop = new_loop!();
    let lock = static_ref!(Lock = Lock::new());
    for names in [["a1", "a2"], ["b1", "b2"], ["c1", "c2"]] {
        drop(event_loop.create_task(twice(lock, names))?);
    }
    for _ in 0..20 {
        event_loop.turn(NOW)?;
    }
    check_events![
        "a1", "free", "b1", "free", "c1", "free", "a2", "free", "b2", "free", "c2", "free"
    ];
    Ok(())
}

/// Waits for the event, and notes it.
#[molen::task(pool_size = 3)]
async fn wait_for_event(it: &'static Event, name: &'static str) {
    it.wait().await;
    event(name);
}

fn a_pulse_wakes_all_who_wait_for_an_event() -> Outcome {
    let event_loop = new_loop!();
    let it = static_ref!(Event = Event::new());
    for name in ["first", "second"] {
        drop(event_loop.create_task(wait_for_event(it, name))?);
    }
    event_loop.turn(NOW)?;
    it.set();
    it.clear();
    check!(!it.is_set(), "it is set");
    drop(event_loop.create_task(wait_for_event(it, "late"))?);
    settle(&event_loop)?;
    check_events!["first", "second"];
    it.set();
    it.set();
    check!(it.is_set(), "it is not set");
    settle(&event_loop)?;
    check_events!["first", "second", "late"];
    Ok(())
}

fn waiting_for_a_set_event_does_not_yield() -> Outcome {
    let event_loop = new_loop!();
    let it = static_ref!(Event = Event::new());
    it.set();
    drop(event_loop.create_task(wait_for_event(it, "set"))?);
    event_loop.turn(NOW)?;
    check_events!["set"];
    Ok(())
}

fn a_cancelled_waiter_of_an_event_leaves_the_others() -> Outcome {
    let event_loop = new_loop!();
    let it = static_ref!(Event = Event::new());
    let first = event_loop.create_task(wait_for_event(it, "first"))?;
    drop(event_loop.create_task(wait_for_event(it, "second"))?);
    event_loop.turn(NOW)?;
    first.cancel();
    event_loop.turn(NOW)?;
    it.set();
    check_eq!(event_loop.turn(NOW)?.ran, 1);
    check!(first.cancelled(), "it is not cancelled");
    check_events!["second"];
    Ok(())
}

fn a_free_lock_is_acquired_without_yielding() -> Outcome {
    let event_loop = new_loop!();
    let lock = static_ref!(Lock = Lock::new());
    for name in ["first", "second", "third"] {
        drop(event_loop.create_task(hold_shortly(lock, name))?);
    }
    event_loop.turn(NOW)?;
    check_events!["first", "second", "third"];
    check!(!lock.locked(), "it is locked");
    Ok(())
}

fn a_guard_releases_and_forbids_another_release() -> Outcome {
    let lock = Lock::new();
    let guard = lock.try_acquire();
    check!(guard.is_some() && lock.locked(), "it was not acquired");
    check_eq!(lock.release(), Err(ReleaseError::Guarded));
    check!(lock.locked(), "it was released");
    drop(guard);
    check!(!lock.locked(), "it was not released");
    if let Some(guard) = lock.try_acquire() {
        LockGuard::forget(guard);
    }
    check!(lock.locked(), "it was released");
    check_eq!(lock.release(), Ok(()));
    check_eq!(lock.release(), Err(ReleaseError::NotAcquired));
    Ok(())
}

fn nobody_takes_a_lock_that_is_promised() -> Outcome {
    let event_loop = new_loop!();
    let lock = static_ref!(Lock = Lock::new());
    for name in ["first", "second"] {
        drop(event_loop.create_task(keep(lock, name))?);
    }
    event_loop.turn(NOW)?;
    check_eq!(lock.release(), Ok(()));
    check!(!lock.locked() && lock.try_acquire().is_none(), "it was taken");
    {
        // Nor by a future that is polled before the one that was woken.
        let mut acquire = pin!(lock.acquire());
        let polled = acquire.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        check!(polled.is_pending(), "it was taken");
        check_eq!(lock.release(), Err(ReleaseError::NotAcquired));
    }
    event_loop.turn(NOW)?;
    check_events!["first", "second"];
    Ok(())
}

fn a_lock_guards_its_value() -> Outcome {
    #[molen::task(pool_size = 2)]
    async fn add(lock: &'static Lock<u8>) {
        let mut value = lock.acquire().await;
        let before = *value;
        yield_now().await;
        *value = before + 1;
    }
    let event_loop = new_loop!();
    let lock = static_ref!(Lock<u8> = Lock::with_value(1));
    for _ in 0..2 {
        drop(event_loop.create_task(add(lock))?);
    }
    settle(&event_loop)?;
    check_eq!(lock.try_acquire().map(|value| *value), Some(3));
    Ok(())
}

fn a_caught_cancel_of_a_woken_waiter_passes_the_lock_on() -> Outcome {
    #[molen::task]
    async fn caught(lock: &'static Lock) {
        event(if catch_cancel(lock.acquire()).await.is_ok() { "acquired" } else { "cancelled" });
        let _guard = lock.acquire().await;
        event("caught's turn");
    }
    let event_loop = new_loop!();
    let lock = static_ref!(Lock = Lock::new());
    drop(event_loop.create_task(keep(lock, "first"))?);
    let task = event_loop.create_task(caught(lock))?;
    drop(event_loop.create_task(hold_shortly(lock, "third"))?);
    event_loop.turn(NOW)?;
    check_eq!(lock.release(), Ok(()));
    task.cancel();
    settle(&event_loop)?;
    check_events!["first", "cancelled", "third", "caught's turn"];
    Ok(())
}

fn an_aborted_holder_releases_the_lock() -> Outcome {
    #[molen::task]
    async fn hold_for_ever(lock: &'static Lock) -> u8 {
        let _guard = lock.acquire().await;
        event("held");
        core::future::pending().await
    }
    let event_loop = new_loop!();
    let lock = static_ref!(Lock = Lock::new());
    let holder = event_loop.create_task(hold_for_ever(lock))?;
    drop(event_loop.create_task(hold_shortly(lock, "next"))?);
    event_loop.turn(NOW)?;
    check!(holder.abort(), "it had ended");
    settle(&event_loop)?;
    check_events!["held", "next"];
    Ok(())
}
