//! Every future of the core, dropped at every point where it can be dropped:
//! nothing is lost, and nothing is left behind.
//!
//! `tests/every_future.rs` compares this table with the sources: a future that
//! is not in it is noticed. Waits for sources and connections are in
//! `dropping_net`, what is built on them in `dropping_above`, waits for threads
//! in `dropping_jobs`, and for what only the system has in `dropping_system`.
//!
//! | future | case |
//! |---|---|
//! | `Sleep`, `SleepUntil`, `YieldNow` | 1250 |
//! | `WaitPromise`, which is what awaiting a `Promise` is; `Task` | 1250 |
//! | `CatchCancel`, `Propagate` | 1250 |
//! | `Root`, which is the future of `run_until_complete` | 1274 |
//! | `Timeout`, `Limit`, `wait_for` | 1251 |
//! | `Run`, which is a group's `run`, and `Member` | 1252, 1581 |
//! | `AcquireLock`, `WaitEvent`, `WaitCondition`, `wait_for`, `wait_catching` | 1253 |
//! | `AcquirePermit`, `WaitBarrier` | 1254 |
//! | `AcquireOwned` | 2110 |
//! | `Put`, `Get`, `Join` | 1255 |
//! | `Receiver`, `Wait`, `Receive` | 1256 |
//! | `Select`, `Race`, `SelectAll`, `JoinVec` | 1257, 1422 |
//! | `IfSome`, `Optional` | 1257 |
//! | `Gather`, `Watch`, `WaitTimeout`, `Shield`, `StaggeredRace`, `next` | 1258 |
//! | `read`, `write_some`, `write_all`, `accept`, `accept_with_backoff` | 1259 |
//! | `RunInExecutor`, `to_thread`, `shutdown_default_executor` | 1229 |
//! | `WrapFuture`, which is also what awaiting a `ConcurrentFuture` is | 2044 |
//! | `read`, `readexactly`, `readuntil`, `readline`, `fill_buf` of a pull reader | 2041 |
//! | `read`, `readexactly`, `readuntil`, `readline`, `read_to_end`, `fill_buf` of a stream | 2042 |
//! | `connect_accepted_socket`, `open_streams`, `drain`, `wait_closed` | 2043 |
//! | `connect_read_pipe`, `connect_write_pipe`, `connect_datagram_socket` | 2043 |
//! | `wait_closed`, `serve_forever`, `shutdown` of a server | 2045 |
//! | `Reporting`, which is the task of a server's handler | 2047 |
//! | `drive` of a connection in a static | 2046 |
//! | `Connect`, which is `create_connection` and `open_connection` | 1949 |
//! | `Listen`, which is `create_server` and `start_server` | 1955 |
//! | `ConnectTls`, `open_tls_streams` | 2154, 1909 |
//! | `StartTls`, which is `start_tls` and `start_tls_server_side`, also of a stream | 2154, 1921 |
//! | `connect_subprocess` | 2155 |
//! | `written`, `sendfile` of a connection that is held | 2156 |
//! | `connect`, `connect_from`, `write_vectored` of TCP; `DatagramEndpoint` | 2153 |
//! | `recv_from`, `recv`, `send_to`, `send` of UDP; `getaddrinfo`, `getnameinfo` | 2153 |
//! | `Sendfile`, which is `sendfile` over a connection | 2153 |
//! | `sock_connect`, `sock_accept`, `sock_sendall`, `sock_recv`, `sock_recv_into` | 2153 |
//! | `sock_sendto`, `sock_recvfrom`, `sock_recvfrom_into`, `sock_sendfile` | 2153 |
//! | `write`, `disconnected` of a pipe | 2157 |
//! | `create_subprocess_exec`, `create_subprocess_shell`, `wait`, `communicate` | 2157 |
//! | `subprocess_exec`, `subprocess_shell` | 2157 |
//! | `UnixListen`, `UnixConnect`, `UnixEndpoint`, and Unix sockets' own | 2158 |
//! | `Wait` for a signal | 2158 |
//! | `drop_at_every_poll` itself | 1400 |

use crate::case::{Case, Failure, Outcome};
use crate::fixture::{after, ms, result_after};
use core::future::{Future, pending};
use molen::combine::{if_some, optional};
use molen::sync::{AsLock, Channel, LockGuard, Signal, oneshot};
use molen::task_group::BoundedTaskGroup;
use molen::testing::{drop_at_every_poll, static_ref};
use molen::timeouts::Deadline;
use molen::{
    Barrier, BoundedSemaphore, Condition, Event, Instant, Lock, Promise, Queue, Semaphore,
    as_completed, catch_cancel, create_task, current_task, gather, get_running_loop, join, race,
    select, shield, sleep, sleep_until, staggered_race, timeout, timeout_at, try_gather, wait,
    wait_for, yield_now,
};

