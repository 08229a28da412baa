//! The whole transport layer over sources that misbehave at random: short
//! reads and writes, interrupts, events that lied, ends and resets at any
//! moment. Whatever happens, bytes keep their order, a life has its order, and
//! nothing is left behind.

use core::cell::RefCell;
use molen_core::io::Ready;
use molen_core::io::source::SourceError;
use molen_core::net::{
    Answer, ConnectionError, Flow, Protocol, Transport, WriteBufferLimits, open_streams,
};
use molen_core::testing::{Fault, FaultSource, Told};
use molen_core::yield_now;
use proptest::prelude::*;
use std::rc::Rc;

/// What a protocol saw.
#[derive(Default)]
struct Seen {
    received: Vec<u8>,
    made: u32,
    paused: bool,
    lost: u32,
    failed: bool,
}

struct Watcher(Rc<RefCell<Seen>>);

impl Protocol for Watcher {
    fn connection_made(&mut self, _transport: &Transport) -> Answer {
        self.0.borrow_mut().made += 1;
        Ok(())
    }

    fn data_received(&mut self, _transport: &Transport, data: &[u8]) -> Answer {
        let seen = &mut *self.0.borrow_mut();
        assert!(seen.made == 1 && seen.lost == 0 && !data.is_empty());
        seen.received.extend_from_slice(data);
        Ok(())
    }

    fn pause_writing(&mut self, _transport: &Transport) -> Answer {
        assert!(!core::mem::replace(&mut self.0.borrow_mut().paused, true));
        Ok(())
    }

    fn resume_writing(&mut self, _transport: &Transport) -> Answer {
        assert!(core::mem::replace(&mut self.0.borrow_mut().paused, false));
        Ok(())
    }

    fn connection_lost(
        &mut self,
        _transport: &Transport,
        error: Option<&ConnectionError>,
    ) -> Answer {
        let seen = &mut *self.0.borrow_mut();
        seen.lost += 1;
        seen.failed = error.is_some();
        Ok(())
    }
}

#[derive(Clone, Copy, Debug)]
enum Op {
    Write(usize),
    Event(bool, bool),
    Pause,
    Resume,
    Yield,
}

static BYTES: [u8; 64] = {
    let mut bytes = [0; 64];
    let mut index = 0;
    while index < 64 {
        bytes[index] = index as u8;
        index += 1;
    }
    bytes
};

fn reads() -> impl Strategy<Value = Vec<Fault>> {
    let fault = prop_oneof![
        4 => (0..60usize, 1..5usize).prop_map(|(at, count)| Fault::Data(&BYTES[at..at + count])),
        2 => Just(Fault::WouldBlock),
        2 => Just(Fault::Interrupted),
    ];
    let last = prop_oneof![
        Just(Fault::End),
        Just(Fault::WouldBlock),
        Just(Fault::Fails(SourceError::ConnectionReset)),
    ];
    (proptest::collection::vec(fault, 0..12), last).prop_map(|(mut faults, last)| {
        faults.push(last);
        faults
    })
}

fn writes() -> impl Strategy<Value = Vec<Fault>> {
    let fault = prop_oneof![
        8 => (1..4usize).prop_map(Fault::Takes),
        2 => Just(Fault::WouldBlock),
        2 => Just(Fault::Interrupted),
        1 => Just(Fault::Fails(SourceError::ConnectionReset)),
    ];
    proptest::collection::vec(fault, 0..12)
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        4 => (0..6usize).prop_map(Op::Write),
        4 => any::<(bool, bool)>().prop_map(|(read, write)| Op::Event(read, write)),
        1 => Just(Op::Pause),
        1 => Just(Op::Resume),
        4 => Just(Op::Yield),
    ];
    proptest::collection::vec(op, 0..30)
}

fn leak<T: ?Sized>(value: Box<T>) -> &'static T {
    Box::leak(value)
}

