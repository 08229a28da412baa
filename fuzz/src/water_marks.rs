//! Flow control: a transport over a source that takes as much as it is told,
//! beside three numbers.

use arbitrary::{Arbitrary, Unstructured};
use molen::io::source::{ByteSource, Source, SourceError};
use molen::io::{EventListener, Interest, Ready, Registration};
use molen::net::{Answer, Flow, Protocol, Transport, WriteBufferLimits};
use molen::testing::{TestBackend, test_loop};
use std::cell::Cell;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

#[derive(Arbitrary, Debug)]
enum Step {
    Write(u8),
    WriteOwned(u8),
    Pieces(u8, u8, u8),
    /// There is room for so many bytes more.
    Room(u8),
    Limits(u8, u8),
    Turn,
}

/// A source with room for so many bytes.
#[derive(Default)]
struct Room {
    registration: Registration,
    room: Cell<usize>,
    /// The next byte that is due: they are numbered.
    next: Cell<u8>,
}

struct End(Rc<Room>);

impl Source for End {
    fn poll_ready(&self, cx: &mut Context<'_>, interest: Interest) -> Poll<()> {
        self.0.registration.poll_ready(cx, interest)
    }

    fn known_ready(&self) -> Ready {
        self.0.registration.ready()
    }

    fn listen(&self, listener: Option<EventListener>) -> bool {
        self.0.registration.listen(listener);
        true
    }
}

impl ByteSource for End {
    fn try_read(&self, _buffer: &mut [u8]) -> Result<usize, SourceError> {
        self.0.registration.clear(Ready::READABLE);
        Err(SourceError::WouldBlock)
    }

    fn try_write(&self, bytes: &[u8]) -> Result<usize, SourceError> {
        let count = bytes.len().min(self.0.room.get());
        if count < bytes.len() {
            self.0.registration.clear(Ready::WRITABLE);
        }
        if count == 0 && !bytes.is_empty() {
            return Err(SourceError::WouldBlock);
        }
        self.0.room.set(self.0.room.get() - count);
        for byte in &bytes[..count] {
            assert_eq!(*byte, self.0.next.get(), "a byte was lost, doubled or late");
            self.0.next.set(byte.wrapping_add(1));
        }
        Ok(count)
    }

    fn shutdown(&self) -> Result<(), SourceError> {
        Ok(())
    }
}

/// What the protocol was told last.
struct Told(Rc<Cell<bool>>);

impl Protocol for Told {
    fn data_received(&mut self, _transport: &Transport, _data: &[u8]) -> Answer {
        panic!("nothing comes");
    }

    fn pause_writing(&mut self, _transport: &Transport) -> Answer {
        assert!(!self.0.replace(true), "it was paused twice");
        Ok(())
    }

    fn resume_writing(&mut self, _transport: &Transport) -> Answer {
        assert!(self.0.replace(false), "it was resumed twice");
        Ok(())
    }
}

/// What waits, and whether that pauses.
struct Model {
    waits: usize,
    paused: bool,
    low: usize,
    high: usize,
}

impl Model {
    fn grown(&mut self, waits: usize) {
        self.waits = waits;
        self.paused |= waits > self.high;
    }

    fn shrunk(&mut self, waits: usize) {
        self.waits = waits;
        self.paused &= waits > self.low;
    }
}