pub(crate) const CASES: &[Case] = &[
    case!(1250, waits_of_tasks_leave_nothing_at_any_poll),
    case!(1251, timeouts_leave_nothing_at_any_poll),
    case!(1252, groups_leave_nothing_at_any_poll),
    case!(1253, locks_and_conditions_lose_nothing_at_any_poll),
    case!(1254, semaphores_and_barriers_lose_nothing_at_any_poll),
    case!(1255, queues_lose_nothing_at_any_poll),
    case!(1256, channels_lose_nothing_at_any_poll),
    case!(1257, combinators_in_place_leave_nothing_at_any_poll),
    case!(1258, combinators_of_tasks_leave_nothing_at_any_poll),
];

/// Drops what `make` makes at every point, and looks each time whether a
/// cancel, a timer or a task is left, and whether `nothing_is_lost`. What is
/// made is ready in poll number `polls`.
///
/// What is awaited takes 50 ms or more; what goes on by itself, 1 ms.
pub(crate) async fn drops<F: Future>(
    polls: usize,
    make: impl FnMut() -> F,
    mut nothing_is_lost: impl FnMut() -> bool,
) -> Outcome {
    let made = drop_at_every_poll(make, async |point| {
        drop(point);
        check_eq!(current_task().map(|task| task.cancelling()), Some(0));
        sleep(ms(5)).await;
        check!(nothing_is_lost(), "something was lost");
        look_round()
    });
    check_eq!(made.await?, polls);
    Ok(())
}

/// Fails if a timer is set, or a task is left beside the one that runs.
#[inline(never)]
pub(crate) fn look_round() -> Outcome {
    let event_loop = get_running_loop()?;
    check_eq!(event_loop.next_deadline(), None);
    let mut tasks = 0;
    event_loop.for_each_task(|_| tasks += 1);
    check_eq!(tasks, 1);
    Ok(())
}

/// There is nothing that could be lost.
pub(crate) fn nothing() -> bool {
    true
}

/// Calls `callback` in the next batch.
pub(crate) fn soon<R: molen::schedule::CallbackResult>(callback: impl FnOnce() -> R + 'static) {
    let scheduled = get_running_loop().is_ok_and(|it| it.call_soon(callback).is_ok());
    assert!(scheduled, "the store of callbacks is full");
}

/// The time `millis` milliseconds from now.
fn in_millis(millis: u64) -> Instant {
    get_running_loop().map_or(Instant::ZERO, |it| it.time()) + ms(millis)
}

/// Waits a little, and says so.
#[molen::task(pool_size = 2)]
async fn set_after(event: &'static Event) {
    sleep(ms(1)).await;
    event.set();
}

/// Takes a cancel back when it is dropped.
struct TakeBack;

impl Drop for TakeBack {
    fn drop(&mut self) {
        current_task().map(|task| task.uncancel());
    }
}

/// Is cancelled, catches that, and hands it on.
async fn hand_on() {
    let _cancel = TakeBack;
    current_task().map(|task| task.cancel());
    if let Err(cancelled) = catch_cancel(pending::<()>()).await {
        match cancelled.propagate().await {}
    }
}

fn waits_of_tasks_leave_nothing_at_any_poll() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        drops(2, || sleep(ms(50)), nothing).await?;
        drops(2, || sleep_until(in_millis(50)), nothing).await?;
        drops(2, yield_now, nothing).await?;
        let promise = Promise::<u8>::new();
        let make = || async {
            select((promise.wait(), sleep(ms(50)))).await;
        };
        drops(2, make, || !promise.done()).await?;
        promise.set_result(1)?;
        // The task goes on without its handle.
        let ended = static_ref!(Event = Event::new());
        let make = || {
            ended.clear();
            let task = create_task(set_after(ended));
            async move { task?.await.map_err(Failure::from) }
        };
        drops(2, make, || ended.is_set()).await?;
        drops(2, || catch_cancel(sleep(ms(50))), nothing).await?;
        drops(3, || catch_cancel(hand_on()), nothing).await
    })?
}

