//! Where a catch is: in several places of a task, in one that is dropped, in
//! another task.

use crate::case::{Case, Outcome};
use crate::catching::{NOW, caught};
use crate::fixture::{Slot, event, say};
use core::cell::{Cell, RefCell};
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use molen::testing::static_ref;
use molen::{Promise, catch_cancel};

pub(crate) const CASES: &[Case] = &[
    case!(1213, a_cancel_reaches_each_place_that_a_task_waits_in),
    case!(1214, a_dropped_catch_hands_its_cancel_on),
    case!(1219, a_catch_that_moves_to_another_task_is_that_tasks),
    case!(1220, a_catch_that_outlives_its_task_does_no_harm),
];

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
