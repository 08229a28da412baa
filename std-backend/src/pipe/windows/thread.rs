//! A thread that may block, and the loops' sides of it.
//!
//! ```text
//!  Thread<J>  ── a lock around J, the job: what is asked for and what came of it
//!    │  │  │
//!    │  │  └── Side: told when something came of it, asks for more
//!    │  └───── Side, in another loop
//!    └──────── the thread: waits until it is asked, blocks, tells all sides
//! ```
//!
//! A handle of the user's has one side, and its thread ends with it. The standard
//! streams are everybody's, so there may be several, and the thread stays.

use crate::place::Place;
use crate::posted::Poster;
use crate::source_error::source_error;
use molen_core::io::Ready;
use molen_core::io::source::SourceError;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

/// What thread and sides share.
pub(super) struct Thread<J> {
    state: Mutex<State<J>>,
    changed: Condvar,
}

/// The job, and who has to do with it.
#[derive(Default)]
pub(super) struct State<J> {
    job: J,
    /// Who is told, by number.
    sides: Vec<(u64, Poster)>,
    next_side: u64,
    /// Nobody will ask for anything any more.
    closed: bool,
}

impl<J> State<J> {
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// Tells all sides that they are `ready`.
    pub(super) fn tell(&self, ready: Ready) {
        self.sides.iter().for_each(|(_, side)| side.post(ready));
    }
}

impl<J> Deref for State<J> {
    type Target = J;

    fn deref(&self) -> &J {
        &self.job
    }
}

impl<J> DerefMut for State<J> {
    fn deref_mut(&mut self) -> &mut J {
        &mut self.job
    }
}

impl<J: Default + Send + 'static> Thread<J> {
    /// A thread that does `work`.
    pub(super) fn start(
        name: &str,
        work: impl FnOnce(&Thread<J>) + Send + 'static,
    ) -> Result<Arc<Thread<J>>, SourceError> {
        let shared = Arc::new(Thread { state: Mutex::default(), changed: Condvar::new() });
        let its = shared.clone();
        let thread = thread::Builder::new().name(name.into()).spawn(move || work(&its));
        thread.map_err(|error| source_error(&error))?;
        Ok(shared)
    }
}

impl<J> Thread<J> {
    pub(super) fn lock(&self) -> MutexGuard<'_, State<J>> {
        // It is whole between any two statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits as long as it is so.
    pub(super) fn wait_while(
        &self,
        so: impl FnMut(&mut State<J>) -> bool,
    ) -> MutexGuard<'_, State<J>> {
        let waited = self.changed.wait_while(self.lock(), so);
        waited.unwrap_or_else(PoisonError::into_inner)
    }

    /// Has all who wait look again at what was changed under `lock`.
    pub(super) fn changed(&self, lock: MutexGuard<'_, State<J>>) {
        drop(lock);
        self.changed.notify_all();
    }
}

/// How long a thread lives.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Life {
    /// As long as its side.
    Side,
    /// As long as the process.
    Process,
}

/// A loop's side.
pub(super) struct Side<J> {
    thread: Arc<Thread<J>>,
    place: Place,
    /// The direction in which bytes go.
    direction: Ready,
    number: u64,
    life: Life,
}

impl<J> Side<J> {
    /// The only side of `thread`, in the running loop.
    pub(super) fn only(thread: Arc<Thread<J>>, direction: Ready) -> Result<Side<J>, SourceError> {
        Side::of(thread, direction, Life::Side)
    }

    /// A side of the one thread of a standard stream, which is started if there
    /// is none yet.
    pub(super) fn standard(
        stream: &'static Standard<J>,
        direction: Ready,
        start: impl FnOnce() -> Result<Arc<Thread<J>>, SourceError>,
    ) -> Result<Side<J>, SourceError> {
        let one = stream.starting.lock().unwrap_or_else(PoisonError::into_inner);
        let thread = match stream.thread.get() {
            Some(thread) => thread,
            None => {
                let started = start()?;
                stream.thread.get_or_init(|| started)
            }
        };
        drop(one);
        Side::of(thread.clone(), direction, Life::Process)
    }

    fn of(thread: Arc<Thread<J>>, direction: Ready, life: Life) -> Result<Side<J>, SourceError> {
        let (place, poster) = Poster::with_place("using a pipe", direction)?;
        let mut state = thread.lock();
        let number = state.next_side;
        state.next_side += 1;
        state.sides.push((number, poster));
        drop(state);
        Ok(Side { thread, place, direction, number, life })
    }

    pub(super) fn thread(&self) -> &Thread<J> {
        &self.thread
    }

    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// That nothing can be moved now.
    pub(super) fn would_block(&self) -> SourceError {
        self.place.clear(self.direction);
        self.place.would_block()
    }

    /// The job, unless it is known that nothing can be moved.
    pub(super) fn try_lock(&self) -> Result<MutexGuard<'_, State<J>>, SourceError> {
        match self.place.known_ready().contains(self.direction) {
            true => Ok(self.thread.lock()),
            false => Err(self.would_block()),
        }
    }
}

impl<J> Drop for Side<J> {
    fn drop(&mut self) {
        let mut state = self.thread.lock();
        state.sides.retain(|(number, _)| *number != self.number);
        state.closed |= self.life == Life::Side;
        self.thread.changed(state);
    }
}

/// The thread of a standard stream, once there is one.
pub(super) struct Standard<J> {
    thread: OnceLock<Arc<Thread<J>>>,
    /// Held by who starts it.
    starting: Mutex<()>,
}

impl<J> Standard<J> {
    pub(super) const fn new() -> Standard<J> {
        Standard { thread: OnceLock::new(), starting: Mutex::new(()) }
    }

    pub(super) fn started(&self) -> Option<&Thread<J>> {
        self.thread.get().map(|thread| &**thread)
    }
}
