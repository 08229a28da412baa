//! `molen::testing` itself: what it must notice.

use crate::case::{Case, Failure, Outcome};
use crate::fixture::{at, event, ms, test};
use molen::io::{Ready, SelectError, Wait};
use molen::testing::{EventLog, Mismatch, Step, TestBackend, Text, static_ref, test_loop};
use molen::{Duration, Instant, RunError};

pub(crate) const CASES: &[Case] = &[
    case!(1190, the_example_of_the_documentation),
    case!(1191, another_wait_than_the_scripts_is_noticed),
    case!(1192, a_step_that_never_comes_is_noticed),
    case!(1193, a_script_can_end_a_wait_without_end),
    case!(1194, a_log_that_differs_says_where),
    case!(1195, the_waits_and_reports_are_kept),
    case!(1196, the_clock_does_not_go_back),
    case!(1197, a_reset_backend_is_as_new),
];

fn the_example_of_the_documentation() -> Outcome {
    let backend = static_ref!(TestBackend = TestBackend::new());
    let log = static_ref!(EventLog<8> = EventLog::new());
    let event_loop = test_loop!(backend)?;
    crate::fixture::give_store(&event_loop);

    event_loop.call_later(Duration::from_secs(10), || log.add("ten"))?;
    event_loop.call_soon(|| log.add("soon"))?;
    backend.script(
        const {
            &[
                Step::expect(Wait::No),
                Step::expect(Wait::Until(Instant::from_nanos(10_000_000_000))),
            ]
        },
    );
    event_loop.run_until_complete(molen::sleep(Duration::from_secs(10)))?;

    backend.check_script()?;
    log.check(const { &["soon", "ten"] })?;
    Ok(())
}

fn another_wait_than_the_scripts_is_noticed() -> Outcome {
    let event_loop = new_loop!();
    event_loop.call_later(ms(2), || event("timer"))?;
    test().backend.script(const { &[Step::any(), Step::expect(Wait::Until(at(3)))] });
    event_loop.turn(Some(ms(1)))?;
    event_loop.turn(None)?;
    let found = Wait::Until(at(2));
    let expected = Wait::Until(at(3));
    let mismatch = Mismatch::OtherWait { number: 1, expected, found };
    check_eq!(test().backend.check_script(), Err(mismatch));
    Ok(())
}

fn a_step_that_never_comes_is_noticed() -> Outcome {
    let event_loop = new_loop!();
    test().backend.script(const { &[Step::any(), Step::any()] });
    event_loop.turn(Some(Duration::ZERO))?;
    check_eq!(test().backend.check_script(), Err(Mismatch::Unused { next: 1 }));
    Ok(())
}

fn a_script_can_end_a_wait_without_end() -> Outcome {
    let event_loop = new_loop!();
    drop(event_loop.create_task(crate::fixture::say_when_readable(0, "io"))?);
    event_loop.turn(None)?;
    test().backend.script(
        const {
            &[
                Step::expect(Wait::Forever).then_advance(Duration::from_secs(5)),
                Step::expect(Wait::Forever).then_ready(0, Ready::READABLE),
                Step::expect(Wait::Forever).then_call(|event_loop| event_loop.stop()),
                Step::expect(Wait::No).then_fail(SelectError::Os(4)),
            ]
        },
    );
    event_loop.run_forever()?;
    event_loop.stop();
    check_eq!(event_loop.run_forever(), Err(RunError::Select(4)));
    test().backend.check_script()?;
    check_events!["io"];
    check_eq!(event_loop.time(), at(5000));
    Ok(())
}

fn a_log_that_differs_says_where() -> Outcome {
    let log = EventLog::<3>::new();
    log.add("a");
    log.add("b");
    check!(log.check(&["a", "b"]).is_ok(), "equal sequences differ");
    for (expected, at) in [(&["a"][..], 1), (&["b", "a"], 0), (&["a", "b", "c"], 2)] {
        let Err(difference) = log.check(expected) else {
            return Err(Failure::said("different sequences are equal"));
        };
        check_eq!(difference.at(), at);
    }
    log.add("c");
    log.add("d");
    check!(log.check(&["a", "b", "c"]).is_err(), "an overfull log passed");
    check_eq!(log.len(), 4);
    Ok(())
}

fn the_waits_and_reports_are_kept() -> Outcome {
    let event_loop = new_loop!();
    event_loop.call_soon(|| Err::<(), _>("boom"))?;
    event_loop.turn(None)?;
    event_loop.turn(Some(ms(1)))?;
    let backend = &test().backend;
    check_eq!(backend.selects(), 2);
    let waits = (backend.wait(0), backend.wait(1), backend.wait(2));
    check_eq!(waits, (Some(Wait::No), Some(Wait::Until(at(1))), None));
    check_eq!(backend.report_count(), 1);
    check!(backend.reported(0).is_some_and(|text| text.ends_with("boom")), "another report");
    check!(backend.reported(1).is_none(), "a second report");
    check_eq!(Text::<4>::of("windmill").as_str(), "wind");
    Ok(())
}

fn the_clock_does_not_go_back() -> Outcome {
    let event_loop = new_loop!();
    test().backend.advance_to(at(5));
    test().backend.advance_to(at(3));
    check_eq!(event_loop.time(), at(5));
    test().backend.advance(Duration::MAX);
    check_eq!(event_loop.time(), Instant::FAR_FUTURE);
    Ok(())
}

fn a_reset_backend_is_as_new() -> Outcome {
    let event_loop = new_loop!();
    let backend = &test().backend;
    backend.advance(ms(1));
    backend.script(const { &[Step::expect(Wait::Forever)] });
    backend.sources()[0].set_ready(Ready::BOTH);
    event_loop.call_soon(|| Err::<(), _>("boom"))?;
    event_loop.turn(None)?;
    backend.reset();
    check_eq!((backend.selects(), backend.report_count(), backend.wait(0)), (0, 0, None));
    check_eq!(event_loop.time(), at(0));
    check!(backend.sources()[0].ready().is_none(), "a source is still ready");
    backend.check_script()?;
    Ok(())
}
