//! Catching a cancel: the edges of the state machine of `molen::task::cancel`.

use crate::case::{Case, Failure, Outcome};
use crate::fixture::{OnDrop, Slot, cancel, event, hold, ms, say, with};
use core::cell::{Cell, RefCell};
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use molen::task::PromiseError;
use molen::testing::static_ref;
use molen::{Cancelled, Duration, Promise, Task, TaskError, catch_cancel, sleep, yield_now};

pub(crate) const CASES: &[Case] = &[
    case!(88, a_task_may_refuse_to_be_cancelled),
    case!(109, a_cancel_carries_its_message),
    case!(1200, a_caught_cancel_drops_what_was_awaited),
    case!(1201, clean_up_may_await_and_hand_the_cancel_on),
    case!(1202, the_innermost_catch_takes_the_cancel),
    case!(1203, a_propagated_cancel_reaches_the_next_catch),
    case!(1204, a_second_cancel_reaches_the_outer_catch),
    case!(1205, two_cancels_before_delivery_are_caught_once),
    case!(1206, a_cancel_wins_over_a_value_that_comes_with_it),
    case!(1207, a_catch_that_is_ready_first_hands_the_cancel_to_the_task),
    case!(1208, a_cancel_of_itself_is_caught_where_it_next_waits),
    case!(1209, a_cancel_of_itself_in_a_catch_is_caught_inside_it),
    case!(1210, a_cancel_of_itself_within_a_catch_that_ends_goes_on),
    case!(1211, a_cancel_taken_back_before_delivery_is_not_caught),
    case!(1212, a_cancel_before_the_first_step_is_not_caught),
    case!(1213, a_cancel_reaches_each_place_that_a_task_waits_in),
    case!(1214, a_dropped_catch_hands_its_cancel_on),
    case!(1215, an_abort_is_not_caught),
    case!(1216, a_refused_cancel_still_counts),
    case!(1217, an_uncancel_after_delivery_changes_only_the_count),
    case!(1218, a_catch_without_a_cancel_is_its_future),
    case!(1219, a_catch_that_moves_to_another_task_is_that_tasks),
    case!(1220, a_catch_that_outlives_its_task_does_no_harm),
    case!(1221, a_message_of_a_refused_cancel_is_not_told_to_the_next),
    case!(1222, the_last_message_before_delivery_is_told),
    case!(1223, a_cancelled_sleep_leaves_no_timer),
    case!(1224, a_task_ref_cancels_like_a_handle),
    case!(1225, a_task_ref_of_an_ended_task_is_done),
    case!(1226, who_awaits_a_task_is_told_by_its_ref),
    case!(1227, a_closed_loop_drops_what_catches),
    case!(1228, a_cancelled_main_future_ends_the_run),
];

const NOW: Option<Duration> = Some(Duration::ZERO);

type TaskSlot = Slot<Task<u8>>;

/// Waits for `promise`, in a catch; notes whether it was cancelled.
async fn caught(promise: &Promise<u8>, name: &'static str) -> Result<u8, Cancelled> {
    let result = catch_cancel(promise.wait()).await;
    if result.is_err() {
        event(name);
    }
    result.map(|value| value.unwrap_or(0))
}

/// Refuses the first cancel, then waits for `second`.
#[molen::task(pool_size = 2)]
async fn refuse(first: &'static Promise<u8>, second: &'static Promise<u8>) -> u8 {
    if let Err(cancelled) = caught(first, "caught").await {
        drop(cancelled);
    }
    let _guard = OnDrop("ended");
    second.wait().await.unwrap_or(0)
}

/// Cleans up, with an await, and hands the cancel on.
#[molen::task(pool_size = 2)]
async fn clean_up(promise: &'static Promise<u8>) -> u8 {
    let _guard = OnDrop("dropped");
    match caught(promise, "caught").await {
        Ok(value) => value,
        Err(cancelled) => {
            yield_now().await;
            event("cleaned up");
            match cancelled.propagate().await {}
        }
    }
}

