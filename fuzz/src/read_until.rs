//! A [`StreamReader`] that is fed, beside a vector.

use crate::separators::{Bytes, Separators, first, passed};
use arbitrary::{Arbitrary, Unstructured};
use molen::net::{ConnectionError, ReadError, StreamReader};
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

#[derive(Arbitrary, Debug)]
struct Program {
    limit: u8,
    steps: Vec<Step>,
}

#[derive(Arbitrary, Debug)]
enum Step {
    Feed(Bytes),
    Eof,
    Until(Separators),
    Line,
    Exactly(u8),
    Some(u8),
}

/// What a read gave, without what no model knows.
#[derive(PartialEq, Eq, Debug)]
enum Got {
    Waits,
    Bytes(Vec<u8>),
    Incomplete(Vec<u8>),
    Overrun(bool, usize),
    NoSeparator,
}

/// Runs a reader and its model side by side.
pub fn check(data: &[u8]) {
    let Ok(program) = Program::arbitrary(&mut Unstructured::new(data)) else { return };
    let limit = usize::from(program.limit % 24);
    let mut reader = StreamReader::with_limit(limit);
    let mut model = Model { data: Vec::new(), eof: false, limit };
    for step in &program.steps {
        let (got, expected) = match step {
            Step::Feed(bytes) if !model.eof => {
                reader.feed_data(&bytes.0);
                model.data.extend(&bytes.0);
                continue;
            }
            Step::Feed(_) => continue,
            Step::Eof => {
                reader.feed_eof();
                model.eof = true;
                continue;
            }
            Step::Until(separators) => {
                let slices = separators.slices();
                (got(reader.readuntil(&slices)), model.until(separators))
            }
            Step::Line => (got(reader.readline()), model.line()),
            Step::Exactly(count) => {
                let mut buffer = vec![0; usize::from(count % 32)];
                let count = buffer.len();
                let read =
                    got(async { reader.readexactly(&mut buffer).await.map(|()| Vec::new()) });
                let read = if read == Got::Bytes(Vec::new()) { Got::Bytes(buffer) } else { read };
                (read, model.exactly(count))
            }
            Step::Some(count) => {
                let mut buffer = vec![0; usize::from(count % 32)];
                let count = buffer.len();
                let read = at_once(reader.read(&mut buffer));
                let read = read.map_or(Got::Waits, |read| {
                    buffer.truncate(read.expect("nothing fails"));
                    Got::Bytes(buffer)
                });
                (read, model.some(count))
            }
        };
        assert_eq!(got, expected, "{step:?} in {program:?}");
        let at_eof = model.eof && model.data.is_empty();
        assert_eq!(reader.at_eof(), at_eof, "after {step:?} in {program:?}");
    }
}

fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => Some(done),
        Poll::Pending => None,
    }
}

fn got(read: impl Future<Output = Result<Vec<u8>, ReadError<Vec<u8>>>>) -> Got {
    match at_once(read) {
        None => Got::Waits,
        Some(Ok(bytes)) => Got::Bytes(bytes),
        Some(Err(ReadError::Incomplete { partial, .. })) => Got::Incomplete(partial),
        Some(Err(ReadError::LimitOverrun { found, consumed })) => Got::Overrun(found, consumed),
        Some(Err(ReadError::NoSeparator)) => Got::NoSeparator,
        Some(Err(ReadError::Lost(error))) => {
            let error: ConnectionError = error;
            panic!("nothing fails, but {error}")
        }
    }
}

struct Model {
    data: Vec<u8>,
    eof: bool,
    limit: usize,
}

impl Model {
    fn take(&mut self, count: usize) -> Vec<u8> {
        self.data.drain(..count).collect()
    }

    fn until(&mut self, separators: &Separators) -> Got {
        if !separators.are_some() {
            return Got::NoSeparator;
        }
        let slices = separators.slices();
        match first(&self.data, &slices) {
            Some((start, _)) if start > self.limit => Got::Overrun(true, start),
            Some((_, end)) => Got::Bytes(self.take(end)),
            None => {
                let passed = passed(&self.data, &slices);
                // Too short for any of them, nothing is known yet.
                let shortest = slices.iter().map(|separator| separator.len()).min();
                let looked = shortest.is_some_and(|shortest| self.data.len() >= shortest);
                match () {
                    () if looked && passed > self.limit => Got::Overrun(false, passed),
                    () if self.eof => Got::Incomplete(std::mem::take(&mut self.data)),
                    () => Got::Waits,
                }
            }
        }
    }

    fn line(&mut self) -> Got {
        match self.until(&Separators(vec![b"\n".to_vec()])) {
            Got::Incomplete(rest) => Got::Bytes(rest),
            Got::Overrun(found, consumed) => {
                let dropped = if found { consumed + 1 } else { self.data.len() };
                drop(self.take(dropped));
                Got::Overrun(found, consumed)
            }
            got => got,
        }
    }

    fn exactly(&mut self, count: usize) -> Got {
        if self.data.len() >= count {
            Got::Bytes(self.take(count))
        } else if self.eof {
            Got::Incomplete(std::mem::take(&mut self.data))
        } else {
            Got::Waits
        }
    }

    fn some(&mut self, count: usize) -> Got {
        if self.data.is_empty() && !self.eof && count > 0 {
            return Got::Waits;
        }
        Got::Bytes(self.take(count.min(self.data.len())))
    }
}
