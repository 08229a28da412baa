//! Random use of the primitives, against models that are too plain to be wrong.
//!
//! Each model says at every step who holds what, who is promised what and who
//! waits in which order. At the end only those are polled that were woken, and
//! everybody must get his turn: so no wake-up is lost.

extern crate std;

mod barrier;
mod lock;
mod semaphore;

use core::pin::Pin;
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use core::task::{Context, Poll, Waker};
use std::boxed::Box;
use std::sync::Arc;
use std::task::Wake;

/// How many futures take part.
const SLOTS: usize = 6;

/// Remembers that it was woken.
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}

/// A future, and whether it was woken since it was last polled.
struct Waiting<'a, T> {
    future: Pin<Box<dyn Future<Output = T> + 'a>>,
    flag: Arc<Flag>,
}

impl<'a, T> Waiting<'a, T> {
    fn new(future: impl Future<Output = T> + 'a) -> Waiting<'a, T> {
        Waiting { future: Box::pin(future), flag: Arc::new(Flag(AtomicBool::new(false))) }
    }

    /// Polls it, with a waker that is another one every time.
    fn poll(&mut self) -> Poll<T> {
        self.flag = Arc::new(Flag(AtomicBool::new(false)));
        let waker = Waker::from(self.flag.clone());
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    fn woken(&self) -> bool {
        self.flag.0.load(Relaxed)
    }
}
