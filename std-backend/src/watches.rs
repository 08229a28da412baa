//! Descriptors (on Windows: sockets) that are the user's, and that a loop watches: for the
//! callbacks of `add_reader` and `add_writer`, and for tasks in one of the `sock_…` calls.
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
//! costs that call. A task waits for one event, and begins anew if that was not
//! enough; beginning makes the system look again, too.
//!
//! A descriptor of one of this crate's own sources is not to be watched: both
//! would take each other's bytes. The table by number knows.

use crate::descriptor::{DescriptorTable, RawDescriptor};
use crate::registrations::Key;
use crate::selector::{Entry, StdSelector};
use crate::waiters::{Ticket, Waiters};
use crate::watched::Watched;
use core::cell::{Cell, RefCell};
use core::task::Waker;
use mio::Interest;
use molen_core::io::Ready;
use molen_core::io::source::SourceError;
use molen_core::schedule::{EventLoop, StandingCallback};
use std::io;
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

/// A watched descriptor: what to call, and who waits, when it can be read, and written.
pub(crate) struct Watch {
    descriptor: RawDescriptor,
    watched: Watched,
    key: Cell<Option<Key>>,
    /// The system has been told of it.
    registered: Cell<bool>,
    reader: Cell<Option<StandingCallback>>,
    writer: Cell<Option<StandingCallback>>,
    readers: Waiters,
    writers: Waiters,
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

    /// The tasks that wait for a half.
    pub(crate) fn waiters(&self, half: Half) -> &Waiters {
        match half {
            Half::Reader => &self.readers,
            Half::Writer => &self.writers,
        }
    }

    /// Whether anybody wants to know of a half.
    fn is_wanted(&self, half: Half) -> bool {
        self.with(half, |_there| ()).is_some() || !self.waiters(half).is_empty()
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
        match (self.is_wanted(Half::Reader), self.is_wanted(Half::Writer)) {
            (true, true) => Some(Interest::READABLE | Interest::WRITABLE),
            (true, false) => Some(Interest::READABLE),
            (false, true) => Some(Interest::WRITABLE),
            (false, false) => None,
        }
    }
}

/// Who uses a descriptor's number on this loop.
enum Owner {
    Nobody,
    /// One of this crate's sources.
    Source,
    /// The user, by `add_reader`, `add_writer` or one of the `sock_…` calls.
    Watch(Rc<Watch>),
}

/// The watched descriptors of a loop.
///
/// Two tables, as there may be many sources and few watches: the former cost a
/// byte each.
pub(crate) struct Watches {
    claimed: RefCell<DescriptorTable<bool>>,
    watched: RefCell<DescriptorTable<Option<Rc<Watch>>>>,
    fired: RefCell<Vec<Rc<Watch>>>,
}

impl Watches {
    pub(crate) const fn new() -> Watches {
        Watches {
            claimed: RefCell::new(DescriptorTable::new()),
            watched: RefCell::new(DescriptorTable::new()),
            fired: RefCell::new(Vec::new()),
        }
    }

    fn owner(&self, descriptor: RawDescriptor) -> Owner {
        match self.watched.borrow().get(descriptor) {
            Some(watch) => Owner::Watch(watch),
            None if self.claimed.borrow().get(descriptor) => Owner::Source,
            None => Owner::Nobody,
        }
    }

    /// Notes who uses the number from now on; returns who did before.
    fn set_owner(&self, descriptor: RawDescriptor, owner: Owner) -> Owner {
        let before = self.owner(descriptor);
        let (claims, watch) = match owner {
            Owner::Nobody => (false, None),
            Owner::Source => (true, None),
            Owner::Watch(watch) => (false, Some(watch)),
        };
        if claims || matches!(before, Owner::Source) {
            self.claimed.borrow_mut().replace(descriptor, claims);
        }
        if watch.is_some() || matches!(before, Owner::Watch(_)) {
            let former = self.watched.borrow_mut().replace(descriptor, watch);
            drop(former);
        }
        before
    }
}

/// Why a descriptor is not watched.
pub(crate) enum Refused {
    OwnedBySource,
    Source(SourceError),
    Os(io::Error),
}

impl StdSelector {
    /// Notes that `descriptor` is one of our sources' now.
    pub(crate) fn claim(&self, descriptor: RawDescriptor) {
        if let Owner::Watch(stale) = self.watches.set_owner(descriptor, Owner::Source) {
            // Its descriptor was closed without `remove_reader`, and the number given out again.
            self.end_watch(&stale);
        }
    }

    /// Notes that a source gives `descriptor` up.
    pub(crate) fn disclaim(&self, descriptor: RawDescriptor) {
        self.watches.set_owner(descriptor, Owner::Nobody);
    }

    /// Whether `descriptor` belongs to one of our sources.
    pub(crate) fn is_claimed(&self, descriptor: RawDescriptor) -> bool {
        matches!(self.watches.owner(descriptor), Owner::Source)
    }

    /// Has `callback` made ready whenever `descriptor` is, in place of what was before.
    pub(crate) fn watch(
        &self,
        descriptor: RawDescriptor,
        half: Half,
        callback: StandingCallback,
    ) -> Result<(), Refused> {
        let watch = self.watch_of(descriptor, None)?;
        let before = watch.half(half).replace(Some(callback));
        if let Err(error) = self.arm(&watch) {
            drop(watch.half(half).replace(before));
            self.end_unless_used(&watch);
            return Err(Refused::Os(error));
        }
        // Only now is the number known to be one that the system gave out:
        // the table grows up to it.
        self.watches.set_owner(descriptor, Owner::Watch(watch));
        // Dropping it cancels it.
        drop(before);
        Ok(())
    }

