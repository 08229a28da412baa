//! Combinators of any number of tasks and futures, on the heap.

#[cfg(any(feature = "alloc", not(any(target_os = "none", target_os = "wasi"))))]
pub(crate) use cases::CASES;

#[cfg(not(any(feature = "alloc", not(any(target_os = "none", target_os = "wasi")))))]
pub(crate) const CASES: &[crate::case::Case] = &[
    unsupported!(
        152,
        a_shielded_task_that_fails_unseen_is_reported_once,
        "without an allocator there is no place for a task that looks at its end"
    ),
    unsupported!(
        155,
        shields_and_gathers_in_one_another_keep_the_leaves,
        "without an allocator a shield is no task"
    ),
    unsupported!(1444, many_tasks_are_gathered, "a Vec needs an allocator"),
    unsupported!(
        1445,
        results_of_many_come_in_the_very_order_of_ending,
        "a Vec needs an allocator"
    ),
    unsupported!(1446, who_gathers_many_awaits_each, "a Vec needs an allocator"),
    unsupported!(1447, a_vec_is_waited_for_and_raced, "a Vec needs an allocator"),
    unsupported!(1448, running_tasks_are_gathered, "a Vec needs an allocator"),
    unsupported!(1449, children_are_woken_from_other_threads, "there is one thread"),
];

#[cfg(any(feature = "alloc", not(any(target_os = "none", target_os = "wasi"))))]
mod cases {
    extern crate alloc;
    use crate::case::{Case, Failure, Outcome};
    use crate::fixture::{OnDrop, at, event, ms, test};
    use alloc::vec::Vec;
    use molen::combine::{GatherError, RaceWon};
    use molen::testing::static_ref;
    use molen::{
        Promise, ReturnWhen, TaskError, as_completed, create_task, gather, shield, sleep,
        staggered_race, try_gather, wait, yield_now,
    };

    pub(crate) const CASES: &[Case] = &[
        case!(152, a_shielded_task_that_fails_unseen_is_reported_once),
        case!(155, shields_and_gathers_in_one_another_keep_the_leaves),
        case!(1444, many_tasks_are_gathered),
        case!(1445, results_of_many_come_in_the_very_order_of_ending),
        case!(1446, who_gathers_many_awaits_each),
        case!(1447, a_vec_is_waited_for_and_raced),
        case!(1448, running_tasks_are_gathered),
        #[cfg(not(any(target_os = "none", target_os = "wasi")))]
        case!(1449, children_are_woken_from_other_threads),
        #[cfg(any(target_os = "none", target_os = "wasi"))]
        unsupported!(1449, children_are_woken_from_other_threads, "there is one thread"),
    ];

