//! A pool's queue, and what one of its threads does.
//!
//! ```text
//!  put:   a thread is idle?    ── queue the job, call the thread
//!         fewer than allowed?  ── start a thread, then queue the job
//!         else                 ── queue the job; a busy thread will come to it
//!
//!  work:  take a job ─▶ run it ─▶ take the next … none left ─▶ idle
//!                                      shut down and none left ─▶ end
//! ```
//!
//! One lock guards the queue and the counts. It is held for a few
//! instructions, never while a job runs, a thread is started, or a waker is
//! called. Nothing that a loop's thread waits for on the way back is behind it.

use molen_core::executor::Job;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// A queue shorter than this is not worth sweeping.
const FEW: usize = 64;

/// What a pool and its threads share.
pub(super) struct Shared {
    pub(super) max_workers: usize,
    queue: Mutex<Queue>,
    called: Condvar,
}

struct Queue {
    jobs: VecDeque<Job>,
    /// Threads that live, or are being started.
    workers: usize,
    /// How many threads were ever started: the next one's number.
    started: usize,
    /// Threads that sleep and have not been called.
    idle: usize,
    /// Calls that no sleeper has answered yet.
    calls: usize,
    shut_down: bool,
    /// Who wants to know that the last thread has ended.
    watchers: Vec<Waker>,
    /// Cancelled jobs are dropped when the queue has grown to this length.
    sweep_at: usize,
}

/// What became of a job.
pub(super) enum Put {
    /// It is in the queue, and somebody will come for it.
    Queued,
    /// It is to be [put](Shared::put_with_worker) when a thread with this
    /// number, which is counted already, has been started.
    NeedsWorker(Job, usize),
    /// It was not taken.
    ShutDown(Job),
}

