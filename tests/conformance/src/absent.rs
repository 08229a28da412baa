//! Branches of `select`, `race` and `join` that are not always there: Molen's own cases.

use crate::case::{Case, Outcome};
use crate::fixture::{OnDrop, at, event, ms};
use core::future::{Ready, pending, ready};
use molen::combine::{Either, Either3, if_some, join, optional, race, select};
use molen::{current_time, sleep, timeouts::timeout};

pub(crate) const CASES: &[Case] = &[
    case!(2134, who_is_not_there_does_not_win),
    case!(2135, who_is_not_there_is_not_waited_for),
    case!(2136, an_arm_whose_condition_fails_is_not_made),
];

/// Ends with `value`, and says when it is polled first and when it is dropped.
async fn noted<T>(polled: &'static str, value: T) -> T {
    event(polled);
    let _dropped = OnDrop("dropped");
    sleep(ms(1)).await;
    value
}

fn who_is_not_there_does_not_win() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let absent: Option<Ready<u8>> = None;
        let first = select((if_some(absent), if_some(Some(noted("second", 2))), sleep(ms(9))));
        check!(matches!(first.await, Either3::Second(2)), "another one won");
        check_eq!(race((if_some(Some(ready(1))), pending())).await, 1);
        check_eq!(select([None, Some(ready(7))].map(if_some)).await, (1, 7));
        // It goes on where it was, as any future that is passed by reference.
        let mut kept = core::pin::pin!(noted("kept", 3));
        for round in 0..2 {
            let third = if_some((round > 0).then_some(kept.as_mut()));
            match select((third, sleep(ms(4)))).await {
                Either::First(value) => check_eq!((round, value), (1, 3)),
                Either::Second(()) => check_eq!(round, 0),
            }
        }
        let nobody: [Option<Ready<u8>>; 2] = [None, None];
        let none = timeout(ms(5), race(nobody.map(if_some))).await;
        check!(none.is_err(), "nobody won");
        check_eq!(current_time(), at(1 + 4 + 1 + 5));
        Outcome::Ok(())
    })??;
    check_events!["second", "dropped", "kept", "dropped"];
    Ok(())
}

fn who_is_not_there_is_not_waited_for() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let absent: Option<Ready<u8>> = None;
        let all = join((optional(absent), optional(Some(noted("there", 2))), ready("three")));
        check_eq!(all.await, (None, Some(2), "three"));
        let [one, two] = join([None, Some(ready(7))].map(optional)).await;
        check_eq!((one, two), (None, Some(7)));
        check_eq!(current_time(), at(1));
        Outcome::Ok(())
    })??;
    check_events!["there", "dropped"];
    Ok(())
}

fn an_arm_whose_condition_fails_is_not_made() -> Outcome {
    /// Notes that it is made, not only that it is polled.
    fn made(name: &'static str) -> Ready<&'static str> {
        event(name);
        ready(name)
    }
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        for round in 0..4 {
            let won = molen::select! {
                name = made("first"), if round == 0 => {
                    event("in the block");
                    name
                }
                name = made("second"), if round < 2 => name,
                _ = sleep(ms(1)), if round < 3 => if round == 2 { "slept" } else { "too early" },
                name = async { made("always").await } => name,
            };
            event(won);
        }
        // Where it fails in every arm, nothing is ever ready.
        let never = async {
            molen::select! {
                () = ready(()), if false => {}
                _ = ready(1), if current_time() < at(0) => {}
            }
        };
        check!(timeout(ms(5), never).await.is_err(), "an arm ran");
        Outcome::Ok(())
    })??;
    check_events![
        "first",
        "second",
        "in the block",
        "first",
        "second",
        "second",
        "always",
        "always",
        "always",
        "always",
    ];
    Ok(())
}
