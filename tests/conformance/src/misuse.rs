//! Misuse of what waits: each is an error of a type that says what cannot be
//! done, and why; or it is harmless.
//!
//! What belongs to one thing alone is with that thing: releasing what is not
//! held (`locks`, `semaphores`, `queues`), breaking a barrier (`barriers`),
//! shutting a queue down under those who wait (`queues`), timeouts of zero and
//! without an end (`timeouts`, `waiting`).

use crate::case::{Case, Failure, Outcome};
use crate::fixture::{Slot, event, ms, say};
use core::cell::Cell;
use core::fmt::Display;
use core::future::{Pending, pending};
use molen::combine::GatherError;
use molen::error::{InvalidState, NothingToWaitFor, TaskError};
use molen::sync::queue::{GetNowaitError, PutNowaitError, TooManyDone};
use molen::sync::{BrokenBarrier, NoParties, ReleaseError};
use molen::task::PromiseError;
use molen::task_group::{BoundedExceptionGroup, BoundedTaskGroup, CreateError, TaskGroupError};
use molen::testing::{Text, static_ref};
use molen::timeouts::{RescheduleError, WaitForError};
use molen::{
    Duration, Event, Promise, Semaphore, Task, TimeoutError, gather, join, shield, sleep,
    staggered_race, wait_for, yield_now,
};

pub(crate) const CASES: &[Case] = &[
    case!(1476, waiting_for_nothing_is_over_at_once),
    case!(1477, one_thing_awaited_twice_is_told_twice),
    case!(1478, a_task_that_waits_for_itself_is_told_and_goes_on),
    not_applicable!(1479, a_negative_delay, "a Duration has no sign"),
    case!(1565, errors_say_what_cannot_be_done_and_why),
    case!(1566, a_timeout_under_a_foreign_executor_is_an_error),
];

const NOW: Option<Duration> = Some(Duration::ZERO);

fn waiting_for_nothing_is_over_at_once() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let nothing: [Pending<u8>; 0] = [];
        check_eq!(join(nothing).await, []);
        let none: [Task<u8>; 0] = [];
        let gathered = gather(none.map(Task::spawned))?.await;
        check_matches!(gathered, Ok([]));
        let attempts: [Pending<Result<u8, u8>>; 0] = [];
        let lost = staggered_race(attempts, Some(ms(1))).await;
        check!(lost.is_err_and(|lost| lost.errors.is_empty()), "a race of none was won");
        let group = BoundedTaskGroup::<u8, &'static str, 0>::new();
        let ended = group.run(async {
            match group.create_task(crate::fixture::result_after(1, Ok(1), "ended")) {
                Err(CreateError::Full(_)) => Ok(1),
                _ => Err("there was room"),
            }
        });
        check_matches!(ended.await, Ok(Some(1)));
        yield_now().await;
        Ok(())
    })?
}

fn one_thing_awaited_twice_is_told_twice() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let (promise, ready, permits) = (Promise::<u8>::new(), Event::new(), Semaphore::new(2));
        let complete = async {
            yield_now().await;
            ready.set();
            promise.set_result(7)
        };
        let twice = join((promise.wait(), promise.wait(), ready.wait(), ready.wait(), complete));
        let (first, second, ..) = twice.await;
        check_eq!((first, second), (Ok(7), Ok(7)));
        let (first, second) = join((permits.acquire(), permits.acquire())).await;
        check_eq!(permits.available_permits(), 0);
        drop((first, second));
        check_eq!(permits.available_permits(), 2);
        Ok(())
    })?
}

fn a_task_that_waits_for_itself_is_told_and_goes_on() -> Outcome {
    type Own = Slot<Task<()>>;
    #[molen::task(pool_size = 3)]
    async fn wait_for_itself(own: &'static Own, how: u8) {
        let Some(task) = own.take() else { return event("no handle") };
        let itself = match how {
            0 => matches!(
                wait_for(task.spawned(), ms(10)).await,
                Err(WaitForError::Task(TaskError::Itself))
            ),
            1 => match gather([task.spawned()]) {
                Ok(gathered) => matches!(
                    gathered.await,
                    Err(GatherError::Task { number: 0, error: TaskError::Itself })
                ),
                Err(_) => false,
            },
            _ => match shield(task.spawned()) {
                Ok(shielded) => matches!(shielded.await, Err(TaskError::Itself)),
                Err(_) => false,
            },
        };
        event(if itself { "itself" } else { "other" });
        yield_now().await;
        event("goes on");
    }
    let event_loop = new_loop!();
    let own = static_ref!(Own = Cell::new(None));
    for how in 0..3 {
        own.set(Some(event_loop.create_task(wait_for_itself(own, how))?));
        event_loop.turn(NOW)?;
        event_loop.turn(NOW)?;
    }
    check_events!["itself", "goes on", "itself", "goes on", "itself", "goes on"];
    check_eq!(event_loop.next_deadline(), None);
    Ok(())
}

