//! Budgeted polling: a busy loop asks the system seldom, but it does ask.

use crate::case::{Case, Outcome};
use crate::fixture::{event, ms, say_when_readable, stop, stop_after, test};
use molen::io::{PollBudget, Ready, Wait};
use molen::testing::Step;
use molen::{Duration, yield_now};

pub(crate) const CASES: &[Case] = &[
    case!(1120, a_self_waking_task_does_not_starve_timers),
    case!(1121, a_self_waking_task_does_not_starve_sources),
    case!(1122, a_busy_loop_polls_as_seldom_as_its_budget_allows),
    case!(1123, slow_callbacks_make_a_loop_poll_sooner),
    case!(1124, a_batch_longer_than_the_budget_keeps_its_order),
    case!(1126, a_stop_in_a_batch_longer_than_the_budget),
    case!(1125, a_chain_of_zero_delays_does_not_starve_sources),
];

/// Wakes itself for ever; each step takes `micros` microseconds.
#[molen::task(pool_size = 2)]
async fn spin(micros: u64) {
    loop {
        test().backend.advance(Duration::from_micros(micros));
        yield_now().await;
    }
}

fn a_self_waking_task_does_not_starve_timers() -> Outcome {
    let event_loop = new_loop!();
    drop(event_loop.create_task(spin(1))?);
    drop(event_loop.create_task(stop_after(ms(5), "timer"))?);
    event_loop.run_forever()?;
    check_events!["timer"];
    check!(event_loop.time() < crate::fixture::at(10), "the timer was 5 ms late");
    Ok(())
}

fn a_self_waking_task_does_not_starve_sources() -> Outcome {
    #[molen::task]
    async fn stop_when_readable() {
        crate::fixture::readable(0).await;
        event("io");
        stop();
    }
    let event_loop = new_loop!();
    drop(event_loop.create_task(spin(0))?);
    drop(event_loop.create_task(stop_when_readable())?);
    test().backend.script(
        const {
            &[
                Step::expect(Wait::No),
                Step::expect(Wait::No),
                Step::expect(Wait::No).then_ready(0, Ready::READABLE),
            ]
        },
    );
    event_loop.run_forever()?;
    test().backend.check_script()?;
    check_events!["io"];
    Ok(())
}

/// Stops the loop in its step number `steps`.
#[molen::task]
async fn stop_after_steps(steps: u32) {
    for _ in 1..steps {
        yield_now().await;
    }
    stop();
}

fn a_busy_loop_polls_as_seldom_as_its_budget_allows() -> Outcome {
    let event_loop = new_loop!();
    test().backend.set_poll_budget(PollBudget { callbacks: 100, nanos: u32::MAX });
    drop(event_loop.create_task(stop_after_steps(1000))?);
    event_loop.run_forever()?;
    check_eq!(test().backend.selects(), 10);
    Ok(())
}

fn slow_callbacks_make_a_loop_poll_sooner() -> Outcome {
    let event_loop = new_loop!();
    let budget = PollBudget { callbacks: 100_000, nanos: 1_000_000 };
    test().backend.set_poll_budget(budget);
    drop(event_loop.create_task(spin(100))?);
    drop(event_loop.create_task(stop_after_steps(2000))?);
    event_loop.run_forever()?;
    check!(test().backend.selects() > 10, "200 ms of work with fewer than 10 polls");
    Ok(())
}

fn a_batch_longer_than_the_budget_keeps_its_order() -> Outcome {
    let event_loop = new_loop!();
    test().backend.set_poll_budget(PollBudget { callbacks: 2, nanos: u32::MAX });
    for name in ["0", "1", "2"] {
        event_loop.call_soon(move || event(name))?;
    }
    drop(event_loop.create_task(say_when_readable(0, "io"))?);
    event_loop.call_soon(|| {
        event("requeues");
        let event_loop = molen::get_running_loop().map_err(|_| "no loop")?;
        event_loop.call_soon(|| event("new")).map(drop).map_err(|_| "no room")
    })?;
    event_loop.call_soon(|| event("5"))?;
    event_loop.call_later(ms(1), stop)?;
    test().backend.script(
        const {
            &[
                Step::expect(Wait::No),
                Step::expect(Wait::No),
                Step::expect(Wait::No).then_ready(0, Ready::READABLE),
            ]
        },
    );
    event_loop.run_forever()?;
    check_events!["0", "1", "2", "requeues", "5", "io", "new"];
    Ok(())
}

fn a_chain_of_zero_delays_does_not_starve_sources() -> Outcome {
    fn again() -> Result<(), &'static str> {
        let event_loop = molen::get_running_loop().map_err(|_| "no loop")?;
        event_loop.call_later(Duration::ZERO, again).map(drop).map_err(|_| "no room")
    }
    let event_loop = new_loop!();
    drop(event_loop.create_task(say_when_readable(0, "io"))?);
    event_loop.call_later(Duration::ZERO, again)?;
    event_loop.call_soon(|| ())?;
    event_loop.turn(None)?;
    test().backend.script(const { &[Step::any().then_ready(0, Ready::READABLE)] });
    event_loop.turn(None)?;
    check_events!["io"];
    Ok(())
}

fn a_stop_in_a_batch_longer_than_the_budget() -> Outcome {
    let event_loop = new_loop!();
    test().backend.set_poll_budget(PollBudget { callbacks: 2, nanos: u32::MAX });
    event_loop.call_soon(|| {
        stop();
        let event_loop = molen::get_running_loop().map_err(|_| "no loop")?;
        event_loop.call_soon(|| event("new")).map(drop).map_err(|_| "no room")
    })?;
    for name in ["1", "2", "3", "4", "5", "6", "7"] {
        event_loop.call_soon(move || event(name))?;
    }
    event_loop.run_forever()?;
    check_events!["1", "2", "3", "4", "5", "6", "7"];
    event_loop.turn(None)?;
    check_events!["1", "2", "3", "4", "5", "6", "7", "new"];
    Ok(())
}
