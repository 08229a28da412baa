//! A connection from its beginning to its end, used and broken off at random.

use super::judges::Connect;
use super::record::{Record, incoming, outgoing};
use crate::case::Outcome;
use crate::dropping_all::look_round;
use molen::io::source::ByteSource;
use molen::net::{Flow, Transport, WriteBufferLimits};
use molen::testing::{Chance, FaultRates, FaultWire, Told, WireEnd, WireSide, static_ref};
use molen::{EventLoop, yield_now};

/// How many runs; fewer where instructions are emulated.
pub(super) const SEEDS: u64 = if cfg!(target_os = "none") { 24 } else { 400 };

/// The wire of most cases.
pub(super) type Wire = FaultWire<24>;

pub(super) type End = WireEnd<&'static Wire, 24>;

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

/// By events or by waiting, as the seed says.
pub(super) fn told(seed: u64) -> Told {
    if seed.is_multiple_of(2) { Told::ByEvents } else { Told::ByWaiting }
}

/// One life of a connection, by `seed`.
pub(super) async fn live(
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
    let near = FaultWire::end(wire, WireSide::Near, told(seed));
    let transport = connect(event_loop, near, record)?;
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

pub(super) fn check_nothing_is_left(wire: &Wire, record: &Record) {
    for side in [WireSide::Near, WireSide::Far] {
        record.require(wire.closed(side) == 1, "a source was not closed once");
        record.require(wire.interest(side).is_none(), "a registration is left");
    }
}

pub(super) fn all_lives(event_loop: &molen::testing::TestLoop, connect: Connect) -> Outcome {
    let wire = static_ref!(Wire = FaultWire::new());
    let record = static_ref!(Record = Record::new());
    event_loop.run_until_complete(async {
        for seed in 0..SEEDS {
            live(event_loop, wire, record, connect, seed, 0).await?;
        }
        Ok(())
    })?
}
