//! Combinators in place: join, select and race, of any futures.

use crate::case::{Case, Outcome};
use crate::fixture::{OnDrop, event, ms};
use core::cell::Cell;
use core::future::{Future, pending, ready};
use core::pin::pin;
use core::task::{Context, Poll};
use molen::combine::{Either, Either3, Either8};
use molen::testing::{DropPoint, WakeFlag, drop_at_every_poll, static_ref};
use molen::{Promise, join, race, select, sleep, yield_now};

pub(crate) const CASES: &[Case] = &[
    case!(1405, join_gives_all_outputs_in_the_order_given),
    case!(1406, join_polls_in_the_order_given_and_none_after_its_end),
    case!(1407, joining_nothing_is_ready_at_once),
    case!(1408, select_of_two_that_are_ready_together_is_the_first),
    case!(1409, losers_are_dropped_before_select_returns),
    case!(1410, a_loser_passed_by_reference_can_go_on),
    case!(1411, a_select_macro_runs_the_arm_of_the_winner),
    case!(1412, race_gives_the_output_of_whoever_wins),
    case!(1413, eight_futures_are_joined_and_selected),
    case!(1414, join_and_select_work_under_a_foreign_executor),
    case!(1415, join_loses_nothing_at_any_poll),
    case!(1416, select_drops_all_at_any_poll),
    many::CASES[0],
    many::CASES[1],
    many::CASES[2],
    many::CASES[3],
    many::CASES[4],
    many::CASES[5],
];

/// Notes its polls and its drop; ready at its poll number `polls`.
async fn noted(begun: &'static str, dropped: &'static str, polls: u8) -> u8 {
    let _guard = OnDrop(dropped);
    event(begun);
    for _ in 1..polls {
        yield_now().await;
        event(begun);
    }
    polls
}

fn join_gives_all_outputs_in_the_order_given() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let slow = async {
            sleep(ms(3)).await;
            event("slow");
            "slow"
        };
        let fast = async {
            sleep(ms(1)).await;
            event("fast");
            1
        };
        check_eq!(join((slow, fast)).await, ("slow", 1));
        let after = |millis| async move {
            sleep(ms(millis)).await;
            millis
        };
        check_eq!(join([after(2), after(1), after(3)]).await, [2, 1, 3]);
        Ok(())
    })??;
    check_events!["fast", "slow"];
    Ok(())
}

fn join_polls_in_the_order_given_and_none_after_its_end() -> Outcome {
    let event_loop = new_loop!();
    let both = join((noted("a", "a dropped", 1), noted("b", "b dropped", 2)));
    check_eq!(event_loop.run_until_complete(both)?, (1, 2));
    check_events!["a", "a dropped", "b", "b", "b dropped"];
    Ok(())
}

fn joining_nothing_is_ready_at_once() -> Outcome {
    let event_loop = new_loop!();
    let none: [core::future::Ready<u8>; 0] = [];
    let nothing: [u8; 0] = event_loop.run_until_complete(join(none))?;
    check_eq!(nothing, []);
    Ok(())
}

fn select_of_two_that_are_ready_together_is_the_first() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        check_eq!(select((ready(1), ready(2))).await, Either::First(1));
        check_eq!(select((pending::<u8>(), ready(2))).await, Either::Second(2));
        check_eq!(select([ready(1), ready(2)]).await, (0, 1));
        let (early, late) = (Promise::<u8>::new(), Promise::<u8>::new());
        let both_at_once = async {
            yield_now().await;
            late.set_result(2)?;
            early.set_result(1)?;
            Ok::<u8, molen::InvalidState>(pending().await)
        };
        check_eq!(select((both_at_once, &early, &late)).await, Either3::Second(Ok(1)));
        Ok(())
    })?
}