fn a_task_may_refuse_to_be_cancelled() -> Outcome {
    let event_loop = new_loop!();
    let (first, second) =
        (static_ref!(Promise<u8> = Promise::new()), static_ref!(Promise<u8> = Promise::new()));
    let mut task = event_loop.create_task(refuse(first, second))?;
    event_loop.turn(NOW)?;
    check!(task.cancel(), "the cancel was refused by the loop");
    event_loop.turn(NOW)?;
    check_events!["caught"];
    check!(!task.done() && !second.done(), "it did not go on");
    second.set_result(7)?;
    event_loop.turn(NOW)?;
    check_matches!(task.take_result(), Some(Ok(7)));
    check!(!task.cancelled(), "it is cancelled");
    check_events!["caught", "ended"];
    Ok(())
}

fn a_cancel_carries_its_message() -> Outcome {
    #[molen::task]
    async fn tell(promise: &'static Promise<u8>) -> u8 {
        match catch_cancel(promise.wait()).await {
            Ok(_) => 0,
            Err(cancelled) => {
                let told = cancelled.message().is_some_and(|text| text.as_str() == "too slow");
                event(if told { "told" } else { "not told" });
                match cancelled.propagate().await {}
            }
        }
    }
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let mut task = event_loop.create_task(tell(promise))?;
    event_loop.turn(NOW)?;
    task.cancel_with("too slow");
    event_loop.turn(NOW)?;
    event_loop.turn(NOW)?;
    check_events!["told"];
    let Some(Err(TaskError::Cancelled(cancelled))) = task.take_result() else {
        return Err(Failure::said("it is not cancelled"));
    };
    check!(cancelled.message().is_some_and(|text| text.as_str() == "too slow"), "it lost the text");
    // And to who awaits a task that never began.
    let mut task = event_loop.create_task(hold(promise, "begun", "dropped"))?;
    task.cancel_with("not now");
    event_loop.turn(NOW)?;
    let Some(Err(TaskError::Cancelled(cancelled))) = task.take_result() else {
        return Err(Failure::said("it is not cancelled"));
    };
    check!(cancelled.message().is_some_and(|text| text.as_str() == "not now"), "it lost the text");
    Ok(())
}

fn a_caught_cancel_drops_what_was_awaited() -> Outcome {
    #[molen::task]
    async fn body(promise: &'static Promise<u8>) {
        let inner = async {
            let _guard = OnDrop("inner dropped");
            drop(promise.wait().await);
        };
        event(if catch_cancel(inner).await.is_err() { "caught" } else { "value" });
    }
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let task = event_loop.create_task(body(promise))?;
    event_loop.turn(NOW)?;
    task.cancel();
    check_events![];
    event_loop.turn(NOW)?;
    check_events!["inner dropped", "caught"];
    check!(task.done() && !task.cancelled(), "it did not end by itself");
    check!(!promise.done(), "the promise was completed");
    Ok(())
}

fn clean_up_may_await_and_hand_the_cancel_on() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let mut task = event_loop.create_task(clean_up(promise))?;
    event_loop.turn(NOW)?;
    task.cancel();
    event_loop.turn(NOW)?;
    check_events!["caught"];
    event_loop.turn(NOW)?;
    check_events!["caught", "cleaned up"];
    check!(!task.done(), "it ended before its next step");
    event_loop.turn(NOW)?;
    check_events!["caught", "cleaned up", "dropped"];
    check!(task.cancelled(), "it is not cancelled");
    check_matches!(task.take_result(), Some(Err(TaskError::Cancelled(_))));
    check_eq!(task.cancelling(), 1);
    Ok(())
}

/// A catch in a catch; the inner one does with the cancel what `propagates` says.
#[molen::task(pool_size = 3)]
async fn nested(promise: &'static Promise<u8>, then: Then) {
    let outer = catch_cancel(async {
        if let Err(cancelled) = caught(promise, "inner").await {
            match then {
                Then::Propagate => match cancelled.propagate().await {},
                Then::Refuse => drop(cancelled),
            }
        }
        event("inner goes on");
        drop(promise.wait().await);
    })
    .await;
    event(if outer.is_err() { "outer" } else { "value" });
}

