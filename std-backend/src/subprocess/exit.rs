//! A child's end: noticed, reaped, told.
//!
//! ```text
//!              the loop is told
//!   running ─────────────────────▶ reaped, status known
//!      │  └───── … but somebody else had reaped it ──▶ 255, reported
//!      └── loop closed ──▶ orphan: killed if so wished, reaped some time
//! ```
//!
//! Only the loop reaps, in a callback. So until the status is known the child's
//! number is its own, and a signal cannot go astray.
//!
//! Whoever must act at the end is told there, in one place: those who wait,
//! and the transport of a `SubprocessProtocol`.

use super::command::OnDrop;
use super::group::Group;
use super::orphans;
use super::process_error::SpawnRefused;
use super::system::{self, ExitNotice};
use crate::signals::Signal;
use core::cell::{Cell, RefCell};
use core::task::{Context, Poll, Waker};
use molen_core::get_running_loop;
use molen_core::net::ExitWatcher;
use molen_core::schedule::ExceptionContext;
use std::collections::BTreeMap;
use std::io;
use std::process::{Child, ExitStatus};
use std::rc::Rc;

/// Names one who waits.
type WaiterKey = u64;

/// What a [`Process`](super::Process), or a transport, and the loop share.
pub(super) struct Exit {
    /// `None` only while it is dropped.
    child: RefCell<Option<Child>>,
    pid: u32,
    group: Group,
    notice: RefCell<Option<ExitNotice>>,
    status: Cell<Option<ExitStatus>>,
    on_drop: Cell<OnDrop>,
    loop_closed: Cell<bool>,
    waiters: RefCell<BTreeMap<WaiterKey, Waker>>,
    next_waiter: Cell<WaiterKey>,
    watcher: Cell<Option<ExitWatcher>>,
}

impl Exit {
    /// Has the running loop notice the end of `child`. Until it is set
    /// otherwise, dropping it ends the child; so does an error.
    pub(super) fn of(child: Child, group: Group) -> Result<Rc<Exit>, SpawnRefused> {
        orphans::reap();
        let pid = child.id();
        let exit = Rc::new(Exit {
            child: RefCell::new(Some(child)),
            pid,
            group,
            notice: RefCell::new(None),
            status: Cell::new(None),
            on_drop: Cell::new(OnDrop::Kill),
            loop_closed: Cell::new(false),
            waiters: RefCell::new(BTreeMap::new()),
            next_waiter: Cell::new(0),
            watcher: Cell::new(None),
        });
        let notice = match &*exit.child.borrow() {
            Some(child) => Some(ExitNotice::begin(child, Watch(exit.clone()))?),
            None => None,
        };
        exit.notice.replace(notice);
        Ok(exit)
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    pub(super) fn status(&self) -> Option<ExitStatus> {
        self.status.get()
    }

    pub(super) fn set_on_drop(&self, on_drop: OnDrop) {
        self.on_drop.set(on_drop);
    }

    /// Its end was noticed.
    fn reap(&self) {
        let reap = |child: &mut Child| system::reap(child, self.group);
        let ended = self.child.borrow_mut().as_mut().map(reap);
        match ended {
            Some(Ok(Some(status))) => self.ended(status),
            // Woken for nothing.
            Some(Ok(None)) | None => {}
            // There is no such child: somebody else has reaped it.
            Some(Err(error)) => {
                self.report_stolen(&error);
                self.ended(system::stolen());
            }
        }
    }

    #[cold]
    fn report_stolen(&self, error: &io::Error) {
        if let Ok(event_loop) = get_running_loop() {
            let message = format!(
                "somebody else has taken the exit status of child process {}; \
                 it is reported as {}",
                self.pid(),
                system::STOLEN,
            );
            event_loop.call_exception_handler(&ExceptionContext::new(&message, Some(error)));
        }
    }

    fn ended(&self, status: ExitStatus) {
        self.status.set(Some(status));
        if let Some(notice) = self.notice.take() {
            notice.end();
        }
        if let Some(watcher) = self.watcher.take() {
            watcher.exited();
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

    /// Has `watcher` told of the end, at once if it was noticed already.
    pub(super) fn watch(&self, watcher: ExitWatcher) {
        if self.status.get().is_some() {
            watcher.exited();
        } else if !self.loop_closed.get() {
            self.watcher.set(Some(watcher));
        }
    }

    /// Sends it a signal. See [`system::is_gone`] for when it has ended.
    pub(super) fn send_signal(&self, signal: Signal) -> io::Result<()> {
        if self.status.get().is_some() {
            return Err(system::gone());
        }
        match &mut *self.child.borrow_mut() {
            Some(child) => system::send_signal(child, self.notice.borrow().as_ref(), signal),
            None => Err(system::gone()),
        }
    }

    /// Whether it leads a group.
    pub(super) fn leads_group(&self) -> bool {
        self.group.is_led()
    }

    /// Sends the group that it leads a signal. See [`system::is_gone`] for when
    /// its leader has ended.
    pub(super) fn signal_group(&self, signal: Signal) -> io::Result<()> {
        if self.status.get().is_some() {
            return Err(system::gone());
        }
        match &*self.child.borrow() {
            Some(child) => system::signal_group(child, signal),
            None => Err(system::gone()),
        }
    }

    /// The [`Process`](super::Process), or the transport, was dropped.
    pub(super) fn owner_dropped(&self) {
        if self.on_drop.get() == OnDrop::Kill && self.status.get().is_none() {
            // It may have ended just now.
            let _ = match self.group {
                // Nobody may notice its end any more.
                Group::EndsWithLeader => self.signal_group(Signal::KILL),
                _ => self.send_signal(Signal::KILL),
            };
        }
    }
}

impl Drop for Exit {
    fn drop(&mut self) {
        self.owner_dropped();
        drop(self.notice.take());
        if self.status.get().is_none()
            && let Some(child) = self.child.get_mut().take()
        {
            orphans::adopt(child, self.group);
        }
    }
}

/// The loop's hold on a child: lost when the end was noticed, or with the loop.
pub(super) struct Watch(Rc<Exit>);

impl Watch {
    /// The system says that the child has ended.
    pub(super) fn child_ended(&self) {
        self.0.reap();
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if self.0.status.get().is_none() {
            self.0.loop_closed.set(true);
            drop(self.0.watcher.take());
            self.0.tell();
        }
    }
}
