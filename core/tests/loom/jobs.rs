//! Every interleaving of the two sides of an executor's job.

use super::{Count, Counted, SeqCst, model};
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;
use molen_core::executor::{Executor, Job, JobError, Refused, RunInExecutor, submit};
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::AtomicUsize;
use std::task::{Context, Poll, Wake, Waker};

/// Keeps the job for the test to do with what it likes.
#[derive(Default)]
struct Desk(std::sync::Mutex<Option<Job>>);

impl Executor for Desk {
    fn execute(&self, job: Job) -> Result<(), Refused<Job>> {
        *self.0.lock().unwrap() = Some(job);
        Ok(())
    }
}

fn job<T: Send + 'static>(
    function: impl FnOnce() -> T + Send + 'static,
) -> (Job, RunInExecutor<T>) {
    let desk = Desk::default();
    let future = submit(&desk, function).unwrap();
    (desk.0.into_inner().unwrap().unwrap(), future)
}

/// A waker that ends a wait.
#[derive(Default)]
struct Bell {
    rung: Mutex<bool>,
    changed: Condvar,
}

struct Ringer(Arc<Bell>);

impl Wake for Ringer {
    fn wake(self: std::sync::Arc<Self>) {
        *self.0.rung.lock().unwrap() = true;
        self.0.changed.notify_one();
    }
}

impl Bell {
    fn waker(bell: &Arc<Bell>) -> Waker {
        Waker::from(std::sync::Arc::new(Ringer(bell.clone())))
    }

    /// Sleeps until it is rung: for ever if a wake is lost, which loom reports.
    fn wait(&self) {
        let mut rung = self.rung.lock().unwrap();
        while !*rung {
            rung = self.changed.wait(rung).unwrap();
        }
        *rung = false;
    }
}

fn block_on<T>(mut future: RunInExecutor<T>) -> Result<T, JobError> {
    let bell = Arc::new(Bell::default());
    let waker = Bell::waker(&bell);
    loop {
        if let Poll::Ready(outcome) = pin!(&mut future).poll(&mut Context::from_waker(&waker)) {
            return outcome;
        }
        bell.wait();
    }
}

#[test]
fn the_value_arrives_and_no_wake_is_lost() {
    model(|| {
        let (job, future) = job(|| 7);
        let thread = thread::spawn(move || job.run());
        assert!(matches!(block_on(future), Ok(7)));
        thread.join().unwrap();
    });
}

#[test]
fn the_last_of_several_wakers_is_called() {
    model(|| {
        let (job, mut future) = job(|| 7);
        let thread = thread::spawn(move || job.run());
        let first = Bell::waker(&Arc::new(Bell::default()));
        match pin!(&mut future).poll(&mut Context::from_waker(&first)) {
            Poll::Ready(outcome) => assert!(matches!(outcome, Ok(7))),
            Poll::Pending => assert!(matches!(block_on(future), Ok(7))),
        }
        thread.join().unwrap();
    });
}

#[test]
fn a_function_is_cancelled_or_called_and_dropped_once() {
    model(|| {
        let living = std::sync::Arc::new(Count::new(0));
        let calls = std::sync::Arc::new(AtomicUsize::new(0));
        let (captured, counted) = (Counted::new(&living), calls.clone());
        let (job, mut future) = job(move || {
            counted.fetch_add(1, SeqCst);
            captured
        });
        let thread = thread::spawn(move || job.run());
        let bell = Bell::waker(&Arc::new(Bell::default()));
        let polled = pin!(&mut future).poll(&mut Context::from_waker(&bell));
        let cancelled = polled.is_pending() && future.cancel();
        drop(polled);
        thread.join().unwrap();
        assert_eq!(calls.load(SeqCst), usize::from(!cancelled));
        assert_eq!(living.load(SeqCst), 0);
    });
}

#[test]
fn dropping_the_job_ends_the_wait() {
    model(|| {
        let living = std::sync::Arc::new(Count::new(0));
        let captured = Counted::new(&living);
        let (job, future) = job(move || drop(captured));
        let thread = thread::spawn(move || drop(job));
        assert!(matches!(block_on(future), Err(JobError::Cancelled)));
        thread.join().unwrap();
        assert_eq!(living.load(SeqCst), 0);
    });
}

#[test]
fn dropping_both_sides_at_once_frees_the_cell_once() {
    model(|| {
        let living = std::sync::Arc::new(Count::new(0));
        let captured = Counted::new(&living);
        let (job, future) = job(move || drop(captured));
        let thread = thread::spawn(move || drop(job));
        drop(future);
        thread.join().unwrap();
        assert_eq!(living.load(SeqCst), 0);
    });
}
