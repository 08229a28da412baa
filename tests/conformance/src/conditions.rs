//! Conditions: behaviours 202 to 206, and Molen's own.

use crate::case::{Case, Outcome};
use crate::fixture::event;
use crate::locks::{NOW, settle};
use molen::sync::{AsLock, LockGuard};
use molen::testing::static_ref;
use molen::{Condition, EventLoop, Lock, sleep};

pub(crate) const CASES: &[Case] = &[
    case!(202, a_wait_cancelled_in_a_contest_has_the_lock_before_it_goes_on),
    case!(204, notify_wakes_as_many_as_there_are_in_order),
    case!(206, a_shared_lock_is_the_conditions),
    case!(1310, a_notified_waiter_that_is_cancelled_notifies_another),
    case!(1311, a_notified_waiter_cancelled_at_the_lock_notifies_another),
    case!(1312, wait_for_looks_again_at_each_notification),
    case!(1313, wait_for_what_holds_keeps_the_lock),
    case!(1314, a_cancelled_wait_has_released_the_lock),
    case!(1315, a_wait_never_polled_releases_the_lock),
    case!(1316, waiting_lets_others_have_the_lock),
    case!(1317, a_notification_is_not_kept_for_later),
];

/// Waits with the lock, notes that it was notified, and releases the lock.
#[molen::task(pool_size = 4)]
async fn waits(condition: &'static Condition, name: &'static str) {
    let guard = condition.acquire().await;
    let _guard = condition.wait(guard).await;
    event(name);
}

/// Notifies `count`, with the lock in hand.
fn notify(condition: &'static Condition, count: usize) -> Outcome {
    let guard = condition.as_lock().try_acquire();
    check!(guard.is_some(), "the lock is not free");
    if let Some(guard) = guard {
        condition.notify(&guard, count);
    }
    Ok(())
}

fn start_three(event_loop: &EventLoop, condition: &'static Condition) -> Outcome {
    for name in ["first", "second", "third"] {
        drop(event_loop.create_task(waits(condition, name))?);
    }
    event_loop.turn(NOW)?;
    Ok(())
}

/// Waits as asyncio does: a cancel comes through when the lock is held again.
#[molen::task(pool_size = 2)]
async fn waits_catching(condition: &'static Condition) {
    let guard = condition.acquire().await;
    let (guard, waited) = condition.wait_catching(guard).await;
    event(if condition.locked() { "has the lock" } else { "has no lock" });
    if let Err(cancelled) = waited {
        match cancelled.propagate().await {}
    }
    drop(guard);
    event("not cancelled");
}

fn a_wait_cancelled_in_a_contest_has_the_lock_before_it_goes_on() -> Outcome {
    let event_loop = new_loop!();
    let condition = static_ref!(Condition = Condition::new());
    let task = event_loop.create_task(waits_catching(condition))?;
    event_loop.turn(NOW)?;
    // Notified, and then at the lock, which is held: cancelled there, twice.
    let guard = condition.as_lock().try_acquire();
    if let Some(guard) = &guard {
        condition.notify(guard, 1);
    }
    event_loop.turn(NOW)?;
    task.cancel();
    event_loop.turn(NOW)?;
    task.cancel();
    settle(&event_loop)?;
    check_events![];
    check!(!task.done(), "it went on without the lock");
    drop(guard);
    settle(&event_loop)?;
    check!(task.cancelled(), "it is not cancelled");
    check_events!["has the lock"];
    check!(!condition.locked(), "it was not released");

    // Cancelled while nobody has notified it.
    let task = event_loop.create_task(waits_catching(condition))?;
    event_loop.turn(NOW)?;
    task.cancel();
    settle(&event_loop)?;
    check!(task.cancelled() && !condition.locked(), "it is not cancelled");
    check_events!["has the lock", "has the lock"];
    Ok(())
}

fn notify_wakes_as_many_as_there_are_in_order() -> Outcome {
    let event_loop = new_loop!();
    let condition = static_ref!(Condition = Condition::new());
    start_three(&event_loop, condition)?;
    notify(condition, 1)?;
    settle(&event_loop)?;
    check_events!["first"];
    notify(condition, 2048)?;
    settle(&event_loop)?;
    check_events!["first", "second", "third"];

    start_three(&event_loop, condition)?;
    if let Some(guard) = condition.as_lock().try_acquire() {
        condition.notify_all(&guard);
    }
    settle(&event_loop)?;
    check_events!["first", "second", "third", "first", "second", "third"];
    Ok(())
}

fn a_shared_lock_is_the_conditions() -> Outcome {
    let lock = Lock::with_value(7);
    let (full, empty) = (Condition::with_lock(&lock), Condition::with_lock(&lock));
    let guard = lock.try_acquire();
    check!(guard.is_some() && full.locked() && empty.locked(), "they have other locks");
    drop(guard);
    check!(!full.locked() && !empty.locked(), "they have other locks");
    if let Some(guard) = empty.as_lock().try_acquire() {
        check_eq!(*guard, 7);
        LockGuard::forget(guard);
    }
    check!(lock.locked() && full.locked(), "it has another lock");
    check_eq!(full.release(), Ok(()));
    check!(!lock.locked(), "it was not released");
    Ok(())
}