/// Runs a transport and its model side by side.
pub fn check(data: &[u8]) {
    let Ok(steps) = Vec::<Step>::arbitrary(&mut Unstructured::new(data)) else { return };
    thread_local! {
        static BACKEND: &'static TestBackend = Box::leak(Box::new(TestBackend::new()));
    }
    let backend = BACKEND.with(|backend| *backend);
    backend.reset();
    let event_loop = test_loop!(backend).expect("a loop");
    let room = Rc::new(Room::default());
    let told = Rc::new(Cell::new(false));
    let protocol = Told(told.clone());
    let transport = Transport::new(&event_loop, End(room.clone()), protocol).expect("a transport");
    let mut model = Model { waits: 0, paused: false, low: 16, high: 64 };
    transport.set_write_buffer_limits(WriteBufferLimits::of_high(64));
    let mut written = 0_u8;
    let mut numbered = |count: usize| {
        let bytes: Vec<u8> = (0..count).map(|offset| written.wrapping_add(offset as u8)).collect();
        written = written.wrapping_add(count as u8);
        bytes
    };
    turn(&event_loop);
    // What was taken over goes piece by piece, one in a turn.
    let turns = 6 + 2 * steps.len();
    for step in &steps {
        match step {
            Step::Write(count) => {
                let bytes = numbered(usize::from(*count));
                written_by(&mut model, &room, bytes.len(), || transport.write(&bytes).ok());
            }
            Step::WriteOwned(count) => {
                let bytes = numbered(usize::from(*count));
                let write = || transport.write_owned(bytes).ok();
                written_by(&mut model, &room, usize::from(*count), write);
            }
            Step::Pieces(first, second, third) => {
                let pieces = [*first, *second, *third].map(|count| numbered(count.into()));
                let [first, second, third] = &pieces;
                let count = first.len() + second.len() + third.len();
                // This source has no vectored writes: the first piece that is none goes alone.
                let pieces: [&[u8]; 3] = [first, second, third];
                let alone =
                    pieces.iter().find(|piece| !piece.is_empty()).map_or(0, |piece| piece.len());
                let taken = if model.waits == 0 { alone.min(room.room.get()) } else { 0 };
                let flow = transport.writelines(&pieces).expect("there is room");
                if taken < count {
                    model.grown(model.waits + count - taken);
                }
                assert_eq!(flow == Flow::Paused, model.paused, "{step:?} in {steps:?}");
            }
            Step::Room(more) => {
                room.room.set(room.room.get() + usize::from(*more));
                room.registration.set_ready(Ready::WRITABLE);
            }
            Step::Limits(low, more) => {
                let (low, high) = (usize::from(*low), usize::from(*low) + usize::from(*more));
                transport
                    .set_write_buffer_limits(WriteBufferLimits::new(low, high).expect("marks"));
                (model.low, model.high) = (low, high);
                model.grown(model.waits);
            }
            Step::Turn => {
                // Turns until nothing is ready any more.
                for _ in 0..turns {
                    turn(&event_loop);
                }
                let due = transport.get_write_buffer_size();
                if due < model.waits {
                    model.shrunk(due);
                }
                let can_go = room.registration.ready().contains(Ready::WRITABLE);
                assert!(due == 0 || room.room.get() == 0 || !can_go, "it goes, and does not");
                assert_eq!(told.get(), model.paused, "the protocol was told wrongly: {steps:?}");
            }
        }
        assert_eq!(transport.is_writing_paused(), model.paused, "{step:?} in {steps:?}");
        assert_eq!(transport.get_write_buffer_size(), model.waits, "{step:?} in {steps:?}");
    }
    room.room.set(usize::MAX);
    transport.close();
    for _ in 0..turns {
        room.registration.set_ready(Ready::WRITABLE);
        turn(&event_loop);
    }
    assert_eq!(room.next.get(), written, "not all was written: {steps:?}");
    assert!(transport.is_lost() && !told.get(), "it is not over: {steps:?}");
}

fn turn(event_loop: &molen::EventLoop) {
    event_loop.turn(Some(Duration::ZERO)).expect("a turn");
}

/// One write of `count` bytes, as far as there is room and nothing waits.
fn written_by(
    model: &mut Model,
    room: &Room,
    count: usize,
    write: impl FnOnce() -> Option<Flow>,
) {
    let taken = if model.waits == 0 { count.min(room.room.get()) } else { 0 };
    let flow = write().expect("a buffer on the heap has room");
    if taken < count {
        model.grown(model.waits + count - taken);
    }
    assert_eq!(flow == Flow::Paused, model.paused);
}
