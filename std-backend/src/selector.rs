//! Waiting for sockets, pipes, other threads and the time.
//!
//! Sources are registered once, for both directions, edge-triggered. An event
//! only sets bits in the source's state, or makes the callback of an
//! `add_reader` ready; the core runs what waited for it in its next batch.

use crate::dns::OwnResolver;
use crate::interrupt::Interrupts;
use crate::registrations::{Key, Registrations};
use crate::signals::SignalHandlers;
use crate::source_state::SourceState;
#[cfg(any(target_os = "linux", target_os = "android"))]
use crate::wait_epoll::Waiter;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
use crate::wait_mio::Waiter;
use crate::watches::{Watch, Watches};
use core::cell::{Cell, RefCell};
use core::task::Waker;
use core::time::Duration;
use mio::{Registry, Token};
use molen_core::io::source::SourceError;
use molen_core::io::{Clock, PollBudget, Ready, SelectError, Selector, Wait};
use molen_core::schedule::{EventLoop, ExceptionContext, HandlerFailed};
use molen_core::time::Instant;
use molen_core::{Unsupported, get_running_loop};
use std::io::{self, Write};
use std::rc::{Rc, Weak};
use std::sync::Arc;

/// The token of the wake-up; no registration has it.
const WAKE: Token = Token(usize::MAX);

/// One event.
#[derive(Clone, Copy)]
pub(crate) struct Fired {
    pub(crate) token: Token,
    /// What can be tried.
    pub(crate) ready: Ready,
    /// Where the other side, or an error, has put an end to it.
    pub(crate) hung_up: Ready,
}

/// What events of a registration go to.
#[derive(Clone)]
pub(crate) enum Entry {
    Source(Rc<SourceState>),
    Watch(Rc<Watch>),
}

/// mio's selector and the system's monotonic clock.
pub struct StdSelector {
    this: Weak<StdSelector>,
    waiter: Waiter,
    registrations: RefCell<Registrations<Entry>>,
    pub(crate) watches: Watches,
    poll_budget: Cell<PollBudget>,
    wake_up: Arc<WakeUp>,
    pub(crate) interrupts: Interrupts,
    pub(crate) signals: SignalHandlers,
    pub(crate) resolver: OwnResolver,
    start: std::time::Instant,
}

/// Ends the selector's sleep.
pub(crate) struct WakeUp(mio::Waker);

impl WakeUp {
    /// From any thread, and from a signal handler: this is one system call.
    pub(crate) fn wake(&self) {
        // A full wake-up pipe wakes as well as one byte in it.
        let _ = self.0.wake();
    }
}

impl std::task::Wake for WakeUp {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        WakeUp::wake(self);
    }
}

