//! Cancel scopes at their edges: who asked is dropped, is ready, or moves to
//! another task before the request is delivered. No cancel may be left behind.

use crate::case::{Case, Failure, Outcome};
use crate::fixture::{OnDrop, Slot, event, ms, with};
use core::cell::Cell;
use core::future::{Future, pending, poll_fn};
use core::pin::{Pin, pin};
use core::task::Poll;
use molen::combine::select;
use molen::task::Builder;
use molen::task_group::BoundedTaskGroup;
use molen::testing::static_ref;
use molen::{
    Duration, Promise, Task, TimeoutError, catch_cancel, current_task, sleep, timeout, yield_now,
};

pub(crate) const CASES: &[Case] = &[
    case!(1246, an_eager_task_that_aborts_its_creator_does_it_later),
    case!(1247, an_eager_task_in_a_scope_is_in_no_scope),
    case!(1248, closing_from_a_drop_by_abort_does_no_harm),
    case!(1249, an_abort_of_itself_is_not_caught),
    case!(1472, a_group_dropped_while_it_asks_leaves_no_cancel),
    case!(1473, a_timeout_dropped_while_it_asks_leaves_no_cancel),
    case!(1474, a_body_that_is_ready_when_its_group_asks_leaves_no_cancel),
    case!(1475, a_value_that_is_ready_when_its_timeout_asks_leaves_no_cancel),
    case!(1468, a_cancel_of_others_outlives_the_timeout_that_asked_too),
    case!(1469, a_timeout_that_moves_to_another_task_is_that_tasks),
    case!(1470, a_group_that_moves_to_another_task_is_that_tasks),
    case!(1471, a_timeout_that_outlives_its_task_asks_in_the_next),
];

const NOW: Option<Duration> = Some(Duration::ZERO);

/// Fails unless the task that runs stands uncancelled, now and at its next step.
async fn check_uncancelled() -> Outcome {
    check_eq!(current_task().map(|task| task.cancelling()), Some(0));
    yield_now().await;
    yield_now().await;
    event("goes on");
    check_eq!(current_task().map(|task| task.cancelling()), Some(0));
    Ok(())
}

fn an_eager_task_that_aborts_its_creator_does_it_later() -> Outcome {
    #[molen::task]
    async fn abort_creator(slot: &'static Slot<Task<()>>) {
        event(if with(slot, |task| task.abort()) { "abort" } else { "late" });
        yield_now().await;
        event("aborter goes on");
    }
    #[molen::task]
    async fn create(slot: &'static Slot<Task<()>>) {
        let _guard = OnDrop("dropped");
        drop(Builder::new().eager().create_task(abort_creator(slot)));
        event("still here");
        yield_now().await;
        event("never");
    }
    let event_loop = new_loop!();
    let slot = static_ref!(Slot<Task<()>> = Cell::new(None));
    slot.set(Some(event_loop.create_task(create(slot))?));
    for _ in 0..3 {
        event_loop.turn(NOW)?;
    }
    check_events!["abort", "still here", "dropped", "aborter goes on"];
    check!(slot.take().is_some_and(|task| task.cancelled()), "it is not cancelled");
    Ok(())
}

fn an_eager_task_in_a_scope_is_in_no_scope() -> Outcome {
    #[molen::task]
    async fn cancel_itself() {
        if let Some(task) = current_task() {
            task.cancel();
        }
        yield_now().await;
        event("never");
    }
    #[molen::task]
    async fn create() -> Outcome {
        let caught = catch_cancel(async {
            let task = Builder::new().eager().create_task(cancel_itself())?;
            yield_now().await;
            check!(task.cancelled(), "the eager task is not cancelled");
            Ok(())
        });
        match caught.await {
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::said("its creator was cancelled")),
        }
    }
    let event_loop = new_loop!();
    let mut task = event_loop.create_task(create())?;
    for _ in 0..3 {
        event_loop.turn(NOW)?;
    }
    check_matches!(task.take_result(), Some(Ok(Ok(()))));
    check_events![];
    Ok(())
}

fn an_abort_of_itself_is_not_caught() -> Outcome {
    #[molen::task]
    async fn abort_itself(slot: &'static Slot<Task<()>>) {
        let _guard = OnDrop("dropped");
        with(slot, |task| task.abort());
        drop(catch_cancel(yield_now()).await);
        event("never");
    }
    let event_loop = new_loop!();
    let slot = static_ref!(Slot<Task<()>> = Cell::new(None));
    slot.set(Some(event_loop.create_task(abort_itself(slot))?));
    event_loop.turn(NOW)?;
    event_loop.turn(NOW)?;
    check_events!["dropped"];
    Ok(())
}

