//! A child's end: noticed, reaped, told.
//!
//! ```text
//!              notice is readable
//!   running ────────────────────────▶ reaped, status known
//!      │  └───── … but somebody else had reaped it ──▶ 255, reported
//!      └── loop closed ──▶ orphan: killed if so wished, reaped some time
//! ```
//!
//! Only the loop reaps, in a callback. So until the status is known the child's
//! number is its own, and a signal cannot go astray.
//!
//! Whoever must act at the end is told there, in one place: now those who
//! wait; a `SubprocessProtocol` is to be one more of them.

use super::command::OnDrop;
use super::exit_notice::{ExitNotice, exit_notice};
use super::orphans;
use super::process_error::SpawnRefused;
use crate::reader_writer::{SelectorEventLoop, WatchRefused};
use crate::signals::Signal;
use core::cell::{Cell, RefCell};
use core::task::{Context, Poll, Waker};
use molen_core::get_running_loop;
use molen_core::io::source::SourceError;
use molen_core::schedule::ExceptionContext;
use rustix::process::Pid;
use std::collections::BTreeMap;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, ExitStatus};
use std::rc::Rc;

/// The exit code in the place of one that somebody else has taken.
///
/// asyncio: the same.
const STOLEN: i32 = 255;

/// Names one who waits.
type WaiterKey = u64;

/// What a [`Process`](super::Process) and the loop share.
pub(super) struct Exit {
    /// `None` only while it is dropped.
    child: RefCell<Option<Child>>,
    pid: Pid,
    notice: RefCell<Option<ExitNotice>>,
    status: Cell<Option<ExitStatus>>,
    on_drop: Cell<OnDrop>,
    loop_closed: Cell<bool>,
    waiters: RefCell<BTreeMap<WaiterKey, Waker>>,
    next_waiter: Cell<WaiterKey>,
}

impl Exit {
    /// Has the running loop notice the end of `child`. Until it is set
    /// otherwise, dropping it ends the child; so does an error.
    pub(super) fn of(child: Child) -> Result<Rc<Exit>, SpawnRefused> {
        orphans::reap();
        let pid = Pid::from_child(&child);
        let exit = Rc::new(Exit {
            child: RefCell::new(Some(child)),
            pid,
            notice: RefCell::new(None),
            status: Cell::new(None),
            on_drop: Cell::new(OnDrop::Kill),
            loop_closed: Cell::new(false),
            waiters: RefCell::new(BTreeMap::new()),
            next_waiter: Cell::new(0),
        });
        let event_loop =
            get_running_loop().map_err(|_none| SpawnRefused::Loop(SourceError::NoRunningLoop))?;
        let notice = exit_notice(pid).map_err(SpawnRefused::Os)?;
        let number = notice.descriptor.as_raw_fd();
        exit.notice.replace(Some(notice));
        let watch = Watch(exit.clone());
        event_loop.add_reader(&number, move || watch.0.reap()).map_err(|error| {
            match error.cause {
                WatchRefused::Os(error) => SpawnRefused::Os(error),
                WatchRefused::Loop(error) => SpawnRefused::Loop(error),
                // Whose number the system has just given out, nobody uses.
                WatchRefused::OwnedBySource => SpawnRefused::Loop(SourceError::Closed),
            }
        })?;
        Ok(exit)
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().cast_unsigned()
    }

    pub(super) fn status(&self) -> Option<ExitStatus> {
        self.status.get()
    }

    pub(super) fn set_on_drop(&self, on_drop: OnDrop) {
        self.on_drop.set(on_drop);
    }

    /// The child's pipes, once.
    pub(super) fn take_pipes(
        &self,
    ) -> (Option<ChildStdin>, Option<ChildStdout>, Option<ChildStderr>) {
        match self.child.borrow_mut().as_mut() {
            Some(child) => (child.stdin.take(), child.stdout.take(), child.stderr.take()),
            None => (None, None, None),
        }
    }