fn losers_are_dropped_before_select_returns() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        match select((noted("loser", "loser dropped", 9), noted("winner", "winner dropped", 2)))
            .await
        {
            Either::First(_) => event("the wrong one"),
            Either::Second(_) => event("returned"),
        }
    })?;
    check_events![
        "loser",
        "winner",
        "loser",
        "winner",
        "winner dropped",
        "loser dropped",
        "returned"
    ];
    Ok(())
}

fn a_loser_passed_by_reference_can_go_on() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let mut slow = pin!(noted("slow", "slow dropped", 3));
        check_eq!(select((slow.as_mut(), ready(7))).await, Either::Second(7));
        event("selected");
        check_eq!(slow.await, 3);
        Ok(())
    })??;
    check_events!["slow", "selected", "slow", "slow", "slow dropped"];
    Ok(())
}

fn a_select_macro_runs_the_arm_of_the_winner() -> Outcome {
    let event_loop = new_loop!();
    event_loop
        .run_until_complete(async {
            let mut count = 0;
            let last = loop {
                let next = async {
                    yield_now().await;
                    count += 1;
                    count
                };
                molen::select! {
                    never = pending::<u8>() => break never,
                    count = next => {
                        if count < 3 {
                            continue;
                        }
                        event("third");
                    }
                    Ok(value) | Err(value) = ready(Ok::<u8, u8>(4)) => break value,
                }
            };
            check_eq!(last, 4);
            let two = molen::select!(_ = pending::<()>() => 1, two = ready(2) => two);
            check_eq!(two, 2);
            let quick = molen::select! {
                error = ready(Err::<u8, _>(molen::error::Closed)) => error?,
                _ = pending::<()>() => 0,
            };
            check_eq!(quick, 1);
            Outcome::Ok(())
        })?
        .err()
        .map_or(Err(crate::case::Failure::said("`?` in an arm did not return")), |_| Ok(()))
}

fn race_gives_the_output_of_whoever_wins() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        check_eq!(race((pending(), ready(2), ready(3))).await, 2);
        check_eq!(race([ready(4), ready(5)]).await, 4);
        Ok(())
    })?
}

fn eight_futures_are_joined_and_selected() -> Outcome {
    let event_loop = new_loop!();
    let r = ready::<u8>;
    event_loop.run_until_complete(async {
        let all = join((r(1), r(2), r(3), r(4), r(5), r(6), r(7), r(8))).await;
        check_eq!(all, (1, 2, 3, 4, 5, 6, 7, 8));
        let p = pending::<u8>;
        let last = select((p(), p(), p(), p(), p(), p(), p(), r(8))).await;
        check_eq!(last, Either8::Eighth(8));
        check_eq!(race((p(), p(), p(), p(), p(), p(), r(7), r(8))).await, 7);
        Ok(())
    })?
}

fn join_and_select_work_under_a_foreign_executor() -> Outcome {
    let flag = static_ref!(WakeFlag = WakeFlag::new());
    let (first, second) = (Promise::<u8>::new(), Promise::<u8>::new());
    let waker = flag.waker();
    let mut cx = Context::from_waker(&waker);
    let mut both = pin!(join((&first, &second)));
    let mut either = pin!(select((&first, &second)));
    check!(both.as_mut().poll(&mut cx).is_pending(), "join did not wait");
    check!(either.as_mut().poll(&mut cx).is_pending(), "select did not wait");
    second.set_result(2)?;
    check!(flag.take(), "nobody was woken");
    check!(both.as_mut().poll(&mut cx).is_pending(), "join did not wait for both");
    check_eq!(either.poll(&mut cx), Poll::Ready(Either::Second(Ok(2))));
    first.set_result(1)?;
    check!(flag.take(), "nobody was woken");
    check_eq!(both.poll(&mut cx), Poll::Ready((Ok(1), Ok(2))));
    Ok(())
}

/// Counts what is alive: futures under way and outputs not yet taken.
struct Alive<'a>(&'a Cell<u8>);

