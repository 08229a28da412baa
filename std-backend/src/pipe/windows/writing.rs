//! A thread that writes where nobody can wait for room.
//!
//! ```text
//!   empty ──written──▶ full ──thread takes it──▶ writing (blocks) ──done──▶ empty
//!                                                      └── error ──▶ failed, for good
//!   closed: what is full is still written, then the handle is closed
//! ```
//!
//! One piece at a time: the next is taken when the system has the one before.

use super::thread::{Side, Standard, Thread};
use crate::place::Place;
use crate::source_error::source_error;
use molen_core::io::Ready;
use molen_core::io::source::SourceError;
use std::fs::File;
use std::io::Write;

/// How much is taken at a time.
const ROOM: usize = 64 << 10;

#[derive(Default)]
struct Output {
    /// What is to be written.
    bytes: Vec<u8>,
    /// The thread has taken some, and the system has not.
    busy: bool,
    failed: Option<SourceError>,
}

impl Output {
    fn is_full(&self) -> bool {
        self.busy || !self.bytes.is_empty()
    }
}

/// The thread.
fn write_all(to: &mut impl Write, thread: &Thread<Output>) {
    loop {
        let mut output = thread.wait_while(|output| output.bytes.is_empty() && !output.is_closed());
        if output.bytes.is_empty() {
            return;
        }
        output.busy = true;
        let bytes = core::mem::take(&mut output.bytes);
        drop(output);
        let written = to.write_all(&bytes).and_then(|()| to.flush());
        let mut output = thread.lock();
        output.busy = false;
        output.failed = written.err().map(|error| source_error(&error));
        output.tell(Ready::BOTH);
        let failed = output.failed.is_some();
        thread.changed(output);
        if failed {
            return;
        }
    }
}

/// The loop's side.
pub(super) struct Writing(Side<Output>);

/// A thread for `file`.
pub(super) fn open(mut file: File) -> Result<Writing, SourceError> {
    let thread = Thread::start("molen-write", move |thread| write_all(&mut file, thread))?;
    Side::only(thread, Ready::WRITABLE).map(Writing)
}

static STDOUT: Standard<Output> = Standard::new();
static STDERR: Standard<Output> = Standard::new();

/// The one thread for the standard output.
pub(super) fn stdout() -> Result<Writing, SourceError> {
    let start =
        || Thread::start("molen-stdout", |thread| write_all(&mut std::io::stdout(), thread));
    Side::standard(&STDOUT, Ready::WRITABLE, start).map(Writing)
}

/// The one thread for the standard error.
pub(super) fn stderr() -> Result<Writing, SourceError> {
    let start =
        || Thread::start("molen-stderr", |thread| write_all(&mut std::io::stderr(), thread));
    Side::standard(&STDERR, Ready::WRITABLE, start).map(Writing)
}

/// Waits until the system has all that was written to the standard streams: a
/// program that ends takes its threads with it.
pub(crate) fn finish_standard_streams() {
    for thread in [&STDOUT, &STDERR].into_iter().filter_map(Standard::started) {
        drop(thread.wait_while(|output| output.is_full() && output.failed.is_none()));
    }
}

impl Writing {
    pub(super) fn place(&self) -> &Place {
        self.0.place()
    }

    pub(super) fn write(&self, bytes: &[u8]) -> Result<usize, SourceError> {
        let mut output = self.0.try_lock()?;
        if let Some(error) = output.failed {
            return Err(error);
        }
        if output.is_full() {
            drop(output);
            return Err(self.0.would_block());
        }
        let length = bytes.len().min(ROOM);
        output.bytes.extend_from_slice(&bytes[..length]);
        self.0.thread().changed(output);
        Ok(length)
    }
}
