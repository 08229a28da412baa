//! Functions that a loop has other threads call.

use super::fixture::{Desk, block_on, door, elsewhere, finish, ok, pool, real_loop};
use crate::case::{Failure, Outcome};
use crate::fixture::{OnDrop, event, test};
use molen::executor::{Executor, Job, JobError, Refusal, Refused, submit};
use molen::{Duration, RunError, run_in_executor, to_thread};
use std::boxed::Box;
use std::panic::resume_unwind;
use std::string::{String, ToString};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Wake, Waker};
use std::thread;
use std::vec::Vec;

const NOW: Option<Duration> = Some(Duration::ZERO);

pub(super) fn an_executor_runs_a_function() -> Outcome {
    let event_loop = real_loop()?;
    let job = ok(event_loop.run_in_executor(None, || (thread::current().id(), 7)))?;
    let (thread, value) = ok(event_loop.run_until_complete(job)?)?;
    check_eq!(value, 7);
    check!(thread != thread::current().id(), "it ran on the loop's thread");
    Ok(())
}

/// Counts how often it is called.
#[derive(Default)]
struct Counter(AtomicUsize);

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

pub(super) fn a_cancelled_job_schedules_nothing() -> Outcome {
    let unparks = Arc::new(Counter::default());
    let event_loop = new_loop!();
    event_loop.set_unparker(Waker::from(unparks.clone()));
    let pool = pool(2);
    // One ends after its task was cancelled, one after the loop was closed.
    let (first, second) = (door(), door());
    let waiting = [first.0, second.0].map(|door| {
        let job = pool.submit(move || door.wait());
        event_loop.create_task(async move {
            let _guard = OnDrop("task dropped");
            if let Ok(job) = job {
                drop(job.await);
            }
            event("went on");
        })
    });
    first.1.wait_for_arrival()?;
    second.1.wait_for_arrival()?;
    event_loop.turn(NOW)?;
    let [cancelled, left] = waiting;
    let (cancelled, _left) = (cancelled?, left?);
    check!(cancelled.cancel(), "it could not be cancelled");
    event_loop.turn(NOW)?;
    check_events!["task dropped"];
    drop(first.1);
    // Its thread is free again when it takes the next job.
    block_on(ok(pool.submit(|| ()))?).ok();
    check_eq!(event_loop.turn(NOW)?.ran, 0);
    event_loop.close()?;
    check_events!["task dropped", "task dropped"];
    drop(second.1);
    finish(&pool);
    check_eq!(unparks.0.load(Ordering::SeqCst), 0);
    check_eq!(test().backend.report_count(), 0);
    check_matches!(event_loop.turn(NOW), Err(RunError::Closed));
    Ok(())
}

pub(super) fn a_job_cancelled_in_the_queue_never_runs() -> Outcome {
    let pool = pool(1);
    let (door, key) = door();
    let ran = Arc::new(AtomicBool::new(false));
    let (running, seen) = (ok(pool.submit(move || door.wait()))?, ran.clone());
    key.wait_for_arrival()?;
    let captured = OnDrop("function dropped");
    let queued = ok(pool.submit(move || {
        seen.store(true, Ordering::SeqCst);
        drop(captured);
    }))?;
    check!(!queued.done(), "it ended in the queue");
    check_events![];
    check!(queued.cancel(), "it had begun");
    check_events!["function dropped"];
    check!(!running.cancel(), "one that runs was stopped");
    drop(key);
    finish(&pool);
    check!(!ran.load(Ordering::SeqCst), "it ran");
    Ok(())
}

pub(super) fn an_executor_of_ones_own_runs_a_function() -> Outcome {
    let event_loop = new_loop!();
    let desk = Desk::default();
    let job = ok(event_loop.run_in_executor(Some(&desk), || 7))?;
    let task = event_loop.create_task(async move {
        event("waits");
        let value = job.await;
        event("goes on");
        value.is_ok_and(|value| value == 7)
    })?;
    event_loop.turn(NOW)?;
    check_events!["waits"];
    desk.run_one()?;
    check_events!["waits"];
    check!(event_loop.run_until_complete(task)??, "another value came");
    check_events!["waits", "goes on"];
    Ok(())
}

pub(super) fn a_panic_in_a_job_comes_with_its_payload() -> Outcome {
    let event_loop = real_loop()?;
    let job = ok(event_loop.run_in_executor(None, || resume_unwind(Box::new("no disk"))))?;
    let ended: Result<(), JobError> = event_loop.run_until_complete(job)?;
    let Err(error) = ended else { return Err(Failure::said("it ended with a value")) };
    check_eq!(error.to_string().as_str(), "the function in the executor panicked: no disk");
    let JobError::Panicked(payload) = error else { return Err(Failure::said("another error")) };
    check_eq!(payload.downcast_ref::<&str>(), Some(&"no disk"));
    // The thread is as good as before.
    let job = ok(event_loop.run_in_executor(None, || 7))?;
    check_eq!(ok(event_loop.run_until_complete(job)?)?, 7);
    Ok(())
}

pub(super) fn a_job_that_its_executor_drops_is_cancelled() -> Outcome {
    let desk = Desk::default();
    let captured = OnDrop("function dropped");
    let job = ok(submit(&desk, move || drop(captured)))?;
    drop(desk.take());
    check_events!["function dropped"];
    check!(job.done(), "it is not done");
    check_matches!(block_on(job), Err(JobError::Cancelled));
    // Cancelled first, it is dropped by nobody twice.
    let captured = OnDrop("second dropped");
    drop(ok(submit(&desk, move || drop(captured)))?);
    check_events!["function dropped", "second dropped"];
    check!(desk.take().is_some_and(|job| job.is_cancelled()), "its job does not know");
    check_events!["function dropped", "second dropped"];
    Ok(())
}

