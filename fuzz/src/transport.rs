//! A connection over a faulty wire: all that its user and its peer may do, in
//! any order, and what its protocol may see of it.

use arbitrary::{Arbitrary, Unstructured};
use molen::io::source::ByteSource;
use molen::net::{
    AfterEof, Answer, BufferedProtocol, ConnectionError, Flow, Protocol, ProtocolError, Transport,
    WriteBufferLimits,
};
use molen::testing::{FaultRates, FaultWire, TestBackend, Told, WireEnd, WireSide, test_loop};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

type Wire = FaultWire<16>;

#[derive(Arbitrary, Debug)]
struct Program {
    seed: u64,
    by_events: bool,
    buffered: bool,
    keeps_open: bool,
    steps: Vec<Step>,
}

#[derive(Arbitrary, Debug)]
enum Step {
    Write(u8),
    Writelines(u8, u8),
    WriteOwned(u8),
    WritelinesOwned(u8, u8),
    WriteEof,
    Pause,
    Resume,
    Limits(u8),
    Close,
    Abort,
    SetProtocol { buffered: bool },
    FailNext,
    PeerWrites(u8),
    PeerReads(u8),
    PeerEnds,
    PeerGoes,
    Reset,
    Rates { short: u8, interrupted: u8, would_block: u8, stall: u8, lie: u8 },
    Tick,
    Turn,
}

/// What the protocols of one connection saw, together.
#[derive(Default)]
struct Seen {
    made: Cell<u32>,
    lost: Cell<u32>,
    eof: Cell<bool>,
    received: Cell<u8>,
    received_count: Cell<usize>,
    writing_paused: Cell<bool>,
    reading_paused: Cell<bool>,
    in_call: Cell<bool>,
    keeps_open: bool,
    fails: Cell<bool>,
}

impl Seen {
    fn called(&self) {
        assert_eq!((self.made.get(), self.lost.get()), (1, 0), "it is not connected");
        assert!(!self.in_call.get(), "it was called from inside a call of the transport");
    }

    fn answer(&self) -> Answer {
        if self.fails.take() { Err(ProtocolError::new("boom")) } else { Ok(()) }
    }

    fn call<R>(&self, call: impl FnOnce() -> R) -> R {
        self.in_call.set(true);
        let result = call();
        self.in_call.set(false);
        result
    }

    fn made(&self) -> Answer {
        self.made.set(self.made.get() + 1);
        self.called();
        self.answer()
    }

    fn received(&self, data: &[u8]) -> Answer {
        self.called();
        assert!(!data.is_empty() && !self.eof.get() && !self.reading_paused.get());
        for byte in data {
            assert_eq!(*byte, self.received.get(), "a byte came twice, late or never");
            self.received.set(byte.wrapping_add(1));
        }
        self.received_count.set(self.received_count.get() + data.len());
        self.answer()
    }

    fn ended(&self) -> Answer<AfterEof> {
        self.called();
        assert!(!self.eof.replace(true), "the end came twice");
        self.answer()?;
        Ok(if self.keeps_open { AfterEof::KeepOpen } else { AfterEof::Close })
    }

    fn flow(&self, paused: bool) -> Answer {
        self.called();
        assert_ne!(self.writing_paused.replace(paused), paused, "told twice");
        self.answer()
    }

    fn lost(&self) -> Answer {
        self.called();
        self.lost.set(self.lost.get() + 1);
        self.answer()
    }
}

struct Judge(Rc<Seen>);
struct BufferedJudge(Rc<Seen>, [u8; 4]);

macro_rules! common {
    () => {
        fn connection_made(&mut self, _transport: &Transport) -> Answer {
            self.0.made()
        }

        fn eof_received(&mut self, _transport: &Transport) -> Answer<AfterEof> {
            self.0.ended()
        }

        fn pause_writing(&mut self, _transport: &Transport) -> Answer {
            self.0.flow(true)
        }

        fn resume_writing(&mut self, _transport: &Transport) -> Answer {
            self.0.flow(false)
        }

        fn connection_lost(
            &mut self,
            _transport: &Transport,
            _error: Option<&ConnectionError>,
        ) -> Answer {
            self.0.lost()
        }
    };
}

