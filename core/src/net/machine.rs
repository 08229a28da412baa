//! Every decision of a stream transport, without I/O.
//!
//! ```text
//!          close, nothing waits ─────────────────────────────────────┐
//!         ┌──────────────────────────────────────────────────────────▼
//!  OPEN ──┤ close, or the end was read      all is written         ENDING ──next turn──▶ LOST
//!         └──────────────────────▶ CLOSING ──────────────────────────▲      connection_lost
//!    └────── abort, failure ──────────┴──────────────────────────────┘
//!
//!  reading:  on ◀──pause, resume──▶ off       the end, once read, is never read again
//!  writing:  open ──write_eof──▶ asked ──all is written──▶ shut down
//! ```
//!
//! A *turn* is what an event or a changed mind starts. In it the caller asks
//! [`next`](Machine::next) what to do, does it, tells the outcome, and asks
//! again, until there is nothing to do but wait. In one turn at most one read
//! and one write are tried, so that no connection starves the others, and
//! `connection_lost` is due only in a turn that began when the end was
//! decided already: that is why it is always queued.
//!
//! What waits to be written is the caller's; it is told here as a number.
//! While the connection is *held*, something waits that has no number here: a
//! file (`hold`).

use super::flow_control::{FlowChange, FlowControl, WriteBufferLimits};
use crate::io::{Interest, Ready};

/// How far its life has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Phase {
    Open,
    /// What waits is still written; nothing is read.
    Closing,
    /// Nothing is read or written; `connection_lost` is to come.
    Ending,
    /// `connection_lost` was called, or is being called.
    Lost,
}

/// What to do next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Action {
    ConnectionMade,
    Flow(FlowChange),
    /// Write the start of what waits.
    Flush,
    /// Say that nothing more will be written.
    Shutdown,
    Read,
    EofReceived,
    ConnectionLost,
    /// Nothing, in this turn.
    Rest,
}

/// What is to happen after a turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Rest {
    /// Another turn, in the next batch.
    Again,
    /// Another turn when a direction is ready.
    Wait(Interest),
    /// It is over.
    Gone,
}

/// What becomes of a write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    Take,
    /// The connection is closing or lost.
    Drop,
    /// As `Drop`; it is time to say that somebody does not look.
    DropAndWarn,
    /// `write_eof` was called.
    AfterEof,
    /// Somebody else has the right to write.
    #[cfg(feature = "std")]
    Held,
}

/// Writes that are dropped until somebody is told.
///
/// asyncio: `LOG_THRESHOLD_FOR_CONNLOST_WRITES`.
const DROPPED_UNTIL_WARNING: u8 = 5;

/// `connection_made` was called, or is being called.
const MADE: u16 = 1 << 0;
const READING_PAUSED: u16 = 1 << 1;
const EOF_READ: u16 = 1 << 2;
const EOF_TOLD: u16 = 1 << 3;
const EOF_ASKED: u16 = 1 << 4;
const SHUT_DOWN: u16 = 1 << 5;
/// In this turn a read, a write, the end may come.
const MAY_READ: u16 = 1 << 6;
const MAY_FLUSH: u16 = 1 << 7;
const MAY_END: u16 = 1 << 8;
/// It is in the ready queue (`driven`).
const QUEUED: u16 = 1 << 9;
/// Its turn is being made; what changes meanwhile is seen before it ends.
const IN_TURN: u16 = 1 << 10;
/// A file is being sent: nobody else writes, and an end waits for it (`hold`).
#[cfg(feature = "std")]
const HELD: u16 = 1 << 11;
/// Where there are no files it never happens, and costs nothing.
#[cfg(not(feature = "std"))]
const HELD: u16 = 0;
/// Until its next turn, what has come may be read past the protocol.
const OFFERED: u16 = 1 << 12;
/// The protocol has left something before.
const LEAVES: u16 = 1 << 13;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Machine {
    flow: FlowControl,
    flags: u16,
    phase: Phase,
    dropped: u8,
}

impl Machine {
    pub(crate) const fn new(limits: WriteBufferLimits) -> Machine {
        Machine { flow: FlowControl::new(limits), flags: 0, phase: Phase::Open, dropped: 0 }
    }

    /// As [`new`](Self::new), for a protocol whose `connection_made` was called.
    #[cfg(feature = "tls")]
    pub(crate) const fn already_made(limits: WriteBufferLimits) -> Machine {
        let mut machine = Machine::new(limits);
        machine.flags |= MADE;
        machine
    }

    fn has(&self, flag: u16) -> bool {
        self.flags & flag != 0
    }

