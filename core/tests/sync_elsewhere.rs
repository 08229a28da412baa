//! The primitives of `sync` under an executor that is not Molen's.

#[cfg(feature = "threads")]
#[path = "../src/platform_of_tests.rs"]
mod platform_of_tests;

use futures::executor::{LocalPool, block_on};
use futures::future::{Either, select};
use futures::task::LocalSpawnExt;
use molen_core::sync::{Barrier, LockGuard};
use molen_core::{BoundedSemaphore, Condition, Event, Lock, Semaphore};
use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

/// Lets the others run.
async fn yield_once() {
    let mut yielded = false;
    poll_fn(|cx| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}

/// Runs what `task` makes of each number below `count` as tasks of one pool.
fn run<F: Future<Output = ()> + 'static>(count: usize, task: impl Fn(usize) -> F) {
    let mut pool = LocalPool::new();
    for number in 0..count {
        pool.spawner().spawn_local(task(number)).unwrap();
    }
    pool.run();
}

#[test]
fn tasks_of_a_local_pool_take_turns_with_a_lock() {
    let log = Rc::new(Lock::with_value(Vec::new()));
    run(3, |number| {
        let log = log.clone();
        async move {
            for _ in 0..3 {
                let mut guard = log.acquire().await;
                yield_once().await;
                guard.push(number);
            }
        }
    });
    let log = Rc::into_inner(log).unwrap().into_inner();
    assert_eq!(log.len(), 9);
    // Whatever the pool's order is, nobody is passed over.
    for round in log.chunks(3) {
        let mut round = round.to_vec();
        round.sort_unstable();
        assert_eq!(round, [0, 1, 2]);
    }
}

#[test]
fn tasks_of_a_local_pool_share_permits() {
    let (semaphore, most) = (Rc::new(BoundedSemaphore::new(2)), Rc::new(RefCell::new((0, 0))));
    run(5, |_| {
        let (semaphore, most) = (semaphore.clone(), most.clone());
        async move {
            let _permit = semaphore.acquire().await;
            let inside = most.borrow().0 + 1;
            let greatest = most.borrow().1.max(inside);
            most.replace((inside, greatest));
            yield_once().await;
            most.borrow_mut().0 -= 1;
        }
    });
    assert_eq!(*most.borrow(), (0, 2));
}

#[test]
fn tasks_of_a_local_pool_meet_at_a_barrier() {
    let barrier = Rc::new(Barrier::new(3).unwrap());
    let indexes = Rc::new(RefCell::new(Vec::new()));
    run(6, |_| {
        let (barrier, indexes) = (barrier.clone(), indexes.clone());
        async move {
            let index = barrier.wait().await.unwrap();
            indexes.borrow_mut().push(index);
        }
    });
    let mut indexes = indexes.take();
    indexes.sort_unstable();
    assert_eq!(indexes, [0, 0, 1, 1, 2, 2]);
}

#[test]
fn a_condition_hands_items_over() {
    let items = Rc::new(Condition::with_lock(Lock::with_value(Vec::new())));
    let mut pool = LocalPool::new();
    let taken = Rc::new(RefCell::new(Vec::new()));
    for _ in 0..2 {
        let (items, taken) = (items.clone(), taken.clone());
        let take = async move {
            for _ in 0..5 {
                let guard = items.acquire().await;
                let mut guard = items.wait_for(guard, |items| !items.is_empty()).await;
                taken.borrow_mut().extend(guard.pop());
            }
        };
        pool.spawner().spawn_local(take).unwrap();
    }
    let give = async move {
        for item in 0..10 {
            items.acquire().await.push(item);
            let guard = items.acquire().await;
            items.notify(&guard, 1);
        }
    };
    pool.spawner().spawn_local(give).unwrap();
    pool.run();
    let mut taken = taken.take();
    taken.sort_unstable();
    assert_eq!(taken, (0..10).collect::<Vec<_>>());
}

#[test]
fn an_event_wakes_block_on() {
    let event = Event::new();
    block_on(async {
        let wait = pin!(event.wait());
        let never = pin!(std::future::pending::<()>());
        let Either::Right(_) = select(select(wait, never), pin!(yield_once())).await else {
            panic!("the event is set");
        };
        futures::join!(event.wait(), async { event.set() });
    });
}

/// Polls `future` `count` times and drops it; whether it had not ended.
async fn poll_and_drop<F: Future>(future: F, count: usize) -> bool {
    let mut future = pin!(future);
    for _ in 0..count {
        let polled = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_pending())).await;
        if !polled {
            return false;
        }
        yield_once().await;
    }
    true
}

/// Whatever the point is where a future is dropped, lock, permit and
/// notification are there for the next.
#[test]
fn nothing_is_lost_at_whichever_poll_it_is_dropped() {
    block_on(async {
        for polls in 0..8 {
            for rival_yields in 0..4 {
                let lock = Lock::new();
                let condition = Condition::with_lock(&lock);
                let semaphore = Semaphore::new(1);
                let held = (lock.acquire().await, semaphore.acquire().await);
                let victim = async {
                    let _permit = semaphore.acquire().await;
                    let guard = lock.acquire().await;
                    yield_once().await;
                    let _guard = condition.wait(guard).await;
                    yield_once().await;
                };
                let rival = async {
                    for _ in 0..rival_yields {
                        yield_once().await;
                    }
                    drop(held);
                    for _ in 0..8 {
                        let guard = lock.acquire().await;
                        condition.notify(&guard, 1);
                        drop(guard);
                        yield_once().await;
                    }
                };
                futures::join!(poll_and_drop(victim, polls), rival);
                assert!(!lock.locked() && lock.try_acquire().is_some());
                assert_eq!(semaphore.available_permits(), 1);
                assert!(semaphore.try_acquire().is_some());
            }
        }
    });
}

#[test]
fn a_dropped_notification_goes_to_the_next() {
    for polls in 1..5 {
        block_on(async {
            let condition = Condition::new();
            let victim = async { drop(condition.wait(condition.acquire().await).await) };
            let other = async { drop(condition.wait(condition.acquire().await).await) };
            let notifier = async {
                yield_once().await;
                let guard = condition.acquire().await;
                condition.notify(&guard, 1);
                yield_once().await;
                drop(guard);
                for _ in 0..8 {
                    yield_once().await;
                }
            };
            let dropped = async {
                if !poll_and_drop(victim, polls).await {
                    // It got the notification, so the other needs one of its own.
                    condition.notify_all(&condition.acquire().await);
                }
            };
            let both = pin!(futures::future::join(notifier, futures::future::join(dropped, other)));
            let long = pin!(async {
                for _ in 0..32 {
                    yield_once().await;
                }
            });
            assert!(
                matches!(select(both, long).await, Either::Left(_)),
                "the notification is lost"
            );
        });
    }
}

#[test]
fn a_forgotten_guard_is_released_by_anybody() {
    let lock = Rc::new(Lock::new());
    let mut pool = LocalPool::new();
    let other = lock.clone();
    pool.spawner().spawn_local(async move { LockGuard::forget(other.acquire().await) }).unwrap();
    pool.run();
    assert!(lock.locked());
    lock.release().unwrap();
    assert!(!lock.locked());
}