/// An executor without room.
struct FullHouse;

impl Executor for FullHouse {
    fn execute(&self, job: Job) -> Result<(), Refused<Job>> {
        Err(Refused::new(job, Refusal::Full))
    }
}

pub(super) fn a_refusal_gives_the_function_back() -> Outcome {
    let captured = OnDrop("function dropped");
    let job = || event("called here");
    let Err(refused) = submit(&FullHouse, move || (job(), drop(captured))) else {
        return Err(Failure::said("a full executor took it"));
    };
    check_eq!(refused.reason, Refusal::Full);
    check_events![];
    (refused.value)();
    check_events!["called here", "function dropped"];

    let Err(refused) = run_in_executor(None, || 7) else {
        return Err(Failure::said("without a loop, it was taken"));
    };
    check_eq!((refused.reason, (refused.value)()), (Refusal::NoRunningLoop, 7));

    let event_loop = new_loop!();
    event_loop.close()?;
    let Err(refused) = event_loop.run_in_executor(Some(&Desk::default()), || 7) else {
        return Err(Failure::said("a closed loop took it"));
    };
    check_eq!((refused.reason, (refused.value)()), (Refusal::LoopClosed, 7));
    check_eq!(
        refused.reason.to_string().as_str(),
        "cannot run the function in an executor: the event loop is closed"
    );
    Ok(())
}

pub(super) fn the_default_executor_is_kept_and_replaced() -> Outcome {
    let event_loop = real_loop()?;
    let desk = Arc::new(Desk::default());
    check!(event_loop.set_default_executor(Some(desk.clone())).is_none(), "there was one");
    let job = ok(event_loop.run_in_executor(None, || 1))?;
    desk.run_one()?;
    check_eq!(ok(event_loop.run_until_complete(job)?)?, 1);
    check!(event_loop.set_default_executor(None).is_some(), "it was not kept");
    let name = || thread::current().name().is_some_and(|name| name.starts_with("molen-"));
    let job = ok(event_loop.run_in_executor(None, name))?;
    check!(ok(event_loop.run_until_complete(job)?)?, "the pool's thread has another name");
    check!(desk.is_empty(), "the replaced executor got a job");
    check!(event_loop.set_default_executor(Some(desk)).is_some(), "the pool was not kept");
    Ok(())
}

pub(super) fn to_thread_begins_when_it_is_polled() -> Outcome {
    let event_loop = new_loop!();
    let desk = Arc::new(Desk::default());
    event_loop.set_default_executor(Some(desk.clone()));
    let task = event_loop.create_task(async {
        let work = to_thread(|| 7);
        event("made");
        molen::yield_now().await;
        let value = work.await;
        event("over");
        value.is_ok_and(|value| value == 7)
    })?;
    event_loop.turn(NOW)?;
    check!(desk.is_empty(), "it was sent before it was polled");
    event_loop.turn(NOW)?;
    desk.run_one()?;
    check_events!["made"];
    check!(event_loop.run_until_complete(task)??, "another value came");
    check_events!["made", "over"];
    check_matches!(
        block_on(to_thread(|| ())),
        Err(JobError::Refused(Refusal::NoRunningLoop))
    );
    Ok(())
}

pub(super) fn threads_start_when_needed_and_are_used_again() -> Outcome {
    let alone = pool(1);
    check_eq!((alone.workers(), alone.max_workers()), (0, 1));
    let mut threads = Vec::new();
    for _ in 0..3 {
        let who = || (thread::current().id(), thread::current().name().map(String::from));
        threads.push(ok(block_on(ok(alone.submit(who))?))?);
    }
    threads.dedup();
    check_eq!(threads.len(), 1);
    check_eq!(threads[0].1.as_deref(), Some("case-0"));
    check_eq!(alone.workers(), 1);

    let two_of_three = pool(3);
    let (first, second) = (door(), door());
    let jobs = [first.0, second.0].map(|door| two_of_three.submit(move || door.wait()));
    first.1.wait_for_arrival()?;
    second.1.wait_for_arrival()?;
    check_eq!(two_of_three.workers(), 2);
    drop((first.1, second.1));
    for job in jobs {
        ok(block_on(ok(job)?))?;
    }
    finish(&two_of_three);
    check_eq!(two_of_three.workers(), 0);
    Ok(())
}

pub(super) fn a_pool_drops_cancelled_jobs_from_a_long_queue() -> Outcome {
    let pool = pool(1);
    let (door, key) = door();
    let running = ok(pool.submit(move || door.wait()))?;
    key.wait_for_arrival()?;
    let mut longest = 0;
    for _ in 0..1000 {
        drop(ok(pool.submit(|| ()))?);
        longest = longest.max(pool.queued());
    }
    check!(longest < 100, "cancelled jobs pile up");
    let last = ok(pool.submit(|| 7))?;
    drop(key);
    ok(block_on(running))?;
    check_eq!(ok(block_on(last))?, 7);
    Ok(())
}

pub(super) fn a_job_is_awaited_where_no_loop_runs() -> Outcome {
    let pool = Arc::new(pool(2));
    let theirs = pool.clone();
    // Made here, awaited there.
    let job = ok(pool.submit(|| 3))?;
    let there = elsewhere(move || {
        let own = theirs.submit(|| 4).ok().map(block_on);
        (block_on(job), own)
    })?;
    check_matches!(there, (Ok(3), Some(Ok(4))));
    Ok(())
}
