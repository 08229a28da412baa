//! The machine against a record of what a protocol may see, under any order
//! of calls and any behaviour of a source.

extern crate std;
use super::*;
use proptest::prelude::*;
use std::vec::Vec;

/// What users do to a transport, and what the source does in the next turn.
#[derive(Clone, Copy, Debug)]
enum Op {
    Write { size: usize, taken: usize },
    WriteEof,
    Close,
    Abort,
    PauseReading,
    ResumeReading,
    Limits { low: usize, high: usize },
    Turn { read: Read, written: usize, keep_open: bool },
}

#[derive(Clone, Copy, Debug)]
enum Read {
    WouldBlock,
    Data,
    End,
    Fails,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let read = prop_oneof![
        4 => Just(Read::WouldBlock),
        4 => Just(Read::Data),
        1 => Just(Read::End),
        1 => Just(Read::Fails),
    ];
    let op = prop_oneof![
        6 => (0..40usize, 0..40usize).prop_map(|(size, taken)| Op::Write { size, taken: taken.min(size) }),
        1 => Just(Op::WriteEof),
        1 => Just(Op::Close),
        1 => Just(Op::Abort),
        2 => Just(Op::PauseReading),
        2 => Just(Op::ResumeReading),
        1 => (0..20usize, 0..20usize).prop_map(|(low, more)| Op::Limits { low, high: low + more }),
        8 => (read, 0..60usize, any::<bool>())
            .prop_map(|(read, written, keep_open)| Op::Turn { read, written, keep_open }),
    ];
    proptest::collection::vec(op, 1..60)
}

/// What is known from outside, kept in the most naive way.
struct Model {
    machine: Machine,
    pending: usize,
    seen: Vec<Action>,
    limits: WriteBufferLimits,
    paused: bool,
    reading_paused: bool,
    end_read: bool,
    eof_asked: bool,
    closed: bool,
    /// The turn in which the end was decided.
    ended_in: Option<usize>,
    turn: usize,
}

impl Model {
    fn new() -> Model {
        let limits = WriteBufferLimits::of_high(16);
        Model {
            machine: Machine::new(limits),
            pending: 0,
            seen: Vec::new(),
            limits,
            paused: false,
            reading_paused: false,
            end_read: false,
            eof_asked: false,
            closed: false,
            ended_in: None,
            turn: 0,
        }
    }