    fn set(&mut self, flag: u16) {
        self.flags |= flag;
    }

    fn clear(&mut self, flag: u16) {
        self.flags &= !flag;
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }

    /// asyncio: `is_closing()`.
    pub(crate) fn is_closing(&self) -> bool {
        self.phase != Phase::Open
    }

    /// Whether its end is decided.
    #[cfg(feature = "alloc")]
    pub(crate) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Ending | Phase::Lost)
    }

    /// asyncio: `is_reading()`.
    pub(crate) fn is_reading(&self) -> bool {
        self.phase == Phase::Open && !self.has(READING_PAUSED | EOF_READ)
    }

    pub(crate) fn is_writing_paused(&self) -> bool {
        self.flow.is_paused()
    }

    pub(crate) fn limits(&self) -> WriteBufferLimits {
        self.flow.limits()
    }

    /// Returns whether the protocol has to be told something.
    pub(crate) fn set_limits(&mut self, limits: WriteBufferLimits, pending: usize) -> bool {
        self.flow.set_limits(limits, pending);
        self.flow.untold().is_some()
    }

    /// Returns whether reading goes on now, and did not before.
    pub(crate) fn resume_reading(&mut self) -> bool {
        let was_paused = self.has(READING_PAUSED);
        if self.phase == Phase::Open {
            self.clear(READING_PAUSED);
        }
        was_paused && self.is_reading()
    }

    pub(crate) fn pause_reading(&mut self) {
        if self.phase == Phase::Open {
            self.set(READING_PAUSED);
        }
    }

    /// Somebody writes.
    pub(crate) fn write(&mut self) -> Verdict {
        if self.has(EOF_ASKED) {
            return Verdict::AfterEof;
        }
        #[cfg(feature = "std")]
        if self.has(HELD) {
            return Verdict::Held;
        }
        if self.phase == Phase::Open {
            return Verdict::Take;
        }
        self.dropped = self.dropped.saturating_add(1);
        if self.dropped == DROPPED_UNTIL_WARNING { Verdict::DropAndWarn } else { Verdict::Drop }
    }

    /// More waits to be written than before. Returns whether the protocol has
    /// to be told something.
    pub(crate) fn grown(&mut self, pending: usize) -> bool {
        self.flow.grown(pending);
        self.flow.untold().is_some()
    }

    /// Less waits to be written than before.
    pub(crate) fn shrunk(&mut self, pending: usize) {
        self.flow.shrunk(pending);
    }

    /// A write of what waited is over, successful or not, in this turn.
    pub(crate) fn flushed(&mut self) {
        self.clear(MAY_FLUSH);
    }

    /// Nothing more is to be written after what waits. Returns whether that
    /// changes anything.
    pub(crate) fn write_eof(&mut self) -> bool {
        if self.phase != Phase::Open || self.has(EOF_ASKED) {
            return false;
        }
        self.set(EOF_ASKED);
        true
    }

    /// Whether the source is to be shut down now. Then it counts as done.
    pub(crate) fn take_shutdown(&mut self, pending: usize) -> bool {
        let due = self.phase == Phase::Open
            && pending == 0
            && self.has(EOF_ASKED)
            && !self.has(SHUT_DOWN | HELD);
        if due {
            self.set(SHUT_DOWN);
        }
        due
    }

    /// Returns whether that changes anything.
    pub(crate) fn close(&mut self, pending: usize) -> bool {
        if self.phase != Phase::Open {
            return false;
        }
        let done = pending == 0 && !self.has(HELD);
        self.phase = if done { Phase::Ending } else { Phase::Closing };
        true
    }

    /// Somebody alone is to write from now on, or may not.
    #[cfg(feature = "std")]
    pub(crate) fn hold(&mut self) -> Verdict {
        let verdict = if self.phase == Phase::Open { self.write() } else { Verdict::Drop };
        if verdict == Verdict::Take {
            self.set(HELD);
        }
        verdict
    }

    pub(crate) fn is_held(&self) -> bool {
        self.has(HELD)
    }

    /// Everybody may write again. Returns whether something waited for that.
    #[cfg(feature = "std")]
    pub(crate) fn release(&mut self) -> bool {
        self.clear(HELD);
        self.phase == Phase::Closing || self.has(EOF_ASKED)
    }

    /// Ends it at once, by the user or a failure. Returns whether this decided
    /// it: then what waits is dropped, and the reason is the reason.
    pub(crate) fn end(&mut self) -> bool {
        let decides = matches!(self.phase, Phase::Open | Phase::Closing);
        if decides {
            self.phase = Phase::Ending;
        }
        decides
    }

    /// Nobody drives it any more: it is lost, and no callback will say so.
    #[cfg(feature = "alloc")]
    pub(crate) fn abandon(&mut self) {
        self.phase = Phase::Lost;
    }

    /// One read is over, in this turn.
    pub(crate) fn read(&mut self) {
        self.clear(MAY_READ);
    }

    /// The end was read.
    pub(crate) fn read_end(&mut self) {
        self.set(EOF_READ);
    }

    /// The protocol leaves what has come to whoever takes it before the next turn.
    pub(crate) fn offer(&mut self) {
        self.set(OFFERED | LEAVES);
    }

    /// Whether the protocol is to be asked at an event, before the turn, if it
    /// leaves what has come: who takes it has done so when the turn comes.
    #[cfg(feature = "alloc")]
    pub(crate) fn may_offer_early(&self) -> bool {
        self.has(LEAVES) && !self.is_under_way() && self.is_reading()
    }

    /// Whether it is offered, and is to be read. Asking takes it up.
    #[cfg(feature = "alloc")]
    pub(crate) fn take_up(&mut self) -> bool {
        let offered = self.has(OFFERED) && self.is_reading();
        self.clear(OFFERED);
        offered
    }

    /// Another protocol takes over.
    #[cfg(feature = "alloc")]
    pub(crate) fn protocol_changed(&mut self) {
        self.clear(OFFERED | LEAVES);
        self.flow.forget_told();
    }

    /// Whether a turn is to come, or being made.
    pub(crate) fn is_under_way(&self) -> bool {
        self.has(QUEUED | IN_TURN)
    }

    #[cfg(feature = "alloc")]
    pub(crate) fn set_queued(&mut self) {
        self.set(QUEUED);
    }

    #[cfg(feature = "alloc")]
    pub(crate) fn clear_queued(&mut self) {
        self.clear(QUEUED);
    }

    pub(crate) fn end_turn(&mut self) {
        self.clear(IN_TURN);
    }

    pub(crate) fn begin_turn(&mut self) {
        self.clear(OFFERED);
        self.set(IN_TURN | MAY_READ | MAY_FLUSH);
        if self.phase == Phase::Ending {
            self.set(MAY_END);
        }
    }

    /// What to do now. Asking counts as doing where the protocol is called.
    pub(crate) fn next(&mut self, pending: usize) -> Action {
        if !self.has(MADE) {
            self.set(MADE);
            // It is read from the next turn on: before that its creator goes on,
            // who may give it another protocol.
            self.clear(MAY_READ);
            return Action::ConnectionMade;
        }
        if self.phase == Phase::Closing && pending == 0 && !self.has(HELD) {
            // Drained: who was paused is told before the end.
            if let Some(change) = self.flow.untold() {
                self.flow.tell();
                return Action::Flow(change);
            }
            self.phase = Phase::Ending;
        }
        match self.phase {
            Phase::Open | Phase::Closing => self.next_while_open(pending),
            Phase::Ending if self.has(MAY_END) => {
                self.phase = Phase::Lost;
                Action::ConnectionLost
            }
            Phase::Ending | Phase::Lost => Action::Rest,
        }
    }

    fn next_while_open(&mut self, pending: usize) -> Action {
        if let Some(change) = self.flow.untold() {
            self.flow.tell();
            return Action::Flow(change);
        }
        if pending > 0 && self.has(MAY_FLUSH) {
            return Action::Flush;
        }
        if self.take_shutdown(pending) {
            return Action::Shutdown;
        }
        if self.phase == Phase::Open && self.has(EOF_READ) && !self.has(EOF_TOLD) {
            self.set(EOF_TOLD);
            return Action::EofReceived;
        }
        if self.is_reading() && self.has(MAY_READ) {
            return Action::Read;
        }
        Action::Rest
    }

    /// What follows the turn; `known_ready` are directions that need not be waited for.
    pub(crate) fn rest(&self, pending: usize, known_ready: Ready) -> Rest {
        match self.phase {
            Phase::Lost => Rest::Gone,
            Phase::Ending => Rest::Again,
            Phase::Open | Phase::Closing => {
                let interest = self.interest(pending);
                if known_ready.intersects(interest) { Rest::Again } else { Rest::Wait(interest) }
            }
        }
    }

    /// What it waits for.
    pub(crate) fn interest(&self, pending: usize) -> Interest {
        let read = if self.is_reading() { Interest::READABLE } else { Interest::NONE };
        let write = if pending > 0 { Interest::WRITABLE } else { Interest::NONE };
        read.union(write)
    }
}

#[cfg(test)]
mod tests;