#[derive(Clone, Copy)]
enum Then {
    Propagate,
    Refuse,
}

fn the_innermost_catch_takes_the_cancel() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let task = event_loop.create_task(nested(promise, Then::Refuse))?;
    event_loop.turn(NOW)?;
    task.cancel();
    event_loop.turn(NOW)?;
    check_events!["inner", "inner goes on"];
    promise.set_result(1)?;
    event_loop.turn(NOW)?;
    check_events!["inner", "inner goes on", "value"];
    check!(!task.cancelled(), "it is cancelled");
    Ok(())
}

fn a_propagated_cancel_reaches_the_next_catch() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let task = event_loop.create_task(nested(promise, Then::Propagate))?;
    event_loop.turn(NOW)?;
    task.cancel();
    event_loop.turn(NOW)?;
    check_events!["inner"];
    event_loop.turn(NOW)?;
    check_events!["inner", "outer"];
    check!(task.done() && !task.cancelled(), "it did not end by itself");
    Ok(())
}

fn a_second_cancel_reaches_the_outer_catch() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let task = event_loop.create_task(nested(promise, Then::Refuse))?;
    event_loop.turn(NOW)?;
    task.cancel();
    event_loop.turn(NOW)?;
    task.cancel();
    check_eq!(task.cancelling(), 2);
    event_loop.turn(NOW)?;
    check_events!["inner", "inner goes on", "outer"];
    Ok(())
}

fn two_cancels_before_delivery_are_caught_once() -> Outcome {
    let event_loop = new_loop!();
    let (first, second) =
        (static_ref!(Promise<u8> = Promise::new()), static_ref!(Promise<u8> = Promise::new()));
    let task = event_loop.create_task(refuse(first, second))?;
    event_loop.turn(NOW)?;
    task.cancel();
    task.cancel();
    event_loop.turn(NOW)?;
    event_loop.turn(NOW)?;
    check_events!["caught"];
    check_eq!(task.cancelling(), 2);
    check!(!task.done(), "it ended");
    Ok(())
}

fn a_cancel_wins_over_a_value_that_comes_with_it() -> Outcome {
    let event_loop = new_loop!();
    let (first, second) =
        (static_ref!(Promise<u8> = Promise::new()), static_ref!(Promise<u8> = Promise::new()));
    let task = event_loop.create_task(refuse(first, second))?;
    event_loop.turn(NOW)?;
    first.set_result(1)?;
    task.cancel();
    event_loop.turn(NOW)?;
    check_events!["caught"];
    Ok(())
}

/// Cancels the task in `slot`, and is ready.
async fn cancel_at_once(slot: &TaskSlot) -> u8 {
    cancel(slot);
    event("cancel");
    5
}

fn a_catch_that_is_ready_first_hands_the_cancel_to_the_task() -> Outcome {
    #[molen::task]
    async fn body(slot: &'static TaskSlot) -> u8 {
        let got = catch_cancel(cancel_at_once(slot)).await;
        event(if got.is_ok() { "value" } else { "caught" });
        yield_now().await;
        event("never");
        0
    }
    let event_loop = new_loop!();
    let slot = static_ref!(TaskSlot = Cell::new(None));
    slot.set(Some(event_loop.create_task(body(slot))?));
    event_loop.turn(NOW)?;
    event_loop.turn(NOW)?;
    check_events!["cancel", "value"];
    check!(slot.take().is_some_and(|task| task.cancelled()), "it is not cancelled");
    Ok(())
}

fn a_cancel_of_itself_is_caught_where_it_next_waits() -> Outcome {
    #[molen::task]
    async fn body(slot: &'static TaskSlot, promise: &'static Promise<u8>) -> u8 {
        cancel(slot);
        // Ready at once: nothing waits.
        event(if catch_cancel(core::future::ready(1)).await.is_ok() { "first" } else { "early" });
        event(if caught(promise, "caught").await.is_err() { "second" } else { "missed" });
        7
    }
    let event_loop = new_loop!();
    let slot = static_ref!(TaskSlot = Cell::new(None));
    let promise = static_ref!(Promise<u8> = Promise::new());
    slot.set(Some(event_loop.create_task(body(slot, promise))?));
    event_loop.turn(NOW)?;
    check_events!["first"];
    event_loop.turn(NOW)?;
    check_events!["first", "caught", "second"];
    let result = slot.take().and_then(|mut task| task.take_result());
    check_matches!(result, Some(Ok(7)));
    Ok(())
}

