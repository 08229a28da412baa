//! The timer wheel, seen through the loop: far times, near times, many times.

use crate::case::{Case, Outcome};
use crate::fixture::{event, ms, stop};
use core::cell::Cell;
use molen::testing::static_ref;
use molen::{Duration, Instant};

pub(crate) const CASES: &[Case] = &[
    case!(1150, timers_from_a_nanosecond_to_a_century),
    case!(1151, equal_deadlines_set_from_afar_and_from_near_are_in_order),
    case!(1152, many_sleepers_wake_in_order),
    case!(1153, a_far_timer_cancelled_after_the_clock_moved),
    case!(1154, without_levels_the_order_is_the_same),
    case!(1155, a_coarse_tick_is_never_early),
];

/// Gives a loop levels that tell every nanosecond of 2^16 apart (16 slots
/// each) or more (64). Loops with threads have all levels already.
macro_rules! give_levels {
    ($event_loop:expr, $shift:expr) => {
        #[cfg(any(target_os = "none", target_os = "wasi"))]
        {
            use molen::schedule::WheelStore;
            $event_loop.set_wheel(static_ref!(WheelStore<4> = WheelStore::new()), $shift);
        }
    };
}

/// From one nanosecond to a century, and what to call them.
const SPANS: [(Duration, &str); 7] = [
    (Duration::from_nanos(1), "1 ns"),
    (Duration::from_micros(1), "1 us"),
    (Duration::from_millis(1), "1 ms"),
    (Duration::from_secs(1), "1 s"),
    (Duration::from_secs(3600), "1 h"),
    (Duration::from_secs(86_400 * 365), "1 y"),
    (Duration::from_secs(86_400 * 36_525), "100 y"),
];

fn set_all(event_loop: &molen::EventLoop) -> Outcome {
    for (span, name) in SPANS.into_iter().rev() {
        event_loop.call_later(span, move || event(name))?;
    }
    for (span, _) in SPANS {
        check_eq!(event_loop.next_deadline(), Some(Instant::ZERO + span));
        event_loop.turn(None)?;
        check_eq!(event_loop.time(), Instant::ZERO + span);
    }
    check_events!["1 ns", "1 us", "1 ms", "1 s", "1 h", "1 y", "100 y"];
    check_eq!(event_loop.next_deadline(), None);
    Ok(())
}

fn timers_from_a_nanosecond_to_a_century() -> Outcome {
    let event_loop = new_loop!();
    give_levels!(event_loop, 0);
    set_all(&event_loop)
}

fn without_levels_the_order_is_the_same() -> Outcome {
    let event_loop = new_loop!();
    set_all(&event_loop)
}

fn equal_deadlines_set_from_afar_and_from_near_are_in_order() -> Outcome {
    let event_loop = new_loop!();
    give_levels!(event_loop, 0);
    let when = Instant::from_nanos(1_000_003);
    for (now, name) in
        [(0, "first"), (700_000, "second"), (999_990, "third"), (1_000_002, "fourth")]
    {
        crate::fixture::test().backend.advance_to(Instant::from_nanos(now));
        event_loop.turn(Some(Duration::ZERO))?;
        event_loop.call_at(when, move || event(name))?;
    }
    check_events![];
    event_loop.turn(None)?;
    check_eq!(event_loop.time(), when);
    check_events!["first", "second", "third", "fourth"];
    Ok(())
}

fn many_sleepers_wake_in_order() -> Outcome {
    const SLEEPERS: u64 = 30;
    /// Sleeps, and sees to it that it is the next after the one before it.
    #[molen::task(pool_size = 30)]
    async fn sleeper(place: u64, last: &'static Cell<u64>) {
        molen::sleep(ms(place / 3)).await;
        let expected = last.get();
        last.set(place);
        if place < expected {
            event("out of order");
        }
    }
    let event_loop = new_loop!();
    give_levels!(event_loop, 0);
    let last = static_ref!(Cell<u64> = Cell::new(0));
    // Three sleepers to each millisecond, those of one time in order of their
    // places, the times themselves in disorder.
    for time in 0..SLEEPERS / 3 {
        let time = time * 7 % (SLEEPERS / 3);
        for place in 3 * time..3 * time + 3 {
            drop(event_loop.create_task(sleeper(place, last))?);
        }
    }
    event_loop.call_later(ms(SLEEPERS), stop)?;
    event_loop.run_forever()?;
    check_events![];
    check_eq!(last.get(), SLEEPERS - 1);
    Ok(())
}

fn a_far_timer_cancelled_after_the_clock_moved() -> Outcome {
    let event_loop = new_loop!();
    give_levels!(event_loop, 0);
    let far = event_loop.call_later(Duration::from_secs(3600), || event("cancelled"))?;
    event_loop.call_later(Duration::from_secs(3599), || event("before"))?;
    event_loop.turn(None)?;
    check_events!["before"];
    far.cancel();
    check_eq!(event_loop.next_deadline(), None);
    event_loop.call_later(ms(1), || event("after"))?;
    event_loop.turn(None)?;
    check_events!["before", "after"];
    Ok(())
}

fn a_coarse_tick_is_never_early() -> Outcome {
    let event_loop = new_loop!();
    give_levels!(event_loop, 10);
    let when = Instant::from_nanos(5_000_001);
    event_loop.call_at(when, || event("timer"))?;
    let Some(wait) = event_loop.next_deadline() else {
        return Err(crate::case::Failure::said("there is no deadline"));
    };
    check!(wait >= when && wait.saturating_since(when) <= Duration::from_nanos(1024), "wrong tick");
    crate::fixture::test().backend.advance_to(Instant::from_nanos(5_000_000));
    event_loop.turn(Some(Duration::ZERO))?;
    check_events![];
    event_loop.turn(None)?;
    check!(event_loop.time() >= when, "it fired early");
    check_events!["timer"];
    Ok(())
}