fn timeouts_leave_nothing_at_any_poll() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        drops(2, || timeout(ms(100), sleep(ms(50))), nothing).await?;
        drops(2, || timeout(ms(50), pending::<()>()), nothing).await?;
        drops(2, || timeout_at(in_millis(50), pending::<()>()), nothing).await?;
        let clean_up = || {
            timeout(ms(50), async {
                drop(catch_cancel(pending::<()>()).await);
                sleep(ms(50)).await;
            })
        };
        // Once more than it waits: being asked wakes it.
        drops(4, clean_up, nothing).await?;
        let limited = || async {
            let deadline = Deadline::after(ms(50));
            deadline.limit(pending::<()>()).await
        };
        drops(2, limited, nothing).await?;
        drops(2, || async { wait_for(after(100, 1), ms(200)).await.is_ok() }, nothing).await?;
        drops(3, || async { wait_for(after(100, 1), ms(50)).await.is_ok() }, nothing).await
    })?
}

/// Runs a group of one task, which ends with `result`, and a body that waits for ever if so told.
async fn run_group(result: Result<u8, &'static str>, body: impl Future<Output = ()>) {
    let group = BoundedTaskGroup::<u8, &'static str, 2>::new();
    let run = group.run(async {
        group.create_task(result_after(100, result, "ended")).map_err(|_| "no room")?;
        body.await;
        Ok(())
    });
    drop(run.await);
}

fn groups_leave_nothing_at_any_poll() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        drops(2, || run_group(Ok(1), async {}), nothing).await?;
        drops(2, || run_group(Err("boom"), pending()), nothing).await?;
        let clean_up = || async {
            drop(catch_cancel(pending::<()>()).await);
            sleep(ms(50)).await;
        };
        drops(4, || run_group(Err("boom"), clean_up()), nothing).await?;
        heap::groups().await
    })?
}

#[cfg(any(feature = "alloc", not(any(target_os = "none", target_os = "wasi"))))]
mod heap {
    use super::{drops, ms, nothing, pending, sleep};
    use crate::case::Outcome;
    use molen::TaskGroup;

    pub(super) async fn groups() -> Outcome {
        let make = |result: Result<u8, &'static str>| async move {
            let group = TaskGroup::<&'static str>::new();
            let run = group.run(async {
                let slow = async move {
                    sleep(ms(100)).await;
                    result
                };
                drop(group.create_task(slow).map_err(|_| "not created")?);
                if result.is_err() {
                    pending::<()>().await;
                }
                Ok(())
            });
            drop(run.await);
        };
        drops(2, || make(Ok(1)), nothing).await?;
        // The member that failed ends a step later.
        drops(3, || make(Err("boom")), nothing).await
    }
}

#[cfg(not(any(feature = "alloc", not(any(target_os = "none", target_os = "wasi")))))]
mod heap {
    /// Groups of any number of tasks need an allocator.
    pub(super) async fn groups() -> crate::case::Outcome {
        Ok(())
    }
}

fn locks_and_conditions_lose_nothing_at_any_poll() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let lock = static_ref!(Lock = Lock::new());
        let make = || {
            if let Some(guard) = lock.try_acquire() {
                LockGuard::forget(guard);
            }
            soon(|| lock.release());
            lock.acquire()
        };
        drops(2, make, || lock.try_acquire().is_some()).await?;
        let event = static_ref!(Event = Event::new());
        let make = || {
            event.clear();
            soon(|| event.set());
            event.wait()
        };
        drops(2, make, || event.is_set()).await?;
        let condition = static_ref!(Condition = Condition::new());
        let notify = || {
            if let Some(guard) = condition.as_lock().try_acquire() {
                condition.notify_all(&guard);
            }
        };
        let free = || condition.as_lock().try_acquire().is_some();
        let make = || async {
            soon(notify);
            drop(condition.wait(condition.acquire().await).await);
        };
        drops(2, make, free).await?;
        let make = || async {
            soon(notify);
            let mut looks = 0;
            let second = |(): &mut ()| {
                looks += 1;
                looks == 2
            };
            drop(condition.wait_for(condition.acquire().await, second).await);
        };
        drops(2, make, free).await?;
        let make = || async {
            soon(notify);
            drop(condition.wait_catching(condition.acquire().await).await);
        };
        drops(2, make, free).await
    })?
}

/// Comes to the barrier, and does not wait there for long.
#[molen::task(pool_size = 2)]
async fn arrive(barrier: &'static Barrier) {
    let _ = timeout(ms(2), barrier.wait()).await;
}

const fn two() -> Barrier {
    match Barrier::new(2) {
        Ok(barrier) => barrier,
        Err(_) => panic!("two are parties enough"),
    }
}

