//! Semaphores: behaviours 207 to 211, and Molen's own.

use crate::case::{Case, Outcome};
use crate::fixture::event;
use crate::locks::{NOW, settle};
use molen::sync::{NeverEnough, ReleasedTooOften};
use molen::testing::static_ref;
use molen::{BoundedSemaphore, Semaphore, yield_now};

pub(crate) const CASES: &[Case] = &[
    case!(207, a_releaser_cannot_overtake_those_who_wait),
    case!(210, a_cancelled_waiter_never_keeps_a_permit),
    case!(211, a_bounded_semaphore_is_released_no_more_than_acquired),
    case!(1320, a_semaphore_is_locked_while_anybody_waits),
    case!(1321, who_wants_many_is_not_overtaken_by_who_wants_few),
    case!(1322, who_wanted_many_and_is_cancelled_lets_others_go_on),
    case!(1323, a_semaphore_of_zero_waits_for_releases),
    case!(1324, as_many_as_there_are_permits_do_not_yield),
    case!(1325, more_than_a_bounded_semaphore_has_is_an_error),
    case!(1326, permits_come_back_with_their_guards),
    case!(1327, nobody_takes_what_is_granted_to_others),
    case!(2103, owned_permits_queue_with_the_others),
    case!(2104, an_owned_permit_outlives_who_acquired_it),
    case!(2110, owned_permits_are_lost_at_no_poll),
];

lacking_where! {
    all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc")),
    "a semaphore with several owners needs a heap",
    heap {
        owned_permits_queue_with_the_others
        an_owned_permit_outlives_who_acquired_it
        owned_permits_are_lost_at_no_poll
    }
}
use heap::*;

/// Acquires `count` permits, notes an event, and keeps them, as asyncio's `acquire()` does.
#[molen::task(pool_size = 4)]
async fn keep(semaphore: &'static Semaphore, count: usize, name: &'static str) {
    semaphore.acquire_many(count).await.forget();
    event(name);
}

fn a_releaser_cannot_overtake_those_who_wait() -> Outcome {
    #[molen::task(pool_size = 3)]
    async fn thrice(semaphore: &'static Semaphore, name: &'static str) {
        for _ in 0..3 {
            let _permit = semaphore.acquire().await;
            event(name);
            yield_now().await;
        }
    }
    #[molen::task]
    async fn again(semaphore: &'static Semaphore) {
        semaphore.acquire().await.forget();
        event("2");
        semaphore.release();
        semaphore.acquire().await.forget();
        event("4");
    }
    let event_loop = new_loop!();
    let semaphore = static_ref!(Semaphore = Semaphore::new(1));
    for name in ["a", "b", "c"] {
        drop(event_loop.create_task(thrice(semaphore, name))?);
    }
    for _ in 0..24 {
        event_loop.turn(NOW)?;
    }
    check_events!["a", "b", "c", "a", "b", "c", "a", "b", "c"];

    drop(event_loop.create_task(keep(semaphore, 1, "1"))?);
    drop(event_loop.create_task(again(semaphore))?);
    drop(event_loop.create_task(keep(semaphore, 1, "3"))?);
    event_loop.turn(NOW)?;
    semaphore.release();
    semaphore.release();
    settle(&event_loop)?;
    check_events!["a", "b", "c", "a", "b", "c", "a", "b", "c", "1", "2", "3", "4"];
    check_eq!(semaphore.available_permits(), 0);
    Ok(())
}

fn a_cancelled_waiter_never_keeps_a_permit() -> Outcome {
    let event_loop = new_loop!();
    let semaphore = static_ref!(Semaphore = Semaphore::new(1));
    // The release comes first, the cancel of who was granted it after.
    drop(event_loop.create_task(keep(semaphore, 1, "a"))?);
    let second = event_loop.create_task(keep(semaphore, 1, "b"))?;
    drop(event_loop.create_task(keep(semaphore, 1, "c"))?);
    event_loop.turn(NOW)?;
    semaphore.release();
    second.cancel();
    settle(&event_loop)?;
    check!(second.cancelled(), "it is not cancelled");
    check_events!["a", "c"];
    // The cancel comes first.
    let second = event_loop.create_task(keep(semaphore, 1, "d"))?;
    drop(event_loop.create_task(keep(semaphore, 1, "e"))?);
    event_loop.turn(NOW)?;
    second.cancel();
    semaphore.release();
    settle(&event_loop)?;
    check_events!["a", "c", "e"];
    // Nobody is left to hand it to.
    let last = event_loop.create_task(keep(semaphore, 1, "f"))?;
    event_loop.turn(NOW)?;
    semaphore.release();
    last.cancel();
    settle(&event_loop)?;
    check_eq!(semaphore.available_permits(), 1);
    check!(!semaphore.locked(), "it is locked");
    check_events!["a", "c", "e"];
    Ok(())
}