    /// Takes a place among those who wait for a half of `descriptor`; `known` is the watch by
    /// which the same task waited before.
    pub(crate) fn join_watch(
        &self,
        descriptor: RawDescriptor,
        half: Half,
        waker: &Waker,
        known: Option<Rc<Watch>>,
    ) -> Result<(Rc<Watch>, Ticket), Refused> {
        let watch = self.watch_of(descriptor, known)?;
        let ticket = watch.waiters(half).join(waker);
        if let Err(error) = self.arm(&watch) {
            watch.waiters(half).leave(ticket);
            self.end_unless_used(&watch);
            return Err(Refused::Os(error));
        }
        // As in `watch`.
        self.watches.set_owner(descriptor, Owner::Watch(watch.clone()));
        Ok((watch, ticket))
    }

    /// The watch of `descriptor`, or a new one, which nobody has yet.
    ///
    /// Who has used the watch before, and `known` says that, holds its descriptor open: no other
    /// can have taken its number.
    fn watch_of(
        &self,
        descriptor: RawDescriptor,
        known: Option<Rc<Watch>>,
    ) -> Result<Rc<Watch>, Refused> {
        match self.watches.owner(descriptor) {
            Owner::Source => Err(Refused::OwnedBySource),
            Owner::Watch(watch) if watch.key.get().is_some() => {
                let is_known = known.is_some_and(|known| Rc::ptr_eq(&known, &watch));
                if !Watched::REUSE_IS_NOTICED && !is_known {
                    self.register_anew(&watch).map_err(Refused::Os)?;
                }
                Ok(watch)
            }
            Owner::Watch(_) | Owner::Nobody => self.new_watch(descriptor),
        }
    }

    fn new_watch(&self, descriptor: RawDescriptor) -> Result<Rc<Watch>, Refused> {
        let watch = Rc::new(Watch {
            descriptor,
            watched: Watched::new(descriptor).map_err(Refused::Os)?,
            key: Cell::new(None),
            registered: Cell::new(false),
            reader: Cell::new(None),
            writer: Cell::new(None),
            readers: Waiters::new(),
            writers: Waiters::new(),
            fired: Cell::new(false),
        });
        let key = self.insert(Entry::Watch(watch.clone())).map_err(Refused::Source)?;
        watch.key.set(Some(key));
        Ok(watch)
    }

    /// Takes one half off; false when it was not there.
    pub(crate) fn unwatch(&self, descriptor: RawDescriptor, half: Half) -> bool {
        let Owner::Watch(watch) = self.watches.owner(descriptor) else {
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
            self.end_unless_used(watch);
        } else {
            // A descriptor that was closed before has nothing to change.
            let _ = self.arm(watch);
        }
        drop(callback);
        was_live
    }

    /// Ends a watch that has neither callbacks nor tasks.
    pub(crate) fn end_unless_used(&self, watch: &Rc<Watch>) {
        if watch.interest().is_some() {
            return;
        }
        if let Owner::Watch(current) = self.watches.owner(watch.descriptor)
            && Rc::ptr_eq(&current, watch)
        {
            self.watches.set_owner(watch.descriptor, Owner::Nobody);
        }
        self.end_watch(watch);
    }

    /// Ends the system's registration and ours, cancels what is left of
    /// callbacks and wakes what is left of tasks: they find out why.
    fn end_watch(&self, watch: &Watch) {
        if let Some(key) = watch.key.take() {
            // Fails when the descriptor was closed before: then it is done already.
            let _ = self.registry(|registry| watch.watched.deregister(registry));
            self.remove(key);
        }
        drop((watch.reader.take(), watch.writer.take()));
        watch.readers.wake_all();
        watch.writers.wake_all();
    }

    /// Tells the system what the watch waits for, and to look at it anew.
    fn arm(&self, watch: &Rc<Watch>) -> io::Result<()> {
        let (Some(key), Some(interest)) = (watch.key.get(), watch.interest()) else {
            return Ok(());
        };
        let watched = &watch.watched;
        if watch.registered.get() {
            match self.registry(|registry| watched.reregister(registry, key.token(), interest)) {
                Err(error) if Watched::is_unknown(&error) => self.renew(watch)?,
                done => return done,
            }
        }
        let Some(key) = watch.key.get() else { return Ok(()) };
        self.registry(|registry| watched.register(registry, key.token(), interest))?;
        watch.registered.set(true);
        Ok(())
    }

    /// Forgets the system's registration, which may be that of a descriptor
    /// that is gone; the next `arm` makes one.
    fn register_anew(&self, watch: &Rc<Watch>) -> io::Result<()> {
        if watch.registered.get() {
            // Fails when there is none any more, which is as good.
            let _ = self.registry(|registry| watch.watched.deregister(registry));
            self.renew(watch)?;
        }
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

    /// An event: has the callbacks run, and wakes the tasks.
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
            watch.waiters(half).wake_all();
        }
        // Tasks that begin to wait again arm it themselves.
        let is_waited_for = watch.key.get().is_some() && watch.interest().is_some();
        if is_waited_for && !watch.fired.replace(true) {
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
        watches.extend(self.watches.watched.borrow_mut().values_mut().filter_map(Option::take));
        for watch in watches {
            self.end_watch(&watch);
        }
    }
}
