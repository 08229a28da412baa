//! Task groups: behaviours 160 to 180. The numbered cases run a
//! `BoundedTaskGroup`, which every platform has; where there is an allocator
//! they run once more with a `TaskGroup`, under numbers from 1570 on.

use crate::case::{Case, Failure, Outcome};
use crate::fixture::{OnDrop, event, ms};
use core::future::pending;
use molen::task_group::{BoundedTaskGroup, CreateError, Exception, TaskGroupError};
use molen::{catch_cancel, current_task, sleep, timeout, yield_now};

/// What the tasks of these groups fail with.
type Error = &'static str;
type Ended = Result<u8, Error>;

async fn fail_after_(millis: u64, error: Error) -> Ended {
    sleep(ms(millis)).await;
    event("failed");
    Err(error)
}

async fn wait_(dropped: &'static str) -> Ended {
    let _guard = OnDrop(dropped);
    pending().await
}

async fn give_after_(millis: u64, value: u8) -> Ended {
    sleep(ms(millis)).await;
    Ok(value)
}

/// Fails in its clean-up.
async fn fail_in_clean_up_(millis: u64, error: Error) -> Ended {
    drop(catch_cancel(pending::<()>()).await);
    sleep(ms(millis)).await;
    Err(error)
}

/// Runs a group of its own, in which one task fails.
async fn nested_() -> Ended {
    let group = BoundedTaskGroup::<u8, Error, 2>::new();
    let result = group.run(async { created(group.create_task(fail_after(1, "innermost"))) }).await;
    event(if result.is_err() { "inner group failed" } else { "inner group ended" });
    result.map(|_| 0).map_err(|_| "inner group")
}

#[molen::task(pool_size = 3)]
async fn fail_after(millis: u64, error: Error) -> Ended {
    fail_after_(millis, error).await
}

#[molen::task(pool_size = 3)]
async fn wait(dropped: &'static str) -> Ended {
    wait_(dropped).await
}

#[molen::task(pool_size = 3)]
async fn give_after(millis: u64, value: u8) -> Ended {
    give_after_(millis, value).await
}

#[molen::task(pool_size = 3)]
async fn fail_in_clean_up(millis: u64, error: Error) -> Ended {
    fail_in_clean_up_(millis, error).await
}

#[molen::task(pool_size = 2)]
async fn nested() -> Ended {
    nested_().await
}

/// The body's own failure, when a task could not be created.
fn created<T, F>(task: Result<T, CreateError<F>>) -> Result<(), Error> {
    task.map(drop).map_err(|_| "not created")
}

/// Fails unless these, and no others, are what a group failed with, in this order.
fn same<'a>(mut found: impl Iterator<Item = &'a Exception<Error>>, expected: &[Error]) -> Outcome {
    for expected in expected {
        match found.next() {
            Some(Exception::Error(error)) if error == expected => {}
            Some(other) => return Err(Failure::shown(&format_args!("{other} is not {expected}"))),
            None => return Err(Failure::shown(&format_args!("{expected} is missing"))),
        }
    }
    check!(found.next().is_none(), "there are more failures");
    Ok(())
}

macro_rules! failed_with {
    ($result:expr, $($error:expr),+) => {
        match &$result {
            Err(TaskGroupError::Exceptions(group)) => {
                same(group.exceptions().into_iter(), &[$($error),+])?;
            }
            _ => return Err(Failure::said("the group did not fail")),
        }
    };
}

