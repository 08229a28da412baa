//! What cases with threads work with. Nothing here sleeps and hopes: who waits
//! is told.

pub(super) use crate::real::ok;

use crate::case::Failure;
use molen::executor::{Executor, Job, Refused};
use molen::schedule::Remote;
use molen::{LoopRef, ThreadPoolExecutor};
use std::collections::VecDeque;
use std::future::Future;
use std::num::NonZero;
use std::pin::pin;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

/// A loop with the operating system's selector, which other threads wake.
#[track_caller]
pub(super) fn real_loop() -> Result<LoopRef, Failure> {
    ok(molen::new_event_loop())
}

/// Stops the loop when dropped.
struct Stop(Remote);

impl Drop for Stop {
    fn drop(&mut self) {
        // A loop that is closed needs no stop.
        drop(self.0.call_soon_threadsafe(crate::fixture::stop));
    }
}

/// Runs a loop for as long as `work` takes on another thread.
#[track_caller]
pub(super) fn beside_a_loop<R: Send + 'static>(
    work: impl FnOnce(&Remote) -> R + Send + 'static,
) -> Result<R, Failure> {
    let event_loop = real_loop()?;
    let remote = event_loop.remote();
    let thread = thread::spawn(move || {
        let stop = Stop(remote);
        work(&stop.0)
    });
    event_loop.run_forever()?;
    thread.join().map_err(|_| Failure::said("the other thread panicked"))
}

/// What `work` returns on another thread.
#[track_caller]
pub(super) fn elsewhere<R: Send + 'static>(
    work: impl FnOnce() -> R + Send + 'static,
) -> Result<R, Failure> {
    thread::spawn(work).join().map_err(|_| Failure::said("the other thread panicked"))
}

/// A door at which a function waits until the case opens it, by dropping the
/// key; and a bell that tells that it waits there.
pub(super) struct Door {
    arrived: Sender<()>,
    opened: Receiver<()>,
}

pub(super) struct Key {
    arrived: Receiver<()>,
    _open_when_dropped: Sender<()>,
}

pub(super) fn door() -> (Door, Key) {
    let ((arrived, bell), (key, opened)) = (channel(), channel());
    (Door { arrived, opened }, Key { arrived: bell, _open_when_dropped: key })
}

impl Door {
    /// Waits until it is opened.
    pub(super) fn wait(self) {
        // Nobody may be listening, and nothing is ever sent: the key is dropped.
        let _ = self.arrived.send(());
        let _ = self.opened.recv();
    }
}

impl Key {
    /// Waits until somebody waits at the door.
    pub(super) fn wait_for_arrival(&self) -> Result<(), Failure> {
        self.arrived.recv().map_err(|_| Failure::said("nobody came to the door"))
    }
}

/// A pool of `workers` threads.
pub(super) fn pool(workers: usize) -> ThreadPoolExecutor {
    ThreadPoolExecutor::new(NonZero::new(workers).unwrap_or(NonZero::<usize>::MIN), "case")
}

/// An executor that keeps its jobs until the case says what becomes of them.
#[derive(Default)]
pub(super) struct Desk(Mutex<VecDeque<Job>>);

impl Executor for Desk {
    fn execute(&self, job: Job) -> Result<(), Refused<Job>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(job);
        Ok(())
    }
}

impl Desk {
    pub(super) fn take(&self) -> Option<Job> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Runs the first job on another thread, and waits until that is over.
    pub(super) fn run_one(&self) -> Result<(), Failure> {
        let job = self.take().ok_or(Failure::said("there is no job"))?;
        elsewhere(move || job.run())
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future on this thread where no loop is.
pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        thread::park();
    }
}

/// Shuts a pool down and waits until its threads have nothing left to do.
pub(super) fn finish(pool: &ThreadPoolExecutor) {
    pool.shutdown();
    block_on(std::future::poll_fn(|cx| pool.poll_shut_down(cx)));
}
