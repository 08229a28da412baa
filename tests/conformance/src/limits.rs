//! What is full, or too large, gives back what it cannot take, and works again.

use crate::case::{Case, Failure, Outcome};
use crate::fixture::{event, hold};
use molen::error::ScheduleError;
use molen::testing::static_ref;
use molen::{Duration, Promise};

pub(crate) const CASES: &[Case] = &[
    case!(1140, a_full_pool_gives_the_call_back_and_works_again),
    case!(1141, a_refused_call_can_be_made_later),
    case!(1142, an_aborted_task_gives_its_place_back),
    case!(1143, every_place_of_a_pool_can_be_used),
    case!(1144, a_full_store_gives_the_callback_back_and_works_again),
    case!(1145, a_callback_too_large_is_given_back),
    case!(1146, a_cancelled_callback_gives_its_slot_back),
    case!(1147, a_full_store_refuses_timers_and_done_callbacks_too),
    case!(1148, a_loop_without_a_store_refuses_callbacks),
    case!(1149, a_pool_serves_one_loop_after_another),
];

const NOW: Option<Duration> = Some(Duration::ZERO);

#[molen::task]
async fn only_one(promise: &'static Promise<u8>, name: &'static str) {
    event(name);
    let _done = promise.wait().await;
}

fn a_full_pool_gives_the_call_back_and_works_again() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    drop(event_loop.create_task(only_one(promise, "first"))?);
    let Err(ScheduleError::Full(call)) = event_loop.create_task(only_one(promise, "second")) else {
        return Err(Failure::said("a full pool took a call"));
    };
    check_eq!(call.into_arguments().1, "second");
    event_loop.turn(NOW)?;
    check_matches!(event_loop.create_task(only_one(promise, "third")), Err(ScheduleError::Full(_)));
    promise.set_result(1)?;
    event_loop.turn(NOW)?;
    drop(event_loop.create_task(only_one(promise, "fourth"))?);
    event_loop.turn(NOW)?;
    check_events!["first", "fourth"];
    Ok(())
}

fn a_refused_call_can_be_made_later() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    drop(event_loop.create_task(only_one(promise, "first"))?);
    let Err(refused) = event_loop.create_task(only_one(promise, "second")) else {
        return Err(Failure::said("a full pool took a call"));
    };
    promise.set_result(1)?;
    event_loop.turn(NOW)?;
    drop(event_loop.create_task(refused.into_inner())?);
    event_loop.turn(NOW)?;
    check_events!["first", "second"];
    Ok(())
}

fn an_aborted_task_gives_its_place_back() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    let task = event_loop.create_task(only_one(promise, "first"))?;
    event_loop.turn(NOW)?;
    task.abort();
    drop(task);
    drop(event_loop.create_task(only_one(promise, "second"))?);
    event_loop.turn(NOW)?;
    check_events!["first", "second"];
    Ok(())
}

fn every_place_of_a_pool_can_be_used() -> Outcome {
    let event_loop = new_loop!();
    let promise = static_ref!(Promise<u8> = Promise::new());
    for _ in 0..4 {
        drop(event_loop.create_task(hold(promise, "begun", "ended"))?);
    }
    let fifth = event_loop.create_task(hold(promise, "begun", "ended"));
    check_matches!(fifth, Err(ScheduleError::Full(_)));
    event_loop.turn(NOW)?;
    promise.set_result(1)?;
    event_loop.turn(NOW)?;
    check_events!["begun", "begun", "begun", "begun", "ended", "ended", "ended", "ended"];
    Ok(())
}

fn a_pool_serves_one_loop_after_another() -> Outcome {
    crate::fixture::two_loops()?;
    let promise = static_ref!(Promise<u8> = Promise::new());
    let first = new_loop!();
    drop(first.create_task(only_one(promise, "first"))?);
    first.turn(NOW)?;
    let second = new_loop!();
    let refused = second.create_task(only_one(promise, "second"));
    check_matches!(refused, Err(ScheduleError::Full(_)));
    first.close()?;
    drop(second.create_task(only_one(static_ref!(Promise<u8> = Promise::new()), "second"))?);
    second.turn(NOW)?;
    check_events!["first", "second"];
    Ok(())
}

