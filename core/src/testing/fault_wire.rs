//! Two connected sources that misbehave at random, by a seed.

use super::Told;
use super::chance::Chance;
use crate::io::source::{ByteSource, DatagramSource, Source, SourceError};
use crate::io::{Interest, Ready, Registration};
use core::cell::Cell;
use core::ops::Deref;
use core::task::{Context, Poll};

/// How often a [`FaultWire`] misbehaves: so many times in 256.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FaultRates {
    /// A read or write moves only a part of what it could.
    pub short: u8,
    /// A signal comes first.
    pub interrupted: u8,
    /// Nothing is there or goes, though an event had told so.
    pub would_block: u8,
    /// An event is late: it is told by the next [`tick`](FaultWire::tick) at the soonest.
    pub stall: u8,
    /// An event is told of a direction in which nothing goes.
    pub lie: u8,
    /// The connection is reset, in both directions, and what was on its way is
    /// lost. Where messages are sent: this one is refused, and the next may go.
    pub reset: u8,
}

impl FaultRates {
    /// A wire that does what it should.
    pub const NONE: FaultRates =
        FaultRates { short: 0, interrupted: 0, would_block: 0, stall: 0, lie: 0, reset: 0 };

    /// Everything but resets happens all the time.
    pub const STORM: FaultRates =
        FaultRates { short: 128, interrupted: 64, would_block: 64, stall: 96, lie: 32, reset: 0 };
}

/// Two connected ends, between which `N` bytes have room in each direction.
///
/// What a [`FaultSource`](super::FaultSource) does by a script this does by
/// chance, and it is a whole connection: what is written at one end is read at
/// the other, so a test can ask for exactly that, whatever happened on the way.
/// Nothing becomes ready by itself: [`tick`](Self::tick) is the selector.
///
/// ```text
///  near ── try_write ──▶ N bytes ── try_read ──▶ far
///       ◀── try_read ─── N bytes ◀── try_write ──
///  tick: whoever waits is told, or not yet, or for nothing
/// ```
///
/// ```ignore
/// let wire = static_ref!(FaultWire<64> = FaultWire::new());
/// wire.reset(seed, FaultRates::STORM);
/// let transport = Transport::new(&event_loop, FaultWire::end(wire, WireSide::Near, Told::ByEvents), protocol)?;
/// let peer = FaultWire::end(wire, WireSide::Far, Told::ByWaiting);
/// ```
pub struct FaultWire<const N: usize> {
    rates: Cell<FaultRates>,
    chance: Chance,
    ends: [EndState<N>; 2],
}

/// One of the two ends of a [`FaultWire`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WireSide {
    /// One of them.
    Near,
    /// The other one.
    Far,
}

impl WireSide {
    /// The other one.
    pub const fn other(self) -> WireSide {
        match self {
            WireSide::Near => WireSide::Far,
            WireSide::Far => WireSide::Near,
        }
    }
}

/// What is known of one end.
struct EndState<const N: usize> {
    registration: Registration,
    /// What can be read here.
    incoming: Ring<N>,
    /// Nothing more comes: the other end is shut down or gone.
    ended: Cell<bool>,
    /// Its user is gone.
    gone: Cell<bool>,
    reset: Cell<bool>,
    shut_down: Cell<u32>,
    dropped: Cell<u32>,
}

impl<const N: usize> EndState<N> {
    const fn new() -> EndState<N> {
        EndState {
            registration: Registration::new(),
            incoming: Ring::new(),
            ended: Cell::new(false),
            gone: Cell::new(false),
            reset: Cell::new(false),
            shut_down: Cell::new(0),
            dropped: Cell::new(0),
        }
    }

    fn let_go(&self) {
        #[cfg(feature = "alloc")]
        self.registration.listen(None);
        self.registration.forget(Ready::BOTH);
    }

    fn make_new(&self) {
        self.let_go();
        self.registration.clear(Ready::BOTH);
        self.incoming.clear();
        for flag in [&self.ended, &self.gone, &self.reset] {
            flag.set(false);
        }
        self.shut_down.set(0);
        self.dropped.set(0);
    }
}

impl<const N: usize> FaultWire<N> {
    /// A wire without faults.
    pub const fn new() -> FaultWire<N> {
        FaultWire {
            rates: Cell::new(FaultRates::NONE),
            chance: Chance::new(0),
            ends: [EndState::new(), EndState::new()],
        }
    }

