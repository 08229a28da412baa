//! `call_repeatedly`, and what it does about ticks that were missed.

use crate::case::{Case, Outcome};
use crate::fixture::{OnDrop, Slot, at, event, ms, stop, test};
use core::cell::Cell;
use molen::testing::static_ref;
use molen::{Duration, EventLoop, MissedTicks, TimerHandle};

pub(crate) const CASES: &[Case] = &[
    case!(1090, repeated_calls_come_at_multiples_of_the_interval),
    case!(1091, missed_ticks_are_skipped),
    case!(1092, missed_ticks_are_made_up_for),
    case!(1093, missed_ticks_delay_the_rest),
    case!(1094, a_repeated_callback_may_cancel_itself),
    case!(1095, a_failing_repeated_callback_goes_on),
    case!(1096, an_interval_of_zero_starves_nobody),
    case!(1097, a_cancelled_repetition_releases_its_callback),
    case!(1098, an_endless_interval_never_comes),
];

/// Calls on a loop at 10, 20, … ms, of which the first takes 25 ms; notes the
/// times of the first four in milliseconds.
fn times_of_calls(event_loop: &EventLoop, missed: MissedTicks) -> Result<[u64; 4], crate::Failure> {
    struct Times {
        calls: Cell<usize>,
        times: [Cell<u64>; 4],
    }
    let times =
        static_ref!(Times = Times { calls: Cell::new(0), times: [const { Cell::new(0) }; 4] });
    times.calls.set(0);
    event_loop.call_repeatedly(ms(10), missed, move || {
        let call = times.calls.get();
        times.calls.set(call + 1);
        if let Some(time) = times.times.get(call) {
            time.set(molen::io::Clock::now(&test().backend).as_nanos() / 1_000_000);
        }
        if call == 0 {
            test().backend.advance(ms(25));
        }
        if call == 3 {
            stop();
        }
    })?;
    event_loop.run_forever()?;
    Ok([0, 1, 2, 3].map(|call: usize| times.times[call].get()))
}

fn repeated_calls_come_at_multiples_of_the_interval() -> Outcome {
    let event_loop = new_loop!();
    let handle = event_loop.call_repeatedly(ms(10), MissedTicks::default(), || event("tick"))?;
    check_eq!(handle.when(), at(10));
    for tick in 1..=3 {
        event_loop.turn(None)?;
        check_eq!(event_loop.time(), at(10 * tick));
        check_eq!(handle.when(), at(10 * (tick + 1)));
    }
    check_events!["tick", "tick", "tick"];
    handle.cancel();
    check_eq!(event_loop.next_deadline(), None);
    Ok(())
}

fn missed_ticks_are_skipped() -> Outcome {
    let event_loop = new_loop!();
    check_eq!(times_of_calls(&event_loop, MissedTicks::Skip)?, [10, 40, 50, 60]);
    Ok(())
}

fn missed_ticks_are_made_up_for() -> Outcome {
    let event_loop = new_loop!();
    check_eq!(times_of_calls(&event_loop, MissedTicks::Burst)?, [10, 35, 35, 40]);
    Ok(())
}

fn missed_ticks_delay_the_rest() -> Outcome {
    let event_loop = new_loop!();
    check_eq!(times_of_calls(&event_loop, MissedTicks::Delay)?, [10, 45, 55, 65]);
    Ok(())
}

fn a_repeated_callback_may_cancel_itself() -> Outcome {
    let event_loop = new_loop!();
    let slot = static_ref!(Slot<TimerHandle> = Cell::new(None));
    let captured = OnDrop("released");
    slot.set(Some(event_loop.call_repeatedly(ms(1), MissedTicks::Skip, move || {
        let _captured = &captured;
        event("tick");
        if let Some(handle) = slot.take() {
            handle.cancel();
        }
        event("cancelled");
    })?));
    event_loop.call_later(ms(5), stop)?;
    event_loop.run_forever()?;
    check_events!["tick", "cancelled", "released"];
    Ok(())
}

fn a_failing_repeated_callback_goes_on() -> Outcome {
    let event_loop = new_loop!();
    event_loop.call_repeatedly(ms(1), MissedTicks::Skip, || {
        event("tick");
        Err::<(), _>("boom")
    })?;
    event_loop.turn(None)?;
    event_loop.turn(None)?;
    check_events!["tick", "tick"];
    check_eq!(test().backend.report_count(), 2);
    Ok(())
}

fn an_interval_of_zero_starves_nobody() -> Outcome {
    let event_loop = new_loop!();
    for missed in [MissedTicks::Skip, MissedTicks::Burst, MissedTicks::Delay] {
        let count = static_ref!(Cell<u32> = Cell::new(0));
        let handle = event_loop.call_repeatedly(Duration::ZERO, missed, || {
            count.set(count.get() + 1);
            test().backend.advance(Duration::from_micros(100));
        })?;
        event_loop.call_later(ms(2), || {
            event("timer");
            stop();
        })?;
        event_loop.run_forever()?;
        handle.cancel();
        check!(count.get() > 1, "it was not called again");
    }
    check_events!["timer", "timer", "timer"];
    Ok(())
}

fn a_cancelled_repetition_releases_its_callback() -> Outcome {
    let event_loop = new_loop!();
    let captured = OnDrop("released");
    let handle = event_loop.call_repeatedly(ms(1), MissedTicks::Skip, move || {
        let _captured = &captured;
        event("tick");
    })?;
    event_loop.turn(None)?;
    check_events!["tick"];
    handle.cancel();
    check!(handle.cancelled(), "it is not cancelled");
    check_events!["tick", "released"];
    Ok(())
}

fn an_endless_interval_never_comes() -> Outcome {
    let event_loop = new_loop!();
    let handle = event_loop.call_repeatedly(Duration::MAX, MissedTicks::Burst, || event("tick"))?;
    event_loop.turn(Some(ms(1)))?;
    check_eq!(event_loop.next_deadline(), None);
    handle.cancel();
    check_events![];
    Ok(())
}