fn a_bounded_semaphore_is_released_no_more_than_acquired() -> Outcome {
    const REFUSED: Result<(), ReleasedTooOften> = Err(ReleasedTooOften { bound: 2 });
    let semaphore = BoundedSemaphore::new(2);
    check_eq!(semaphore.release(), REFUSED);
    let (kept, guarded) = (semaphore.try_acquire(), semaphore.try_acquire());
    check!(semaphore.locked() && guarded.is_some(), "they were not acquired");
    if let Some(permit) = kept {
        permit.forget();
    }
    check_eq!(semaphore.release_many(2), REFUSED);
    check_eq!(semaphore.release(), Ok(()));
    // asyncio would take this one, and fail in the other's `async with`.
    check_eq!(semaphore.release(), REFUSED);
    check_eq!(semaphore.available_permits(), 1);
    drop(guarded);
    check_eq!(semaphore.available_permits(), 2);
    check_eq!(semaphore.release(), REFUSED);
    Ok(())
}

fn a_semaphore_is_locked_while_anybody_waits() -> Outcome {
    let event_loop = new_loop!();
    let semaphore = static_ref!(Semaphore = Semaphore::new(0));
    drop(event_loop.create_task(keep(semaphore, 1, "first"))?);
    event_loop.turn(NOW)?;
    semaphore.release();
    semaphore.release();
    check_eq!(semaphore.available_permits(), 1);
    check!(semaphore.locked() && semaphore.try_acquire().is_none(), "others may come in between");
    event_loop.turn(NOW)?;
    check!(!semaphore.locked(), "it is locked");
    check_events!["first"];
    Ok(())
}

fn who_wants_many_is_not_overtaken_by_who_wants_few() -> Outcome {
    let event_loop = new_loop!();
    let semaphore = static_ref!(Semaphore = Semaphore::new(2));
    for (count, name) in [(3, "three"), (1, "one"), (2, "two")] {
        drop(event_loop.create_task(keep(semaphore, count, name))?);
    }
    settle(&event_loop)?;
    check_events![];
    check!(semaphore.locked(), "others may come in between");
    semaphore.release_many(2);
    settle(&event_loop)?;
    check_events!["three", "one"];
    semaphore.release();
    settle(&event_loop)?;
    check_events!["three", "one"];
    semaphore.release();
    settle(&event_loop)?;
    check_events!["three", "one", "two"];
    Ok(())
}

fn who_wanted_many_and_is_cancelled_lets_others_go_on() -> Outcome {
    let event_loop = new_loop!();
    let semaphore = static_ref!(Semaphore = Semaphore::new(2));
    let first = event_loop.create_task(keep(semaphore, 3, "three"))?;
    for name in ["one", "another"] {
        drop(event_loop.create_task(keep(semaphore, 1, name))?);
    }
    event_loop.turn(NOW)?;
    first.cancel();
    settle(&event_loop)?;
    check_events!["one", "another"];
    check_eq!(semaphore.available_permits(), 0);
    Ok(())
}

fn a_semaphore_of_zero_waits_for_releases() -> Outcome {
    let event_loop = new_loop!();
    let semaphore = static_ref!(Semaphore = Semaphore::new(0));
    check!(semaphore.locked(), "it is not locked");
    let first = event_loop.create_task(keep(semaphore, 1, "cancelled"))?;
    for name in ["second", "third"] {
        drop(event_loop.create_task(keep(semaphore, 1, name))?);
    }
    event_loop.turn(NOW)?;
    first.cancel();
    event_loop.turn(NOW)?;
    semaphore.release();
    semaphore.release();
    event_loop.turn(NOW)?;
    check_events!["second", "third"];
    check!(semaphore.locked(), "it is not locked");
    Ok(())
}

fn as_many_as_there_are_permits_do_not_yield() -> Outcome {
    let event_loop = new_loop!();
    let semaphore = static_ref!(Semaphore = Semaphore::new(2));
    for name in ["first", "second", "third"] {
        drop(event_loop.create_task(keep(semaphore, 1, name))?);
    }
    event_loop.turn(NOW)?;
    check_events!["first", "second"];
    settle(&event_loop)?;
    check_events!["first", "second"];
    Ok(())
}

fn more_than_a_bounded_semaphore_has_is_an_error() -> Outcome {
    let semaphore = BoundedSemaphore::new(2);
    check_eq!(semaphore.acquire_many(3).err(), Some(NeverEnough { wanted: 3, bound: 2 }));
    check!(semaphore.acquire_many(2).is_ok(), "it cannot have all");
    check!(semaphore.try_acquire_many(3).is_none(), "it has more than all");
    Ok(())
}