    fn end(&mut self) {
        if self.machine.end() {
            assert!(self.ended_in.is_none(), "the end was decided twice");
            self.pending = 0;
            self.ended_in = Some(self.turn);
            self.closed = true;
        }
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Write { size, taken } => {
                let verdict = self.machine.write();
                assert_eq!(verdict == Verdict::AfterEof, self.eof_asked);
                if !self.eof_asked {
                    assert_eq!(verdict == Verdict::Take, !self.closed);
                }
                if verdict == Verdict::Take {
                    self.pending += if self.pending == 0 { size - taken } else { size };
                    self.paused |= self.pending > self.limits.high();
                    self.machine.grown(self.pending);
                }
            }
            Op::WriteEof => {
                let first = !self.closed && !self.eof_asked;
                assert_eq!(self.machine.write_eof(), first);
                self.eof_asked |= first;
            }
            Op::Close => {
                assert_eq!(self.machine.close(self.pending), !self.closed);
                if !self.closed && self.pending == 0 {
                    self.ended_in = Some(self.turn);
                }
                self.closed = true;
            }
            Op::Abort => self.end(),
            Op::PauseReading => {
                self.machine.pause_reading();
                self.reading_paused |= !self.closed;
            }
            Op::ResumeReading => {
                self.machine.resume_reading();
                self.reading_paused &= self.closed;
            }
            Op::Limits { low, high } => {
                let Ok(limits) = WriteBufferLimits::new(low, high) else { return };
                self.limits = limits;
                self.paused |= self.pending > high;
                self.machine.set_limits(limits, self.pending);
            }
            Op::Turn { read, written, keep_open } => self.turn(read, written, keep_open),
        }
        assert_eq!(self.machine.is_writing_paused(), self.paused);
        assert_eq!(self.machine.is_closing(), self.closed);
        assert_eq!(
            self.machine.is_reading(),
            !self.closed && !self.reading_paused && !self.end_read
        );
    }

    fn turn(&mut self, read: Read, written: usize, keep_open: bool) {
        self.turn += 1;
        self.machine.begin_turn();
        let (mut reads, mut flushes) = (0, 0);
        loop {
            let action = self.machine.next(self.pending);
            let told = matches!(action, Action::Flow(_) | Action::ConnectionMade);
            if self.closed && self.pending == 0 && self.ended_in.is_none() && !told {
                self.ended_in = Some(self.turn);
            }
            match action {
                Action::Rest => break,
                Action::Flush => {
                    flushes += 1;
                    assert!(self.pending > 0 && self.ended_in.is_none());
                    self.pending -= written.min(self.pending);
                    self.paused &= self.pending > self.limits.low();
                    self.machine.shrunk(self.pending);
                    self.machine.flushed();
                }
                Action::Read => {
                    reads += 1;
                    assert!(!self.closed && !self.reading_paused && !self.end_read);
                    self.machine.read();
                    match read {
                        Read::WouldBlock | Read::Data => {}
                        Read::End => {
                            self.machine.read_end();
                            self.end_read = true;
                        }
                        Read::Fails => self.end(),
                    }
                }
                Action::EofReceived => {
                    assert!(self.end_read && !self.closed);
                    self.seen.push(action);
                    if !keep_open {
                        self.apply(Op::Close);
                    }
                }
                Action::Shutdown => {
                    assert!(self.eof_asked && self.pending == 0 && !self.closed);
                    self.seen.push(action);
                }
                Action::Flow(change) => {
                    assert_eq!(change == FlowChange::Pause, self.paused);
                    assert!(self.ended_in.is_none(), "told of flow control after the end");
                    self.seen.push(action);
                }
                Action::ConnectionLost => {
                    assert!(self.ended_in.is_some_and(|turn| turn < self.turn), "not queued");
                    self.seen.push(action);
                }
                Action::ConnectionMade => self.seen.push(action),
            }
        }
        assert!(reads <= 1 && flushes <= 1, "a turn that does too much");
        let rest = self.machine.rest(self.pending, Ready::NONE);
        match rest {
            Rest::Gone => assert_eq!(self.seen.last(), Some(&Action::ConnectionLost)),
            Rest::Again => assert!(self.ended_in.is_some()),
            Rest::Wait(interest) => {
                assert_eq!(interest.contains(Interest::WRITABLE), self.pending > 0);
                assert_eq!(interest.contains(Interest::READABLE), self.machine.is_reading());
                if self.closed {
                    assert!(self.pending > 0, "closing, but nothing is waited for");
                }
            }
        }
    }

    /// What holds of the whole record.
    fn check(&self) {
        let count = |wanted: Action| self.seen.iter().filter(|seen| **seen == wanted).count();
        if let Some(first) = self.seen.first() {
            assert_eq!(*first, Action::ConnectionMade);
            assert_eq!(count(Action::ConnectionMade), 1);
        }
        assert!(count(Action::EofReceived) <= 1, "the end was told twice");
        assert!(count(Action::Shutdown) <= 1, "shut down twice");
        let lost = count(Action::ConnectionLost);
        assert!(lost <= 1, "lost twice");
        if lost == 1 {
            assert_eq!(self.seen.last(), Some(&Action::ConnectionLost), "called after the end");
        }
        let flow = self.seen.iter().filter(|seen| matches!(seen, Action::Flow(_)));
        for (index, seen) in flow.enumerate() {
            let expected = if index % 2 == 0 { FlowChange::Pause } else { FlowChange::Resume };
            assert_eq!(*seen, Action::Flow(expected), "pause and resume do not alternate");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_protocol_sees_a_life_in_order(ops in ops()) {
        let mut model = Model::new();
        for op in ops {
            model.apply(op);
            model.check();
        }
        // Whatever happened: closed and written out, it is lost in three turns.
        model.apply(Op::Close);
        for _ in 0..3 {
            model.apply(Op::Turn { read: Read::WouldBlock, written: usize::MAX, keep_open: false });
        }
        model.check();
        prop_assert_eq!(model.seen.last(), Some(&Action::ConnectionLost));
    }
}

#[test]
fn the_fifth_dropped_write_warns() {
    let mut machine = Machine::new(WriteBufferLimits::DEFAULT);
    assert!(machine.end());
    for _ in 0..4 {
        assert_eq!(machine.write(), Verdict::Drop);
    }
    assert_eq!(machine.write(), Verdict::DropAndWarn);
    assert_eq!(machine.write(), Verdict::Drop);
}

/// While a file is sent nobody writes, and every orderly end waits.
#[cfg(feature = "std")]
#[test]
fn a_held_machine_ends_when_it_is_released() {
    let begin = || {
        let mut machine = Machine::new(WriteBufferLimits::DEFAULT);
        machine.begin_turn();
        assert_eq!(machine.next(0), Action::ConnectionMade);
        assert_eq!(machine.hold(), Verdict::Take);
        assert_eq!((machine.hold(), machine.write()), (Verdict::Held, Verdict::Held));
        machine
    };
    let actions = |machine: &mut Machine| {
        let mut actions = Vec::new();
        for _turn in 0..2 {
            machine.begin_turn();
            machine.read();
            while !matches!(machine.next(0), Action::Rest) {
                actions.push(machine.phase());
            }
            machine.end_turn();
        }
        actions
    };
    let mut closed = begin();
    assert!(closed.close(0));
    assert_eq!((closed.phase(), actions(&mut closed)), (Phase::Closing, Vec::new()));
    assert_eq!(closed.interest(0), Interest::NONE, "nothing can come of an event");
    assert!(closed.release());
    assert_eq!(actions(&mut closed), [Phase::Lost]);

    let mut shut = begin();
    assert!(shut.write_eof() && !shut.take_shutdown(0));
    assert!(shut.release() && shut.take_shutdown(0));
    assert_eq!(shut.hold(), Verdict::AfterEof);

    let mut aborted = begin();
    assert!(aborted.end());
    assert_eq!(actions(&mut aborted), [Phase::Lost]);
    assert_eq!(aborted.hold(), Verdict::Drop);
}