impl StdSelector {
    /// A selector, and the waker that ends its sleep from any thread.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn new() -> io::Result<(Rc<StdSelector>, Waker)> {
        #[cfg(unix)]
        crate::signals::forget_in_children();
        let waiter = Waiter::new()?;
        let wake_up = waiter.registry(|registry| mio::Waker::new(registry, WAKE))?;
        let wake_up = Arc::new(WakeUp(wake_up));
        let selector = Rc::new_cyclic(|this| StdSelector {
            this: this.clone(),
            waiter,
            registrations: RefCell::new(Registrations::new()),
            watches: Watches::new(),
            poll_budget: Cell::new(PollBudget::DEFAULT),
            wake_up: wake_up.clone(),
            interrupts: Interrupts::new(),
            signals: SignalHandlers::new(),
            resolver: OwnResolver::new(),
            start: std::time::Instant::now(),
        });
        Ok((selector, wake_up.into()))
    }

    /// Sets how often a busy loop looks at its sockets and timers; counts from
    /// the next `run_…`.
    ///
    /// ```
    /// # mod molen { pub use {molen_core::*, molen_std::{net, *}}; }
    /// # use molen::io::PollBudget;
    /// # use molen::StdSelector;
    /// let event_loop = molen::new_event_loop()?;
    /// if let Some(selector) = event_loop.backend_as::<StdSelector>() {
    ///     selector.set_poll_budget(PollBudget { callbacks: 61, nanos: 100_000 });
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn set_poll_budget(&self, budget: PollBudget) {
        self.poll_budget.set(budget);
    }

    /// The selector of the loop that runs on this thread.
    pub(crate) fn running(operation: &'static str) -> Result<Rc<StdSelector>, SourceError> {
        let running = get_running_loop().map_err(|_none| SourceError::NoRunningLoop)?;
        StdSelector::of(&running)
            .and_then(|selector| selector.this.upgrade())
            .ok_or(SourceError::Unsupported(no_descriptors_here(operation)))
    }

    /// The selector of `event_loop`, if it is one of this crate's.
    pub(crate) fn of(event_loop: &EventLoop) -> Option<&StdSelector> {
        event_loop.backend_as()
    }

    /// Whether it is the selector of `event_loop`.
    pub(crate) fn is_of(&self, event_loop: &EventLoop) -> bool {
        StdSelector::of(event_loop).is_some_and(|its| core::ptr::eq(its, self))
    }

    /// What ends its sleep.
    pub(crate) fn wake_up(&self) -> Arc<WakeUp> {
        self.wake_up.clone()
    }

    pub(crate) fn registry<T>(&self, f: impl FnOnce(&Registry) -> T) -> T {
        self.waiter.registry(f)
    }

    #[cfg(unix)]
    pub(crate) fn raw_fd(&self) -> std::os::fd::RawFd {
        self.waiter.raw_fd()
    }

    pub(crate) fn insert(&self, entry: Entry) -> Result<Key, SourceError> {
        let inserted = self.registrations.borrow_mut().insert(entry);
        inserted.map_err(|_full| SourceError::NoDescriptors)
    }

    /// Takes a registration out; what was on its way to it is dropped.
    pub(crate) fn remove(&self, key: Key) {
        // The entry may hold a user's waker: it is dropped when the borrow is over.
        let entry = self.registrations.borrow_mut().remove(key);
        drop(entry);
    }

    /// Connections that live by their events alone end with the loop.
    fn forget_listeners(&self) {
        let sources: Vec<_> = self.registrations.borrow().iter().cloned().collect();
        for entry in sources {
            match entry {
                Entry::Source(state) => state.registration.listen(None),
                Entry::Watch(_) => {}
            }
        }
    }

    pub(crate) fn dispatch(&self, event_loop: &EventLoop, fired: Fired) {
        // Cloned out: a foreign waker may use the selector.
        let entry = self.registrations.borrow().get(fired.token).cloned();
        match entry {
            Some(Entry::Source(source)) => source.notify(fired.ready, fired.hung_up),
            Some(Entry::Watch(watch)) => self.watch_fired(event_loop, watch, fired.ready),
            None if fired.token == WAKE => {
                self.interrupts.look();
                self.signals.look(event_loop);
            }
            // A registration that is gone.
            None => {}
        }
    }
}

/// What a loop that some other backend turns cannot do.
pub(crate) fn no_descriptors_here(operation: &'static str) -> Unsupported {
    Unsupported {
        operation,
        platform: "this event loop",
        reason: "its backend is not molen-std's, so it waits for no descriptors",
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
    fn poll_budget(&self) -> PollBudget {
        self.poll_budget.get()
    }

    fn select(&self, event_loop: &EventLoop, wait: Wait) -> Result<(), SelectError> {
        self.arm_watches();
        let timeout = match wait {
            Wait::No => Some(Duration::ZERO),
            Wait::Until(Instant::FAR_FUTURE) | Wait::Forever => None,
            Wait::Until(when) => Some(when.saturating_since(self.now())),
        };
        match self.waiter.wait(timeout, |fired| self.dispatch(event_loop, fired)) {
            Ok(()) => Ok(()),
            // A signal's handler may have something for the loop: it looks.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(SelectError::Os(error.raw_os_error().unwrap_or(0))),
        }
    }

    fn close(&self) {
        self.forget_listeners();
        self.close_watches();
        self.signals.close();
        self.resolver.close();
        #[cfg(windows)]
        crate::pipe::system::finish_standard_streams();
    }

    fn report(&self, context: &ExceptionContext<'_>) -> Result<(), HandlerFailed> {
        writeln!(io::stderr(), "molen: {context}").map_err(|_| HandlerFailed)
    }

    fn last_resort(&self, text: &str) -> Result<(), HandlerFailed> {
        writeln!(io::stderr(), "molen: {text}").map_err(|_| HandlerFailed)
    }
}
