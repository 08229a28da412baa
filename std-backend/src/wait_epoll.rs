//! Waiting on Linux: on mio's epoll, but to the microsecond.
//!
//! `epoll_wait` takes whole milliseconds, so we call `epoll_pwait2`. Linux may
//! let such a wait be late by its *slack*: the thread's timer slack (50 µs
//! unless changed), or a thousandth of the time (a two-hundredth for a niced
//! process) if that is more. The wait is asked for shorter by that much: the
//! kernel then sets its alarm for the deadline itself. It may find an earlier
//! occasion to wake us, and then we wait again. No timer descriptor is needed,
//! and a deadline that moves costs no system call.
//!
//! # Invariants
//!
//! * **Room**: `events` has room for `CAPACITY` events, and the kernel writes
//!   no more than it is told there is room for, and says how many it wrote.

use super::selector::Fired;
use core::cell::{Cell, RefCell};
use core::time::Duration;
use mio::{Poll, Registry, Token};
use molen_core::io::Ready;
use std::io;
use std::os::fd::{AsRawFd, RawFd};

/// How many events one wait takes in; the rest comes with the next.
const CAPACITY: usize = 1024;
/// Beyond this a thousandth is more than the usual timer slack, and it is
/// better to wait twice.
const LONG: Duration = Duration::from_millis(50);
/// The part of a long wait that is left to the second one: more than the
/// largest slack, a two-hundredth.
const REST: u32 = 128;
const READABLE: u32 =
    (libc::EPOLLIN | libc::EPOLLPRI | libc::EPOLLRDHUP | libc::EPOLLHUP | libc::EPOLLERR) as u32;
const WRITABLE: u32 = (libc::EPOLLOUT | libc::EPOLLHUP | libc::EPOLLERR) as u32;
const READ_END: u32 = (libc::EPOLLRDHUP | libc::EPOLLHUP | libc::EPOLLERR) as u32;
const WRITE_END: u32 = (libc::EPOLLHUP | libc::EPOLLERR) as u32;

/// mio's selector, and where its events go.
pub(crate) struct Waiter {
    poll: Poll,
    events: RefCell<Vec<libc::epoll_event>>,
    slack: Duration,
    /// The kernel (before 5.11), or a filter of system calls, has no `epoll_pwait2`.
    only_milliseconds: Cell<bool>,
}

impl Waiter {
    pub(crate) fn new() -> io::Result<Waiter> {
        // SAFETY: PR_GET_TIMERSLACK only returns a number.
        let slack = unsafe { libc::prctl(libc::PR_GET_TIMERSLACK) };
        Ok(Waiter {
            poll: Poll::new()?,
            events: RefCell::new(Vec::with_capacity(CAPACITY)),
            slack: Duration::from_nanos(u64::try_from(slack).unwrap_or(0)),
            only_milliseconds: Cell::new(false),
        })
    }

    pub(crate) fn registry<T>(&self, f: impl FnOnce(&Registry) -> T) -> T {
        f(self.poll.registry())
    }

    pub(crate) fn raw_fd(&self) -> RawFd {
        self.poll.as_raw_fd()
    }

    /// Waits at most `timeout` (`None`: for ever), or a little less, and tells
    /// `each` of the events.
    pub(crate) fn wait(
        &self,
        timeout: Option<Duration>,
        mut each: impl FnMut(Fired),
    ) -> io::Result<()> {
        let mut events = self.events.borrow_mut();
        events.clear();
        let timeout = timeout.map(|timeout| self.ask_for(timeout));
        let count = if self.only_milliseconds.get() {
            self.wait_milliseconds(&mut events, timeout)?
        } else {
            match self.wait_exactly(&mut events, timeout) {
                Err(error) if is_missing(&error) => {
                    self.only_milliseconds.set(true);
                    self.wait_milliseconds(&mut events, timeout)?
                }
                done => done?,
            }
        };
        // SAFETY: Room: so many were written.
        unsafe { events.set_len(count) };
        for event in events.iter() {
            let (bits, token) = (event.events, Token(event.u64 as usize));
            let set = |readable, writable| {
                let readable = if bits & readable != 0 { Ready::READABLE } else { Ready::NONE };
                let writable = if bits & writable != 0 { Ready::WRITABLE } else { Ready::NONE };
                readable.union(writable)
            };
            let (ready, hung_up) = (set(READABLE, WRITABLE), set(READ_END, WRITE_END));
            each(Fired { token, ready, hung_up });
        }
        Ok(())
    }

    /// What to ask the kernel for to be woken when `left` has passed.
    fn ask_for(&self, left: Duration) -> Duration {
        if left > LONG.max(self.slack.saturating_mul(REST)) {
            left - left / REST
        } else {
            // With less left than the slack we may be late by as much: asking
            // for nothing would be busy waiting where there is no slack.
            left.checked_sub(self.slack).filter(|ask| !ask.is_zero()).unwrap_or(left)
        }
    }

    fn wait_exactly(
        &self,
        events: &mut Vec<libc::epoll_event>,
        timeout: Option<Duration>,
    ) -> io::Result<usize> {
        let timeout = timeout.map(|timeout| KernelTimespec {
            seconds: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
            nanoseconds: i64::from(timeout.subsec_nanos()),
        });
        let pointer = timeout.as_ref().map_or(core::ptr::null(), core::ptr::from_ref);
        // SAFETY: Room; the timeout is null or lives through the call, and no
        // set of signals is given.
        let count = unsafe {
            libc::syscall(
                libc::SYS_epoll_pwait2,
                self.raw_fd(),
                events.as_mut_ptr(),
                CAPACITY as libc::c_int,
                pointer,
                core::ptr::null::<libc::sigset_t>(),
                size_of::<u64>(),
            )
        };
        usize::try_from(count).map_err(|_negative| io::Error::last_os_error())
    }

    fn wait_milliseconds(
        &self,
        events: &mut Vec<libc::epoll_event>,
        timeout: Option<Duration>,
    ) -> io::Result<usize> {
        let timeout = timeout.map_or(-1, |timeout| {
            let up = timeout.as_nanos().div_ceil(1_000_000);
            libc::c_int::try_from(up).unwrap_or(libc::c_int::MAX)
        });
        // SAFETY: Room.
        let count = unsafe {
            libc::epoll_wait(self.raw_fd(), events.as_mut_ptr(), CAPACITY as libc::c_int, timeout)
        };
        usize::try_from(count).map_err(|_negative| io::Error::last_os_error())
    }
}

/// The kernel's `struct __kernel_timespec`, 64 bits on every architecture.
#[repr(C)]
struct KernelTimespec {
    seconds: i64,
    nanoseconds: i64,
}

/// Filters of system calls answer EPERM or ENOSYS; epoll itself does not.
fn is_missing(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EPERM))
}
