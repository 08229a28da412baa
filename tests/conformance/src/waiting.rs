//! Waiting for tasks: wait and as_completed; behaviours 117 to 127.

use crate::case::{Case, Failure, Outcome};
use crate::fixture::{OnDrop, after, at, event, hold, ms, result_after};
use core::cell::Cell;
use molen::combine::{WaitError, Waited};
use molen::testing::{drop_at_every_poll, static_ref};
use molen::{
    Duration, Promise, ReturnWhen, Task, TaskError, TimeoutError, as_completed, create_task, join,
    sleep, wait, yield_now,
};

pub(crate) const CASES: &[Case] = &[
    case!(117, tasks_that_end_before_the_waiter_resumes_are_done),
    not_applicable!(120, the_same_task_twice_in_wait, "a task has one handle"),
    case!(121, waiting_for_no_tasks_is_an_error),
    case!(122, cancelling_who_waits_leaves_the_tasks),
    case!(123, results_come_in_the_order_of_completion),
    case!(124, as_completed_gives_up_at_its_timeout),
    not_applicable!(
        125,
        awaitables_of_as_completed_in_reverse,
        "`next` borrows the tasks, so there is one awaitable at a time"
    ),
    case!(127, an_unused_timeout_of_as_completed_is_cancelled),
    case!(147, waiting_for_a_task_of_another_loop_is_an_error),
    case!(1423, wait_returns_at_the_first_exception),
    case!(1424, wait_for_the_first_exception_ignores_cancelled_tasks),
    case!(1425, wait_returns_at_its_timeout_and_cancels_nothing),
    case!(1426, waiting_for_what_is_done_does_not_yield),
    case!(1427, a_zero_timeout_gives_the_tasks_a_turn),
    case!(1428, an_endless_timeout_is_no_timeout),
    case!(1429, a_task_that_awaits_itself_is_told),
    case!(1439, wait_loses_nothing_at_any_poll),
    case!(1440, as_completed_loses_nothing_at_any_poll),
];

const NOW: Option<Duration> = Some(Duration::ZERO);

fn tasks_that_end_before_the_waiter_resumes_are_done() -> Outcome {
    let event_loop = new_loop!();
    let (first, second) =
        (static_ref!(Promise<u8> = Promise::new()), static_ref!(Promise<u8> = Promise::new()));
    event_loop.run_until_complete(async {
        let mut tasks = [
            create_task(hold(first, "first", "first ended"))?,
            create_task(hold(second, "second", "second ended"))?,
            create_task(hold(static_ref!(Promise<u8> = Promise::new()), "third", "dropped"))?,
        ];
        // Both end in one batch; the waiter is woken by the first.
        let set = async {
            yield_now().await;
            first.set_result(1)?;
            second.set_result(2)?;
            Outcome::Ok(())
        };
        let waiting = wait(&mut tasks).return_when(ReturnWhen::FIRST_COMPLETED);
        let (waited, set) = join((waiting, set)).await;
        set?;
        check_eq!(waited?, Waited { done: 2, pending: 1 });
        check!(tasks[0].done() && tasks[1].done() && !tasks[2].done(), "others are done");
        check_matches!(tasks[1].take_result(), Some(Ok(2)));
        Ok(())
    })??;
    check_events!["first", "second", "third", "first ended", "second ended"];
    Ok(())
}

fn waiting_for_no_tasks_is_an_error() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let mut none: [Task<u8>; 0] = [];
        check_matches!(wait(&mut none).await, Err(WaitError::NothingToWaitFor));
        let in_time = wait(&mut none).timeout(Duration::MAX);
        check_matches!(in_time.await, Err(WaitError::NothingToWaitFor));
        Ok(())
    })?
}

fn cancelling_who_waits_leaves_the_tasks() -> Outcome {
    #[molen::task]
    async fn wait_for_both(first: Task<u8>, second: Task<u8>) {
        let mut tasks = [first, second];
        let _guard = OnDrop("waiter dropped");
        if wait(&mut tasks).await.is_ok() {
            event("waited");
        }
    }
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let first = event_loop.create_task(hold(promise, "first", "first ended"))?;
    let second = event_loop.create_task(hold(promise, "second", "second ended"))?;
    let mut waiter = event_loop.create_task(wait_for_both(first, second))?;
    event_loop.turn(NOW)?;
    waiter.cancel();
    event_loop.turn(NOW)?;
    check_matches!(waiter.take_result(), Some(Err(TaskError::Cancelled(_))));
    promise.set_result(1)?;
    event_loop.turn(NOW)?;
    check_events!["first", "second", "waiter dropped", "first ended", "second ended"];
    Ok(())
}

