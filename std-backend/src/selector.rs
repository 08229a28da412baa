//! Waiting for sockets and pipes, through mio.
//!
//! Sources are registered once, for both directions, edge-triggered. Events
//! only set bits in the source's [`Registration`]; the source clears a bit when
//! it finds that it would block.

use core::cell::RefCell;
use core::task::Waker;

use mio::{Events, Poll, Token};
use molen_core::io::{Clock, SelectError, Selector, Wait};
use molen_core::schedule::{EventLoop, ExceptionContext, HandlerFailed};
use molen_core::time::{Duration, Instant};
use std::io::{self, Write};

use std::sync::Arc;

/// The token of the wake-up; sources have those below.
const WAKE: Token = Token(usize::MAX);

/// mio's selector and the system's monotonic clock.
pub struct StdSelector {
    poll: RefCell<Poll>,
    events: RefCell<Events>,
    start: std::time::Instant,
}

struct WakeUp(mio::Waker);

impl std::task::Wake for WakeUp {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // A full wake-up pipe wakes as well as one byte in it.
        let _ = self.0.wake();
    }
}

impl StdSelector {
    /// A selector, and the waker that ends its sleep from any thread.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn new() -> io::Result<(StdSelector, Waker)> {
        let poll = Poll::new()?;
        let waker = Arc::new(WakeUp(mio::Waker::new(poll.registry(), WAKE)?));
        let selector = StdSelector {
            poll: RefCell::new(poll),
            events: RefCell::new(Events::with_capacity(1024)),
            start: std::time::Instant::now(),
        };
        Ok((selector, waker.into()))
    }
}

impl Clock for StdSelector {
    #[inline]
    fn now(&self) -> Instant {
        let since = self.start.elapsed();
        Instant::from_nanos(since.as_secs() * 1_000_000_000 + u64::from(since.subsec_nanos()))
    }
}

impl Selector for StdSelector {
    fn select(&self, _event_loop: &EventLoop, wait: Wait) -> Result<(), SelectError> {
        let timeout = match wait {
            Wait::No => Some(Duration::ZERO),
            Wait::Until(when) => Some(when.saturating_since(self.now())),
            Wait::Forever => None,
        };
        let events = &mut *self.events.borrow_mut();
        match self.poll.borrow_mut().poll(events, timeout) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(SelectError::Os(error.raw_os_error().unwrap_or(0))),
        }
        Ok(())
    }

    fn report(&self, context: &ExceptionContext<'_>) -> Result<(), HandlerFailed> {
        writeln!(io::stderr(), "molen: {context}").map_err(|_| HandlerFailed)
    }

    fn last_resort(&self, text: &str) -> Result<(), HandlerFailed> {
        writeln!(io::stderr(), "molen: {text}").map_err(|_| HandlerFailed)
    }
}