fn closing_from_a_drop_by_abort_does_no_harm() -> Outcome {
    /// Closes the loop in the slot when it is dropped.
    struct CloseOnDrop(&'static Slot<molen::LoopRef>);
    impl Drop for CloseOnDrop {
        fn drop(&mut self) {
            let closed = self.0.take().map(|event_loop| event_loop.close());
            // Where tasks are in statics, nothing is given back, so it may be closed.
            event(match closed {
                Some(Ok(()) | Err(molen::RunError::AlreadyRunning)) => "no harm",
                _ => "other",
            });
        }
    }
    #[molen::task]
    async fn hold_closer(slot: &'static Slot<molen::LoopRef>) {
        let _closer = CloseOnDrop(slot);
        pending::<()>().await;
    }
    let event_loop = new_loop!();
    let slot = static_ref!(Slot<molen::LoopRef> = Cell::new(None));
    slot.set(Some((*event_loop).clone()));
    let task = event_loop.create_task(hold_closer(slot))?;
    event_loop.turn(NOW)?;
    task.abort();
    check_events!["no harm"];
    check!(task.cancelled(), "the task goes on");
    event_loop.close()?;
    drop(task);
    Ok(())
}

/// Polls `future` until `end` is ready, then drops it, in the same step.
async fn drop_when<F: Future>(future: F, end: impl Future) {
    let mut future = pin!(Some(future));
    let mut end = pin!(end);
    poll_fn(|cx| {
        if let Some(running) = future.as_mut().as_pin_mut()
            && running.poll(cx).is_ready()
        {
            event("ready");
        }
        end.as_mut().poll(cx).map(|_| future.set(None))
    })
    .await
}

fn a_group_dropped_while_it_asks_leaves_no_cancel() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let group = BoundedTaskGroup::<u8, &'static str, 1>::new();
        let end = async {
            yield_now().await;
            group.cancel();
            yield_now().await;
        };
        let run = group.run(async {
            asked_last().await;
            Ok(0)
        });
        drop_when(run, end).await;
        check_uncancelled().await
    })??;
    check_events!["goes on"];
    Ok(())
}

fn a_timeout_dropped_while_it_asks_leaves_no_cancel() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let end = sleep(ms(10));
        drop_when(timeout(ms(10), asked_last()), end).await;
        check_uncancelled().await
    })??;
    check_events!["goes on"];
    Ok(())
}

/// Something that waits where a cancel is caught, and is polled once only:
/// then it has to be woken, but whoever is around does not pass that on.
async fn asked_last() {
    let mut caught = pin!(catch_cancel(pending::<()>()));
    let mut polled = false;
    poll_fn(|cx| {
        if !core::mem::replace(&mut polled, true) {
            let _ = caught.as_mut().poll(cx);
        }
        Poll::Pending
    })
    .await
}

fn a_body_that_is_ready_when_its_group_asks_leaves_no_cancel() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let group = BoundedTaskGroup::<u8, &'static str, 1>::new();
        let end = Promise::<u8>::new();
        let mut run = pin!(group.run(async {
            select((end.wait(), catch_cancel(pending::<()>()))).await;
            Ok(7)
        }));
        let mut polls = 0;
        let ended = poll_fn(|cx| {
            polls += 1;
            if polls == 2 {
                group.cancel();
            }
            let ended = run.as_mut().poll(cx);
            if polls == 2 {
                // The body has been asked, and does not come to hear of it.
                let _ = end.set_result(1);
            }
            cx.waker().wake_by_ref();
            ended
        })
        .await;
        check!(matches!(ended, Ok(Some(7))), "the body's value is lost");
        check_uncancelled().await
    })??;
    check_events!["goes on"];
    Ok(())
}

fn a_value_that_is_ready_when_its_timeout_asks_leaves_no_cancel() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let both = select((sleep(ms(10)), catch_cancel(pending::<()>())));
        check!(timeout(ms(10), both).await.is_ok(), "the value is lost");
        check_uncancelled().await
    })??;
    check_events!["goes on"];
    Ok(())
}

fn a_cancel_of_others_outlives_the_timeout_that_asked_too() -> Outcome {
    #[molen::task]
    async fn body() {
        let both = select((sleep(ms(10)), asked_last()));
        event(if timeout(ms(10), both).await.is_ok() { "value" } else { "elapsed" });
        yield_now().await;
        event("never");
    }
    let event_loop = new_loop!();
    let task = event_loop.create_task(body())?;
    let slot = static_ref!(Slot<molen::task::TaskRef> = Cell::new(None));
    slot.set(Some(task.task_ref()));
    event_loop.call_later(ms(5), || {
        with(slot, |task| task.cancel());
    })?;
    for _ in 0..6 {
        event_loop.turn(Some(ms(10)))?;
    }
    check!(task.cancelled(), "it is not cancelled");
    check_eq!(task.cancelling(), 1);
    check_events!["value"];
    Ok(())
}

/// A future on a task's stack, lent to another task.
type Lent = Slot<Pin<&'static mut dyn Future<Output = &'static str>>>;

