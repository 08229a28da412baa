//! The staggered race: behaviour 158.

use crate::case::{Case, Outcome};
use crate::fixture::{OnDrop, at, event, ms, test};
use molen::combine::{RaceLost, RaceWon};
use molen::testing::drop_at_every_poll;
use molen::{TaskError, create_task, sleep, staggered_race};

pub(crate) const CASES: &[Case] = &[
    case!(158, a_cancelled_race_drops_its_attempts_first),
    case!(1435, a_staggered_race_begins_the_next_after_the_delay),
    case!(1436, a_staggered_race_begins_the_next_after_a_failure),
    case!(1437, a_staggered_race_without_delay_waits_for_a_failure),
    case!(1438, a_staggered_race_that_is_lost_gives_all_errors),
    case!(1443, a_staggered_race_drops_all_at_any_poll),
];

/// An attempt: notes its beginning and its end, whichever it is.
async fn attempt(
    begun: &'static str,
    over: &'static str,
    millis: u64,
    result: Result<u8, &'static str>,
) -> Result<u8, &'static str> {
    let _guard = OnDrop(over);
    event(begun);
    sleep(ms(millis)).await;
    result
}

fn a_cancelled_race_drops_its_attempts_first() -> Outcome {
    #[molen::task]
    async fn race_for_ever() -> u8 {
        let attempts = [attempt("a", "a over", 100, Ok(1)), attempt("b", "b over", 100, Ok(2))];
        staggered_race(attempts, Some(ms(1))).await.map_or(0, |won| won.value)
    }
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let mut race = create_task(race_for_ever())?;
        sleep(ms(2)).await;
        race.cancel();
        check_matches!((&mut race).await, Err(TaskError::Cancelled(_)));
        event("told");
        Ok(())
    })??;
    check_events!["a", "b", "a over", "b over", "told"];
    Ok(())
}

fn a_staggered_race_begins_the_next_after_the_delay() -> Outcome {
    let event_loop = new_loop!();
    let attempts = [
        attempt("a", "a over", 100, Ok(1)),
        attempt("b", "b over", 20, Ok(2)),
        attempt("c", "c over", 100, Ok(3)),
        attempt("d", "d over", 100, Ok(4)),
    ];
    let won = event_loop.run_until_complete(staggered_race(attempts, Some(ms(15))))?;
    check_eq!(won, Ok(RaceWon { value: 2, number: 1, errors: [None; 4] }));
    check_eq!(event_loop.time(), at(35));
    check_events!["a", "b", "c", "b over", "a over", "c over"];
    Ok(())
}

fn a_staggered_race_begins_the_next_after_a_failure() -> Outcome {
    let event_loop = new_loop!();
    let attempts = [
        attempt("a", "a over", 30, Ok(1)),
        attempt("b", "b over", 2, Err("b")),
        attempt("c", "c over", 100, Ok(3)),
    ];
    let won = event_loop.run_until_complete(staggered_race(attempts, Some(ms(10))))?;
    check_eq!(won, Ok(RaceWon { value: 1, number: 0, errors: [None, Some("b"), None] }));
    check_eq!(event_loop.time(), at(30));
    check_events!["a", "b", "b over", "c", "a over", "c over"];
    Ok(())
}

fn a_staggered_race_without_delay_waits_for_a_failure() -> Outcome {
    let event_loop = new_loop!();
    let attempts = [attempt("a", "a over", 50, Err("a")), attempt("b", "b over", 1, Ok(2))];
    let won = event_loop.run_until_complete(staggered_race(attempts, None))?;
    check_eq!(won, Ok(RaceWon { value: 2, number: 1, errors: [Some("a"), None] }));
    check_eq!(event_loop.time(), at(51));
    check_events!["a", "a over", "b", "b over"];
    Ok(())
}

fn a_staggered_race_that_is_lost_gives_all_errors() -> Outcome {
    let event_loop = new_loop!();
    let attempts = [attempt("a", "a over", 9, Err("a")), attempt("b", "b over", 1, Err("b"))];
    let lost = event_loop.run_until_complete(staggered_race(attempts, Some(ms(3))))?;
    check_eq!(lost, Err(RaceLost { errors: ["a", "b"] }));
    let none: [core::future::Ready<Result<u8, &str>>; 0] = [];
    let lost = event_loop.run_until_complete(staggered_race(none, None))?;
    check_eq!(lost, Err(RaceLost { errors: [] }));
    check_events!["a", "b", "b over", "a over"];
    Ok(())
}

fn a_staggered_race_drops_all_at_any_poll() -> Outcome {
    let event_loop = new_loop!();
    let make = || {
        let attempts = [attempt("a", "a over", 3, Ok(1)), attempt("b", "b over", 9, Ok(2))];
        staggered_race(attempts, Some(ms(1)))
    };
    let polls = event_loop.run_until_complete(drop_at_every_poll(make, async |_| {
        let (begun, over) = test().log.iter().fold((0, 0), |(begun, over), name| match name {
            "a" | "b" => (begun + 1, over),
            _ => (begun, over + 1),
        });
        check_eq!(begun, over);
        test().log.clear();
        check_eq!(molen::get_running_loop()?.next_deadline(), None);
        Outcome::Ok(())
    }))??;
    check_eq!(polls, 3);
    Ok(())
}