/// The same cases for one kind of group and the tasks that it takes.
macro_rules! groups {
    ($new:expr; $fail_after:ident $wait:ident $give_after:ident $fail_in_clean_up:ident $nested:ident) => {
        use super::*;

        pub(super) fn one_failure_cancels_the_others() -> Outcome {
            let event_loop = new_loop!();
            let result = event_loop.run_until_complete(async {
                let group = $new;
                let result = group
                    .run(async {
                        created(group.create_task($fail_after(5, "boom")))?;
                        created(group.create_task($wait("first dropped")))?;
                        created(group.create_task($wait("second dropped")))
                    })
                    .await;
                event("group over");
                (result, current_task().map_or(9, |task| task.cancelling()))
            })?;
            failed_with!(result.0, "boom");
            check_eq!(result.1, 0);
            check_events!["failed", "first dropped", "second dropped", "group over"];
            Ok(())
        }

        pub(super) fn the_body_is_asked_to_end_when_a_task_fails() -> Outcome {
            let event_loop = new_loop!();
            let result = event_loop.run_until_complete(async {
                let group = $new;
                group
                    .run(async {
                        created(group.create_task($fail_after(5, "boom")))?;
                        if let Err(cancelled) = catch_cancel(pending::<()>()).await {
                            event("body cleans up");
                            sleep(ms(2)).await;
                            match cancelled.propagate().await {}
                        }
                        event("never");
                        Ok(())
                    })
                    .await
            })?;
            failed_with!(result, "boom");
            check_eq!(event_loop.time(), crate::fixture::at(7));
            check_events!["failed", "body cleans up"];
            Ok(())
        }

        pub(super) fn failures_in_clean_up_count_more_than_the_cancel() -> Outcome {
            let event_loop = new_loop!();
            let result = event_loop.run_until_complete(async {
                let group = $new;
                // The timeout cancels who runs the group.
                let inner = timeout(ms(5), async {
                    let result = group
                        .run(async {
                            created(group.create_task($fail_in_clean_up(1, "one")))?;
                            created(group.create_task($fail_in_clean_up(2, "two")))?;
                            pending::<()>().await;
                            Ok(())
                        })
                        .await;
                    failed_with!(result, "one", "two");
                    event("group failed");
                    sleep(ms(100)).await;
                    event("never");
                    Ok::<_, Failure>(())
                });
                inner.await
            })?;
            check!(result.is_err(), "the cancel was lost");
            check_events!["group failed"];
            Ok(())
        }

        pub(super) fn nested_groups_fail_nested() -> Outcome {
            let event_loop = new_loop!();
            let result = event_loop.run_until_complete(async {
                let group = $new;
                group
                    .run(async {
                        created(group.create_task($nested()))?;
                        created(group.create_task($wait("dropped")))
                    })
                    .await
            })?;
            failed_with!(result, "inner group");
            check_events!["failed", "inner group failed", "dropped"];
            Ok(())
        }

        pub(super) fn a_cancel_turned_into_an_error_is_in_the_group() -> Outcome {
            let event_loop = new_loop!();
            let result = event_loop.run_until_complete(async {
                let group = $new;
                group
                    .run(async {
                        created(group.create_task($fail_after(5, "boom")))?;
                        match catch_cancel(pending::<()>()).await {
                            Ok(()) => Ok(()),
                            Err(_) => Err("body"),
                        }
                    })
                    .await
            })?;
            failed_with!(result, "boom", "body");
            Ok(())
        }

        pub(super) fn a_failing_body_cancels_the_tasks() -> Outcome {
            let event_loop = new_loop!();
            let result = event_loop.run_until_complete(async {
                let group = $new;
                group
                    .run(async {
                        created(group.create_task($fail_in_clean_up(1, "task")))?;
                        created(group.create_task($wait("dropped")))?;
                        yield_now().await;
                        Err::<(), _>("body")
                    })
                    .await
            })?;
            failed_with!(result, "task", "body");
            check_events!["dropped"];
            Ok(())
        }

        pub(super) fn a_group_takes_no_task_once_it_shuts_down() -> Outcome {
            let event_loop = new_loop!();
            let result = event_loop.run_until_complete(async {
                let group = $new;
                group
                    .run(async {
                        created(group.create_task($fail_after(5, "boom")))?;
                        drop(catch_cancel(pending::<()>()).await);
                        let late = group.create_task($wait("never"));
                        event(match late {
                            Err(CreateError::ShuttingDown(_)) => "shutting down",
                            _ => "another answer",
                        });
                        Ok(())
                    })
                    .await
            })?;
            failed_with!(result, "boom");
            check_events!["failed", "shutting down"];
            Ok(())
        }

        pub(super) fn misuse_is_told_apart() -> Outcome {
            let event_loop = new_loop!();
            event_loop.run_until_complete(async {
                let group = $new;
                check_matches!(group.create_task($wait("never")), Err(CreateError::NotEntered(_)));
                check_matches!(group.run(async { Ok(7) }).await, Ok(Some(7)));
                check_matches!(group.create_task($wait("never")), Err(CreateError::Finished(_)));
                check_matches!(
                    group.run(async { Ok(7) }).await,
                    Err(TaskGroupError::AlreadyEntered)
                );
                Ok::<_, Failure>(())
            })??;
            check_events![];
            Ok(())
        }

        pub(super) fn a_cancel_and_a_failure_give_the_failure_and_then_the_cancel() -> Outcome {
            let event_loop = new_loop!();
            let result = event_loop.run_until_complete(async {
                let me = current_task();
                let group = $new;
                let result = group
                    .run(async {
                        created(group.create_task($fail_after(5, "boom")))?;
                        sleep(ms(5)).await;
                        if let Some(task) = &me {
                            task.cancel();
                        }
                        pending::<()>().await;
                        Ok(())
                    })
                    .await;
                failed_with!(result, "boom");
                let count = current_task().map_or(9, |task| task.cancelling());
                let next = catch_cancel(sleep(ms(100))).await;
                Ok::<_, Failure>((count, next.is_err()))
            })??;
            check_eq!(result, (1, true));
            Ok(())
        }

        pub(super) fn a_cancelled_group_ends_early_without_an_error() -> Outcome {
            let event_loop = new_loop!();
            let result = event_loop.run_until_complete(async {
                let group = $new;
                let result = group
                    .run(async {
                        created(group.create_task($wait("dropped")))?;
                        yield_now().await;
                        group.cancel();
                        event("body goes on");
                        yield_now().await;
                        event("never");
                        Ok(7)
                    })
                    .await;
                check_matches!(result, Ok(None));
                event("group over");
                let next = catch_cancel(sleep(ms(1))).await;
                Ok::<_, Failure>((next.is_ok(), current_task().map(|task| task.cancelling())))
            })??;
            check_eq!(result, (true, Some(0)));
            check_events!["body goes on", "dropped", "group over"];
            Ok(())
        }

        pub(super) fn a_cancel_of_who_waits_cancels_the_tasks_and_goes_on() -> Outcome {
            let event_loop = new_loop!();
            let result = event_loop.run_until_complete(async {
                let group = $new;
                let outer = catch_cancel(async {
                    let result = group
                        .run(async {
                            created(group.create_task($wait("dropped")))?;
                            created(group.create_task($give_after(1, 1)))?;
                            if let Some(task) = current_task() {
                                task.cancel();
                            }
                            Ok(())
                        })
                        .await;
                    event(if result.is_ok() { "group ended" } else { "group failed" });
                });
                outer.await.is_err()
            })?;
            check!(result, "the cancel was swallowed");
            check_events!["dropped"];
            Ok(())
        }

        pub(super) fn a_dropped_group_cancels_its_tasks() -> Outcome {
            let event_loop = new_loop!();
            event_loop.run_until_complete(async {
                let group = $new;
                {
                    let mut run = core::pin::pin!(group.run(async {
                        created(group.create_task($wait("dropped")))?;
                        pending::<()>().await;
                        Ok(())
                    }));
                    let polled = core::future::poll_fn(|cx| {
                        core::task::Poll::Ready(run.as_mut().poll(cx).is_ready())
                    });
                    check!(!polled.await, "the group is over");
                    yield_now().await;
                }
                yield_now().await;
                yield_now().await;
                Ok::<_, Failure>(())
            })??;
            check_events!["dropped"];
            Ok(())
        }

        pub(super) fn the_group_waits_for_its_tasks() -> Outcome {
            let event_loop = new_loop!();
            let result = event_loop.run_until_complete(async {
                let group = $new;
                group
                    .run(async {
                        created(group.create_task($give_after(5, 1)))?;
                        created(group.create_task($give_after(9, 2)))?;
                        Ok("body")
                    })
                    .await
            })?;
            check_matches!(result, Ok(Some("body")));
            check_eq!(event_loop.time(), crate::fixture::at(9));
            Ok(())
        }
    };
}

