//! What has come and was not read, and what the two streams are told of their
//! connection.

use super::waiters::Waiters;
use crate::net::error::ConnectionError;
use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::task::Waker;

/// What has come and was not read, and what the reader and the writer are told.
/// Ten thousand idle connections have one each: so it is small.
pub(crate) struct Incoming {
    pub(super) bytes: Vec<u8>,
    /// How many at the beginning were read.
    pub(super) start: usize,
    /// What the reader has taken out to be looked at, which comes before these
    /// and is not read yet.
    pub(super) lent: Option<Rc<Lent>>,
    pub(super) waiter: Option<Waker>,
    pub(super) rare: Option<Box<Rare>>,
    /// What is beyond 4 GiB is 4 GiB.
    pub(super) limit: u32,
    pub(super) eof: bool,
    pub(super) paused: bool,
    pub(super) past: Past,
    pub(super) end: End,
}

/// What most connections never have, or not for long.
#[derive(Default)]
pub(super) struct Rare {
    /// What every read fails with.
    pub(super) error: Option<ConnectionError>,
    /// Why it was lost.
    pub(super) reason: Option<ConnectionError>,
    /// Who waits to go on writing, or for the end.
    pub(super) waiters: Rc<Waiters>,
}

/// Whether the connection is over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    NotYet,
    /// The protocol of the connection that goes is not to say that it is gone:
    /// another takes its place.
    #[cfg(feature = "tls")]
    HandedOver,
    /// With the reason, if there is one.
    Lost,
}

/// Whether bytes may go past this to a reader that waits with a buffer of its
/// own: that saves keeping and copying them.
///
/// ```text
///              reader waits           bytes have come, reader is woken
///   no ──────────────────────▶ wanted ──────────────────────────────▶ open ──┐
///   ▲                                                                        │
///   └─────── the reader takes them, in its next step; or it does not, ───────┘
///            and the connection's next turn brings them here
/// ```
///
/// One read each time, so that a reader that never has to wait still lets
/// others run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Past {
    No,
    Wanted,
    Open,
    /// Nobody will read.
    Abandoned,
}

impl Incoming {
    pub(super) fn new(limit: usize) -> Incoming {
        Incoming {
            bytes: Vec::new(),
            start: 0,
            lent: None,
            waiter: None,
            rare: None,
            limit: u32::try_from(limit).unwrap_or(u32::MAX),
            eof: false,
            paused: false,
            past: Past::No,
            end: End::NotYet,
        }
    }

    pub(crate) fn data(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    pub(crate) fn eof(&self) -> bool {
        self.eof
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit as usize
    }

    pub(crate) fn error(&self) -> Option<&ConnectionError> {
        self.rare.as_ref()?.error.as_ref()
    }

    /// How the connection was lost, once it is.
    pub(super) fn lost(&self) -> Option<Result<(), &ConnectionError>> {
        let reason = self.rare.as_ref().and_then(|rare| rare.reason.as_ref());
        (self.end == End::Lost).then(|| reason.map_or(Ok(()), Err))
    }

    pub(super) fn rare(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }

    /// How many bytes were not read.
    pub(crate) fn unread(&self) -> usize {
        self.lent().len() + self.data().len()
    }

    pub(super) fn lent(&self) -> &[u8] {
        self.lent.as_ref().map_or(&[], |lent| lent.data())
    }

    /// Gives all bytes out to be looked at, through `place`, which holds none
    /// then. They are to be taken back before anything else is read.
    pub(super) fn lend(&mut self, place: &mut Rc<Lent>) {
        let start = core::mem::take(&mut self.start);
        let lent = Lent { bytes: core::mem::take(&mut self.bytes), start };
        match Rc::get_mut(place) {
            Some(place) => *place = lent,
            None => *place = Rc::new(lent),
        }
        self.lent = Some(place.clone());
    }

    /// Takes back what was lent, before what has come meanwhile. Of a connection
    /// that has made room for one with TLS nothing is taken back: it went to the
    /// handshake, and what came in plain text must not be read as if it had been
    /// secured.
    pub(super) fn take_back(&mut self, place: &mut Rc<Lent>) {
        let is_lent = self.lent.take().is_some();
        let lent = Rc::get_mut(place).map(core::mem::take).unwrap_or_default();
        if is_lent {
            let after = core::mem::replace(&mut self.bytes, lent.bytes);
            self.start = lent.start;
            self.append(&after);
        }
    }

    pub(super) fn append(&mut self, data: &[u8]) {
        if self.start > 0 && self.bytes.len() + data.len() > self.bytes.capacity() {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        self.bytes.extend_from_slice(data);
    }

    pub(super) fn consume(&mut self, count: usize) {
        self.start += count.min(self.data().len());
        if self.start == self.bytes.len() {
            self.start = 0;
            // An idle connection keeps no buffer.
            self.bytes = Vec::new();
        }
    }

    /// Adds bytes; whether the connection is to be paused now.
    pub(super) fn feed(&mut self, data: &[u8]) -> bool {
        if self.past == Past::Abandoned {
            return false;
        }
        self.past = Past::No;
        self.append(data);
        let pause = !self.paused && self.unread() > self.limit().saturating_mul(2);
        self.paused |= pause;
        pause
    }

    /// Whether the connection is to be read again now.
    pub(super) fn resumes(&mut self, needs_more: bool) -> bool {
        let resumes = self.paused && (needs_more || self.unread() <= self.limit());
        self.paused &= !resumes;
        resumes
    }
}

/// What the reader has taken out to be looked at, so that what comes meanwhile
/// moves nothing.
#[derive(Default)]
pub(super) struct Lent {
    bytes: Vec<u8>,
    start: usize,
}

impl Lent {
    pub(super) fn data(&self) -> &[u8] {
        &self.bytes[self.start..]
    }
}