    /// Makes it as new: for another connection, with the faults of `seed`.
    pub fn reset(&self, seed: u64, rates: FaultRates) {
        self.chance.reset(seed);
        self.rates.set(rates);
        self.ends.iter().for_each(EndState::make_new);
    }

    /// How often it misbehaves from now on.
    pub fn set_rates(&self, rates: FaultRates) {
        self.rates.set(rates);
    }

    /// The end `side` of the wire that `wire` holds, to be owned by a
    /// connection: dropping it closes it.
    pub const fn end<W: Deref<Target = FaultWire<N>>>(
        wire: W,
        side: WireSide,
        told: Told,
    ) -> WireEnd<W, N> {
        WireEnd { wire, side, told }
    }

    fn at(&self, side: WireSide) -> &EndState<N> {
        &self.ends[side as usize]
    }

    /// One look at both ends, as of a selector: tells of what is ready,
    /// unless it stalls, and sometimes of what is not.
    pub fn tick(&self) {
        let rates = self.rates.get();
        for side in [WireSide::Near, WireSide::Far] {
            let (this, other) = (self.at(side), self.at(side.other()));
            let readable = this.reset.get() || this.ended.get() || !this.incoming.is_empty();
            let writable = this.reset.get() || other.gone.get() || other.incoming.free() > 0;
            let mut told = Ready::NONE;
            for (is, direction) in [(readable, Ready::READABLE), (writable, Ready::WRITABLE)] {
                let tells = if is {
                    !self.chance.happens(rates.stall)
                } else {
                    self.chance.happens(rates.lie)
                };
                told = if tells { told.union(direction) } else { told };
            }
            if !told.is_none() {
                this.registration.set_ready(told);
            }
        }
    }

    /// What a selector does when its loop closes: whoever waits or listens is
    /// let go of.
    pub fn close(&self) {
        self.ends.iter().for_each(EndState::let_go);
    }

    /// Resets the connection: what was on its way is lost.
    pub fn break_off(&self) {
        for end in &self.ends {
            end.reset.set(true);
            end.incoming.clear();
        }
    }

    /// Whether it was reset.
    pub fn is_reset(&self) -> bool {
        self.ends[0].reset.get()
    }

    /// How many bytes are on their way to `side`.
    pub fn on_their_way(&self, side: WireSide) -> usize {
        self.at(side).incoming.len()
    }

    /// How often `side` was shut down.
    pub fn shutdowns(&self, side: WireSide) -> u32 {
        self.at(side).shut_down.get()
    }

    /// How many users of `side` are gone.
    pub fn closed(&self, side: WireSide) -> u32 {
        self.at(side).dropped.get()
    }

    /// The directions for which somebody still waits, or is told, at `side`.
    pub fn interest(&self, side: WireSide) -> Interest {
        self.at(side).registration.interest()
    }

    /// A fault before a call, if there is one; it would block in `direction`.
    fn fault(&self, side: WireSide, direction: Ready) -> Result<(), SourceError> {
        let rates = self.rates.get();
        if self.chance.happens(rates.interrupted) {
            return Err(SourceError::Interrupted);
        }
        if self.chance.happens(rates.would_block) {
            return Err(self.would_block(side, direction));
        }
        Ok(())
    }

    fn would_block(&self, side: WireSide, direction: Ready) -> SourceError {
        self.at(side).registration.clear(direction);
        SourceError::WouldBlock
    }

    /// Whether it is reset, which may happen now.
    fn broken(&self) -> Result<(), SourceError> {
        if self.chance.happens(self.rates.get().reset) {
            self.break_off();
        }
        if self.is_reset() { Err(SourceError::ConnectionReset) } else { Ok(()) }
    }

    /// How much of `possible` is moved: some of it.
    fn part(&self, possible: usize) -> usize {
        let short = possible > 1 && self.chance.happens(self.rates.get().short);
        if short { 1 + self.chance.below(possible - 1) } else { possible }
    }