fn event(read: bool, write: bool) -> Ready {
    let read = if read { Ready::READABLE } else { Ready::NONE };
    if write { read.union(Ready::WRITABLE) } else { read }
}

/// All data of a script up to its end or failure.
fn data(script: &[Fault]) -> Vec<u8> {
    let data = |fault: &Fault| if let Fault::Data(data) = fault { *data } else { &[] };
    script.iter().flat_map(data).copied().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn nothing_is_lost_doubled_or_left(
        reads in reads(),
        writes in writes(),
        ops in ops(),
        waits in any::<bool>(),
        high in 0..12usize,
    ) {
        let expected = data(&reads);
        let source = leak(Box::new(FaultSource::new()));
        source.script(leak(reads.into_boxed_slice()), leak(writes.into_boxed_slice()));
        let told = if waits { Told::ByWaiting } else { Told::ByEvents };
        let seen = Rc::new(RefCell::new(Seen::default()));
        let event_loop = molen_std::new_event_loop()?;
        // That writes to a lost connection are dropped is no news here.
        event_loop.set_exception_handler(Some(Rc::new(|_loop, _context| Ok(()))));
        let mut accepted = Vec::new();
        event_loop.run_until_complete(async {
            let protocol = Watcher(seen.clone());
            let transport = Transport::new(&event_loop, source.user(told), protocol).unwrap();
            transport.set_write_buffer_limits(WriteBufferLimits::of_high(high));
            for op in ops {
                match op {
                    Op::Write(count) => {
                        let from = accepted.len() % 50;
                        let bytes = &BYTES[from..from + count];
                        // A write that met the failure was dropped, or part of it was sent.
                        if transport.write(bytes).unwrap() != Flow::Dropped {
                            accepted.extend_from_slice(bytes);
                        }
                    }
                    Op::Event(read, write) => source.set_ready(event(read, write)),
                    Op::Pause => transport.pause_reading(),
                    Op::Resume => transport.resume_reading(),
                    Op::Yield => yield_now().await,
                }
            }
            transport.resume_reading();
            for _ in 0..40 {
                source.set_ready(Ready::BOTH);
                yield_now().await;
            }
            transport.close();
            for _ in 0..40 {
                source.set_ready(Ready::BOTH);
                yield_now().await;
            }
            assert!(transport.is_lost());
        }).unwrap();
        let seen = seen.borrow();
        prop_assert_eq!((seen.made, seen.lost, source.closed()), (1, 1, 1));
        prop_assert!(expected.starts_with(&seen.received));
        let written = source.written();
        prop_assert!(accepted.starts_with(&written[..written.len().min(accepted.len())]));
        if !seen.failed {
            prop_assert_eq!(source.count(), accepted.len());
            prop_assert!(!seen.paused, "left paused though all was written");
        }
        drop(event_loop);
    }

    #[test]
    fn lines_are_those_that_were_sent(reads in reads(), waits in any::<bool>(), limit in 1..9usize) {
        let expected = data(&reads);
        let source = leak(Box::new(FaultSource::new()));
        source.script(leak(reads.into_boxed_slice()), &[]);
        let told = if waits { Told::ByWaiting } else { Told::ByEvents };
        let event_loop = molen_std::new_event_loop()?;
        let got = event_loop.run_until_complete(async {
            let (mut reader, writer) = open_streams(source.user(told), limit).await.unwrap();
            let pump = molen_core::create_task(async move {
                for _ in 0..200 {
                    source.set_ready(Ready::BOTH);
                    yield_now().await;
                }
                writer.close();
            }).unwrap();
            let mut got = Vec::new();
            let mut buffer = [0; 3];
            // By pieces, which know no limit: reading is paused and resumed all the time.
            while let Ok(count @ 1..) = reader.read(&mut buffer).await {
                got.extend_from_slice(&buffer[..count]);
            }
            pump.await.unwrap();
            got
        }).unwrap();
        prop_assert!(expected.starts_with(&got));
    }
}