fn results_come_in_the_order_of_completion() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let mut results = as_completed([after(30, 3), after(10, 1), after(20, 2)])?;
        for expected in [(1, 1), (2, 2), (0, 3)] {
            let Some((number, value)) = results.next().await else {
                return Err(Failure::said("there are too few results"));
            };
            check_eq!((number, value?), expected);
        }
        check!(results.next().await.is_none(), "there are too many results");
        check!(results.next().await.is_none(), "the end is not the end");
        Ok(())
    })??;
    check_eq!(event_loop.time(), at(30));
    Ok(())
}

fn as_completed_gives_up_at_its_timeout() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let mut results = as_completed([after(10, 1), after(30, 2)])?.timeout(ms(20));
        check_matches!(results.next().await, Ok(Some((0, Ok(1)))));
        check_matches!(results.next().await, Err(TimeoutError::Elapsed));
        check_matches!(results.next().await, Err(TimeoutError::Elapsed));
        check_eq!(molen::get_running_loop()?.time(), at(20));
        // The rest is still running.
        let mut results = results.into_inner();
        check_matches!(results.next().await, Some((1, Ok(2))));
        check_eq!(molen::get_running_loop()?.time(), at(30));
        Ok(())
    })?
}

fn an_unused_timeout_of_as_completed_is_cancelled() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let mut results = as_completed([after(10, 1), after(20, 2)])?.timeout(ms(1000));
        while let Some((_, value)) = results.next().await? {
            value?;
        }
        Ok::<_, Failure>(())
    })??;
    check_eq!(event_loop.next_deadline(), None);
    Ok(())
}

fn waiting_for_a_task_of_another_loop_is_an_error() -> Outcome {
    crate::fixture::two_loops()?;
    let event_loop = new_loop!();
    let other = new_loop!();
    let mut tasks = [event_loop.create_task(after(1, 1))?, other.create_task(after(1, 2))?];
    event_loop.run_until_complete(async {
        let Err(WaitError::Task { number: 1, error: TaskError::ForeignLoop }) =
            wait(&mut tasks).await
        else {
            return Err(Failure::said("it was waited for"));
        };
        Ok(())
    })?
}

fn wait_returns_at_the_first_exception() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let mut tasks = [
            create_task(result_after(3, Ok(1), "third"))?,
            create_task(result_after(1, Ok(2), "first"))?,
            create_task(result_after(2, Err("boom"), "second"))?,
        ];
        let waited = wait(&mut tasks).return_when(ReturnWhen::FIRST_EXCEPTION).await?;
        check_eq!(waited, Waited { done: 2, pending: 1 });
        check_eq!(tasks[2].result(), Some(&Err("boom")));
        check_matches!(tasks[2].take_result(), Some(Ok(Err("boom"))));
        check_eq!(tasks[2].result(), None);
        Outcome::Ok(())
    })??;
    check_events!["first", "second"];
    Ok(())
}

fn wait_for_the_first_exception_ignores_cancelled_tasks() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let mut tasks = [
            create_task(result_after(3, Ok(1), "third"))?,
            create_task(result_after(1, Ok(2), "first"))?,
        ];
        tasks[1].cancel();
        let waited = wait(&mut tasks).return_when(ReturnWhen::FIRST_EXCEPTION).await?;
        check_eq!(waited, Waited { done: 2, pending: 0 });
        check_eq!(molen::get_running_loop()?.time(), at(3));
        Outcome::Ok(())
    })?
}

fn wait_returns_at_its_timeout_and_cancels_nothing() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let mut tasks = [create_task(after(10, 1))?, create_task(after(30, 2))?];
        let waited = wait(&mut tasks).timeout(ms(20)).await?;
        check_eq!(waited, Waited { done: 1, pending: 1 });
        check_eq!(tasks[1].cancelling(), 0);
        check_eq!((&mut tasks[1]).await?, 2);
        Outcome::Ok(())
    })?
}

