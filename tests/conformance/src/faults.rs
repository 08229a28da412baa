//! The whole transport layer over wires that misbehave at random: short reads
//! and writes, interrupts, events that lied or came late, ends, resets and
//! refusals at any moment, by many seeds. Whatever happens,
//!
//! * bytes arrive once and in order, and all of them where nobody broke off;
//! * `connection_made` is first, `connection_lost` last, each once;
//! * pausing and resuming alternate, and who paused reading is given nothing;
//! * nothing is called from inside a call of the transport;
//! * no task, no timer, no source and no registration is left.
//!
//! A failure names its seed; the same seed fails again, on every platform.

use crate::case::{Case, Failure, Outcome};
use crate::dropping_all::look_round;
use crate::wire::batches;
use core::cell::Cell;
use molen::EventLoop;
use molen::io::source::{ByteSource, read, write_all};
use molen::net::{
    AfterEof, Answer, BufferedProtocol, ConnectionError, Flow, Protocol, ProtocolError, PullReader,
    ReadError, Transport, WriteBufferLimits,
};
use molen::testing::{Chance, FaultRates, FaultWire, Told, WireEnd, WireSide, static_ref};
use molen::{create_task, yield_now};

cases_where! {
    any(not(any(target_os = "none", target_os = "wasi")), feature = "alloc"),
    "streams, servers and datagram endpoints need a heap",
    on_heap {
        2053 streams_at_both_ends_of_a_faulty_wire_hear_what_is_said
        2054 streams_learn_of_a_reset_at_any_moment
        2055 a_server_serves_all_who_come_whatever_accepting_says
        2056 messages_over_a_faulty_wire_arrive_once_or_are_refused
        2057 protocols_that_take_over_lose_nothing
        2058 a_protocol_that_fails_anywhere_loses_its_connection_once
        2059 a_loop_that_closes_at_any_moment_leaves_nothing
    };
    case!(2050, a_connection_keeps_its_promises_over_a_faulty_wire),
    case!(2051, a_buffered_connection_keeps_its_promises_over_a_faulty_wire),
    case!(2052, lines_arrive_whole_over_a_faulty_wire),
}

/// How many runs; fewer where instructions are emulated.
const SEEDS: u64 = if cfg!(target_os = "none") { 24 } else { 400 };

/// The wire of most cases.
type Wire = FaultWire<24>;
type End = WireEnd<&'static Wire, 24>;

/// The byte number `index` that goes from the near end to the far one.
fn outgoing(index: usize) -> u8 {
    (index * 7 + 3) as u8
}

/// The byte number `index` that goes from the far end to the near one.
fn incoming(index: usize) -> u8 {
    (index * 5 + 1) as u8
}

