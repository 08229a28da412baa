//! A thread that writes where nobody can wait for room.
//!
//! ```text
//!   empty ──written──▶ full ──thread takes it──▶ writing (blocks) ──done──▶ empty
//!                                                      └── error ──▶ failed, for good
//!   closed: what is full is still written, then the handle is closed
//! ```
//!
//! One piece at a time: the next is taken when the system has the one before.

use crate::posted::{Posted, Poster};
use crate::source_error::source_error;
use molen_core::io::Ready;
use molen_core::io::source::SourceError;
use std::fs::File;
use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

/// How much is taken at a time.
const ROOM: usize = 64 << 10;

/// What thread and loop share.
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// What is to be written.
    bytes: Vec<u8>,
    /// The thread has taken some, and the system has not.
    busy: bool,
    failed: Option<SourceError>,
    /// Who is told, by number.
    writers: Vec<(u64, Poster)>,
    next_writer: u64,
    /// Nothing more will come.
    closed: bool,
}

impl State {
    fn is_full(&self) -> bool {
        self.busy || !self.bytes.is_empty()
    }
}

impl Shared {
    fn start(name: &str, mut to: impl Write + Send + 'static) -> Result<Arc<Shared>, SourceError> {
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new() });
        let its = shared.clone();
        let thread = thread::Builder::new().name(name.into()).spawn(move || its.write(&mut to));
        thread.map_err(|error| source_error(&error))?;
        Ok(shared)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // It is whole between any two statements.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread.
    fn write(&self, to: &mut impl Write) {
        loop {
            let idle = |state: &mut State| state.bytes.is_empty() && !state.closed;
            let waited = self.changed.wait_while(self.lock(), idle);
            let mut state = waited.unwrap_or_else(PoisonError::into_inner);
            if state.bytes.is_empty() {
                return;
            }
            state.busy = true;
            let bytes = core::mem::take(&mut state.bytes);
            drop(state);
            let written = to.write_all(&bytes).and_then(|()| to.flush());
            let mut state = self.lock();
            state.busy = false;
            state.failed = written.err().map(|error| source_error(&error));
            state.writers.iter().for_each(|(_, writer)| writer.post(Ready::BOTH));
            let failed = state.failed.is_some();
            drop(state);
            self.changed.notify_all();
            if failed {
                return;
            }
        }
    }

    /// Waits until the system has all that was written.
    fn finish(&self) {
        let full = |state: &mut State| state.is_full() && state.failed.is_none();
        drop(self.changed.wait_while(self.lock(), full));
    }
}

/// The loop's side.
pub(super) struct Writing {
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
pub(super) fn open(file: File) -> Result<Writing, SourceError> {
    Writing::of(Shared::start("molen-write", file)?, Life::Ours)
}

static STDOUT: OnceLock<Arc<Shared>> = OnceLock::new();
static STDERR: OnceLock<Arc<Shared>> = OnceLock::new();

/// The one thread for the standard output.
pub(super) fn stdout() -> Result<Writing, SourceError> {
    standard(&STDOUT, || Shared::start("molen-stdout", std::io::stdout()))
}

/// The one thread for the standard error.
pub(super) fn stderr() -> Result<Writing, SourceError> {
    standard(&STDERR, || Shared::start("molen-stderr", std::io::stderr()))
}

fn standard(
    stream: &'static OnceLock<Arc<Shared>>,
    start: impl FnOnce() -> Result<Arc<Shared>, SourceError>,
) -> Result<Writing, SourceError> {
    static STARTING: Mutex<()> = Mutex::new(());
    let _one = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    let shared = match stream.get() {
        Some(shared) => shared,
        None => {
            let started = start()?;
            stream.get_or_init(|| started)
        }
    };
    Writing::of(shared.clone(), Life::Process)
}

/// Waits until the system has all that was written to the standard streams: a
/// program that ends takes its threads with it.
pub(crate) fn finish_standard_streams() {
    for stream in [&STDOUT, &STDERR] {
        if let Some(shared) = stream.get() {
            shared.finish();
        }
    }
}

impl Writing {
    fn of(shared: Arc<Shared>, life: Life) -> Result<Writing, SourceError> {
        let (posted, poster) = Posted::new("using a pipe", Ready::WRITABLE)?;
        let mut state = shared.lock();
        let number = state.next_writer;
        state.next_writer += 1;
        state.writers.push((number, poster));
        drop(state);
        Ok(Writing { shared, posted, number, life })
    }

    pub(super) fn posted(&self) -> &Posted {
        &self.posted
    }

    pub(super) fn write(&self, bytes: &[u8]) -> Result<usize, SourceError> {
        if !self.posted.known_ready().contains(Ready::WRITABLE) {
            return Err(self.posted.would_block(Ready::WRITABLE));
        }
        let mut state = self.shared.lock();
        if let Some(error) = state.failed {
            return Err(error);
        }
        if state.is_full() {
            drop(state);
            return Err(self.posted.would_block(Ready::WRITABLE));
        }
        let length = bytes.len().min(ROOM);
        state.bytes.extend_from_slice(&bytes[..length]);
        drop(state);
        self.shared.changed.notify_all();
        Ok(length)
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.writers.retain(|(number, _)| *number != self.number);
        state.closed |= self.life == Life::Ours;
        drop(state);
        self.shared.changed.notify_all();
    }
}