impl<'a> Alive<'a> {
    fn new(count: &'a Cell<u8>) -> Alive<'a> {
        count.set(count.get() + 1);
        Alive(count)
    }
}

impl Drop for Alive<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// Ends with its guard after `turns` turns.
async fn alive_for(count: &Cell<u8>, turns: u8) -> Alive<'_> {
    let alive = Alive::new(count);
    for _ in 0..turns {
        yield_now().await;
    }
    alive
}

fn join_loses_nothing_at_any_poll() -> Outcome {
    let event_loop = new_loop!();
    let count = Cell::new(0);
    let make = || join((alive_for(&count, 0), join([alive_for(&count, 1), alive_for(&count, 3)])));
    let polls = event_loop.run_until_complete(drop_at_every_poll(make, async |point| {
        let expected = if let DropPoint::Ready { .. } = point { 3 } else { 0 };
        check_eq!(count.get(), expected);
        drop(point);
        check_eq!(count.get(), 0);
        Ok(())
    }))??;
    check_eq!(polls, 4);
    Ok(())
}

fn select_drops_all_at_any_poll() -> Outcome {
    let event_loop = new_loop!();
    let count = Cell::new(0);
    let make = || race((alive_for(&count, 9), race([alive_for(&count, 5), alive_for(&count, 2)])));
    let polls = event_loop.run_until_complete(drop_at_every_poll(make, async |point| {
        let expected = if let DropPoint::Ready { .. } = point { 1 } else { 0 };
        check_eq!(count.get(), expected);
        Ok(())
    }))??;
    check_eq!(polls, 3);
    Ok(())
}

/// Forms for any number, on the heap.
#[cfg(any(feature = "alloc", not(any(target_os = "none", target_os = "wasi"))))]
mod many {
    extern crate alloc;
    use super::*;
    use alloc::vec::Vec;
    use core::future::poll_fn;
    use core::task::Waker;
    use molen::{create_task, join_all, select_all};

    pub(super) const CASES: &[Case; 6] = &[
        case!(1417, join_all_gives_all_outputs_in_order),
        case!(1418, join_all_of_many_polls_only_who_was_woken),
        case!(1419, join_all_of_many_moves_to_another_waker),
        case!(1420, a_childs_waker_outlives_the_join),
        case!(1421, select_all_of_none_is_an_error),
        case!(1422, join_all_loses_nothing_at_any_poll),
    ];

