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

use super::thread::{Side, Standard, Thread};
use crate::place::Place;
use crate::source_error::source_error;
use molen_core::io::Ready;
use molen_core::io::source::SourceError;
use std::fs::File;
use std::io::{ErrorKind, Read};

/// How much it reads at a time.
const ROOM: usize = 64 << 10;

#[derive(Default)]
struct Input {
    /// What it got, from `taken` on.
    bytes: Vec<u8>,
    taken: usize,
    /// Somebody has found nothing.
    asked: bool,
    /// There will be no more, because of this or because it is the end.
    ended: Option<Result<(), SourceError>>,
}

/// The thread.
fn read_all(from: &mut impl Read, thread: &Thread<Input>) {
    loop {
        let mut input = thread.wait_while(|input| !input.asked && !input.is_closed());
        if input.is_closed() {
            return;
        }
        input.asked = false;
        let mut bytes = core::mem::take(&mut input.bytes);
        drop(input);
        bytes.resize(ROOM, 0);
        let read = loop {
            match from.read(&mut bytes) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        let mut input = thread.lock();
        bytes.truncate(*read.as_ref().unwrap_or(&0));
        (input.bytes, input.taken) = (bytes, 0);
        input.ended = match read {
            Ok(0) => Some(Ok(())),
            Ok(_) => None,
            // All who could write have closed it.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Some(Ok(())),
            Err(error) => Some(Err(source_error(&error))),
        };
        input.tell(Ready::READABLE);
        if input.ended.is_some() {
            return;
        }
    }
}

/// The loop's side.
pub(super) struct Reading(Side<Input>);

/// A thread for `file`.
pub(super) fn open(mut file: File) -> Result<Reading, SourceError> {
    let thread = Thread::start("molen-read", move |thread| read_all(&mut file, thread))?;
    Side::only(thread, Ready::READABLE).map(Reading)
}

/// The one thread for the standard input.
pub(super) fn stdin() -> Result<Reading, SourceError> {
    static STDIN: Standard<Input> = Standard::new();
    let start = || Thread::start("molen-stdin", |thread| read_all(&mut std::io::stdin(), thread));
    Side::standard(&STDIN, Ready::READABLE, start).map(Reading)
}

impl Reading {
    pub(super) fn place(&self) -> &Place {
        self.0.place()
    }

    pub(super) fn read(&self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        let mut input = self.0.try_lock()?;
        let rest = &input.bytes[input.taken..];
        if !rest.is_empty() {
            let length = rest.len().min(buffer.len());
            buffer[..length].copy_from_slice(&rest[..length]);
            input.taken += length;
            return Ok(length);
        }
        if let Some(ended) = input.ended {
            return ended.map(|()| 0);
        }
        input.asked = true;
        self.0.thread().changed(input);
        Err(self.0.would_block())
    }
}