fn a_cancel_of_itself_in_a_catch_is_caught_inside_it() -> Outcome {
    #[molen::task]
    async fn body(slot: &'static TaskSlot, promise: &'static Promise<u8>) -> u8 {
        let outer = catch_cancel(async {
            cancel(slot);
            caught(promise, "inner").await.is_err()
        });
        event(if outer.await == Ok(true) { "refused inside" } else { "outer" });
        7
    }
    let event_loop = new_loop!();
    let slot = static_ref!(TaskSlot = Cell::new(None));
    let promise = static_ref!(Promise<u8> = Promise::new());
    slot.set(Some(event_loop.create_task(body(slot, promise))?));
    event_loop.turn(NOW)?;
    event_loop.turn(NOW)?;
    check_events!["inner", "refused inside"];
    Ok(())
}

fn a_cancel_of_itself_within_a_catch_that_ends_goes_on() -> Outcome {
    #[molen::task]
    async fn body(slot: &'static TaskSlot) -> u8 {
        let outer = catch_cancel(async {
            event(if catch_cancel(cancel_at_once(slot)).await.is_ok() { "value" } else { "inner" });
            yield_now().await;
            event("never");
        });
        event(if outer.await.is_err() { "outer" } else { "missed" });
        7
    }
    let event_loop = new_loop!();
    let slot = static_ref!(TaskSlot = Cell::new(None));
    slot.set(Some(event_loop.create_task(body(slot))?));
    event_loop.turn(NOW)?;
    event_loop.turn(NOW)?;
    check_events!["cancel", "value", "outer"];
    check!(slot.take().is_some_and(|task| task.done() && !task.cancelled()), "it is cancelled");
    Ok(())
}

fn a_cancel_taken_back_before_delivery_is_not_caught() -> Outcome {
    let event_loop = new_loop!();
    let (first, second) =
        (static_ref!(Promise<u8> = Promise::new()), static_ref!(Promise<u8> = Promise::new()));
    let task = event_loop.create_task(refuse(first, second))?;
    event_loop.turn(NOW)?;
    task.cancel_with("never told");
    check_eq!(task.uncancel(), 0);
    event_loop.turn(NOW)?;
    check_events![];
    first.set_result(1)?;
    second.set_result(1)?;
    event_loop.turn(NOW)?;
    check_events!["ended"];
    check!(!task.cancelled(), "it is cancelled");
    Ok(())
}

fn a_cancel_before_the_first_step_is_not_caught() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let task = event_loop.create_task(clean_up(promise))?;
    task.cancel();
    event_loop.turn(NOW)?;
    check!(task.cancelled(), "it is not cancelled");
    check_events![];
    Ok(())
}

/// Ready when both are; polls both each time.
struct Both<A, B>(Pin<A>, Pin<B>, [bool; 2]);

impl<A, B> Future for Both<A, B>
where
    Pin<A>: Future<Output = ()> + Unpin,
    Pin<B>: Future<Output = ()> + Unpin,
{
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Both(a, b, done) = self.get_mut();
        done[0] = done[0] || Pin::new(a).poll(cx).is_ready();
        done[1] = done[1] || Pin::new(b).poll(cx).is_ready();
        if *done == [true, true] { Poll::Ready(()) } else { Poll::Pending }
    }
}

fn a_cancel_reaches_each_place_that_a_task_waits_in() -> Outcome {
    #[molen::task]
    async fn body(promise: &'static Promise<u8>) {
        let outer = catch_cancel(async {
            let first = core::pin::pin!(async { drop(caught(promise, "first").await) });
            let second = core::pin::pin!(async { drop(caught(promise, "second").await) });
            Both(first, second, [false; 2]).await;
        });
        event(if outer.await.is_ok() { "both" } else { "outer" });
    }
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let task = event_loop.create_task(body(promise))?;
    event_loop.turn(NOW)?;
    task.cancel();
    event_loop.turn(NOW)?;
    check_events!["first", "second", "both"];
    check!(task.done() && !task.cancelled(), "it did not end by itself");
    Ok(())
}