impl Protocol for Judge {
    common!();

    fn data_received(&mut self, _transport: &Transport, data: &[u8]) -> Answer {
        self.0.received(data)
    }
}

impl BufferedProtocol for BufferedJudge {
    common!();

    fn get_buffer(&mut self) -> &mut [u8] {
        &mut self.1
    }

    fn buffer_updated(&mut self, _transport: &Transport, count: usize) -> Answer {
        self.0.received(&self.1[..count])
    }
}

/// Bytes that are numbered.
fn numbered(from: usize, count: usize) -> Vec<u8> {
    (from..from + count).map(|number| number as u8).collect()
}

/// Runs a connection, and asks of each call what must be so.
pub fn check(data: &[u8]) {
    let Ok(program) = Program::arbitrary(&mut Unstructured::new(data)) else { return };
    thread_local! {
        static BACKEND: &'static TestBackend = Box::leak(Box::new(TestBackend::new()));
    }
    let backend = BACKEND.with(|backend| *backend);
    backend.reset();
    let event_loop = test_loop!(backend).expect("a loop");
    let turn = || {
        event_loop.turn(Some(Duration::ZERO)).expect("a turn");
    };
    let wire = Rc::new(Wire::new());
    wire.reset(program.seed, FaultRates::NONE);
    let seen = Rc::new(Seen { keeps_open: program.keeps_open, ..Seen::default() });
    let told = if program.by_events { Told::ByEvents } else { Told::ByWaiting };
    let near = FaultWire::end(wire.clone(), WireSide::Near, told);
    let transport = match program.buffered {
        false => Transport::new(&event_loop, near, Judge(seen.clone())),
        true => Transport::new_buffered(&event_loop, near, BufferedJudge(seen.clone(), [0; 4])),
    };
    let transport = transport.expect("the loop is open");
    let mut peer = Some(Peer {
        end: FaultWire::end(wire.clone(), WireSide::Far, Told::ByWaiting),
        sent: 0,
        got: 0,
        ended: false,
        at_end: false,
    });
    let (mut sent, mut rough, mut closed) = (0, false, false);
    for step in &program.steps {
        let took = |count: usize, flow: Option<Flow>| {
            if matches!(flow, Some(Flow::Open | Flow::Paused)) { count } else { 0 }
        };
        let write = |pieces: &[&[u8]]| {
            let flow = seen.call(|| transport.writelines(pieces));
            took(pieces.iter().map(|piece| piece.len()).sum(), flow.ok())
        };
        match step {
            Step::Write(count) => sent += write(&[&numbered(sent, usize::from(count % 40))]),
            Step::Writelines(first, second) => {
                let (first, second) = (usize::from(first % 20), usize::from(second % 20));
                let pieces = [numbered(sent, first), numbered(sent + first, second)];
                sent += write(&[&pieces[0], &[], &pieces[1]]);
            }
            Step::WriteOwned(count) => {
                let bytes = numbered(sent, usize::from(count % 40));
                let count = bytes.len();
                sent += took(count, seen.call(|| transport.write_owned(bytes)).ok());
            }
            Step::WritelinesOwned(first, second) => {
                let (first, second) = (usize::from(first % 20), usize::from(second % 20));
                let pieces = vec![numbered(sent, first), vec![], numbered(sent + first, second)];
                let flow = seen.call(|| transport.writelines_owned(pieces)).ok();
                sent += took(first + second, flow);
            }
            Step::WriteEof => {
                let _ = seen.call(|| transport.write_eof());
            }
            Step::Pause => {
                seen.call(|| transport.pause_reading());
                seen.reading_paused.set(!transport.is_closing() && !transport.is_reading());
            }
            Step::Resume => {
                seen.reading_paused.set(false);
                seen.call(|| transport.resume_reading());
            }
            Step::Limits(high) => {
                let limits = WriteBufferLimits::of_high((*high).into());
                seen.call(|| transport.set_write_buffer_limits(limits));
            }
            Step::Close => {
                closed = true;
                seen.call(|| transport.close());
            }
            Step::Abort => {
                rough = true;
                seen.call(|| transport.abort());
            }
            Step::SetProtocol { buffered } if !transport.is_lost() => {
                seen.writing_paused.set(false);
                seen.call(|| match buffered {
                    false => transport.set_protocol(Judge(seen.clone())),
                    true => transport.set_buffered_protocol(BufferedJudge(seen.clone(), [0; 4])),
                });
            }
            Step::SetProtocol { .. } => {}
            Step::FailNext => {
                rough = true;
                seen.fails.set(true);
            }
            Step::PeerWrites(count) => peer.iter_mut().for_each(|peer| peer.write(*count)),
            Step::PeerReads(count) => peer.iter_mut().for_each(|peer| peer.read(*count)),
            Step::PeerEnds => peer.iter_mut().for_each(Peer::end),
            Step::PeerGoes => {
                rough = true;
                peer = None;
            }
            Step::Reset => {
                rough = true;
                wire.break_off();
            }
            Step::Rates { short, interrupted, would_block, stall, lie } => {
                // Never always: it would be a wire on which nothing goes.
                let [short, interrupted, would_block, stall, lie] =
                    [short, interrupted, would_block, stall, lie].map(|rate| rate / 2);
                let rates = FaultRates { short, interrupted, would_block, stall, lie, reset: 0 };
                wire.set_rates(rates);
            }
            Step::Tick => wire.tick(),
            Step::Turn => turn(),
        }
    }
    // The faults are over. Who still reads does so to the end, then it is closed.
    wire.set_rates(FaultRates::NONE);
    let end = |closes: bool, peer: &mut Option<Peer>| {
        seen.reading_paused.set(false);
        seen.call(|| transport.resume_reading());
        if closes {
            seen.call(|| transport.close());
        }
        // Until nothing moves any more, for longer than anything is under way.
        let (mut quiet, mut rounds) = (0, 0);
        while quiet < 8 && rounds < 4000 {
            peer.iter_mut().for_each(|peer| peer.read(255));
            wire.tick();
            turn();
            let ways = wire.on_their_way(WireSide::Near) + wire.on_their_way(WireSide::Far);
            quiet = if ways + transport.get_write_buffer_size() == 0 { quiet + 1 } else { 0 };
            rounds += 1;
        }
    };
    end(false, &mut peer);
    let whole = !rough && !closed && peer.as_ref().is_some_and(|peer| !peer.ended);
    if let (true, Some(peer)) = (whole, &peer) {
        assert_eq!((peer.got, seen.received_count.get()), (sent, peer.sent), "lost: {program:?}");
        assert_eq!((seen.lost.get(), transport.get_write_buffer_size()), (0, 0), "{program:?}");
    }
    end(true, &mut peer);
    assert_eq!((seen.made.get(), seen.lost.get()), (1, 1), "{program:?}");
    assert!(transport.is_lost(), "{program:?}");
    if let (false, Some(peer)) = (rough, &peer) {
        assert!(peer.got == sent && peer.at_end, "not all was sent before the end: {program:?}");
    }
    assert_eq!(wire.closed(WireSide::Near), 1, "its source is open: {program:?}");
    assert!(wire.interest(WireSide::Near).is_none(), "a registration is left: {program:?}");
    let mut tasks = 0;
    event_loop.for_each_task(|_| tasks += 1);
    assert_eq!(tasks, 0, "a task is left: {program:?}");
    assert_eq!(Rc::strong_count(&seen), 1, "a protocol is left: {program:?}");
}

/// The other side.
struct Peer {
    end: WireEnd<Rc<Wire>, 16>,
    sent: usize,
    got: usize,
    ended: bool,
    at_end: bool,
}

impl Peer {
    fn write(&mut self, count: u8) {
        let bytes = numbered(self.sent, usize::from(count % 40));
        if !self.ended {
            self.sent += self.end.try_write(&bytes).unwrap_or(0);
        }
    }

    fn read(&mut self, count: u8) {
        let mut buffer = vec![0; usize::from(count % 40) + 1];
        if let Ok(count) = self.end.try_read(&mut buffer) {
            self.at_end |= count == 0;
            assert_eq!(buffer[..count], numbered(self.got, count), "sent twice, late or never");
            self.got += count;
        }
    }

    fn end(&mut self) {
        self.ended = true;
        let _ = self.end.shutdown();
    }
}
