//! How often a task was cancelled, and with which words.

use crate::case::{Case, Failure, Outcome};
use crate::catching::{NOW, caught, refuse};
use crate::fixture::{event, hold};
use molen::testing::static_ref;
use molen::{Promise, TaskError, catch_cancel};

pub(crate) const CASES: &[Case] = &[
    case!(109, a_cancel_carries_its_message),
    case!(1211, a_cancel_taken_back_before_delivery_is_not_caught),
    case!(1216, a_refused_cancel_still_counts),
    case!(1217, an_uncancel_after_delivery_changes_only_the_count),
    case!(1221, a_message_of_a_refused_cancel_is_not_told_to_the_next),
    case!(1222, the_last_message_before_delivery_is_told),
];

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
