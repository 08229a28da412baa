//! What a protocol saw, and what was wrong with it.

use crate::case::{Failure, Outcome};
use core::cell::Cell;
use molen::net::{AfterEof, Answer, ConnectionError, ProtocolError, Transport};
use molen::testing::Chance;

/// The byte number `index` that goes from the near end to the far one.
pub(super) fn outgoing(index: usize) -> u8 {
    (index * 7 + 3) as u8
}

/// The byte number `index` that goes from the far end to the near one.
pub(super) fn incoming(index: usize) -> u8 {
    (index * 5 + 1) as u8
}

/// What the user of a transport does beside what all do.
pub(super) type Extra = fn(&Transport, &'static Record, &Chance);

/// How a protocol fails where it may.
pub(super) fn in_words() -> Answer {
    Err(ProtocolError::new("boom"))
}

/// What a protocol saw, and what was wrong with it.
pub(super) struct Record {
    pub(super) made: Cell<u32>,
    pub(super) lost: Cell<u32>,
    pub(super) failed: Cell<bool>,
    pub(super) eof: Cell<u32>,
    pub(super) received: Cell<usize>,
    pub(super) writing_paused: Cell<bool>,
    pub(super) reading_paused: Cell<bool>,
    /// A call of the transport is running.
    pub(super) in_call: Cell<bool>,
    /// What the protocol does at the other side's end.
    pub(super) keeps_open: Cell<bool>,
    /// What more its user may do.
    pub(super) extra: Cell<Option<Extra>>,
    /// Which of its calls fails, and how: the first one is 1.
    pub(super) fails_at: Cell<u32>,
    pub(super) fails: Cell<fn() -> Answer>,
    pub(super) wrong: Cell<Option<&'static str>>,
}

impl Record {
    pub(super) const fn new() -> Record {
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

    pub(super) fn reset(&self) {
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
    pub(super) fn require(&self, holds: bool, otherwise: &'static str) {
        if !holds && self.wrong.get().is_none() {
            self.wrong.set(Some(otherwise));
        }
    }

    /// How a call of the protocol ends.
    pub(super) fn answer(&self) -> Answer {
        let left = self.fails_at.get();
        self.fails_at.set(left.saturating_sub(1));
        if left == 1 { (self.fails.get())() } else { Ok(()) }
    }

    /// What is so at each call of the protocol.
    pub(super) fn called(&self) {
        self.require(self.made.get() == 1, "it was not made first, or was made twice");
        self.require(self.lost.get() == 0, "it was called after the end");
        self.require(!self.in_call.get(), "it was called from inside a call of the transport");
    }

    pub(super) fn made(&self) {
        self.made.set(self.made.get() + 1);
        self.called();
    }

    pub(super) fn received(&self, data: &[u8]) {
        self.called();
        self.require(!data.is_empty(), "it was given nothing");
        self.require(!self.reading_paused.get(), "it was given something while paused");
        self.require(self.eof.get() == 0, "something came after the end");
        for byte in data {
            let index = self.received.replace(self.received.get() + 1);
            self.require(*byte == incoming(index), "a byte came twice, late or never");
        }
    }

    pub(super) fn ended(&self) -> AfterEof {
        self.called();
        self.eof.set(self.eof.get() + 1);
        self.require(self.eof.get() == 1, "the end came twice");
        self.require(!self.reading_paused.get(), "the end came while paused");
        if self.keeps_open.get() { AfterEof::KeepOpen } else { AfterEof::Close }
    }

    pub(super) fn flow(&self, paused: bool) {
        self.called();
        let was = self.writing_paused.replace(paused);
        self.require(was != paused, "pausing and resuming do not alternate");
    }

    pub(super) fn lost(&self, error: Option<&ConnectionError>) {
        self.called();
        self.lost.set(self.lost.get() + 1);
        self.failed.set(error.is_some());
    }

    /// Does `call`, from which no protocol is called.
    pub(super) fn call<R>(&self, call: impl FnOnce() -> R) -> R {
        self.in_call.set(true);
        let result = call();
        self.in_call.set(false);
        result
    }

    /// Fails with what was wrong, and the seed.
    pub(super) fn judge(&self, seed: u64) -> Outcome {
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
