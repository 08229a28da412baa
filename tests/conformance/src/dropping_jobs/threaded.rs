//! The cases, where there are threads.

use crate::case::Outcome;
use crate::dropping_all::{drops, nothing, soon};
use crate::fixture::ms;
use core::task::{Context, Poll};
use molen::get_running_loop;

pub(super) fn jobs_of_executors_leave_nothing_at_any_poll() -> Outcome {
    use molen::executor::{Executor, Job, Refused};
    use std::boxed::Box;
    use std::sync::{Arc, Mutex};
    use std::vec::Vec;

    /// Keeps its jobs until it is told to do them, on the same thread.
    #[derive(Default)]
    struct Pile(Mutex<Vec<Job>>);
    impl Pile {
        fn work(&self) {
            let jobs = self.0.lock().map(|mut jobs| core::mem::take(&mut *jobs));
            jobs.into_iter().flatten().for_each(Job::run);
        }
    }
    impl Executor for Pile {
        fn execute(&self, job: Job) -> Result<(), Refused<Job>> {
            if let Ok(mut jobs) = self.0.lock() {
                jobs.push(job);
            }
            Ok(())
        }
        fn shutdown(&self) {}
        fn poll_shut_down(&self, _cx: &mut Context<'_>) -> Poll<()> {
            Poll::Pending
        }
    }

    let event_loop = new_loop!();
    let pile = Arc::new(Pile::default());
    let own: &'static Arc<Pile> = Box::leak(Box::new(pile.clone()));
    event_loop.set_default_executor(Some(pile));
    let held: &'static Arc<u8> = Box::leak(Box::new(Arc::new(7)));
    event_loop.run_until_complete(async {
        let nobody_holds_it = || Arc::strong_count(held) == 1;
        let make = || {
            let captured = held.clone();
            soon(|| own.work());
            let job = molen::run_in_executor(None, move || *captured);
            async move { job.ok()?.await.ok() }
        };
        drops(2, make, nobody_holds_it).await?;
        let make = || {
            let captured = held.clone();
            async move {
                soon(|| own.work());
                molen::to_thread(move || *captured).await.ok()
            }
        };
        drops(2, make, nobody_holds_it).await?;
        let event_loop = get_running_loop()?;
        let make = || {
            let event_loop = event_loop.clone();
            async move { event_loop.shutdown_default_executor(Some(ms(50))).await.is_err() }
        };
        drops(2, make, nothing).await
    })?
}

pub(super) fn a_wait_for_a_concurrent_future_cancels_it_at_any_poll() -> Outcome {
    use molen::{ConcurrentFuture, wrap_future};
    use std::boxed::Box;
    use std::cell::RefCell;

    type Made = RefCell<ConcurrentFuture<u8>>;
    let event_loop = new_loop!();
    let made: &'static Made = Box::leak(Box::new(RefCell::new(ConcurrentFuture::new())));
    event_loop.run_until_complete(async {
        let new = || {
            let future = ConcurrentFuture::new();
            made.replace(future.clone());
            future
        };
        // Done by itself, or cancelled because nobody waits any more: never left open.
        let make = || {
            let future = new();
            soon(|| made.borrow().set_result(7));
            wrap_future(&future)
        };
        drops(2, make, || made.borrow().done()).await?;
        let make = || new().into_future();
        let cancelled = || made.borrow().cancelled();
        let make = || {
            soon(|| {
 made.borrow().cancel();
 });
            make()
        };
        drops(2, make, cancelled).await
    })?
}