/// Fails unless `error` reads as `text`.
#[inline(never)]
fn says(error: &dyn Display, text: &str) -> Outcome {
    let said = Text::<88>::of(error);
    if said.as_str() == text { Ok(()) } else { Err(Failure::shown(error)) }
}

fn errors_say_what_cannot_be_done_and_why() -> Outcome {
    type GroupError = TaskGroupError<BoundedExceptionGroup<u8, 1>>;
    let table: [(&dyn Display, &str); 19] = [
        (&InvalidState::Pending, "cannot take the result: it is not set yet"),
        (&InvalidState::Done, "cannot complete the promise: it is completed or cancelled already"),
        (&TaskError::Taken, "cannot take the result of the task: it was taken already"),
        (&TaskError::ForeignLoop, "cannot await the task: it belongs to another event loop"),
        (
            &TaskError::Itself,
            "cannot await the task: it is the one that awaits, and would wait for ever",
        ),
        (
            &PromiseError::<u8>::ForeignLoop,
            "cannot wait for the promise: it belongs to another event loop",
        ),
        (
            &TimeoutError::NoTask,
            "cannot wait with a timeout: no task of a running event loop awaits it",
        ),
        (
            &TimeoutError::AlreadyEntered,
            "cannot wait with the deadline: it has been waited with before",
        ),
        (&RescheduleError::NotEntered, "cannot reschedule the timeout: it has not been entered"),
        (
            &GroupError::NoTask,
            "cannot run the task group: no task of a running event loop awaits it",
        ),
        (&GroupError::AlreadyEntered, "cannot run the task group: it has been run before"),
        (&CreateError::Finished(()), "cannot create a task in the group: it is finished"),
        (&ReleaseError::NotAcquired, "cannot release the lock: it is not acquired"),
        (&ReleaseError::Guarded, "cannot release the lock: a guard holds it"),
        (&BrokenBarrier, "cannot pass the barrier: it is broken, or was reset or aborted"),
        (&NoParties, "cannot make a barrier for no tasks: it is for one at least"),
        (&PutNowaitError::Full(()), "cannot put into the queue: it is full"),
        (&GetNowaitError::Empty, "cannot get from the queue: it is empty"),
        (
            &TooManyDone,
            "cannot mark an item of the queue as done: all that were put are done already",
        ),
    ];
    table.into_iter().try_for_each(|(error, text)| says(error, text))?;
    let nothing = Text::<88>::of(NothingToWaitFor);
    check!(nothing.as_str().starts_with("cannot wait"), "waiting for nothing is told otherwise");
    Ok(())
}

fn a_timeout_under_a_foreign_executor_is_an_error() -> Outcome {
    use core::future::Future;
    use core::task::{Context, Poll, Waker};
    let mut cx = Context::from_waker(Waker::noop());
    let mut timed = core::pin::pin!(molen::timeout(ms(1), pending::<u8>()));
    check_eq!(timed.as_mut().poll(&mut cx), Poll::Ready(Err(TimeoutError::NoTask)));
    let mut waited = core::pin::pin!(wait_for(say("never"), ms(1)));
    let Poll::Ready(Err(WaitForError::NotCreated(refused))) = waited.as_mut().poll(&mut cx) else {
        return Err(Failure::said("it waits, or fails otherwise"));
    };
    says(&refused, "cannot schedule: no event loop is running on this thread")?;
    // A wait without a timer works anywhere.
    let event_loop = new_loop!();
    event_loop.run_until_complete(sleep(ms(1)))?;
    check_events![];
    Ok(())
}