    fn a_shielded_task_that_fails_unseen_is_reported_once() -> Outcome {
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let fails = || async {
                sleep(ms(2)).await;
                Err::<u8, _>("boom")
            };
            // Seen: it is the awaiter's.
            let seen = shield(fails())?.report_failure().await;
            check_matches!(seen, Ok(Err("boom")));
            check_eq!(test().backend.report_count(), 0);
            // Unseen.
            let mut outer = create_task(async move {
                let _guard = OnDrop("outer ended");
                match shield(fails()) {
                    Ok(inner) => inner.report_failure().await.is_ok(),
                    Err(_) => false,
                }
            })?;
            sleep(ms(1)).await;
            outer.cancel();
            check_matches!((&mut outer).await, Err(TaskError::Cancelled(_)));
            sleep(ms(5)).await;
            check_eq!(test().backend.report_count(), 1);
            let told = test().backend.reported(0).is_some_and(|text| text.ends_with("boom"));
            check!(told, "another report");
            // Failed, and dropped before anybody looked.
            let inner = shield(fails())?.report_failure();
            sleep(ms(5)).await;
            drop(inner);
            check_eq!(test().backend.report_count(), 2);
            Ok(())
        })??;
        check_events!["outer ended"];
        Ok(())
    }

    async fn leaf(name: &'static str) -> u8 {
        let guard = OnDrop("leaf dropped early");
        sleep(ms(3)).await;
        core::mem::forget(guard);
        event(name);
        1
    }

    fn shields_and_gathers_in_one_another_keep_the_leaves() -> Outcome {
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let shield_of_gather = create_task(async {
                shield(gather((leaf("1"), leaf("2")))?)?.await?.map(drop).map_err(Failure::from)
            })?;
            let gather_of_shields = create_task(async {
                let both = gather((shield(leaf("3"))?, shield(leaf("4"))?))?;
                both.await.map(drop).map_err(Failure::from)
            })?;
            sleep(ms(1)).await;
            for mut outer in [shield_of_gather, gather_of_shields] {
                outer.cancel();
                check_matches!((&mut outer).await, Err(TaskError::Cancelled(_)));
            }
            event("cancelled");
            sleep(ms(5)).await;
            Outcome::Ok(())
        })??;
        check_events!["cancelled", "1", "2", "3", "4"];
        Ok(())
    }

    fn many_tasks_are_gathered() -> Outcome {
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            for count in [0_u64, 1, 100] {
                let tasks = (0..count).map(|number| async move {
                    sleep(ms(count - number)).await;
                    number
                });
                let values = gather(tasks.collect::<Vec<_>>())?.await?;
                check!(values.into_iter().eq(0..count), "a value is not in its place");
            }
            let failing = (0..100_u64).map(|number| async move {
                sleep(ms(200 - number)).await;
                if number % 50 == 10 { Err(number) } else { Ok(number) }
            });
            // The one that fails first, not the first that fails.
            let failed = try_gather(failing.clone().collect::<Vec<_>>())?.await;
            check_matches!(failed, Err(GatherError::Failed { number: 60, error: 60 }));
            let all = gather(failing.collect::<Vec<_>>())?.return_exceptions().await;
            let failures = all.iter().filter(|result| matches!(result, Ok(Err(_)))).count();
            check_eq!((all.len(), failures), (100, 2));
            Ok(())
        })?
    }

    fn results_of_many_come_in_the_very_order_of_ending() -> Outcome {
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let promises = [const { Promise::<u8>::new() }; 3].map(|promise| {
                let promise: &'static Promise<u8> = alloc::boxed::Box::leak(promise.into());
                promise
            });
            let tasks: Vec<_> = promises.iter().map(|promise| promise.wait()).collect();
            let mut results = as_completed(tasks)?;
            yield_now().await;
            // All end in one batch, the last first.
            for number in [2_u8, 0, 1] {
                promises[usize::from(number)].set_result(number)?;
            }
            for expected in [2_u8, 0, 1] {
                let next =
                    results.next().await.and_then(|(number, result)| Some((number, result.ok()?)));
                check_eq!(next, Some((usize::from(expected), Ok(expected))));
            }
            check!(results.next().await.is_none(), "there are too many results");
            Outcome::Ok(())
        })?
    }

    fn who_gathers_many_awaits_each() -> Outcome {
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let inner = create_task(sleep(ms(3)))?;
            let inner_ref = inner.task_ref();
            let gatherer = create_task(async move {
                let tasks: Vec<_> = [inner].map(|task| task.spawned()).into();
                gather(tasks)?.await.map(drop).map_err(Failure::from)
            })?;
            sleep(ms(1)).await;
            check!(inner_ref.awaited_by() == Some(gatherer.task_ref()), "nobody awaits it");
            gatherer.await?
        })?
    }

    fn a_vec_is_waited_for_and_raced() -> Outcome {
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let after = |millis| async move {
                sleep(ms(millis)).await;
                millis
            };
            let tasks = [create_task(after(3))?, create_task(after(1))?, create_task(after(2))?];
            let waiting = wait(Vec::from(tasks)).return_when(ReturnWhen::FIRST_COMPLETED);
            let (mut done, pending) = waiting.await?;
            check_eq!((done.len(), pending.len()), (1, 2));
            check_matches!(done[0].take_result(), Some(Ok(1)));
            let (done, pending) = wait(pending).timeout(ms(10)).await?;
            check_eq!((done.len(), pending.len()), (2, 0));
            check_eq!(molen::get_running_loop()?.time(), at(3));

            let attempts = (0..3_u8).map(|number| async move {
                sleep(ms(1)).await;
                if number == 2 { Ok(number) } else { Err("no") }
            });
            let won = staggered_race(attempts.collect::<Vec<_>>(), None).await;
            let errors = alloc::vec![Some("no"), Some("no"), None];
            check_eq!(won, Ok(RaceWon { value: 2, number: 2, errors }));
            Ok(())
        })?
    }

    fn running_tasks_are_gathered() -> Outcome {
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let running = create_task(leaf("running"))?;
            sleep(ms(1)).await;
            let both = gather((running.spawned(), leaf("new")))?;
            check_eq!(both.await?, (1, 1));

            // One that runs already is not ended because another cannot begin.
            let running = create_task(leaf("goes on"))?;
            let closed = static_ref!(Promise<u8> = Promise::new());
            let refused = gather((running.spawned(), refused(closed), refused(closed)));
            check!(refused.is_err(), "a full pool took a task");
            sleep(ms(5)).await;
            Outcome::Ok(())
        })??;
        check_events!["running", "new", "goes on"];
        Ok(())
    }

    #[molen::task]
    async fn refused(promise: &'static Promise<u8>) -> u8 {
        promise.wait().await.unwrap_or(0)
    }

    #[cfg(not(any(target_os = "none", target_os = "wasi")))]
    fn children_are_woken_from_other_threads() -> Outcome {
        use core::future::poll_fn;
        use core::task::{Poll, Waker};
        use std::sync::{Arc, Mutex};
        use std::thread;

        /// A flag that a thread raises, and who waits for it.
        #[derive(Default)]
        struct Flag(Mutex<(bool, Option<Waker>)>);

        let event_loop = new_loop!();
        let flags: Vec<Arc<Flag>> = (0..200).map(|_| Arc::default()).collect();
        let raising: Vec<_> = (0..4_usize)
            .map(|part| {
                let flags = flags.clone();
                thread::spawn(move || {
                    for flag in flags.iter().skip(part).step_by(4) {
                        let waker = flag.0.lock().ok().and_then(|mut flag| {
                            flag.0 = true;
                            flag.1.take()
                        });
                        if let Some(waker) = waker {
                            waker.wake();
                        }
                        thread::yield_now();
                    }
                })
            })
            .collect();
        let raised = flags.iter().map(|flag| {
            poll_fn(move |cx| {
                let Ok(mut flag) = flag.0.lock() else { return Poll::Ready(()) };
                flag.1 = Some(cx.waker().clone());
                if flag.0 { Poll::Ready(()) } else { Poll::Pending }
            })
        });
        let all = molen::join_all(raised);
        // The scripted selector never sleeps, so the loop is kept turning.
        let mut turning = core::pin::pin!(async {
            loop {
                yield_now().await;
            }
        });
        let done = molen::select((all, turning.as_mut()));
        match event_loop.run_until_complete(done)? {
            molen::combine::Either::First(all) => check_eq!(all.len(), 200),
            molen::combine::Either::Second(()) => {}
        }
        for thread in raising {
            check!(thread.join().is_ok(), "a thread panicked");
        }
        Ok(())
    }
}