mod bounded {
    use core::future::Future;
    groups!(BoundedTaskGroup::<u8, Error, 3>::new(); fail_after wait give_after fail_in_clean_up nested);

    pub(super) fn a_group_has_room_for_so_many() -> Outcome {
        let event_loop = new_loop!();
        let result = event_loop.run_until_complete(async {
            let group = BoundedTaskGroup::<u8, Error, 2>::new();
            let result = group
                .run(async {
                    let first = group.create_task(give_after(1, 4)).map_err(|_| "first")?;
                    created(group.create_task(give_after(1, 5)))?;
                    let third = group.create_task(give_after(1, 6));
                    event(match third {
                        Err(CreateError::Full(_)) => "full",
                        _ => "another answer",
                    });
                    sleep(ms(2)).await;
                    Ok((group.take_result(first), group.take_result(first)))
                })
                .await;
            result.ok()
        })?;
        check_eq!(result, Some(Some((Some(4), None))));
        check_events!["full"];
        Ok(())
    }
}

#[cfg(any(feature = "alloc", not(any(target_os = "none", target_os = "wasi"))))]
mod heap;

#[cfg(not(any(feature = "alloc", not(any(target_os = "none", target_os = "wasi")))))]
#[path = "task_groups/no_heap.rs"]
mod heap;

