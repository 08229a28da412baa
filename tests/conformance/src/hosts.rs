//! Hosts that turn the loop themselves: `turn`, `next_deadline`, and what a
//! turn says it did.

use crate::case::{Case, Outcome};
use crate::fixture::{at, event, ms, say_after, stop, test};
use molen::io::Wait;
use molen::testing::Step;
use molen::{Duration, Instant, Turn};

pub(crate) const CASES: &[Case] = &[
    case!(1100, a_turn_with_no_timeout_waits_for_the_deadline),
    case!(1101, a_turn_with_timeout_zero_does_not_wait),
    case!(1102, a_turn_waits_no_longer_than_its_timeout),
    case!(1103, a_turn_waits_no_longer_than_the_deadline),
    case!(1104, a_turn_with_something_ready_does_not_wait),
    case!(1105, an_endless_timeout_does_not_overflow),
    case!(1106, a_turn_counts_what_it_did),
    case!(1107, the_next_deadline_is_the_earliest),
    case!(1108, a_host_needs_only_deadlines_and_turns),
    case!(1109, a_turn_runs_one_batch),
    case!(1110, a_stop_is_kept_for_the_run_after_the_turn),
    case!(1111, turns_and_runs_can_be_mixed),
    case!(1112, two_loops_take_turns),
];

fn a_turn_with_no_timeout_waits_for_the_deadline() -> Outcome {
    let event_loop = new_loop!();
    event_loop.call_later(ms(7), || event("timer"))?;
    test().backend.script(const { &[Step::expect(Wait::Until(at(7)))] });
    event_loop.turn(None)?;
    test().backend.check_script()?;
    check_events!["timer"];
    Ok(())
}

fn a_turn_with_timeout_zero_does_not_wait() -> Outcome {
    let event_loop = new_loop!();
    event_loop.call_later(ms(7), || event("timer"))?;
    test().backend.script(const { &[Step::expect(Wait::No)] });
    let turn = event_loop.turn(Some(Duration::ZERO))?;
    test().backend.check_script()?;
    check_eq!(turn, Turn { ran: 0, fired: 0, more: false });
    check_eq!(event_loop.time(), at(0));
    Ok(())
}

fn a_turn_waits_no_longer_than_its_timeout() -> Outcome {
    let event_loop = new_loop!();
    event_loop.call_later(ms(7), || event("timer"))?;
    test().backend.script(const { &[Step::expect(Wait::Until(at(3)))] });
    event_loop.turn(Some(ms(3)))?;
    test().backend.check_script()?;
    check_events![];
    Ok(())
}

fn a_turn_waits_no_longer_than_the_deadline() -> Outcome {
    let event_loop = new_loop!();
    event_loop.call_later(ms(7), || event("timer"))?;
    test().backend.script(const { &[Step::expect(Wait::Until(at(7)))] });
    event_loop.turn(Some(ms(30)))?;
    test().backend.check_script()?;
    check_events!["timer"];
    Ok(())
}

fn a_turn_with_something_ready_does_not_wait() -> Outcome {
    let event_loop = new_loop!();
    event_loop.call_soon(|| event("ready"))?;
    test().backend.script(const { &[Step::expect(Wait::No)] });
    event_loop.turn(Some(ms(30)))?;
    test().backend.check_script()?;
    check_events!["ready"];
    Ok(())
}

fn an_endless_timeout_does_not_overflow() -> Outcome {
    let event_loop = new_loop!();
    test().backend.advance(ms(1));
    test().backend.script(
        const { &[Step::expect(Wait::Until(Instant::FAR_FUTURE)).then_advance(Duration::ZERO)] },
    );
    event_loop.turn(Some(Duration::MAX))?;
    test().backend.check_script()?;
    Ok(())
}

fn a_turn_counts_what_it_did() -> Outcome {
    let event_loop = new_loop!();
    event_loop.call_soon(|| event("soon"))?;
    event_loop.call_soon(|| {
        let event_loop = molen::get_running_loop().map_err(|_| "no loop")?;
        event_loop.call_soon(|| ()).map(drop).map_err(|_| "no room")
    })?;
    event_loop.call_later(Duration::ZERO, || event("timer"))?;
    check_eq!(event_loop.turn(None)?, Turn { ran: 3, fired: 1, more: true });
    check_eq!(event_loop.turn(None)?, Turn { ran: 1, fired: 0, more: false });
    check_events!["soon", "timer"];
    Ok(())
}

fn the_next_deadline_is_the_earliest() -> Outcome {
    let event_loop = new_loop!();
    check_eq!(event_loop.next_deadline(), None);
    event_loop.call_later(ms(20), stop)?;
    check_eq!(event_loop.next_deadline(), Some(at(20)));
    let early = event_loop.call_later(ms(10), stop)?;
    check_eq!(event_loop.next_deadline(), Some(at(10)));
    early.cancel();
    check_eq!(event_loop.next_deadline(), Some(at(20)));
    drop(event_loop.create_task(say_after(ms(5), "task"))?);
    event_loop.turn(Some(Duration::ZERO))?;
    check_eq!(event_loop.next_deadline(), Some(at(5)));
    Ok(())
}

fn a_host_needs_only_deadlines_and_turns() -> Outcome {
    let event_loop = new_loop!();
    drop(event_loop.create_task(say_after(ms(10), "ten"))?);
    drop(event_loop.create_task(say_after(ms(20), "twenty"))?);
    let mut turns = 0;
    while event_loop.turn(Some(Duration::ZERO))?.more || event_loop.next_deadline().is_some() {
        turns += 1;
        if let Some(when) = event_loop.next_deadline() {
            test().backend.advance_to(when);
        }
        check!(turns < 10, "the host turns without end");
    }
    check_events!["ten", "twenty"];
    Ok(())
}

fn a_turn_runs_one_batch() -> Outcome {
    #[molen::task]
    async fn step_thrice() {
        for _ in 0..3 {
            event("step");
            molen::yield_now().await;
        }
    }
    let event_loop = new_loop!();
    drop(event_loop.create_task(step_thrice())?);
    check!(event_loop.turn(None)?.more, "it is not queued again");
    check_events!["step"];
    check!(event_loop.turn(None)?.more, "it is not queued again");
    check_events!["step", "step"];
    Ok(())
}

fn a_stop_is_kept_for_the_run_after_the_turn() -> Outcome {
    let event_loop = new_loop!();
    event_loop.call_soon(stop)?;
    event_loop.turn(None)?;
    event_loop.call_soon(|| event("ready"))?;
    event_loop.call_later(ms(1), || event("timer"))?;
    event_loop.run_forever()?;
    check_events!["ready"];
    Ok(())
}

fn turns_and_runs_can_be_mixed() -> Outcome {
    let event_loop = new_loop!();
    drop(event_loop.create_task(say_after(ms(1), "one"))?);
    drop(event_loop.create_task(say_after(ms(3), "three"))?);
    event_loop.turn(None)?;
    event_loop.run_until_complete(molen::sleep(ms(2)))?;
    check_events!["one"];
    event_loop.turn(None)?;
    check_events!["one", "three"];
    Ok(())
}

fn two_loops_take_turns() -> Outcome {
    crate::fixture::two_loops()?;
    let (first, second) = (new_loop!(), new_loop!());
    drop(first.create_task(say_after(ms(1), "first"))?);
    drop(second.create_task(say_after(ms(1), "second"))?);
    check!(*first != *second, "both are one loop");
    for _ in 0..2 {
        second.turn(None)?;
        first.turn(None)?;
    }
    check_events!["second", "first"];
    Ok(())
}