/// Loops that have a heap or threads never run out of slots.
macro_rules! needs_a_store {
    ($($name:ident)*) => {
        #[cfg(not(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc"))))]
        mod stores {
            use super::{Failure, Outcome};
            $(pub(super) fn $name() -> Outcome {
                Err(Failure::Unsupported("callbacks are boxed where there is a heap"))
            })*
        }
    };
}
needs_a_store! {
    a_full_store_gives_the_callback_back_and_works_again
    a_callback_too_large_is_given_back
    a_cancelled_callback_gives_its_slot_back
    a_full_store_refuses_timers_and_done_callbacks_too
    a_loop_without_a_store_refuses_callbacks
}
use stores::*;

#[cfg(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc")))]
mod stores {
    use super::{Failure, NOW, Outcome, ScheduleError, event, static_ref};
    use crate::fixture::{OnDrop, ms, test};
    use molen::schedule::CallbackStore;
    use molen::testing::test_loop;
    use molen::{MissedTicks, Promise};

    pub(super) fn a_full_store_gives_the_callback_back_and_works_again() -> Outcome {
        let event_loop = test_loop!(&test().backend)?;
        event_loop.set_callback_store(static_ref!(CallbackStore<2, 16> = CallbackStore::new()));
        event_loop.call_soon(|| event("first"))?;
        event_loop.call_soon(|| event("second"))?;
        let Err(ScheduleError::Full(callback)) = event_loop.call_soon(|| event("third")) else {
            return Err(Failure::said("a full store took a callback"));
        };
        event_loop.turn(NOW)?;
        event_loop.call_soon(callback)?;
        event_loop.turn(NOW)?;
        check_events!["first", "second", "third"];
        Ok(())
    }

    pub(super) fn a_callback_too_large_is_given_back() -> Outcome {
        let event_loop = test_loop!(&test().backend)?;
        event_loop.set_callback_store(static_ref!(CallbackStore<2, 16> = CallbackStore::new()));
        let large = [1_u8; 17];
        let Err(ScheduleError::TooLarge(callback)) =
            event_loop.call_soon(move || event(if large[16] == 1 { "whole" } else { "broken" }))
        else {
            return Err(Failure::said("a callback larger than a slot was taken"));
        };
        callback();
        check_events!["whole"];
        let fits = [1_u8; 16];
        event_loop.call_soon(move || event(if fits[15] == 1 { "whole" } else { "broken" }))?;
        event_loop.turn(NOW)?;
        check_events!["whole", "whole"];
        Ok(())
    }

    pub(super) fn a_cancelled_callback_gives_its_slot_back() -> Outcome {
        let event_loop = test_loop!(&test().backend)?;
        event_loop.set_callback_store(static_ref!(CallbackStore<1, 16> = CallbackStore::new()));
        let timer = event_loop.call_later(ms(1), || event("cancelled"))?;
        timer.cancel();
        // The handle still names the slot.
        check_matches!(event_loop.call_soon(|| ()), Err(ScheduleError::Full(_)));
        drop(timer);
        event_loop.call_soon(|| event("called"))?;
        event_loop.turn(NOW)?;
        check_events!["called"];
        Ok(())
    }

    pub(super) fn a_full_store_refuses_timers_and_done_callbacks_too() -> Outcome {
        let event_loop = test_loop!(&test().backend)?;
        event_loop.set_callback_store(static_ref!(CallbackStore<1, 32> = CallbackStore::new()));
        let promise = static_ref!(Promise<u8> = Promise::new());
        let captured = OnDrop("called");
        event_loop.call_soon(move || drop(captured))?;
        check_matches!(event_loop.call_later(ms(1), || ()), Err(ScheduleError::Full(_)));
        let missed = MissedTicks::Skip;
        check_matches!(
            event_loop.call_repeatedly(ms(1), missed, || ()),
            Err(ScheduleError::Full(_))
        );
        event_loop.turn(NOW)?;
        check_events!["called"];
        event_loop.run_until_complete(async {
            let timer = event_loop.call_later(ms(1), || ())?;
            check_matches!(promise.add_done_callback(|| ()), Err(ScheduleError::Full(_)));
            drop(timer);
            Ok(())
        })??;
        promise.set_result(1)?;
        Ok(())
    }

    pub(super) fn a_loop_without_a_store_refuses_callbacks() -> Outcome {
        let event_loop = test_loop!(&test().backend)?;
        check_matches!(event_loop.call_soon(|| ()), Err(ScheduleError::Full(_)));
        event_loop.run_until_complete(async { event("tasks run") })?;
        check_events!["tasks run"];
        Ok(())
    }
}