macro_rules! cases {
    ($($bounded:literal $heap:literal $name:ident)*) => {
        pub(crate) const CASES: &[Case] = &[
            $(Case { number: $bounded, name: stringify!($name), run: bounded::$name },)*
            $(Case { number: $heap, name: concat!("heap_", stringify!($name)), run: heap::$name },)*
            Case {
                number: 171,
                name: "a_task_may_create_others_in_its_group",
                run: heap::a_task_may_create_others_in_its_group,
            },
            Case {
                number: 172,
                name: "a_group_whose_tasks_spawn_for_ever_ends_when_one_fails",
                run: heap::a_group_whose_tasks_spawn_for_ever_ends_when_one_fails,
            },
            Case {
                number: 180,
                name: "an_eager_task_that_fails_ends_its_creator_later",
                run: heap::an_eager_task_that_fails_ends_its_creator_later,
            },
            Case {
                number: 1590,
                name: "a_panic_is_a_failure_of_the_group",
                run: heap::a_panic_is_a_failure_of_the_group,
            },
            Case {
                number: 1591,
                name: "the_value_of_a_task_is_its_handles",
                run: heap::the_value_of_a_task_is_its_handles,
            },
            Case {
                number: 1592,
                name: "a_group_has_room_for_so_many",
                run: bounded::a_group_has_room_for_so_many,
            },
            not_applicable!(
                170,
                a_process_exit_in_the_body_is_raised_bare,
                "there is no exception that passes through the loop"
            ),
        ];
    };
}
cases! {
    160 1570 one_failure_cancels_the_others
    161 1571 the_body_is_asked_to_end_when_a_task_fails
    163 1572 failures_in_clean_up_count_more_than_the_cancel
    165 1573 nested_groups_fail_nested
    168 1574 a_cancel_turned_into_an_error_is_in_the_group
    169 1575 a_failing_body_cancels_the_tasks
    174 1576 a_group_takes_no_task_once_it_shuts_down
    175 1577 misuse_is_told_apart
    178 1578 a_cancel_and_a_failure_give_the_failure_and_then_the_cancel
    1464 1579 a_cancelled_group_ends_early_without_an_error
    1465 1580 a_cancel_of_who_waits_cancels_the_tasks_and_goes_on
    1466 1581 a_dropped_group_cancels_its_tasks
    1467 1582 the_group_waits_for_its_tasks
}