fn waiting_for_what_is_done_does_not_yield() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let mut tasks = [create_task(after(0, 1))?];
        sleep(ms(1)).await;
        create_task(crate::fixture::say("other"))?.detach();
        check_eq!(wait(&mut tasks).await?, Waited { done: 1, pending: 0 });
        event("waited");
        yield_now().await;
        Outcome::Ok(())
    })??;
    check_events!["waited", "other"];
    Ok(())
}

fn a_zero_timeout_gives_the_tasks_a_turn() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let promise = static_ref!(Promise<u8> = Promise::new());
        let mut tasks = [create_task(hold(promise, "begun", "ended"))?];
        let waited = wait(&mut tasks).timeout(Duration::ZERO).await?;
        check_eq!(waited, Waited { done: 0, pending: 1 });
        event("waited");
        Outcome::Ok(())
    })??;
    check_events!["begun", "waited"];
    Ok(())
}

fn an_endless_timeout_is_no_timeout() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let mut tasks = [create_task(after(10, 1))?];
        check_eq!(wait(&mut tasks).timeout(Duration::MAX).await?, Waited { done: 1, pending: 0 });
        let mut results = as_completed([after(10, 1)])?.timeout(Duration::MAX);
        check_matches!(results.next().await, Ok(Some((0, Ok(1)))));
        Outcome::Ok(())
    })?
}

fn a_task_that_awaits_itself_is_told() -> Outcome {
    #[molen::task]
    async fn await_itself(own: &'static crate::fixture::Slot<Task<()>>) {
        let Some(mut task) = own.take() else { return };
        match (&mut task).await {
            Err(TaskError::Itself) => event("told"),
            _ => event("ended"),
        }
        if let Err(WaitError::Task { number: 0, error: TaskError::Itself }) =
            wait(&mut [task]).await
        {
            event("told by wait");
        }
    }
    let event_loop = new_loop!();
    let own = static_ref!(crate::fixture::Slot<Task<()>> = Cell::new(None));
    own.set(Some(event_loop.create_task(await_itself(own))?));
    event_loop.turn(NOW)?;
    check_events!["told", "told by wait"];
    Ok(())
}

fn wait_loses_nothing_at_any_poll() -> Outcome {
    let event_loop = new_loop!();
    let tasks = core::cell::RefCell::new(None);
    event_loop.run_until_complete(async {
        let make = || async {
            let mut both = [create_task(after(1, 1)).ok()?, create_task(after(2, 2)).ok()?];
            let waited = wait(&mut both).timeout(ms(10)).await;
            tasks.replace(Some(both));
            waited.ok()
        };
        let polls = drop_at_every_poll(make, async |point| {
            if let Some(waited) = point.output() {
                check_eq!(waited, Some(Waited { done: 2, pending: 0 }));
            }
            // Those of a dropped wait end by themselves, and their places are free.
            tasks.replace(None);
            sleep(ms(5)).await;
            Outcome::Ok(())
        });
        check_eq!(polls.await?, 3);
        Ok(())
    })??;
    check_eq!(event_loop.next_deadline(), None);
    Ok(())
}

/// A thing taken out of its place, which goes back when this is dropped.
struct Taken<'a, T>(&'a Cell<Option<T>>, Option<T>);

impl<T> Drop for Taken<'_, T> {
    fn drop(&mut self) {
        self.0.set(self.1.take());
    }
}

fn as_completed_loses_nothing_at_any_poll() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let results = Cell::new(None);
        let make = || {
            results.set(as_completed([after(2, 1), after(1, 2)]).ok());
            async {
                let mut taken = Taken(&results, results.take());
                taken.1.as_mut()?.next().await
            }
        };
        let polls = drop_at_every_poll(make, async |point| {
            let mut left = if let Some(first) = point.output() {
                check_matches!(first, Some((1, Ok(2))));
                1
            } else {
                2
            };
            let Some(mut results) = results.take() else { return Ok(()) };
            while let Some((_, result)) = results.next().await {
                result?;
                left -= 1;
            }
            check_eq!(left, 0);
            Outcome::Ok(())
        });
        check_eq!(polls.await?, 2);
        Ok(())
    })?
}