/// What the user of a transport does beside what all do.
type Extra = fn(&Transport, &'static Record, &Chance);

/// How a protocol fails where it may.
fn in_words() -> Answer {
    Err(ProtocolError::new("boom"))
}

/// What a protocol saw, and what was wrong with it.
struct Record {
    made: Cell<u32>,
    lost: Cell<u32>,
    failed: Cell<bool>,
    eof: Cell<u32>,
    received: Cell<usize>,
    writing_paused: Cell<bool>,
    reading_paused: Cell<bool>,
    /// A call of the transport is running.
    in_call: Cell<bool>,
    /// What the protocol does at the other side's end.
    keeps_open: Cell<bool>,
    /// What more its user may do.
    extra: Cell<Option<Extra>>,
    /// Which of its calls fails, and how: the first one is 1.
    fails_at: Cell<u32>,
    fails: Cell<fn() -> Answer>,
    wrong: Cell<Option<&'static str>>,
}

impl Record {
    const fn new() -> Record {
        Record {
            made: Cell::new(0),
            lost: Cell::new(0),
            failed: Cell::new(false),
            eof: Cell::new(0),
            received: Cell::new(0),
            writing_paused: Cell::new(false),
            reading_paused: Cell::new(false),
            in_call: Cell::new(false),
            keeps_open: Cell::new(false),
            extra: Cell::new(None),
            fails_at: Cell::new(0),
            fails: Cell::new(in_words),
            wrong: Cell::new(None),
        }
    }

    fn reset(&self) {
        for count in [&self.made, &self.lost, &self.eof] {
            count.set(0);
        }
        let flags = [&self.failed, &self.writing_paused, &self.reading_paused, &self.in_call];
        flags.into_iter().chain([&self.keeps_open]).for_each(|flag| flag.set(false));
        self.received.set(0);
        self.fails_at.set(0);
        self.wrong.set(None);
    }

    /// The first thing that is wrong is what is told.
    fn require(&self, holds: bool, otherwise: &'static str) {
        if !holds && self.wrong.get().is_none() {
            self.wrong.set(Some(otherwise));
        }
    }

    /// How a call of the protocol ends.
    fn answer(&self) -> Answer {
        let left = self.fails_at.get();
        self.fails_at.set(left.saturating_sub(1));
        if left == 1 { (self.fails.get())() } else { Ok(()) }
    }

    /// What is so at each call of the protocol.
    fn called(&self) {
        self.require(self.made.get() == 1, "it was not made first, or was made twice");
        self.require(self.lost.get() == 0, "it was called after the end");
        self.require(!self.in_call.get(), "it was called from inside a call of the transport");
    }

    fn made(&self) {
        self.made.set(self.made.get() + 1);
        self.called();
    }

    fn received(&self, data: &[u8]) {
        self.called();
        self.require(!data.is_empty(), "it was given nothing");
        self.require(!self.reading_paused.get(), "it was given something while paused");
        self.require(self.eof.get() == 0, "something came after the end");
        for byte in data {
            let index = self.received.replace(self.received.get() + 1);
            self.require(*byte == incoming(index), "a byte came twice, late or never");
        }
    }

    fn ended(&self) -> AfterEof {
        self.called();
        self.eof.set(self.eof.get() + 1);
        self.require(self.eof.get() == 1, "the end came twice");
        self.require(!self.reading_paused.get(), "the end came while paused");
        if self.keeps_open.get() { AfterEof::KeepOpen } else { AfterEof::Close }
    }

    fn flow(&self, paused: bool) {
        self.called();
        let was = self.writing_paused.replace(paused);
        self.require(was != paused, "pausing and resuming do not alternate");
    }

    fn lost(&self, error: Option<&ConnectionError>) {
        self.called();
        self.lost.set(self.lost.get() + 1);
        self.failed.set(error.is_some());
    }

    /// Does `call`, from which no protocol is called.
    fn call<R>(&self, call: impl FnOnce() -> R) -> R {
        self.in_call.set(true);
        let result = call();
        self.in_call.set(false);
        result
    }

    /// Fails with what was wrong, and the seed.
    fn judge(&self, seed: u64) -> Outcome {
        match self.wrong.get() {
            None => Ok(()),
            Some(wrong) => Err(Failure::shown(&format_args!("seed {seed}: {wrong}"))),
        }
    }
}

impl Default for Record {
    fn default() -> Record {
        Record::new()
    }
}

/// A protocol that keeps a record.
struct Judge(&'static Record);

impl Protocol for Judge {
    fn connection_made(&mut self, _transport: &Transport) -> Answer {
        self.0.made();
        self.0.answer()
    }

    fn data_received(&mut self, _transport: &Transport, data: &[u8]) -> Answer {
        self.0.received(data);
        self.0.answer()
    }

    fn eof_received(&mut self, _transport: &Transport) -> Answer<AfterEof> {
        let after = self.0.ended();
        self.0.answer().map(|()| after)
    }

    fn pause_writing(&mut self, _transport: &Transport) -> Answer {
        self.0.flow(true);
        self.0.answer()
    }

    fn resume_writing(&mut self, _transport: &Transport) -> Answer {
        self.0.flow(false);
        self.0.answer()
    }

    fn connection_lost(
        &mut self,
        _transport: &Transport,
        error: Option<&ConnectionError>,
    ) -> Answer {
        self.0.lost(error);
        self.0.answer()
    }
}

/// The same with a buffer of its own.
struct BufferedJudge(&'static Record, [u8; 5]);

impl BufferedProtocol for BufferedJudge {
    fn connection_made(&mut self, _transport: &Transport) -> Answer {
        self.0.made();
        self.0.answer()
    }

    fn get_buffer(&mut self) -> &mut [u8] {
        &mut self.1
    }

    fn buffer_updated(&mut self, _transport: &Transport, count: usize) -> Answer {
        self.0.received(&self.1[..count]);
        self.0.answer()
    }

    fn eof_received(&mut self, _transport: &Transport) -> Answer<AfterEof> {
        let after = self.0.ended();
        self.0.answer().map(|()| after)
    }

    fn pause_writing(&mut self, _transport: &Transport) -> Answer {
        self.0.flow(true);
        self.0.answer()
    }

    fn resume_writing(&mut self, _transport: &Transport) -> Answer {
        self.0.flow(false);
        self.0.answer()
    }

    fn connection_lost(
        &mut self,
        _transport: &Transport,
        error: Option<&ConnectionError>,
    ) -> Answer {
        self.0.lost(error);
        self.0.answer()
    }
}

/// Connects the near end with a protocol that keeps `record`.
type Connect = fn(&EventLoop, End, &'static Record) -> Result<Transport, Failure>;

#[cfg(not(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc"))))]
mod link {
    use super::*;

    pub(super) fn streamed(
        event_loop: &EventLoop,
        end: End,
        record: &'static Record,
    ) -> Result<Transport, Failure> {
        Ok(Transport::new(event_loop, end, Judge(record))?)
    }

    pub(super) fn buffered(
        event_loop: &EventLoop,
        end: End,
        record: &'static Record,
    ) -> Result<Transport, Failure> {
        Ok(Transport::new_buffered(event_loop, end, BufferedJudge(record, [0; 5]))?)
    }
}

/// The connections, where there is no heap: each is driven by a task.
#[cfg(all(any(target_os = "none", target_os = "wasi"), not(feature = "alloc")))]
mod link {
    use super::*;
    use molen::net::{Buffered, Connection, Fixed, Streamed};

    static STREAMED: Connection<End, Streamed<Judge>, Fixed<40, 6>> = Connection::new();
    static BUFFERED: Connection<End, Buffered<BufferedJudge>, Fixed<40, 6>> = Connection::new();

    #[molen::task]
    async fn drive_streamed() {
        STREAMED.drive().await;
    }

    #[molen::task]
    async fn drive_buffered() {
        BUFFERED.drive().await;
    }

    pub(super) fn streamed(
        event_loop: &EventLoop,
        end: End,
        record: &'static Record,
    ) -> Result<Transport, Failure> {
        STREAMED.reset();
        let transport = STREAMED.open(end, Streamed(Judge(record)));
        event_loop.create_task(drive_streamed())?.detach();
        transport.map_err(|_full| Failure::said("the connection is in use"))
    }

    pub(super) fn buffered(
        event_loop: &EventLoop,
        end: End,
        record: &'static Record,
    ) -> Result<Transport, Failure> {
        BUFFERED.reset();
        let transport = BUFFERED.open(end, Buffered(BufferedJudge(record, [0; 5])));
        event_loop.create_task(drive_buffered())?.detach();
        transport.map_err(|_full| Failure::said("the connection is in use"))
    }
}

/// The other side, which writes and reads a little whenever it can.
struct Peer {
    end: End,
    sent: usize,
    got: usize,
    at_end: bool,
}

impl Peer {
    fn write(&mut self, chance: &Chance) {
        let mut bytes = [0; 9];
        let count = chance.below(bytes.len());
        for (offset, byte) in bytes.iter_mut().enumerate() {
            *byte = incoming(self.sent + offset);
        }
        self.sent += self.end.try_write(&bytes[..count]).unwrap_or(0);
    }

    fn read(&mut self, chance: &Chance, record: &Record) {
        let mut bytes = [0; 9];
        let room = 1 + chance.below(bytes.len() - 1);
        if let Ok(count) = self.end.try_read(&mut bytes[..room]) {
            self.at_end |= count == 0;
            for byte in &bytes[..count] {
                record.require(*byte == outgoing(self.got), "a byte went twice, late or never");
                self.got += 1;
            }
        }
    }
}

/// How a run ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ending {
    /// This side closes.
    Close,
    /// This side ends its output, and the other side then ends as well.
    HalfClose,
    /// The other side ends its output; the protocol's answer is to close.
    PeerEnds,
    /// This side aborts.
    Abort,
    /// The connection is reset.
    Reset,
    /// The other side is closed, whatever is on its way to it.
    PeerVanishes,
}

const ENDINGS: [Ending; 6] = [
    Ending::Close,
    Ending::HalfClose,
    Ending::PeerEnds,
    Ending::Abort,
    Ending::Reset,
    Ending::PeerVanishes,
];

/// One thing that the user of a transport may do. Returns how many bytes were taken.
fn use_transport(
    transport: &Transport,
    record: &'static Record,
    chance: &Chance,
    sent: usize,
) -> usize {
    let mut bytes = [0; 12];
    let count = chance.below(bytes.len());
    for (offset, byte) in bytes.iter_mut().enumerate() {
        *byte = outgoing(sent + offset);
    }
    let bytes = &bytes[..count];
    let flow = match chance.below(8) {
        0..=1 => record.call(|| transport.write(bytes)),
        2 => {
            let (first, rest) = bytes.split_at(count / 2);
            record.call(|| transport.writelines(&[first, &[], rest]))
        }
        3 => {
            record.call(|| transport.pause_reading());
            record.reading_paused.set(!transport.is_closing());
            return 0;
        }
        4 => {
            record.reading_paused.set(false);
            record.call(|| transport.resume_reading());
            return 0;
        }
        5 => {
            let limits = WriteBufferLimits::of_high(chance.below(30));
            record.call(|| transport.set_write_buffer_limits(limits));
            return 0;
        }
        _ => {
            if let Some(extra) = record.extra.get() {
                extra(transport, record, chance);
            }
            return 0;
        }
    };
    // Refused where the buffer has a fixed size: then nothing of it was taken.
    if matches!(flow, Ok(Flow::Open | Flow::Paused)) { count } else { 0 }
}

/// One life of a connection, by `seed`.
async fn live(
    event_loop: &EventLoop,
    wire: &'static Wire,
    record: &'static Record,
    connect: Connect,
    seed: u64,
    fails_at: u32,
) -> Outcome {
    let chance = Chance::new(!seed);
    let ending = ENDINGS[chance.below(ENDINGS.len())];
    let resets = u8::from(ending == Ending::Reset && chance.happens(128));
    wire.reset(seed, FaultRates { reset: resets, ..FaultRates::STORM });
    record.reset();
    record.fails_at.set(fails_at);
    record.keeps_open.set(ending == Ending::HalfClose);
    let told = if seed.is_multiple_of(2) { Told::ByEvents } else { Told::ByWaiting };
    let transport = connect(event_loop, FaultWire::end(wire, WireSide::Near, told), record)?;
    let end = FaultWire::end(wire, WireSide::Far, Told::ByWaiting);
    let mut peer = Some(Peer { end, sent: 0, got: 0, at_end: false });
    let mut sent = 0;
    for _ in 0..chance.below(80) {
        sent += use_transport(&transport, record, &chance, sent);
        if let Some(peer) = &mut peer {
            peer.write(&chance);
            peer.read(&chance, record);
        }
        wire.tick();
        let was_paused = transport.is_writing_paused();
        yield_now().await;
        let pauses = transport.is_writing_paused() && !was_paused;
        record.require(!pauses, "writing is paused though nothing was written");
    }
    record.reading_paused.set(false);
    record.call(|| transport.resume_reading());
    record.require(
        record.lost.get() == 0 || wire.is_reset() || fails_at > 0,
        "the connection was lost for no reason",
    );
    match ending {
        Ending::Close => record.call(|| transport.close()),
        Ending::HalfClose => record.call(|| transport.write_eof())?,
        Ending::Abort => record.call(|| transport.abort()),
        Ending::PeerEnds => {}
        Ending::Reset => wire.break_off(),
        Ending::PeerVanishes => {}
    }
    let mut peer_ended = false;
    let vanished = peer.take_if(|_peer| ending == Ending::PeerVanishes);
    let peer_sent = vanished.as_ref().or(peer.as_ref()).map_or(0, |peer| peer.sent);
    drop(vanished);
    // The faults go on for a while, and then nothing is in the way any more.
    for round in 0..120 {
        if round == 60 {
            wire.set_rates(FaultRates::NONE);
        }
        if let Some(peer) = &mut peer {
            peer.read(&chance, record);
            let ends = ending == Ending::PeerEnds || (ending == Ending::HalfClose && peer.at_end);
            if ends && !core::mem::replace(&mut peer_ended, true) {
                peer.end.shutdown()?;
            }
        }
        if ending == Ending::HalfClose && record.eof.get() == 1 {
            record.call(|| transport.close());
        }
        wire.tick();
        yield_now().await;
    }
    record.require(record.made.get() == 1, "it was never made");
    record.require(record.lost.get() == 1 && transport.is_lost(), "it is not lost");
    let (got, at_end) = peer.as_ref().map_or((0, true), |peer| (peer.got, peer.at_end));
    record.require(got <= sent && record.received.get() <= peer_sent, "more came than was sent");
    // What fails ends early.
    let fails = fails_at > 0 && record.fails_at.get() == 0;
    if !fails {
        check_ending(ending, record, got == sent && at_end, record.received.get() == peer_sent);
    }
    drop(peer);
    check_nothing_is_left(wire, record);
    record.judge(seed)?;
    look_round()
}

/// What is so at an end of this kind, if everything arrived at the other side,
/// and here.
fn check_ending(ending: Ending, record: &Record, arrived: bool, received: bool) {
    if matches!(ending, Ending::Close | Ending::HalfClose | Ending::PeerEnds) {
        record.require(arrived, "not all arrived before the end");
        record.require(!record.failed.get(), "it failed");
        record.require(!record.writing_paused.get(), "it was left paused though all was written");
    }
    if matches!(ending, Ending::HalfClose | Ending::PeerEnds) {
        record.require(received, "not all was received before the end");
        record.require(record.eof.get() == 1, "the end was not told");
    }
    if ending == Ending::Reset {
        record.require(record.failed.get(), "a reset is no failure");
    }
}

fn check_nothing_is_left(wire: &Wire, record: &Record) {
    for side in [WireSide::Near, WireSide::Far] {
        record.require(wire.closed(side) == 1, "a source was not closed once");
        record.require(wire.interest(side).is_none(), "a registration is left");
    }
}

fn all_lives(event_loop: &molen::testing::TestLoop, connect: Connect) -> Outcome {
    let wire = static_ref!(Wire = FaultWire::new());
    let record = static_ref!(Record = Record::new());
    event_loop.run_until_complete(async {
        for seed in 0..SEEDS {
            live(event_loop, wire, record, connect, seed, 0).await?;
        }
        Ok(())
    })?
}

fn a_connection_keeps_its_promises_over_a_faulty_wire() -> Outcome {
    all_lives(&new_loop!(), link::streamed)
}

fn a_buffered_connection_keeps_its_promises_over_a_faulty_wire() -> Outcome {
    all_lives(&new_loop!(), link::buffered)
}

/// Writes `count` lines, each a letter more, through a faulty wire, and ends.
#[molen::task]
async fn say_lines(wire: &'static Wire, count: usize) {
    let end = FaultWire::end(wire, WireSide::Far, Told::ByWaiting);
    let line = b"abcdefghij";
    for number in 0..count {
        let length = number % (line.len() + 1);
        if write_all(&end, &line[..length]).await.is_err() || write_all(&end, b"\n").await.is_err()
        {
            return;
        }
    }
    // Waits until the other side has gone.
    let _ = end.shutdown();
    let _ = read(&end, &mut [0; 1]).await;
}

/// Ticks until it is dropped.
#[molen::task]
async fn tick(wire: &'static Wire) {
    loop {
        wire.tick();
        yield_now().await;
    }
}

fn lines_arrive_whole_over_a_faulty_wire() -> Outcome {
    let event_loop = new_loop!();
    let wire = static_ref!(Wire = FaultWire::new());
    event_loop.run_until_complete(async {
        for seed in 0..SEEDS / 4 {
            let resets = u8::from(seed % 4 == 3);
            wire.reset(seed, FaultRates { reset: resets, ..FaultRates::STORM });
            let count = 1 + (seed % 30) as usize;
            let says = create_task(say_lines(wire, count))?;
            let ticks = create_task(tick(wire))?;
            let end = FaultWire::end(wire, WireSide::Near, Told::ByWaiting);
            let mut room = [0; 12];
            let mut lines = PullReader::new(&end, &mut room);
            let mut number = 0;
            let ended = loop {
                match lines.readline().await {
                    Ok(b"") => break true,
                    Ok(line) => {
                        let expected = &b"abcdefghij"[..number % 11];
                        let whole = line.strip_suffix(b"\n") == Some(expected);
                        check!(whole, "a line is torn, or came twice, late or never");
                        number += 1;
                    }
                    Err(ReadError::Lost(_)) => break false,
                    Err(error) => return Err(Failure::shown(&error)),
                }
            };
            check!(ended || wire.is_reset(), "a line was lost for no reason");
            check!(!ended || number == count, "the end came before the last line");
            drop(end);
            says.await?;
            ticks.cancel();
            batches(3).await;
            drop(ticks);
            check_eq!((wire.closed(WireSide::Near), wire.closed(WireSide::Far)), (1, 1));
            check!(wire.interest(WireSide::Near).is_none(), "a registration is left");
            look_round()?;
        }
        Ok(())
    })?
}
