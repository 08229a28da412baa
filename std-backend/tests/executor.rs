//! Many functions on many threads: each is called once or dropped once, and
//! everybody who waits is told.

use molen_core::executor::{Executor, JobError};
use molen_core::{Duration, sleep};
use molen_std::{ThreadPoolExecutor, new_event_loop, run_coroutine_threadsafe, wrap_future};
use std::future::poll_fn;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;

fn pool(workers: usize) -> Arc<ThreadPoolExecutor> {
    Arc::new(ThreadPoolExecutor::new(NonZero::new(workers).unwrap(), "test"))
}

/// Counts when it is dropped.
struct Captured(Arc<AtomicUsize>);

impl Drop for Captured {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn each_function_is_called_or_cancelled_and_dropped_once() {
    const LOOPS: usize = 3;
    const JOBS: usize = 2000;
    let pool = pool(3);
    let (called, dropped) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let loops: Vec<_> = (0..LOOPS)
        .map(|_| {
            let (pool, called, dropped) = (pool.clone(), called.clone(), dropped.clone());
            thread::spawn(move || {
                let event_loop = new_event_loop().unwrap();
                let mut never = 0;
                event_loop
                    .run_until_complete(async {
                        let mut kept = Vec::new();
                        for number in 0..JOBS {
                            let (called, captured) = (called.clone(), Captured(dropped.clone()));
                            let job = pool.submit(move || {
                                called.fetch_add(1, SeqCst);
                                drop(captured);
                                number
                            });
                            let job = job.unwrap();
                            match number % 4 {
                                // Cancelled in the queue, or perhaps while it runs.
                                0 => never += usize::from(job.cancel()),
                                1 => kept.push((number, job)),
                                _ => assert_eq!(job.await.unwrap(), number),
                            }
                        }
                        for (number, job) in kept {
                            assert_eq!(job.await.unwrap(), number);
                        }
                    })
                    .unwrap();
                never
            })
        })
        .collect();
    let never: usize = loops.into_iter().map(|thread| thread.join().unwrap()).sum();
    pool.shutdown();
    let event_loop = new_event_loop().unwrap();
    event_loop.run_until_complete(poll_fn(|cx| pool.poll_shut_down(cx))).unwrap();
    assert_eq!(called.load(SeqCst) + never, LOOPS * JOBS);
    assert_eq!(dropped.load(SeqCst), LOOPS * JOBS);
}

#[test]
fn a_shutdown_in_the_middle_runs_what_was_taken_and_refuses_the_rest() {
    let pool = pool(2);
    let called = Arc::new(AtomicUsize::new(0));
    let submitters: Vec<_> = (0..3)
        .map(|_| {
            let (pool, called) = (pool.clone(), called.clone());
            thread::spawn(move || {
                let event_loop = new_event_loop().unwrap();
                let mut taken = Vec::new();
                loop {
                    let called = called.clone();
                    match pool.submit(move || called.fetch_add(1, SeqCst)) {
                        Ok(job) => taken.push(job),
                        Err(_) => break,
                    }
                }
                let count = taken.len();
                let all = async {
                    for job in taken {
                        job.await.unwrap();
                    }
                };
                event_loop.run_until_complete(all).unwrap();
                count
            })
        })
        .collect();
    while called.load(SeqCst) < 100 {
        thread::yield_now();
    }
    pool.shutdown();
    let taken: usize = submitters.into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!(called.load(SeqCst), taken);
    assert_eq!(pool.queued(), 0);
}

#[test]
fn a_hundred_functions_that_panic_leave_the_threads_alive() {
    let event_loop = new_event_loop().unwrap();
    let pool = pool(2);
    event_loop
        .run_until_complete(async {
            for _ in 0..100 {
                let job = pool.submit(|| std::panic::resume_unwind(Box::new(7_u8)));
                let ended: Result<(), JobError> = job.unwrap().await;
                let Err(JobError::Panicked(payload)) = ended else { panic!("it ended otherwise") };
                assert_eq!(payload.downcast_ref::<u8>(), Some(&7));
            }
            assert!(pool.workers() <= 2);
            assert_eq!(pool.submit(|| 7).unwrap().await.unwrap(), 7);
        })
        .unwrap();
}

#[test]
fn loops_that_run_coroutines_for_each_other() {
    const EACH: u64 = 300;
    let home = new_event_loop().unwrap();
    let remote = home.remote();
    let askers: Vec<_> = (0..3)
        .map(|_| {
            let remote = remote.clone();
            thread::spawn(move || {
                let event_loop = new_event_loop().unwrap();
                event_loop
                    .run_until_complete(async {
                        let (mut sum, mut cancelled) = (0, 0);
                        for number in 0..EACH {
                            let coroutine = move || async move {
                                sleep(Duration::from_micros(number % 5)).await;
                                number
                            };
                            let future = run_coroutine_threadsafe(coroutine, &remote);
                            if number % 3 == 0 {
                                cancelled += u64::from(future.cancel());
                            } else {
                                sum += wrap_future(&future).await.unwrap();
                            }
                        }
                        (sum, cancelled)
                    })
                    .unwrap()
            })
        })
        .collect();
    let waiting = thread::spawn(move || {
        let results: Vec<_> = askers.into_iter().map(|thread| thread.join().unwrap()).collect();
        let stop = || molen_core::get_running_loop().unwrap().stop();
        drop(remote.call_soon_threadsafe(stop).unwrap());
        results
    });
    home.run_forever().unwrap();
    for (sum, cancelled) in waiting.join().unwrap() {
        assert_eq!(sum, (0..EACH).filter(|number| number % 3 != 0).sum::<u64>());
        assert!(cancelled <= EACH / 3);
    }
    home.close().unwrap();
    assert_eq!(home.all_tasks().len(), 0);
}