    fn join_all_gives_all_outputs_in_order() -> Outcome {
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            for count in [0_u64, 1, 47, 48, 100] {
                let all = join_all((0..count).map(|number| async move {
                    sleep(ms(count - number)).await;
                    number
                }));
                check!(all.await.into_iter().eq(0..count), "an output is not in its place");
            }
            Ok(())
        })?
    }

    fn join_all_of_many_polls_only_who_was_woken() -> Outcome {
        let event_loop = new_loop!();
        let polls = &Cell::new(0);
        let promises: Vec<Promise<u8>> = (0..100).map(|_| Promise::new()).collect();
        let children = promises.iter().map(|promise| async move {
            let mut wait = pin!(promise.wait());
            poll_fn(|cx| {
                polls.set(polls.get() + 1);
                wait.as_mut().poll(cx)
            })
            .await
        });
        let all = join_all(children);
        let one_by_one = async {
            for promise in promises.iter().rev() {
                yield_now().await;
                promise.set_result(7)?;
            }
            Outcome::Ok(())
        };
        let (outputs, outcome) = event_loop.run_until_complete(join((all, one_by_one)))?;
        outcome?;
        check_eq!(outputs.len(), 100);
        check_eq!(polls.get(), 200);
        Ok(())
    }

    fn join_all_of_many_moves_to_another_waker() -> Outcome {
        let (first, second) =
            (static_ref!(WakeFlag = WakeFlag::new()), static_ref!(WakeFlag = WakeFlag::new()));
        let promise = Promise::<u8>::new();
        let mut all = join_all((0..64).map(|_| &promise));
        let (waker, other) = (first.waker(), second.waker());
        let mut all = core::pin::Pin::new(&mut all);
        check!(all.as_mut().poll(&mut Context::from_waker(&waker)).is_pending(), "ready");
        check!(all.as_mut().poll(&mut Context::from_waker(&other)).is_pending(), "ready");
        promise.set_result(7)?;
        check!(second.take() && !first.take(), "the other waker was called");
        let outputs = all.poll(&mut Context::from_waker(&other)).map(|all| all.len());
        check_eq!(outputs, Poll::Ready(64));
        Ok(())
    }

    fn a_childs_waker_outlives_the_join() -> Outcome {
        let flag = static_ref!(WakeFlag = WakeFlag::new());
        let kept = Cell::new(Vec::<Waker>::new());
        let keeping = || {
            poll_fn(|cx| {
                let mut wakers = kept.take();
                wakers.push(cx.waker().clone());
                kept.set(wakers);
                Poll::<()>::Pending
            })
        };
        let mut all = join_all((0..64).map(|_| keeping()));
        let waker = flag.waker();
        let polled = core::pin::Pin::new(&mut all).poll(&mut Context::from_waker(&waker));
        check!(polled.is_pending(), "it is ready");
        drop(all);
        let wakers = kept.take();
        check_eq!(wakers.len(), 64);
        wakers[3].wake_by_ref();
        check!(flag.take(), "the first wake was lost");
        for waker in wakers {
            waker.wake();
        }
        Ok(())
    }

    fn select_all_of_none_is_an_error() -> Outcome {
        let event_loop = new_loop!();
        event_loop.run_until_complete(async {
            let none = select_all(Vec::<core::future::Ready<u8>>::new());
            check!(none.is_err(), "selecting among none is no error");
            check_eq!(select_all([ready(1), ready(2)])?.await, (0, 1));

            let mut tasks = Vec::new();
            for millis in [3, 1, 2] {
                tasks.push(create_task(async move {
                    sleep(ms(millis)).await;
                    millis
                })?);
            }
            let (number, output) = select_all(tasks.iter_mut())?.await;
            check_eq!((number, output?), (1, 1));
            check_eq!((&mut tasks[0]).await?, 3);
            Ok(())
        })?
    }

    fn join_all_loses_nothing_at_any_poll() -> Outcome {
        let event_loop = new_loop!();
        let count = Cell::new(0);
        let make = || join_all((0..64).map(|number| alive_for(&count, number % 3)));
        let polls = event_loop.run_until_complete(drop_at_every_poll(make, async |point| {
            let expected = if let DropPoint::Ready { .. } = point { 64 } else { 0 };
            check_eq!(count.get(), expected);
            Ok(())
        }))??;
        check_eq!(polls, 3);
        let make = || async {
            match select_all((1..5).map(|number| alive_for(&count, number))) {
                Ok(first) => Some(first.await),
                Err(_) => None,
            }
        };
        let polls = event_loop.run_until_complete(drop_at_every_poll(make, async |point| {
            let expected = if let DropPoint::Ready { .. } = point { 1 } else { 0 };
            check_eq!(count.get(), expected);
            Ok(())
        }))??;
        check_eq!(polls, 2);
        Ok(())
    }
}

/// Forms for any number, on the heap.
#[cfg(not(any(feature = "alloc", not(any(target_os = "none", target_os = "wasi")))))]
mod many {
    use super::*;

    pub(super) const CASES: &[Case; 6] = &[
        unsupported!(1417, join_all_gives_all_outputs_in_order, "join_all needs an allocator"),
        unsupported!(
            1418,
            join_all_of_many_polls_only_who_was_woken,
            "join_all needs an allocator"
        ),
        unsupported!(1419, join_all_of_many_moves_to_another_waker, "join_all needs an allocator"),
        unsupported!(1420, a_childs_waker_outlives_the_join, "join_all needs an allocator"),
        unsupported!(1421, select_all_of_none_is_an_error, "select_all needs an allocator"),
        unsupported!(1422, join_all_loses_nothing_at_any_poll, "join_all needs an allocator"),
    ];
}
