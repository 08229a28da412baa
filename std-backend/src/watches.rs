//! Descriptors that the user watches with `add_reader` and `add_writer`.
//!
//! ```text
//!             add                event              callback has run
//!   absent ────────▶ armed ─────────────▶ fired ──────────┐
//!      ▲               ▲                    │              │
//!      │ remove        └──── before the next wait ◀────────┘
//!      └── (both halves gone)
//! ```
//!
//! Callers expect levels: a descriptor that is not drained fires again. mio's
//! events are edges, so a watch that fired is registered anew before the next
//! wait, which makes the system look at the descriptor again. Only what fired
//! costs that call.
//!
//! A descriptor of one of this crate's own sources is not to be watched: both
//! would take each other's bytes. The table by number knows.

use crate::registrations::Key;
use crate::selector::{Entry, StdSelector};
use core::cell::{Cell, RefCell};
use mio::Interest;
use mio::unix::SourceFd;
use molen_core::io::Ready;
use molen_core::io::source::SourceError;
use molen_core::schedule::{EventLoop, StandingCallback};
use std::io;
use std::os::fd::RawFd;
use std::rc::Rc;

/// One half of a watch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Half {
    Reader,
    Writer,
}

impl Half {
    fn direction(self) -> Ready {
        match self {
            Half::Reader => Ready::READABLE,
            Half::Writer => Ready::WRITABLE,
        }
    }
}

/// A watched descriptor: what to call when it can be read, and written.
pub(crate) struct Watch {
    fd: RawFd,
    key: Cell<Option<Key>>,
    /// The system has been told of it.
    registered: Cell<bool>,
    reader: Cell<Option<StandingCallback>>,
    writer: Cell<Option<StandingCallback>>,
    /// In the list of those to be armed again.
    fired: Cell<bool>,
}

impl Watch {
    fn half(&self, half: Half) -> &Cell<Option<StandingCallback>> {
        match half {
            Half::Reader => &self.reader,
            Half::Writer => &self.writer,
        }
    }

    /// Looks at a half's callback without taking it.
    fn with<T>(&self, half: Half, look: impl FnOnce(&StandingCallback) -> T) -> Option<T> {
        let cell = self.half(half);
        let callback = cell.take();
        let seen = callback.as_ref().map(look);
        cell.set(callback);
        seen
    }

    fn interest(&self) -> Option<Interest> {
        let reader = self.with(Half::Reader, |_there| Interest::READABLE);
        let writer = self.with(Half::Writer, |_there| Interest::WRITABLE);
        match (reader, writer) {
            (Some(reader), Some(writer)) => Some(reader | writer),
            (either, other) => either.or(other),
        }
    }
}

/// Who uses a descriptor's number on this loop.
enum Owner {
    Nobody,
    /// One of this crate's sources.
    Source,
    /// The user, by `add_reader` or `add_writer`.
    Watch(Rc<Watch>),
}

/// The watched descriptors of a loop.
///
/// Two tables by number, as there may be many sources and few watches: a bit
/// for each of the former, a word for each of the latter.
pub(crate) struct Watches {
    claimed: RefCell<Vec<u64>>,
    by_number: RefCell<Vec<Option<Rc<Watch>>>>,
    fired: RefCell<Vec<Rc<Watch>>>,
}

impl Watches {
    pub(crate) const fn new() -> Watches {
        Watches {
            claimed: RefCell::new(Vec::new()),
            by_number: RefCell::new(Vec::new()),
            fired: RefCell::new(Vec::new()),
        }
    }

    fn owner(&self, fd: RawFd) -> Owner {
        let number = usize::try_from(fd).unwrap_or(usize::MAX);
        if let Some(Some(watch)) = self.by_number.borrow().get(number) {
            return Owner::Watch(watch.clone());
        }
        let bits = self.claimed.borrow().get(number / 64).copied().unwrap_or(0);
        if bits >> (number % 64) & 1 == 1 { Owner::Source } else { Owner::Nobody }
    }

    /// Notes who uses the number from now on; returns who did before.
    fn set_owner(&self, fd: RawFd, owner: Owner) -> Owner {
        // The system gives out no negative numbers, and the lowest free one.
        let Ok(number) = usize::try_from(fd) else { return Owner::Nobody };
        let before = self.owner(fd);
        let (claims, watch) = match owner {
            Owner::Nobody => (false, None),
            Owner::Source => (true, None),
            Owner::Watch(watch) => (false, Some(watch)),
        };
        set(&mut self.claimed.borrow_mut(), number / 64, claims, |bits: &mut u64| {
            *bits = *bits & !(1 << (number % 64)) | u64::from(claims) << (number % 64);
        });
        let grows = watch.is_some();
        let mut by_number = self.by_number.borrow_mut();
        let former = set(&mut by_number, number, grows, |place| core::mem::replace(place, watch));
        drop(by_number);
        drop(former);
        before
    }
}

/// Changes the place `index`, which there is if the table `grows`.
fn set<T: Clone + Default, R>(
    table: &mut Vec<T>,
    index: usize,
    grows: bool,
    change: impl FnOnce(&mut T) -> R,
) -> Option<R> {
    if grows && table.len() <= index {
        table.resize(index + 1, T::default());
    }
    table.get_mut(index).map(change)
}

/// Why a descriptor is not watched.
pub(crate) enum Refused {
    OwnedBySource,
    Source(SourceError),
    Os(io::Error),
}

impl StdSelector {
    /// Notes that `fd` is one of our sources' now.
    pub(crate) fn claim(&self, fd: RawFd) {
        if let Owner::Watch(stale) = self.watches.set_owner(fd, Owner::Source) {
            // Its descriptor was closed without `remove_reader`, and the number given out again.
            self.end_watch(&stale);
        }
    }