    fn read(&self, side: WireSide, buffer: &mut [u8]) -> Result<usize, SourceError> {
        self.fault(side, Ready::READABLE)?;
        self.broken()?;
        let this = self.at(side);
        let possible = this.incoming.len().min(buffer.len());
        if possible == 0 && !buffer.is_empty() {
            let ended = this.ended.get();
            return if ended { Ok(0) } else { Err(self.would_block(side, Ready::READABLE)) };
        }
        let count = self.part(possible);
        buffer[..count].iter_mut().for_each(|byte| *byte = this.incoming.pop());
        Ok(count)
    }

    fn write(&self, side: WireSide, pieces: &[&[u8]]) -> Result<usize, SourceError> {
        self.fault(side, Ready::WRITABLE)?;
        self.broken()?;
        let other = self.at(side.other());
        if other.gone.get() || other.ended.get() {
            return Err(SourceError::ConnectionReset);
        }
        let offered: usize = pieces.iter().map(|piece| piece.len()).sum();
        let possible = offered.min(other.incoming.free());
        if possible == 0 && offered > 0 {
            return Err(self.would_block(side, Ready::WRITABLE));
        }
        let count = self.part(possible);
        let bytes = pieces.iter().flat_map(|piece| piece.iter());
        bytes.take(count).for_each(|byte| other.incoming.push(*byte));
        Ok(count)
    }
}

impl<const N: usize> Default for FaultWire<N> {
    fn default() -> FaultWire<N> {
        FaultWire::new()
    }
}

/// An end of a [`FaultWire`], as a connection owns it. Dropped, it is closed:
/// the other one reads what is on its way and then the end, and cannot write.
pub struct WireEnd<W: Deref<Target = FaultWire<N>>, const N: usize> {
    wire: W,
    side: WireSide,
    #[cfg_attr(not(feature = "alloc"), allow(dead_code, reason = "there are no listeners"))]
    told: Told,
}

impl<W: Deref<Target = FaultWire<N>>, const N: usize> WireEnd<W, N> {
    fn state(&self) -> &EndState<N> {
        self.wire.at(self.side)
    }
}

impl<W: Deref<Target = FaultWire<N>>, const N: usize> Drop for WireEnd<W, N> {
    fn drop(&mut self) {
        let state = self.state();
        // A listener stays, to be noticed: who listens has to take it back.
        state.registration.forget(Ready::BOTH);
        state.gone.set(true);
        state.dropped.set(state.dropped.get() + 1);
        self.wire.at(self.side.other()).ended.set(true);
    }
}

impl<W: Deref<Target = FaultWire<N>>, const N: usize> Source for WireEnd<W, N> {
    fn poll_ready(&self, cx: &mut Context<'_>, interest: Interest) -> Poll<()> {
        self.state().registration.poll_ready(cx, interest)
    }

    fn known_ready(&self) -> Ready {
        self.state().registration.ready()
    }

    #[cfg(feature = "alloc")]
    fn listen(&self, listener: Option<crate::io::EventListener>) -> bool {
        let listens = self.told == Told::ByEvents;
        if listens {
            self.state().registration.listen(listener);
        }
        listens
    }
}

impl<W: Deref<Target = FaultWire<N>>, const N: usize> ByteSource for WireEnd<W, N> {
    fn try_read(&self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        self.wire.read(self.side, buffer)
    }

    fn try_write(&self, bytes: &[u8]) -> Result<usize, SourceError> {
        self.wire.write(self.side, &[bytes])
    }

    fn try_write_vectored(&self, pieces: &[&[u8]]) -> Result<usize, SourceError> {
        self.wire.write(self.side, pieces)
    }

    fn shutdown(&self) -> Result<(), SourceError> {
        let state = self.state();
        state.shut_down.set(state.shut_down.get() + 1);
        self.wire.at(self.side.other()).ended.set(true);
        Ok(())
    }
}

/// Messages of up to 255 bytes arrive whole, in order, from the sender 1;
/// those that are refused do not.
impl<W: Deref<Target = FaultWire<N>>, const N: usize> DatagramSource for WireEnd<W, N> {
    type Address = u8;

    fn try_recv_from(&self, buffer: &mut [u8]) -> Result<(usize, u8), SourceError> {
        self.wire.fault(self.side, Ready::READABLE)?;
        let incoming = &self.state().incoming;
        if incoming.is_empty() {
            return Err(self.wire.would_block(self.side, Ready::READABLE));
        }
        let count = usize::from(incoming.pop());
        for index in 0..count {
            let byte = incoming.pop();
            if let Some(place) = buffer.get_mut(index) {
                *place = byte;
            }
        }
        Ok((count.min(buffer.len()), 1))
    }