fn a_dropped_catch_hands_its_cancel_on() -> Outcome {
    #[molen::task]
    async fn body(slot: &'static Slot<bool>, promise: &'static Promise<u8>) {
        let outer = catch_cancel(async {
            {
                let mut inner = core::pin::pin!(caught(promise, "inner"));
                core::future::poll_fn(|cx| {
                    if slot.take().is_some() {
                        return Poll::Ready(());
                    }
                    inner.as_mut().poll(cx).map(drop)
                })
                .await;
                event("inner dropped");
            }
            promise.wait().await
        });
        event(if outer.await.is_err() { "outer" } else { "missed" });
    }
    let event_loop = new_loop!();
    let slot = static_ref!(Slot<bool> = Cell::new(None));
    let promise = static_ref!(Promise<u8> = Promise::new());
    let task = event_loop.create_task(body(slot, promise))?;
    event_loop.turn(NOW)?;
    task.cancel();
    slot.set(Some(true));
    event_loop.turn(NOW)?;
    event_loop.turn(NOW)?;
    check_events!["inner dropped", "outer"];
    Ok(())
}

fn an_abort_is_not_caught() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let task = event_loop.create_task(clean_up(promise))?;
    event_loop.turn(NOW)?;
    task.cancel();
    check!(task.abort(), "it had ended");
    check!(task.cancelled(), "it is not cancelled");
    check_events!["dropped"];
    event_loop.turn(NOW)?;
    check_events!["dropped"];
    Ok(())
}

fn a_refused_cancel_still_counts() -> Outcome {
    let event_loop = new_loop!();
    let (first, second) =
        (static_ref!(Promise<u8> = Promise::new()), static_ref!(Promise<u8> = Promise::new()));
    let task = event_loop.create_task(refuse(first, second))?;
    event_loop.turn(NOW)?;
    task.cancel();
    event_loop.turn(NOW)?;
    check_eq!(task.cancelling(), 1);
    check_eq!(task.uncancel(), 0);
    check!(!task.done(), "it ended");
    Ok(())
}

fn an_uncancel_after_delivery_changes_only_the_count() -> Outcome {
    #[molen::task]
    async fn body(promise: &'static Promise<u8>) {
        if let Err(cancelled) = caught(promise, "caught").await {
            if let Some(task) = molen::current_task() {
                task.uncancel();
            }
            match cancelled.propagate().await {}
        }
    }
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let task = event_loop.create_task(body(promise))?;
    event_loop.turn(NOW)?;
    task.cancel();
    event_loop.turn(NOW)?;
    event_loop.turn(NOW)?;
    check_events!["caught"];
    check!(task.cancelled(), "it is not cancelled");
    check_eq!(task.cancelling(), 0);
    Ok(())
}

fn a_catch_without_a_cancel_is_its_future() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let got = event_loop.run_until_complete(async {
        check_eq!(catch_cancel(core::future::ready(3)).await, Ok(3));
        promise.set_result(4)?;
        check_eq!(catch_cancel(promise.wait()).await, Ok(Ok::<_, PromiseError<_>>(4)));
        Ok::<_, Failure>(catch_cancel(sleep(ms(1))).await)
    })??;
    check_eq!(got, Ok(()));
    Ok(())
}

/// A catch in a static, which any task can poll.
type Shared = RefCell<Option<Pin<&'static mut dyn Future<Output = bool>>>>;

async fn poll_shared(shared: &'static Shared) -> bool {
    core::future::poll_fn(|cx| match shared.borrow_mut().as_mut() {
        Some(future) => future.as_mut().poll(cx),
        None => Poll::Ready(false),
    })
    .await
}

/// Waits for a promise that never is ready, in a catch; whether it was cancelled.
struct CaughtPending(molen::task::cancel::CatchCancel<core::future::Pending<u8>>);