    /// Notes that a source gives `fd` up.
    pub(crate) fn disclaim(&self, fd: RawFd) {
        self.watches.set_owner(fd, Owner::Nobody);
    }

    /// Whether `fd` belongs to one of our sources.
    pub(crate) fn is_claimed(&self, fd: RawFd) -> bool {
        matches!(self.watches.owner(fd), Owner::Source)
    }

    /// Has `callback` made ready whenever `fd` is, in place of what was before.
    pub(crate) fn watch(
        &self,
        fd: RawFd,
        half: Half,
        callback: StandingCallback,
    ) -> Result<(), Refused> {
        let watch = match self.watches.owner(fd) {
            Owner::Source => return Err(Refused::OwnedBySource),
            Owner::Watch(watch) => watch,
            Owner::Nobody => self.new_watch(fd)?,
        };
        let before = watch.half(half).replace(Some(callback));
        if let Err(error) = self.arm(&watch) {
            drop(watch.half(half).replace(before));
            if watch.interest().is_none() {
                self.end_watch(&watch);
            }
            return Err(Refused::Os(error));
        }
        // Only now is the number known to be one that the system gave out:
        // the table grows up to it.
        self.watches.set_owner(fd, Owner::Watch(watch));
        // Dropping it cancels it.
        drop(before);
        Ok(())
    }

    fn new_watch(&self, fd: RawFd) -> Result<Rc<Watch>, Refused> {
        let watch = Rc::new(Watch {
            fd,
            key: Cell::new(None),
            registered: Cell::new(false),
            reader: Cell::new(None),
            writer: Cell::new(None),
            fired: Cell::new(false),
        });
        let key = self.insert(Entry::Watch(watch.clone())).map_err(Refused::Source)?;
        watch.key.set(Some(key));
        Ok(watch)
    }

    /// Takes one half off; false when it was not there.
    pub(crate) fn unwatch(&self, fd: RawFd, half: Half) -> bool {
        let Owner::Watch(watch) = self.watches.owner(fd) else {
            return false;
        };
        self.unwatch_half(&watch, half)
    }

    fn unwatch_half(&self, watch: &Rc<Watch>, half: Half) -> bool {
        let Some(callback) = watch.half(half).take() else {
            return false;
        };
        let was_live = !callback.cancelled();
        if watch.interest().is_none() {
            self.watches.set_owner(watch.fd, Owner::Nobody);
            self.end_watch(watch);
        } else {
            // A descriptor that was closed before has nothing to change.
            let _ = self.arm(watch);
        }
        drop(callback);
        was_live
    }

    /// Ends the system's registration and ours, and cancels what is left.
    fn end_watch(&self, watch: &Watch) {
        if let Some(key) = watch.key.take() {
            // Fails when the descriptor was closed before: then it is done already.
            let _ = self.registry(|registry| registry.deregister(&mut SourceFd(&watch.fd)));
            self.remove(key);
        }
        drop((watch.reader.take(), watch.writer.take()));
    }

    /// Tells the system what the watch waits for, and to look at it anew.
    fn arm(&self, watch: &Rc<Watch>) -> io::Result<()> {
        let (Some(key), Some(interest)) = (watch.key.get(), watch.interest()) else {
            return Ok(());
        };
        let source = &mut SourceFd(&watch.fd);
        if watch.registered.get() {
            match self.registry(|registry| registry.reregister(source, key.token(), interest)) {
                Err(error) if error.raw_os_error() == Some(libc::ENOENT) => self.renew(watch)?,
                done => return done,
            }
        }
        let Some(key) = watch.key.get() else { return Ok(()) };
        self.registry(|registry| registry.register(source, key.token(), interest))?;
        watch.registered.set(true);
        Ok(())
    }

    /// The descriptor was closed, and its number is another's now. The former
    /// one may live on in a copy, with events of its own: they get a key that
    /// names nothing.
    fn renew(&self, watch: &Rc<Watch>) -> io::Result<()> {
        watch.registered.set(false);
        if let Some(former) = watch.key.take() {
            self.remove(former);
        }
        let key = self.insert(Entry::Watch(watch.clone()));
        watch.key.set(Some(key.map_err(|_full| io::ErrorKind::OutOfMemory)?));
        Ok(())
    }

    /// An event: has the callbacks run.
    pub(crate) fn watch_fired(&self, event_loop: &EventLoop, watch: Rc<Watch>, ready: Ready) {
        for half in [Half::Reader, Half::Writer] {
            if !ready.contains(half.direction()) {
                continue;
            }
            let cancelled = watch.with(half, |callback| {
                callback.make_ready(event_loop);
                callback.cancelled()
            });
            if cancelled == Some(true) {
                self.unwatch_half(&watch, half);
            }
        }
        if watch.key.get().is_some() && !watch.fired.replace(true) {
            self.watches.fired.borrow_mut().push(watch);
        }
    }

    /// Arms again what fired and has been called since.
    pub(crate) fn arm_watches(&self) {
        self.watches.fired.borrow_mut().retain(|watch| {
            let waits = |half| watch.with(half, StandingCallback::is_ready).unwrap_or(false);
            if waits(Half::Reader) || waits(Half::Writer) {
                return true;
            }
            watch.fired.set(false);
            // A descriptor that was closed without being removed just stays silent.
            let _ = self.arm(watch);
            false
        });
    }

    /// The loop closes: nothing is watched any more.
    pub(crate) fn close_watches(&self) {
        self.watches.fired.take();
        // Out of the table first: dropping callbacks runs users' code.
        let mut watches = Vec::new();
        watches.extend(self.watches.by_number.borrow_mut().iter_mut().filter_map(Option::take));
        for watch in watches {
            self.end_watch(&watch);
        }
    }
}
