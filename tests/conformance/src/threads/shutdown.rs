//! The end of executors: asked for, waited for, and with the loop.

use super::fixture::{Desk, block_on, door, ok, pool, real_loop};
use crate::case::{Failure, Outcome};
use crate::fixture::{OnDrop, at, event, test};
use molen::executor::{Executor, Job, JobError, Refusal, Refused, ShutdownError};
use molen::{Duration, to_thread};
use std::boxed::Box;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

const NOW: Option<Duration> = Some(Duration::ZERO);

pub(super) fn after_the_shutdown_jobs_are_refused() -> Outcome {
    let event_loop = new_loop!();
    let desk = Arc::new(Desk::default());
    event_loop.set_default_executor(Some(desk.clone()));
    ok(event_loop.run_until_complete(event_loop.shutdown_default_executor(None))?)?;
    let Err(refused) = event_loop.run_in_executor(None, || 7) else {
        return Err(Failure::said("it was taken after the shutdown"));
    };
    check_eq!((refused.reason, (refused.value)()), (Refusal::ShutDown, 7));
    let refused = event_loop.run_until_complete(to_thread(|| ()))?;
    check_matches!(refused, Err(JobError::Refused(Refusal::ShutDown)));
    event_loop.set_default_executor(Some(desk.clone()));
    check!(event_loop.run_in_executor(None, || 7).is_err(), "a new executor was accepted");
    // One that is named is no business of the loop's.
    let job = ok(event_loop.run_in_executor(Some(&*desk), || 7))?;
    desk.run_one()?;
    check_eq!(ok(event_loop.run_until_complete(job)?)?, 7);
    // Nothing to wait for, nothing to shut down.
    ok(event_loop.run_until_complete(event_loop.shutdown_default_executor(NOW))?)?;
    Ok(())
}

pub(super) fn the_shutdown_waits_while_the_loop_goes_on() -> Outcome {
    let event_loop = real_loop()?;
    let (door, key) = door();
    let job = ok(event_loop.run_in_executor(None, move || door.wait()))?;
    let queued = ok(event_loop.run_in_executor(None, || 7))?;
    event_loop.run_until_complete(async {
        // The door is shut, so this cannot but be too early.
        let early = event_loop.shutdown_default_executor(Some(Duration::ZERO)).await;
        check_eq!(early, Err(ShutdownError::TimedOut));
        event("too early");
        let opening = event_loop.create_task(async move {
            molen::yield_now().await;
            event("the loop goes on");
            drop(key);
        })?;
        ok(event_loop.shutdown_default_executor(None).await)?;
        event("shut down");
        opening.await?;
        // They were taken before, so they ran.
        ok(job.await)?;
        check_eq!(ok(queued.await)?, 7);
        Ok::<(), Failure>(())
    })??;
    check_events!["too early", "the loop goes on", "shut down"];
    Ok(())
}

/// An executor whose jobs never end.
#[derive(Default)]
struct Stuck {
    shutdowns: AtomicUsize,
}

impl Executor for Stuck {
    fn execute(&self, job: Job) -> Result<(), Refused<Job>> {
        // Nobody will ever run it, or drop it.
        core::mem::forget(job);
        Ok(())
    }

    fn shutdown(&self) {
        self.shutdowns.fetch_add(1, Ordering::SeqCst);
    }

    fn poll_shut_down(&self, _cx: &mut Context<'_>) -> Poll<()> {
        Poll::Pending
    }
}

pub(super) fn a_shutdown_that_takes_too_long_is_given_up() -> Outcome {
    let event_loop = new_loop!();
    let stuck = Arc::new(Stuck::default());
    event_loop.set_default_executor(Some(stuck.clone()));
    let ended = event_loop
        .run_until_complete(event_loop.shutdown_default_executor(Some(Duration::from_secs(300))))?;
    check_eq!(ended, Err(ShutdownError::TimedOut));
    check_eq!(event_loop.time(), at(300_000));
    check_eq!(stuck.shutdowns.load(Ordering::SeqCst), 1);

    // Where no loop runs nobody keeps the time.
    let event_loop = new_loop!();
    event_loop.set_default_executor(Some(stuck));
    let ended = block_on(event_loop.shutdown_default_executor(Some(Duration::from_secs(300))));
    check_eq!(ended, Err(ShutdownError::NoRunningLoop));
    Ok(())
}

pub(super) fn closing_shuts_the_default_executor_down() -> Outcome {
    let event_loop = new_loop!();
    let (desk, stuck) = (Desk::default(), Arc::new(Stuck::default()));
    event_loop.set_default_executor(Some(stuck.clone()));
    let captured = OnDrop("function dropped");
    let job = ok(event_loop.run_in_executor(Some(&desk), move || drop(captured)))?;
    drop(event_loop.create_task(async move { drop(job.await) })?);
    event_loop.turn(NOW)?;
    check_events![];
    event_loop.close()?;
    check_events!["function dropped"];
    check!(desk.take().is_some_and(|job| job.is_cancelled()), "the job would still run");
    check_eq!(stuck.shutdowns.load(Ordering::SeqCst), 1);
    event_loop.close()?;
    check_eq!(stuck.shutdowns.load(Ordering::SeqCst), 1);
    Ok(())
}

pub(super) fn a_pool_that_is_dropped_runs_its_queue() -> Outcome {
    let pool = pool(1);
    let (door, key) = door();
    let running = ok(pool.submit(move || door.wait()))?;
    key.wait_for_arrival()?;
    let queued = ok(pool.submit(|| 7))?;
    check_eq!(pool.queued(), 1);
    drop(pool);
    drop(key);
    ok(block_on(running))?;
    check_eq!(ok(block_on(queued))?, 7);
    Ok(())
}

/// An executor that cannot be shut down.
struct Stubborn;

impl Executor for Stubborn {
    fn execute(&self, job: Job) -> Result<(), Refused<Job>> {
        Err(Refused::new(job, Refusal::NoThread(11)))
    }

    fn shutdown(&self) {
        resume_unwind(Box::new("I will not"));
    }
}

pub(super) fn an_executor_that_panics_at_its_shutdown_is_reported() -> Outcome {
    let event_loop = new_loop!();
    event_loop.set_default_executor(Some(Arc::new(Stubborn)));
    let Err(refused) = event_loop.run_in_executor(None, || ()) else {
        return Err(Failure::said("it was taken"));
    };
    check_eq!(refused.reason, Refusal::NoThread(11));
    event_loop.close()?;
    check!(event_loop.is_closed(), "it is not closed");
    let reported = test().backend.reported(0);
    check_eq!(
        reported.as_deref(),
        Some("shutting the default executor down panicked: I will not")
    );
    Ok(())
}
