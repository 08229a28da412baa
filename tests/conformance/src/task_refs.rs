//! Tasks by their refs, which outlive them.

use crate::case::{Case, Failure, Outcome};
use crate::catching::{NOW, TaskSlot, clean_up};
use crate::fixture::{hold, say, with};
use core::cell::Cell;
use molen::Promise;
use molen::testing::static_ref;

pub(crate) const CASES: &[Case] = &[
    case!(1224, a_task_ref_cancels_like_a_handle),
    case!(1225, a_task_ref_of_an_ended_task_is_done),
    case!(1226, who_awaits_a_task_is_told_by_its_ref),
];

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