    fn try_send_to(&self, message: &[u8], _receiver: Option<&u8>) -> Result<usize, SourceError> {
        self.wire.fault(self.side, Ready::WRITABLE)?;
        if self.wire.chance.happens(self.wire.rates.get().reset) {
            return Err(SourceError::ConnectionRefused);
        }
        let incoming = &self.wire.at(self.side.other()).incoming;
        let count = u8::try_from(message.len()).ok().filter(|_| message.len() < N);
        let Some(count) = count else { return Err(TOO_LONG) };
        if incoming.free() <= message.len() {
            return Err(self.wire.would_block(self.side, Ready::WRITABLE));
        }
        incoming.push(count);
        message.iter().for_each(|byte| incoming.push(*byte));
        Ok(message.len())
    }
}

/// Linux's `EMSGSIZE`.
const TOO_LONG: SourceError = SourceError::Os(90);

/// Up to `N` bytes, in order.
struct Ring<const N: usize> {
    bytes: [Cell<u8>; N],
    start: Cell<usize>,
    len: Cell<usize>,
}

impl<const N: usize> Ring<N> {
    const fn new() -> Ring<N> {
        Ring { bytes: [const { Cell::new(0) }; N], start: Cell::new(0), len: Cell::new(0) }
    }

    fn len(&self) -> usize {
        self.len.get()
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn free(&self) -> usize {
        N - self.len()
    }

    fn clear(&self) {
        self.len.set(0);
    }

    /// Adds a byte, if there is room.
    fn push(&self, byte: u8) {
        if self.free() > 0 {
            self.bytes[(self.start.get() + self.len()) % N].set(byte);
            self.len.set(self.len() + 1);
        }
    }

    /// Takes the first byte; 0 when there is none.
    fn pop(&self) -> u8 {
        if self.is_empty() {
            return 0;
        }
        let start = self.start.get();
        self.start.set((start + 1) % N);
        self.len.set(self.len() - 1);
        self.bytes[start].get()
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    /// Sends 200 bytes over a wire of 16, and says what every call gave.
    fn run(seed: u64, rates: FaultRates) -> (Vec<u8>, Vec<Result<usize, SourceError>>) {
        let wire = std::rc::Rc::new(FaultWire::<16>::new());
        wire.reset(seed, rates);
        let near = FaultWire::end(wire.clone(), WireSide::Near, Told::ByWaiting);
        let far = FaultWire::end(wire.clone(), WireSide::Far, Told::ByWaiting);
        let (mut got, mut calls, mut sent) = (Vec::new(), Vec::new(), 0);
        for _ in 0..2000 {
            let bytes: Vec<u8> = (sent..200).map(|byte| byte as u8).take(7).collect();
            let wrote = near.try_write(&bytes);
            sent += wrote.unwrap_or(0);
            let mut buffer = [0; 5];
            let read = far.try_read(&mut buffer);
            got.extend_from_slice(&buffer[..read.unwrap_or(0)]);
            calls.extend([wrote, read]);
            wire.tick();
        }
        (got, calls)
    }

    #[test]
    fn a_seed_has_its_own_faults_and_bytes_arrive_whatever_they_are() {
        let whole: Vec<u8> = (0..200).collect();
        let (got, calls) = run(1, FaultRates::NONE);
        assert_eq!(got, whole);
        assert!(!calls.contains(&Err(SourceError::Interrupted)));
        let (got, calls) = run(7, FaultRates::STORM);
        assert_eq!(got, whole);
        for fault in [Err(SourceError::Interrupted), Err(SourceError::WouldBlock), Ok(1)] {
            assert!(calls.contains(&fault), "{fault:?} never happens");
        }
        assert_eq!(run(7, FaultRates::STORM).1, calls);
        assert_ne!(run(8, FaultRates::STORM).1, calls);
    }

    #[test]
    fn a_reset_is_for_both_ends_and_for_good() {
        let (got, calls) = run(3, FaultRates { reset: 8, ..FaultRates::STORM });
        assert!(got.len() < 200 && got.iter().copied().eq(0..got.len() as u8));
        assert!(matches!(calls.last(), Some(Err(_))));
        assert!(calls.contains(&Err(SourceError::ConnectionReset)));
    }
}