/// The same for a time that the caller vouches for.
///
/// # Safety
///
/// It is taken out of the slot before `future` is dropped.
unsafe fn lend<'a>(lent: &Lent, future: Pin<&'a mut (dyn Future<Output = &'static str> + 'a)>) {
    // SAFETY: only the lifetime is forgotten; the caller's promise.
    lent.set(Some(unsafe {
        core::mem::transmute::<
            Pin<&'a mut (dyn Future<Output = &'static str> + 'a)>,
            Pin<&'static mut dyn Future<Output = &'static str>>,
        >(future)
    }));
}

/// Awaits what was lent, and notes how it ended.
#[molen::task(pool_size = 2)]
async fn await_lent(lent: &'static Lent) -> u8 {
    let ended = poll_fn(|cx| {
        let mut future = lent.take();
        let polled = match future.as_mut() {
            Some(future) => future.as_mut().poll(cx),
            None => Poll::Ready("nothing is lent"),
        };
        lent.set(future);
        polled
    })
    .await;
    event(ended);
    current_task().map_or(9, |task| task.cancelling())
}

/// Waits for ever in a catch that is polled at first, and then when `deliver` says so.
async fn hear(deliver: &Cell<bool>) {
    let mut caught = pin!(catch_cancel(pending::<()>()));
    let mut polled = false;
    let caught = poll_fn(|cx| match deliver.get() || !core::mem::replace(&mut polled, true) {
        true => caught.as_mut().poll(cx),
        false => Poll::Pending,
    });
    if let Err(cancelled) = caught.await {
        event("caught");
        match cancelled.propagate().await {}
    }
}

/// Polls `future` once, in the task that runs.
async fn poll_once<T>(mut future: Pin<&mut dyn Future<Output = T>>) -> Poll<T> {
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
}

/// Has another task await `asking`, which has just asked in this one.
async fn move_while_it_asks(
    asking: Pin<&mut dyn Future<Output = &'static str>>,
    lent: &'static Lent,
    deliver: &Cell<bool>,
) -> Outcome {
    check_eq!(current_task().map(|task| task.cancelling()), Some(1));
    deliver.set(true);
    // SAFETY: taken out below; nothing ends this function before, or the case has failed.
    unsafe { lend(lent, asking) };
    let awaited = molen::create_task(await_lent(lent))?.await;
    let _taken_back = lent.take();
    check_matches!(awaited, Ok(0));
    check_uncancelled().await
}

/// How a timeout ended, in a word.
async fn told<T>(timed: impl Future<Output = Result<T, TimeoutError>>) -> &'static str {
    match timed.await {
        Ok(_) => "value",
        Err(TimeoutError::Elapsed) => "elapsed",
        Err(_) => "error",
    }
}

fn a_timeout_that_moves_to_another_task_is_that_tasks() -> Outcome {
    let event_loop = new_loop!();
    let lent = static_ref!(Lent = Cell::new(None));
    event_loop.run_until_complete(async {
        let deliver = Cell::new(false);
        let mut timed = pin!(told(timeout(ms(10), hear(&deliver))));
        check!(poll_once(timed.as_mut()).await.is_pending(), "it was ready at once");
        sleep(ms(20)).await;
        check!(poll_once(timed.as_mut()).await.is_pending(), "it did not wait to be heard");
        move_while_it_asks(timed, lent, &deliver).await
    })??;
    check_events!["caught", "elapsed", "goes on"];
    Ok(())
}

fn a_group_that_moves_to_another_task_is_that_tasks() -> Outcome {
    let event_loop = new_loop!();
    let lent = static_ref!(Lent = Cell::new(None));
    event_loop.run_until_complete(async {
        let deliver = Cell::new(false);
        let group = BoundedTaskGroup::<u8, &'static str, 1>::new();
        let mut run = pin!(async {
            let run = group.run(async {
                hear(&deliver).await;
                Ok(0)
            });
            if matches!(run.await, Ok(None)) { "none" } else { "other" }
        });
        check!(poll_once(run.as_mut()).await.is_pending(), "it was ready at once");
        group.cancel();
        check!(poll_once(run.as_mut()).await.is_pending(), "it did not wait to be heard");
        move_while_it_asks(run, lent, &deliver).await
    })??;
    check_events!["caught", "none", "goes on"];
    Ok(())
}

fn a_timeout_that_outlives_its_task_asks_in_the_next() -> Outcome {
    let event_loop = new_loop!();
    let deliver = Cell::new(false);
    let mut timed = pin!(told(timeout(ms(10), hear(&deliver))));
    event_loop.run_until_complete(async {
        check!(poll_once(timed.as_mut()).await.is_pending(), "it was ready at once");
        sleep(ms(20)).await;
        check!(poll_once(timed.as_mut()).await.is_pending(), "it did not wait to be heard");
        Ok(())
    })??;
    deliver.set(true);
    event_loop.run_until_complete(async {
        event(timed.as_mut().await);
        check_uncancelled().await
    })??;
    check_events!["caught", "elapsed", "goes on"];
    Ok(())
}
