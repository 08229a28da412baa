//! `#[molen::main]` and `#[molen::test]`: what they take, and what they say to
//! what they refuse.

use molen::testing::{EventLog, Step, TestBackend};
use molen::{Duration, create_task, sleep};

#[test]
fn refusals_say_what_is_wrong() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/entry_macros/refused_*.rs");
    cases.pass("tests/entry_macros/takes_*.rs");
}

const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

#[molen::test]
async fn a_test_may_await() {
    sleep(Duration::from_millis(1)).await;
}

#[molen::test]
async fn a_test_may_return_a_result() -> Result<(), Box<dyn std::error::Error>> {
    let task = create_task(async { 3 })?;
    assert_eq!(task.await?, 3);
    Ok(())
}

#[molen::test]
#[should_panic(expected = "as it should")]
async fn attributes_of_tests_go_below() {
    sleep(Duration::ZERO).await;
    panic!("as it should");
}

#[molen::test(clock = "real", crate = molen)]
async fn options_can_be_said_as_they_are() {}

#[molen::test(clock = "manual")]
async fn no_time_passes_by_the_manual_clock() {
    let (before, start) = (std::time::Instant::now(), now());
    sleep(YEAR).await;
    assert_eq!(now().saturating_since(start), YEAR);
    assert!(before.elapsed() < Duration::from_secs(5));
}

fn now() -> molen::Instant {
    molen::get_running_loop().unwrap().time()
}

#[molen::test(clock = "manual")]
async fn deadlines_keep_their_order(backend: &'static TestBackend) -> Result<(), String> {
    let log: &'static EventLog<8> = Box::leak(Box::new(EventLog::new()));
    let after = async |delay: Duration, name| {
        sleep(delay).await;
        log.add(name);
    };
    let late = create_task(after(YEAR, "a year")).map_err(|error| error.to_string())?;
    create_task(after(YEAR / 2, "half a year")).map_err(|error| error.to_string())?.detach();
    late.await.map_err(|error| error.to_string())?;
    log.check(&["half a year", "a year"]).map_err(|error| error.to_string())?;
    assert_eq!(backend.report_count(), 0);
    Ok(())
}

#[molen::test(clock = "manual")]
async fn a_test_may_have_a_script(backend: &'static TestBackend) {
    backend.script(const { &[Step::any().then_advance(Duration::from_secs(3))] });
    molen::yield_now().await;
    molen::yield_now().await;
    sleep(Duration::from_secs(1)).await;
    assert!(backend.selects() > 0);
}

#[molen::test(clock = "manual")]
#[should_panic(expected = "nothing to wait for")]
async fn a_test_that_hangs_fails() {
    core::future::pending::<()>().await;
}

#[molen::test(clock = "manual")]
#[should_panic(expected = "nothing to wait for")]
async fn a_task_that_refuses_to_end_fails_the_test() {
    create_task(async {
        let refused = molen::catch_cancel(core::future::pending::<()>()).await;
        drop(refused);
        core::future::pending::<()>().await;
    })
    .unwrap()
    .detach();
    molen::yield_now().await;
}

#[molen::test(clock = "manual")]
async fn a_task_that_panics_is_reported(backend: &'static TestBackend) {
    create_task(async { panic!("the background failed") }).unwrap().detach();
    molen::yield_now().await;
    assert_eq!(backend.report_count(), 1);
}
