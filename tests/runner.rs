//! Runners with what desktops add to them: executors, threads.

use molen::{Duration, RunError, Runner, catch_cancel, create_task, get_running_loop, sleep};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

const JOB: Duration = Duration::from_millis(50);

#[test]
fn the_jobs_of_the_default_executor_are_waited_for() {
    let (begin, done) = (Instant::now(), Arc::new(AtomicBool::new(false)));
    let mark = done.clone();
    molen::run(async move {
        let (begins, begun) = std::sync::mpsc::channel();
        let job = get_running_loop().unwrap().run_in_executor(None, move || {
            begins.send(()).unwrap();
            std::thread::sleep(JOB);
            mark.store(true, Ordering::SeqCst);
        });
        // One that has not begun would be cancelled with its future.
        begun.recv().unwrap();
        drop(job);
    })
    .unwrap();
    assert!(done.load(Ordering::SeqCst), "the run is over before the job");
    assert!(begin.elapsed() >= JOB);
}

#[test]
fn a_run_inside_of_a_run_is_refused() {
    let inner = molen::run(async { molen::run(async { 3 }) }).unwrap();
    assert!(matches!(inner, Err(molen::Error::Run(RunError::AlreadyRunning))), "{inner:?}");
}

#[test]
fn each_thread_runs_a_loop_of_its_own() {
    let threads: Vec<_> = (0..4)
        .map(|number| {
            std::thread::spawn(move || {
                let mut runner = Runner::new().unwrap();
                let first = runner.run(async move { number }).unwrap();
                let second = runner.run(async { sleep(Duration::from_millis(1)).await });
                (first, second, runner.close())
            })
        })
        .collect();
    for (number, thread) in threads.into_iter().enumerate() {
        assert_eq!(thread.join().unwrap(), (number, Ok(()), Ok(())));
    }
}

#[test]
fn what_is_left_cleans_up_with_the_system_s_clock() {
    let (begin, clean) = (Instant::now(), Arc::new(AtomicBool::new(false)));
    let mark = clean.clone();
    molen::run(async move {
        let task = async move {
            if let Err(cancelled) = catch_cancel(sleep(Duration::MAX)).await {
                sleep(JOB).await;
                mark.store(true, Ordering::SeqCst);
                cancelled.propagate().await;
            }
        };
        create_task(task).unwrap().detach();
        molen::yield_now().await;
    })
    .unwrap();
    assert!(clean.load(Ordering::SeqCst));
    assert!(begin.elapsed() >= JOB);
}