    /// Its end was noticed.
    fn reap(&self) {
        let ended = self.child.borrow_mut().as_mut().map(Child::try_wait);
        match ended {
            Some(Ok(Some(status))) => self.ended(status),
            // Woken for nothing.
            Some(Ok(None)) | None => {}
            // There is no such child: somebody else has reaped it.
            Some(Err(error)) => {
                self.report_stolen(&error);
                self.ended(ExitStatus::from_raw(STOLEN << 8));
            }
        }
    }

    #[cold]
    fn report_stolen(&self, error: &io::Error) {
        if let Ok(event_loop) = get_running_loop() {
            let message = format!(
                "somebody else has taken the exit status of child process {}; \
                 it is reported as {STOLEN}",
                self.pid()
            );
            event_loop.call_exception_handler(&ExceptionContext::new(&message, Some(error)));
        }
    }

    fn ended(&self, status: ExitStatus) {
        self.status.set(Some(status));
        if let Some(notice) = self.notice.take() {
            let number = notice.descriptor.as_raw_fd();
            if let Ok(event_loop) = get_running_loop() {
                // It is watched, and by nobody else.
                let _ = event_loop.remove_reader(&number);
            }
        }
        self.tell();
    }

    /// Wakes all who wait.
    fn tell(&self) {
        // Taken out: who is woken may drop another's wait.
        let waiters = self.waiters.take();
        waiters.into_values().for_each(Waker::wake);
    }

    /// Waits for the end; `None` when nobody will ever notice it.
    pub(super) fn poll_status(
        &self,
        cx: &mut Context<'_>,
        key: WaiterKey,
    ) -> Poll<Option<ExitStatus>> {
        if let Some(status) = self.status.get() {
            return Poll::Ready(Some(status));
        }
        if self.loop_closed.get() {
            return Poll::Ready(None);
        }
        let before = self.waiters.borrow_mut().insert(key, cx.waker().clone());
        drop(before);
        Poll::Pending
    }

    /// A name for one who will wait.
    pub(super) fn new_waiter(&self) -> WaiterKey {
        let key = self.next_waiter.get();
        self.next_waiter.set(key + 1);
        key
    }

    /// Who waited does so no more.
    pub(super) fn forget_waiter(&self, key: WaiterKey) {
        let waker = self.waiters.borrow_mut().remove(&key);
        drop(waker);
    }

    /// Sends it a signal. The system answers ESRCH when it is gone.
    pub(super) fn send_signal(&self, signal: Signal) -> io::Result<()> {
        if self.status.get().is_some() {
            return Err(io::Error::from_raw_os_error(libc::ESRCH));
        }
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if let Some(notice) = &*self.notice.borrow()
            && notice.is_pidfd
        {
            return send_by_pidfd(notice, signal);
        }
        // SAFETY: it has no pointers. Not reaped, so the number is the child's.
        match unsafe { libc::kill(self.pid.as_raw_nonzero().get(), signal.as_raw()) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// The [`Process`](super::Process) was dropped.
    pub(super) fn process_dropped(&self) {
        if self.on_drop.get() == OnDrop::Kill && self.status.get().is_none() {
            // It may have ended just now.
            let _ = self.send_signal(Signal::KILL);
        }
    }
}

/// By its descriptor: right also when somebody else has reaped the child, and
/// its number is another process's.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn send_by_pidfd(notice: &ExitNotice, signal: Signal) -> io::Result<()> {
    // SAFETY: the descriptor is open, and no information goes with the signal.
    let sent = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            notice.descriptor.as_raw_fd(),
            signal.as_raw(),
            core::ptr::null::<libc::siginfo_t>(),
            0,
        )
    };
    if sent == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

impl Drop for Exit {
    fn drop(&mut self) {
        self.process_dropped();
        if self.status.get().is_none()
            && let Some(child) = self.child.get_mut().take()
        {
            orphans::adopt(child);
        }
    }
}

/// The loop's hold on a child: lost when the end was noticed, or with the loop.
struct Watch(Rc<Exit>);

impl Drop for Watch {
    fn drop(&mut self) {
        if self.0.status.get().is_none() {
            self.0.loop_closed.set(true);
            self.0.tell();
        }
    }
}