impl Future for CaughtPending {
    type Output = bool;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<bool> {
        // SAFETY: the field is pinned with the whole.
        unsafe { self.map_unchecked_mut(|this| &mut this.0) }.poll(cx).map(|got| got.is_err())
    }
}

#[molen::task(pool_size = 2)]
async fn await_shared(shared: &'static Shared, name: &'static str) {
    if poll_shared(shared).await {
        event(name);
    }
}

/// A place for a catch that lives for ever.
type Place = Cell<Option<CaughtPending>>;

/// Puts a catch that lives for ever into `shared`.
fn share_a_catch(shared: &'static Shared, place: &'static Place) {
    place.set(Some(CaughtPending(catch_cancel(core::future::pending::<u8>()))));
    // SAFETY: nobody else touches the place.
    if let Some(future) = unsafe { &mut *place.as_ptr() } {
        let future: &'static mut dyn Future<Output = bool> = future;
        // SAFETY: it is in a static, so it never moves.
        *shared.borrow_mut() = Some(unsafe { Pin::new_unchecked(future) });
    }
}

fn a_catch_that_moves_to_another_task_is_that_tasks() -> Outcome {
    let event_loop = new_loop!();
    let shared = static_ref!(Shared = RefCell::new(None));
    share_a_catch(shared, static_ref!(Place = Cell::new(None)));
    let first = event_loop.create_task(await_shared(shared, "first"))?;
    event_loop.turn(NOW)?;
    let second = event_loop.create_task(await_shared(shared, "second"))?;
    event_loop.turn(NOW)?;
    first.cancel();
    event_loop.turn(NOW)?;
    check!(first.cancelled(), "the first task is not cancelled");
    check_events![];
    second.cancel();
    event_loop.turn(NOW)?;
    check_events!["second"];
    check!(second.done() && !second.cancelled(), "the second task did not end by itself");
    Ok(())
}

fn a_catch_that_outlives_its_task_does_no_harm() -> Outcome {
    let event_loop = new_loop!();
    let shared = static_ref!(Shared = RefCell::new(None));
    share_a_catch(shared, static_ref!(Place = Cell::new(None)));
    let first = event_loop.create_task(await_shared(shared, "first"))?;
    event_loop.turn(NOW)?;
    first.abort();
    drop(first);
    // Where tasks are in statics, this one is where the first was.
    let second = event_loop.create_task(say("second"))?;
    let third = event_loop.create_task(await_shared(shared, "third"))?;
    third.cancel();
    event_loop.turn(NOW)?;
    check!(third.cancelled(), "the old catch took the cancel");
    check!(second.done(), "the second task did not run");
    drop(third);
    let fourth = event_loop.create_task(await_shared(shared, "fourth"))?;
    event_loop.turn(NOW)?;
    fourth.cancel();
    event_loop.turn(NOW)?;
    check_events!["second", "fourth"];
    shared.take();
    Ok(())
}

fn a_message_of_a_refused_cancel_is_not_told_to_the_next() -> Outcome {
    let event_loop = new_loop!();
    let (first, second) =
        (static_ref!(Promise<u8> = Promise::new()), static_ref!(Promise<u8> = Promise::new()));
    let mut task = event_loop.create_task(refuse(first, second))?;
    event_loop.turn(NOW)?;
    task.cancel_with("first");
    event_loop.turn(NOW)?;
    task.cancel();
    event_loop.turn(NOW)?;
    let Some(Err(TaskError::Cancelled(cancelled))) = task.take_result() else {
        return Err(Failure::said("it is not cancelled"));
    };
    check!(cancelled.message().is_none(), "the old message is still there");
    Ok(())
}

fn the_last_message_before_delivery_is_told() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let mut task = event_loop.create_task(hold(promise, "begun", "dropped"))?;
    event_loop.turn(NOW)?;
    task.cancel_with("first");
    task.cancel();
    task.cancel_with("second");
    event_loop.turn(NOW)?;
    let Some(Err(TaskError::Cancelled(cancelled))) = task.take_result() else {
        return Err(Failure::said("it is not cancelled"));
    };
    check!(cancelled.message().is_some_and(|text| text.as_str() == "second"), "another message");
    check_eq!(task.cancelling(), 3);
    Ok(())
}

