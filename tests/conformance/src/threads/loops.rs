//! A loop on each of several threads.

use super::fixture::{beside_a_loop, ok, real_loop};
use crate::case::{Failure, Outcome};
use crate::fixture::{at, test};
use molen::schedule::Remote;
use molen::{TaskError, run_coroutine_threadsafe, sleep_until, wrap_future};
use std::future::pending;
use std::string::ToString;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Barrier};
use std::thread;
use std::vec::Vec;

pub(super) fn all_tasks_of_loops_in_threads() -> Outcome {
    let together = Arc::new(Barrier::new(THREADS));
    let threads = core::array::from_fn::<_, THREADS, _>(|_| {
        let together = together.clone();
        thread::spawn(move || list_own_tasks(&together).map_err(|failure| failure.to_string()))
    });
    for thread in threads {
        ok(thread.join().map_err(|_| Failure::said("a thread panicked"))?)?;
    }
    Ok(())
}

const THREADS: usize = 4;

/// Creates tasks in step with the other threads; after each, lists them.
fn list_own_tasks(together: &Barrier) -> Outcome {
    test().backend.reset();
    let event_loop = new_loop!();
    let (mut own, mut wrong) = (Vec::new(), false);
    for round in 0..100 {
        // At every round, whatever was wrong, or the others would wait for ever.
        together.wait();
        match event_loop.create_task(sleep_until(at(1 + round % 7))) {
            Ok(task) => own.push(task),
            Err(_) => wrong = true,
        }
        let listed = event_loop.all_tasks();
        wrong |= listed.len() != own.len();
        wrong |= listed.iter().zip(&own).any(|(listed, own)| *listed != own.task_ref());
    }
    check!(!wrong, "other tasks are listed than its own");
    event_loop.run_until_complete(async {
        for task in own {
            task.await?;
        }
        Ok::<_, TaskError>(())
    })??;
    check_eq!(event_loop.all_tasks().len(), 0);
    Ok(())
}

pub(super) fn a_loop_awaits_a_coroutine_of_another_loop() -> Outcome {
    let here = thread::current().id();
    let there = beside_a_loop(move |remote| {
        let remote = remote.clone();
        let coroutine = || async { thread::current().id() };
        molen::run(async move { run_coroutine_threadsafe(coroutine, &remote).await })
    })?;
    check_eq!(ok(ok(there)?)?, here);
    Ok(())
}

/// Tells when it is dropped.
struct Tell(Sender<&'static str>, &'static str);

impl Drop for Tell {
    fn drop(&mut self) {
        // The case may be over.
        let _ = self.0.send(self.1);
    }
}

/// Runs for ever on the loop of `remote`; tells when it has begun and when it ends.
async fn run_there(remote: Remote, tell: Sender<&'static str>) {
    let coroutine = move || async move {
        let _end = Tell(tell.clone(), "ended");
        // The case listens until the end.
        let _ = tell.send("begun");
        pending::<()>().await;
    };
    drop(wrap_future(&run_coroutine_threadsafe(coroutine, &remote)).await);
}

pub(super) fn loops_cancel_each_others_coroutines() -> Outcome {
    ok(beside_a_loop(|remote| cancel_there(remote).map_err(|failure| failure.to_string()))?)
}

fn cancel_there(remote: &Remote) -> Outcome {
    let event_loop = real_loop()?;
    let (tell, told) = channel();
    let waiting = event_loop.create_task(run_there(remote.clone(), tell))?;
    event_loop.run_until_complete(async {
        molen::yield_now().await;
        // Blocks this loop, not the one where the coroutine runs.
        check_eq!(told.recv(), Ok("begun"));
        waiting.cancel();
        check!(waiting.await.is_err_and(|it| it.is_cancelled()), "it was not cancelled");
        check_eq!(told.recv(), Ok("ended"));
        Ok(())
    })?
}
