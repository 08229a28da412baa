//! Waiting through mio alone: to the nanosecond on kqueue, and rounded up to
//! milliseconds on Windows.

use super::selector::Fired;
use core::cell::RefCell;
use core::time::Duration;
use mio::{Events, Poll, Registry};
use molen_core::io::Ready;
use std::io;
#[cfg(unix)]
use std::os::fd::{AsRawFd, RawFd};

/// How many events one wait takes in; the rest comes with the next.
const CAPACITY: usize = 1024;

/// mio's selector, and where its events go.
pub(crate) struct Waiter {
    poll: RefCell<Poll>,
    events: RefCell<Events>,
}

impl Waiter {
    pub(crate) fn new() -> io::Result<Waiter> {
        let events = RefCell::new(Events::with_capacity(CAPACITY));
        Ok(Waiter { poll: RefCell::new(Poll::new()?), events })
    }

    pub(crate) fn registry<T>(&self, f: impl FnOnce(&Registry) -> T) -> T {
        f(self.poll.borrow().registry())
    }

    #[cfg(unix)]
    pub(crate) fn raw_fd(&self) -> RawFd {
        self.poll.borrow().as_raw_fd()
    }

    /// Waits at most `timeout` (`None`: for ever), and tells `each` of the events.
    pub(crate) fn wait(
        &self,
        timeout: Option<Duration>,
        mut each: impl FnMut(Fired),
    ) -> io::Result<()> {
        let mut events = self.events.borrow_mut();
        self.poll.borrow_mut().poll(&mut events, timeout)?;
        for event in events.iter() {
            let read_end = event.is_read_closed() || event.is_error();
            let write_end = event.is_write_closed() || event.is_error();
            let ready = set(event.is_readable() || read_end, event.is_writable() || write_end);
            each(Fired { token: event.token(), ready, hung_up: set(read_end, write_end) });
        }
        Ok(())
    }
}

fn set(readable: bool, writable: bool) -> Ready {
    let readable = if readable { Ready::READABLE } else { Ready::NONE };
    let writable = if writable { Ready::WRITABLE } else { Ready::NONE };
    readable.union(writable)
}