impl Shared {
    pub(super) fn new(max_workers: usize) -> Shared {
        Shared {
            max_workers,
            queue: Mutex::new(Queue {
                jobs: VecDeque::new(),
                workers: 0,
                started: 0,
                idle: 0,
                calls: 0,
                shut_down: false,
                watchers: Vec::new(),
                sweep_at: FEW,
            }),
            called: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Whatever panicked while it held the lock left the counts whole.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn workers(&self) -> usize {
        self.lock().workers
    }

    pub(super) fn queued(&self) -> usize {
        self.lock().jobs.len()
    }

    /// Queues `job` for an idle thread, or says that one must be started.
    pub(super) fn put(&self, job: Job) -> Put {
        let mut queue = self.lock();
        if queue.shut_down {
            return Put::ShutDown(job);
        }
        if queue.idle == 0 && queue.workers < self.max_workers {
            queue.workers += 1;
            queue.started += 1;
            return Put::NeedsWorker(job, queue.started - 1);
        }
        self.push(queue, job);
        Put::Queued
    }

    /// Queues `job` for the thread that was started for it.
    pub(super) fn put_with_worker(&self, job: Job) -> Put {
        let queue = self.lock();
        // The thread may have come, seen that, and gone.
        if queue.shut_down {
            return Put::ShutDown(job);
        }
        self.push(queue, job);
        Put::Queued
    }

    /// Queues `job`, whose thread did not start, for the others; it comes back
    /// when there are none.
    pub(super) fn put_without_worker(&self, job: Job) -> Result<(), Job> {
        let mut queue = self.lock();
        queue.workers -= 1;
        if queue.workers > 0 {
            self.push(queue, job);
            return Ok(());
        }
        // Others may have counted on that thread. Those who wait for them are
        // told now, rather than with the next job that finds a thread.
        let stranded = std::mem::take(&mut queue.jobs);
        Queue::tell_watchers_if_over(queue);
        drop(stranded);
        Err(job)
    }

    /// Adds `job` to the queue and calls a thread if one is idle.
    fn push(&self, mut queue: MutexGuard<'_, Queue>, job: Job) {
        let swept = queue.sweep();
        queue.jobs.push_back(job);
        let call = queue.idle > 0;
        if call {
            queue.idle -= 1;
            queue.calls += 1;
        }
        drop(queue);
        if call {
            // After the lock is free, or the sleeper would wake to wait for it.
            self.called.notify_one();
        }
        drop(swept);
    }

    /// What a thread of the pool does, until the pool is shut down.
    pub(super) fn work(&self) {
        let mut queue = self.lock();
        loop {
            while let Some(job) = queue.jobs.pop_front() {
                drop(queue);
                job.run();
                queue = self.lock();
            }
            if queue.shut_down {
                break;
            }
            queue.idle += 1;
            while queue.calls == 0 {
                queue = self.called.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
            queue.calls -= 1;
        }
        queue.workers -= 1;
        Queue::tell_watchers_if_over(queue);
    }

    /// Refuses jobs from now on, and has the threads end when none is left.
    pub(super) fn shutdown(&self) {
        let mut queue = self.lock();
        queue.shut_down = true;
        queue.calls += std::mem::take(&mut queue.idle);
        self.called.notify_all();
        Queue::tell_watchers_if_over(queue);
    }

    /// Ready when the last thread has nothing left to do.
    pub(super) fn poll_shut_down(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut queue = self.lock();
        if queue.is_over() {
            return Poll::Ready(());
        }
        if !queue.watchers.iter().any(|watcher| watcher.will_wake(cx.waker())) {
            queue.watchers.push(cx.waker().clone());
        }
        Poll::Pending
    }
}

impl Queue {
    /// Whether it was shut down and no thread is left.
    fn is_over(&self) -> bool {
        self.shut_down && self.workers == 0
    }

    /// Tells who waits for the end, if this is it, when the lock is free.
    fn tell_watchers_if_over(mut queue: MutexGuard<'_, Queue>) {
        if queue.is_over() {
            let watchers = std::mem::take(&mut queue.watchers);
            drop(queue);
            watchers.into_iter().for_each(Waker::wake);
        }
    }

    /// Takes the cancelled jobs out when the queue has doubled since the last
    /// time, so that on the average it costs nothing. The caller drops them
    /// when the lock is free.
    fn sweep(&mut self) -> VecDeque<Job> {
        if self.jobs.len() < self.sweep_at {
            return VecDeque::new();
        }
        let (cancelled, left): (VecDeque<Job>, VecDeque<Job>) =
            std::mem::take(&mut self.jobs).into_iter().partition(Job::is_cancelled);
        self.jobs = left;
        self.sweep_at = (self.jobs.len() * 2).max(FEW);
        cancelled
    }
}

#[cfg(test)]
mod tests {
    use super::{Put, Shared};
    use molen_core::executor::{Executor, Job, JobError, Refused, submit};
    use std::future::Future;
    use std::pin::pin;
    use std::sync::Mutex;
    use std::task::{Context, Poll, Waker};

    #[derive(Default)]
    struct Desk(Mutex<Option<Job>>);

    impl Executor for Desk {
        fn execute(&self, job: Job) -> Result<(), Refused<Job>> {
            *self.0.lock().unwrap() = Some(job);
            Ok(())
        }
    }

    #[test]
    fn jobs_that_counted_on_a_thread_which_did_not_start_are_told() {
        let shared = Shared::new(1);
        let desk = Desk::default();
        let job = |value: u8| {
            let future = submit(&desk, move || value).unwrap();
            (desk.0.lock().unwrap().take().unwrap(), future)
        };
        let ((first, refused), (second, stranded)) = (job(1), job(2));
        let Put::NeedsWorker(first, 0) = shared.put(first) else {
            panic!("no thread was asked for")
        };
        // It counts on the first one's thread.
        assert!(matches!(shared.put(second), Put::Queued));
        let first = shared.put_without_worker(first).unwrap_err();
        assert_eq!((shared.workers(), shared.queued()), (0, 0));
        assert!(stranded.done() && !refused.done());
        let polled = pin!(stranded).poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(polled, Poll::Ready(Err(JobError::Cancelled))));
        // The next one gets another chance.
        assert!(matches!(shared.put(first), Put::NeedsWorker(_, 1)));
    }
}