fn permits_come_back_with_their_guards() -> Outcome {
    #[molen::task(pool_size = 3)]
    async fn work(semaphore: &'static BoundedSemaphore, begun: &'static str, ended: &'static str) {
        let _permit = semaphore.acquire().await;
        event(begun);
        yield_now().await;
        event(ended);
    }
    let event_loop = new_loop!();
    let semaphore = static_ref!(BoundedSemaphore = BoundedSemaphore::new(2));
    for (begun, ended) in [("a", "/a"), ("b", "/b"), ("c", "/c")] {
        drop(event_loop.create_task(work(semaphore, begun, ended))?);
    }
    settle(&event_loop)?;
    check_events!["a", "b", "/a", "/b", "c", "/c"];
    check_eq!(semaphore.available_permits(), 2);
    Ok(())
}

fn nobody_takes_what_is_granted_to_others() -> Outcome {
    let event_loop = new_loop!();
    let semaphore = static_ref!(Semaphore = Semaphore::new(0));
    for name in ["first", "second"] {
        drop(event_loop.create_task(keep(semaphore, 1, name))?);
    }
    event_loop.turn(NOW)?;
    semaphore.release_many(3);
    // This one comes when one permit is left, but before they have gone on.
    drop(event_loop.create_task(keep(semaphore, 1, "third"))?);
    check!(semaphore.try_acquire().is_none(), "it came in between");
    settle(&event_loop)?;
    check_events!["first", "second", "third"];
    Ok(())
}

#[cfg(not(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc"))))]
mod heap {
    use crate::case::{Failure, Outcome};
    use crate::dropping_all::{drops, soon};
    use crate::fixture::event;
    use crate::locks::{NOW, settle};
    use molen::{BoundedSemaphore, Semaphore};
    use std::rc::Rc;

    pub(super) fn owned_permits_queue_with_the_others() -> Outcome {
        let event_loop = new_loop!();
        let semaphore = Rc::new(Semaphore::new(0));
        let own = |name| {
            let acquiring = semaphore.clone().acquire_owned();
            Ok::<_, Failure>(event_loop.create_task(async move {
                let _permit = acquiring.await;
                event(name);
            })?)
        };
        let borrow = |name| {
            let semaphore = semaphore.clone();
            event_loop.create_task(async move {
                let _permit = semaphore.acquire().await;
                event(name);
            })
        };
        let tasks = [own("a")?, borrow("b")?, own("c")?, borrow("d")?, own("e")?];
        event_loop.turn(NOW)?;
        check!(semaphore.try_acquire_owned().is_none(), "it came in between");
        // One is cancelled while it waits, one when it was granted the permit.
        tasks[2].cancel();
        semaphore.release();
        tasks[0].cancel();
        settle(&event_loop)?;
        check_events!["b", "d", "e"];
        check!(tasks[0].cancelled() && tasks[2].cancelled(), "they are not cancelled");
        check_eq!(semaphore.available_permits(), 1);
        drop(tasks);
        check_eq!(Rc::strong_count(&semaphore), 1);
        Ok(())
    }

    pub(super) fn an_owned_permit_outlives_who_acquired_it() -> Outcome {
        let event_loop = new_loop!();
        let semaphore = Rc::new(BoundedSemaphore::new(2));
        let first = semaphore.try_acquire_owned();
        let acquiring = semaphore.clone().acquire_owned();
        let second = event_loop.run_until_complete(async { event_loop.create_task(acquiring) })?;
        let second = event_loop.run_until_complete(second?)??;
        check!(first.is_some() && semaphore.locked(), "they were not acquired");
        check!(Rc::ptr_eq(second.semaphore(), &semaphore), "it is another's");
        check!(semaphore.try_acquire_owned().is_none(), "there are more than two");
        // What a guard releases is not to be released explicitly.
        check!(semaphore.release().is_err(), "it was released too often");
        drop(first);
        check_eq!(semaphore.available_permits(), 1);
        let weak = Rc::downgrade(&semaphore);
        drop(semaphore);
        check!(weak.upgrade().is_some(), "the permit does not hold on to it");
        drop(second);
        check!(weak.upgrade().is_none(), "somebody still holds on to it");
        Ok(())
    }

    pub(super) fn owned_permits_are_lost_at_no_poll() -> Outcome {
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let semaphore = Rc::new(Semaphore::new(0));
            let make = || {
                let released = semaphore.clone();
                soon(move || released.release());
                semaphore.clone().acquire_owned()
            };
            let one_is_left = || {
                if let Some(permit) = semaphore.try_acquire() {
                    permit.forget();
                }
                semaphore.available_permits() == 0 && Rc::strong_count(&semaphore) == 1
            };
            drops(2, make, one_is_left).await
        })?
    }
}
