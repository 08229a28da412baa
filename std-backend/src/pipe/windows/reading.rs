//! A thread that reads what nobody can wait for.
//!
//! ```text
//!   idle ──asked──▶ reading (blocks) ──got some──▶ full ──taken──▶ idle
//!                        └── end, error ──▶ ended, for good
//! ```
//!
//! It reads only when somebody has found nothing: what a program does not ask
//! for stays where it is, for the next program at the same console. A read that is
//! under way when nobody wants it any more goes on until it ends; the
//! standard input keeps what it got for whoever asks next.

use crate::posted::{Posted, Poster};
use crate::source_error::source_error;
use molen_core::io::Ready;
use molen_core::io::source::SourceError;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

/// How much it reads at a time.
const ROOM: usize = 64 << 10;

/// What thread and loop share.
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// What it got, from `taken` on.
    bytes: Vec<u8>,
    taken: usize,
    /// Somebody has found nothing.
    asked: bool,
    /// There will be no more, because of this or because it is the end.
    ended: Option<Result<(), SourceError>>,
    /// Who is told, by number.
    readers: Vec<(u64, Poster)>,
    next_reader: u64,
    /// Nobody will ask any more.
    closed: bool,
}

impl Shared {
    fn start(name: &str, mut from: impl Read + Send + 'static) -> Result<Arc<Shared>, SourceError> {
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new() });
        let its = shared.clone();
        let thread = thread::Builder::new().name(name.into()).spawn(move || its.read(&mut from));
        thread.map_err(|error| source_error(&error))?;
        Ok(shared)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // It is whole between any two statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread.
    fn read(&self, from: &mut impl Read) {
        loop {
            let idle = |state: &mut State| !state.asked && !state.closed;
            let waited = self.changed.wait_while(self.lock(), idle);
            let mut state = waited.unwrap_or_else(PoisonError::into_inner);
            if state.closed {
                return;
            }
            state.asked = false;
            let mut bytes = core::mem::take(&mut state.bytes);
            drop(state);
            bytes.resize(ROOM, 0);
            let read = loop {
                match from.read(&mut bytes) {
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    read => break read,
                }
            };
            let mut state = self.lock();
            bytes.truncate(*read.as_ref().unwrap_or(&0));
            (state.bytes, state.taken) = (bytes, 0);
            state.ended = match read {
                Ok(0) => Some(Ok(())),
                Ok(_) => None,
                // All who could write have closed it.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => Some(Ok(())),
                Err(error) => Some(Err(source_error(&error))),
            };
            let ended = state.ended.is_some();
            state.readers.iter().for_each(|(_, reader)| reader.post(Ready::READABLE));
            if ended {
                return;
            }
        }
    }
}

/// The loop's side.
pub(super) struct Reading {
    shared: Arc<Shared>,
    posted: Posted,
    number: u64,
    life: Life,
}

/// How long the thread lives.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Life {
    /// As long as this side.
    Ours,
    /// As long as the process.
    Process,
}

/// A thread for `file`.
pub(super) fn open(file: File) -> Result<Reading, SourceError> {
    Reading::of(Shared::start("molen-read", file)?, Life::Ours)
}

/// The one thread for the standard input.
pub(super) fn stdin() -> Result<Reading, SourceError> {
    static STDIN: OnceLock<Arc<Shared>> = OnceLock::new();
    static STARTING: Mutex<()> = Mutex::new(());
    let _one = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    let shared = match STDIN.get() {
        Some(shared) => shared,
        None => {
            let started = Shared::start("molen-stdin", std::io::stdin())?;
            STDIN.get_or_init(|| started)
        }
    };
    Reading::of(shared.clone(), Life::Process)
}

impl Reading {
    fn of(shared: Arc<Shared>, life: Life) -> Result<Reading, SourceError> {
        let (posted, poster) = Posted::new("using a pipe", Ready::READABLE)?;
        let mut state = shared.lock();
        let number = state.next_reader;
        state.next_reader += 1;
        state.readers.push((number, poster));
        drop(state);
        Ok(Reading { shared, posted, number, life })
    }

    pub(super) fn posted(&self) -> &Posted {
        &self.posted
    }

    pub(super) fn read(&self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        if !self.posted.known_ready().contains(Ready::READABLE) {
            return Err(self.posted.would_block(Ready::READABLE));
        }
        let mut state = self.shared.lock();
        let rest = &state.bytes[state.taken..];
        if !rest.is_empty() {
            let length = rest.len().min(buffer.len());
            buffer[..length].copy_from_slice(&rest[..length]);
            state.taken += length;
            return Ok(length);
        }
        if let Some(ended) = state.ended {
            return ended.map(|()| 0);
        }
        state.asked = true;
        drop(state);
        self.shared.changed.notify_all();
        Err(self.posted.would_block(Ready::READABLE))
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.readers.retain(|(number, _)| *number != self.number);
        state.closed |= self.life == Life::Ours;
        drop(state);
        self.shared.changed.notify_all();
    }
}