fn a_cancelled_sleep_leaves_no_timer() -> Outcome {
    #[molen::task]
    async fn body() {
        event(if catch_cancel(sleep(ms(50))).await.is_err() { "caught" } else { "slept" });
    }
    let event_loop = new_loop!();
    let task = event_loop.create_task(body())?;
    event_loop.turn(NOW)?;
    check!(event_loop.next_deadline().is_some(), "it does not sleep");
    task.cancel();
    event_loop.turn(NOW)?;
    check_events!["caught"];
    check!(event_loop.next_deadline().is_none(), "its timer is still set");
    Ok(())
}

fn a_task_ref_cancels_like_a_handle() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let task = event_loop.create_task(clean_up(promise))?;
    let named = task.task_ref();
    event_loop.turn(NOW)?;
    check!(named.cancel() && named.cancelling() == 1, "it could not be cancelled");
    event_loop.turn(NOW)?;
    event_loop.turn(NOW)?;
    event_loop.turn(NOW)?;
    check_events!["caught", "cleaned up", "dropped"];
    check!(named.done() && named.cancelled() && !named.cancel(), "it is not cancelled");
    Ok(())
}

fn a_task_ref_of_an_ended_task_is_done() -> Outcome {
    let event_loop = new_loop!();
    let task = event_loop.create_task(say("one"))?;
    let old = task.task_ref();
    check!(!old.done(), "it is done too early");
    event_loop.turn(NOW)?;
    drop(task);
    check!(old.done(), "it is not done");
    // Where tasks are in statics this may be in the same place.
    let task = event_loop.create_task(say("two"))?;
    check!(old != task.task_ref(), "the old one is taken for the new");
    check!(!old.cancel() && old.done(), "the old one was cancelled");
    event_loop.turn(NOW)?;
    check_events!["one", "two"];
    Ok(())
}

fn who_awaits_a_task_is_told_by_its_ref() -> Outcome {
    #[molen::task]
    async fn join(slot: &'static TaskSlot) {
        if let Some(task) = slot.take() {
            drop(task.await);
        }
    }
    let event_loop = new_loop!();
    let slot = static_ref!(TaskSlot = Cell::new(None));
    let promise = static_ref!(Promise<u8> = Promise::new());
    slot.set(Some(event_loop.create_task(hold(promise, "begun", "ended"))?));
    let mut inner = None;
    with(slot, |task| {
        inner = Some(task.task_ref());
        true
    });
    let outer = event_loop.create_task(join(slot))?;
    let Some(inner) = inner else { return Err(Failure::said("there is no task")) };
    check!(inner.awaited_by().is_none(), "somebody awaits it already");
    event_loop.turn(NOW)?;
    check!(inner.awaited_by() == Some(outer.task_ref()), "nobody or another awaits it");
    promise.set_result(1)?;
    event_loop.turn(NOW)?;
    event_loop.turn(NOW)?;
    check!(inner.awaited_by().is_none() && outer.done(), "it is still awaited");
    Ok(())
}

fn a_closed_loop_drops_what_catches() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let task = event_loop.create_task(clean_up(promise))?;
    event_loop.turn(NOW)?;
    task.cancel();
    event_loop.close()?;
    check_events!["dropped"];
    check!(task.cancelled(), "it is not cancelled");
    Ok(())
}

fn a_cancelled_main_future_ends_the_run() -> Outcome {
    let event_loop = new_loop!();
    let result = event_loop.run_until_complete(async {
        let _guard = OnDrop("dropped");
        if let Some(task) = molen::current_task() {
            task.cancel();
        }
        yield_now().await;
        event("never");
    });
    check_matches!(result, Err(molen::RunError::Cancelled));
    check_events!["dropped"];
    // The loop goes on as if nothing had been.
    check_eq!(event_loop.run_until_complete(async { 7 })?, 7);
    event_loop.call_soon(|| event("callback"))?;
    let turn = event_loop.turn(NOW)?;
    check_eq!(turn.ran, 1);
    Ok(())
}
