//! A [`PullReader`] whose reads wait for one piece after the other, beside a vector.

use crate::separators::{Bytes, Separators, first};
use arbitrary::{Arbitrary, Unstructured};
use molen::io::source::{ByteSource, Source, SourceError};
use molen::io::{Interest, Ready, Registration};
use molen::net::{PullReader, ReadError};
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

#[derive(Arbitrary, Debug)]
struct Program {
    room: u8,
    steps: Vec<Step>,
}

/// A read, and what comes while it waits.
#[derive(Arbitrary, Debug)]
struct Step {
    read: Read,
    pieces: Vec<Bytes>,
    ends: bool,
}

#[derive(Arbitrary, Debug)]
enum Read {
    Until(Separators),
    Line,
    Exactly(u8),
    Some(u8),
}

/// What comes, a piece at a time.
#[derive(Default)]
struct Pieces {
    registration: Registration,
    piece: RefCell<Vec<u8>>,
    ended: Cell<bool>,
}

impl Source for Pieces {
    fn poll_ready(&self, cx: &mut Context<'_>, interest: Interest) -> Poll<()> {
        self.registration.poll_ready(cx, interest)
    }
}

impl ByteSource for Pieces {
    fn try_read(&self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        let mut piece = self.piece.borrow_mut();
        let count = piece.len().min(buffer.len());
        if count == 0 && !self.ended.get() {
            self.registration.clear(Ready::READABLE);
            return Err(SourceError::WouldBlock);
        }
        buffer[..count].copy_from_slice(&piece[..count]);
        piece.drain(..count);
        Ok(count)
    }

    fn try_write(&self, _bytes: &[u8]) -> Result<usize, SourceError> {
        Err(SourceError::Closed)
    }

    fn shutdown(&self) -> Result<(), SourceError> {
        Ok(())
    }
}

/// What a read gave.
#[derive(Debug)]
enum Got {
    Bytes(Vec<u8>),
    Incomplete(usize),
    Full,
    NoSeparator,
}

async fn read(reader: &mut PullReader<'_, Pieces>, read: &Read) -> Got {
    let read = match read {
        Read::Until(separators) => reader.readuntil(&separators.slices()).await,
        Read::Line => reader.readline().await,
        Read::Exactly(count) => reader.readexactly(usize::from(count % 24)).await,
        Read::Some(count) => {
            let mut buffer = vec![0; usize::from(count % 24)];
            let count = reader.read(&mut buffer).await.expect("nothing fails");
            buffer.truncate(count);
            return Got::Bytes(buffer);
        }
    };
    match read {
        Ok(bytes) => Got::Bytes(bytes.to_vec()),
        Err(ReadError::Incomplete { partial, .. }) => Got::Incomplete(partial),
        Err(ReadError::LimitOverrun { .. }) => Got::Full,
        Err(ReadError::NoSeparator) => Got::NoSeparator,
        Err(ReadError::Lost(error)) => panic!("nothing fails, but {error}"),
    }
}

/// Runs a reader, and asks of each read what must be so, whatever came when.
pub fn check(data: &[u8]) {
    let Ok(program) = Program::arbitrary(&mut Unstructured::new(data)) else { return };
    let room = usize::from(program.room % 20);
    let mut buffer = vec![0; room];
    let source = Pieces::default();
    let mut reader = PullReader::new(&source, &mut buffer);
    // All that came and was not taken.
    let mut there: Vec<u8> = Vec::new();
    for step in &program.steps {
        let mut pieces = step.pieces.iter();
        let got = {
            let mut reading = pin!(read(&mut reader, &step.read));
            loop {
                let polled = reading.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                if let Poll::Ready(got) = polled {
                    break Some(got);
                }
                assert!(source.piece.borrow().is_empty(), "it waits, and something is there");
                assert!(!source.ended.get(), "it waits for what has ended");
                match pieces.next() {
                    Some(piece) => {
                        there.extend(&piece.0);
                        source.piece.borrow_mut().extend(&piece.0);
                    }
                    None if step.ends => source.ended.set(true),
                    None => break None,
                }
                source.registration.set_ready(Ready::READABLE);
            }
        };
        let ended = source.ended.get();
        match got {
            // Given up: nothing is lost.
            None => {}
            Some(got) => judge(&step.read, got, &mut there, room, ended),
        }
        let left = source.piece.borrow().len();
        assert_eq!(reader.buffer(), &there[..there.len() - left], "after {step:?} in {program:?}");
        assert!(!reader.at_eof() || there.is_empty(), "at its end, with something left");
    }
}

/// Holds what a read gave against all that was there, and takes it.
fn judge(read: &Read, got: Got, there: &mut Vec<u8>, room: usize, ended: bool) {
    let line = Separators(vec![b"\n".to_vec()]);
    match (read, got) {
        (Read::Some(count), Got::Bytes(bytes)) => {
            assert!(there.starts_with(&bytes));
            assert!(!bytes.is_empty() || ended || count % 24 == 0, "nothing came, and no end");
            there.drain(..bytes.len());
        }
        (Read::Exactly(count), Got::Bytes(bytes)) => {
            assert_eq!(bytes.len(), usize::from(count % 24));
            assert!(there.starts_with(&bytes));
            there.drain(..bytes.len());
        }
        (Read::Exactly(count), Got::Incomplete(partial)) => {
            assert!(ended && partial == there.len() && partial < usize::from(count % 24));
        }
        (Read::Exactly(count), Got::Full) => assert!(usize::from(count % 24) > room),
        (Read::Until(separators), Got::NoSeparator) => assert!(!separators.are_some()),
        (Read::Until(separators), got) => {
            assert!(separators.are_some());
            until(separators, got, there, room, ended);
        }
        (Read::Line, Got::Bytes(bytes)) if !bytes.ends_with(b"\n") => {
            assert!(ended && bytes == *there, "a line has no end, and is not the last one");
            there.clear();
        }
        (Read::Line, Got::Full) => {
            until(&line, Got::Full, there, room, ended);
            // Dropped, as far as it was in the buffer.
            there.drain(..room);
        }
        (Read::Line, got) => until(&line, got, there, room, ended),
        (_, got) => panic!("{read:?} gave {got:?}"),
    }
}

fn until(separators: &Separators, got: Got, there: &mut Vec<u8>, room: usize, ended: bool) {
    let found = first(there, &separators.slices());
    match got {
        Got::Bytes(bytes) => {
            assert_eq!(found.map(|(_, end)| end), Some(bytes.len()), "of {there:?}");
            assert!(there.starts_with(&bytes));
            there.drain(..bytes.len());
        }
        Got::Incomplete(partial) => {
            assert!(ended && found.is_none() && partial == there.len());
        }
        Got::Full => {
            let fits = found.is_some_and(|(_, end)| end <= room);
            assert!(!fits && there.len() >= room, "{there:?} is no more than {room}");
        }
        Got::NoSeparator => panic!("there are separators"),
    }
}