fn a_notified_waiter_that_is_cancelled_notifies_another() -> Outcome {
    let event_loop = new_loop!();
    let condition = static_ref!(Condition = Condition::new());
    let first = event_loop.create_task(waits(condition, "cancelled"))?;
    start_three(&event_loop, condition)?;
    notify(condition, 1)?;
    first.cancel();
    settle(&event_loop)?;
    check!(first.cancelled() && !condition.locked(), "it is not cancelled");
    check_events!["first"];
    Ok(())
}

fn a_notified_waiter_cancelled_at_the_lock_notifies_another() -> Outcome {
    let event_loop = new_loop!();
    let condition = static_ref!(Condition = Condition::new());
    let first = event_loop.create_task(waits(condition, "cancelled"))?;
    start_three(&event_loop, condition)?;
    let guard = condition.as_lock().try_acquire();
    if let Some(guard) = &guard {
        condition.notify(guard, 1);
    }
    event_loop.turn(NOW)?;
    // It waits for the lock now; it is cancelled when that is promised to it.
    drop(guard);
    first.cancel();
    settle(&event_loop)?;
    check!(first.cancelled() && !condition.locked(), "it is not cancelled");
    check_events!["first"];
    Ok(())
}

type Counter = Condition<Lock<u8>>;

fn wait_for_looks_again_at_each_notification() -> Outcome {
    #[molen::task]
    async fn until_two(counter: &'static Counter) {
        let guard = counter.acquire().await;
        let guard = counter
            .wait_for(guard, |value| {
                event("looked");
                *value == 2
            })
            .await;
        event(if *guard == 2 { "two" } else { "other" });
    }
    let event_loop = new_loop!();
    let counter = static_ref!(Counter = Condition::with_lock(Lock::with_value(0)));
    drop(event_loop.create_task(until_two(counter))?);
    event_loop.turn(NOW)?;
    check_events!["looked"];
    for _ in 0..2 {
        if let Some(mut guard) = counter.as_lock().try_acquire() {
            *guard += 1;
            counter.notify_all(&guard);
        }
        settle(&event_loop)?;
    }
    check_events!["looked", "looked", "looked", "two"];
    check!(!counter.locked(), "it was not released");
    Ok(())
}

fn wait_for_what_holds_keeps_the_lock() -> Outcome {
    #[molen::task]
    async fn at_once(counter: &'static Counter) {
        let guard = counter.acquire().await;
        let _guard = counter.wait_for(guard, |value| *value == 0).await;
        event("at once");
    }
    let event_loop = new_loop!();
    let counter = static_ref!(Counter = Condition::with_lock(Lock::with_value(0)));
    drop(event_loop.create_task(at_once(counter))?);
    event_loop.turn(NOW)?;
    check_events!["at once"];
    Ok(())
}

fn a_cancelled_wait_has_released_the_lock() -> Outcome {
    let event_loop = new_loop!();
    let condition = static_ref!(Condition = Condition::new());
    let task = event_loop.create_task(waits(condition, "notified"))?;
    event_loop.turn(NOW)?;
    task.cancel();
    event_loop.turn(NOW)?;
    check!(task.cancelled() && !condition.locked(), "it has the lock");
    notify(condition, 1)?;
    check!(!event_loop.has_ready(), "somebody was woken");
    check_events![];
    Ok(())
}

fn a_wait_never_polled_releases_the_lock() -> Outcome {
    let condition = Condition::new();
    let guard = condition.as_lock().try_acquire();
    check!(condition.locked(), "it is not locked");
    if let Some(guard) = guard {
        drop(condition.wait(guard));
    }
    check!(!condition.locked(), "it was not released");
    Ok(())
}

fn waiting_lets_others_have_the_lock() -> Outcome {
    #[molen::task]
    async fn other(condition: &'static Condition) {
        let guard = condition.acquire().await;
        event("other");
        condition.notify(&guard, 1);
        sleep(crate::fixture::ms(1)).await;
        event("other releases");
    }
    let event_loop = new_loop!();
    let condition = static_ref!(Condition = Condition::new());
    drop(event_loop.create_task(waits(condition, "notified"))?);
    drop(event_loop.create_task(other(condition))?);
    event_loop.run_until_complete(sleep(crate::fixture::ms(2)))?;
    check_events!["other", "other releases", "notified"];
    Ok(())
}

fn a_notification_is_not_kept_for_later() -> Outcome {
    let event_loop = new_loop!();
    let condition = static_ref!(Condition = Condition::new());
    notify(condition, 3)?;
    drop(event_loop.create_task(waits(condition, "notified"))?);
    settle(&event_loop)?;
    check_events![];
    notify(condition, 1)?;
    settle(&event_loop)?;
    check_events!["notified"];
    Ok(())
}