fn semaphores_and_barriers_lose_nothing_at_any_poll() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let semaphore = static_ref!(Semaphore = Semaphore::new(0));
        let make = || {
            soon(|| semaphore.release());
            semaphore.acquire()
        };
        let one_is_left = || {
            if let Some(permit) = semaphore.try_acquire() {
                permit.forget();
            }
            semaphore.available_permits() == 0
        };
        drops(2, make, one_is_left).await?;
        let bounded = static_ref!(BoundedSemaphore = BoundedSemaphore::new(1));
        let make = || {
            if let Some(permit) = bounded.try_acquire() {
                permit.forget();
            }
            soon(|| bounded.release());
            bounded.acquire()
        };
        drops(2, make, || bounded.available_permits() == 1).await?;
        let barrier = static_ref!(Barrier = two());
        let make = || {
            let other = create_task(arrive(barrier));
            async move {
                other?.detach();
                Ok::<_, Failure>(barrier.wait().await)
            }
        };
        drops(2, make, || barrier.n_waiting() == 0 && !barrier.broken()).await
    })?
}

fn queues_lose_nothing_at_any_poll() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let queue = static_ref!(Queue<u8, 1> = Queue::new());
        let take = || {
            let took = queue.get_nowait().is_ok();
            took && queue.task_done().is_ok()
        };
        let make = || {
            let full = queue.put_nowait(1).is_ok();
            soon(move || assert!(full && take()));
            queue.put(2)
        };
        // There is room for one again.
        let room = || {
            take();
            queue.put_nowait(3).is_ok() && take() && !take()
        };
        drops(2, make, room).await?;
        let make = || {
            soon(|| queue.put_nowait(1));
            async {
                if let Ok(item) = queue.get().await {
                    let _ = queue.task_done();
                    let _ = queue.put_nowait(item);
                }
            }
        };
        // The item is there, once.
        drops(2, make, || take() && !take()).await?;
        let make = || {
            let put = queue.put_nowait(1).is_ok();
            soon(move || assert!(put && take()));
            queue.join()
        };
        drops(2, make, || !take()).await
    })?
}

fn channels_lose_nothing_at_any_poll() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let place = static_ref!(oneshot::Slot<u8> = oneshot::Slot::new());
        let make = || {
            let ends = place.open();
            async move {
                let Some((sender, receiver)) = ends else { return 0 };
                soon(move || sender.send(1).map_err(|_| "nobody receives"));
                receiver.await.unwrap_or(0)
            }
        };
        drops(2, make, || place.open().is_some()).await?;
        let signal = static_ref!(Signal<u8> = Signal::new());
        let make = || {
            soon(|| signal.signal(7));
            async {
                let value = signal.wait().await;
                signal.signal(value);
            }
        };
        drops(2, make, || signal.try_take() == Some(7)).await?;
        let channel = static_ref!(Channel<u8, 2> = Channel::new());
        let make = || {
            soon(|| channel.try_send(7));
            async {
                let value = channel.receive().await;
                let _ = channel.try_send(value);
            }
        };
        let one_is_there = || channel.try_receive() == Some(7) && channel.try_receive().is_none();
        drops(2, make, one_is_there).await
    })?
}

fn combinators_in_place_leave_nothing_at_any_poll() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        drops(3, || join((sleep(ms(50)), sleep(ms(100)))), nothing).await?;
        drops(2, || select((sleep(ms(50)), sleep(ms(100)))), nothing).await?;
        drops(2, || race((sleep(ms(50)), sleep(ms(100)))), nothing).await?;
        drops(2, || select((if_some(Some(sleep(ms(50)))), pending::<()>())), nothing).await?;
        drops(2, || optional(Some(sleep(ms(50)))), nothing).await?;
        let attempt = async |millis: u64, result: Result<u8, u8>| {
            sleep(ms(millis)).await;
            result
        };
        let race = || staggered_race([attempt(100, Err(1)), attempt(70, Ok(2))], Some(ms(50)));
        drops(4, race, nothing).await
    })?
}

fn combinators_of_tasks_leave_nothing_at_any_poll() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let make = || async { gather((after(100, 1), after(200, 2))).ok()?.await.ok() };
        drops(3, make, nothing).await?;
        let failing = || (result_after(50, Ok(1), "ended"), result_after(50, Err("boom"), "ended"));
        let make = || async { try_gather(failing()).ok()?.await.ok() };
        drops(2, make, nothing).await?;
        // The tasks of these go on.
        let make = || async {
            let mut tasks = [create_task(after(1, 1)).ok()?, create_task(after(2, 2)).ok()?];
            wait(&mut tasks).timeout(ms(100)).await.ok()
        };
        drops(3, make, nothing).await?;
        let make = || async {
            let mut ends = as_completed([after(1, 1), after(2, 2)]).ok()?.timeout(ms(100));
            ends.next().await.ok()?;
            ends.next().await.ok()?
        };
        drops(3, make, nothing).await?;
        drops(2, || async { shield(after(1, 1)).ok()?.await.ok() }, nothing).await
    })?
}
