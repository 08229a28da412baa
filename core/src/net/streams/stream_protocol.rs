//! Between a connection and its two streams.

use super::incoming::{Found, ReadError, Scan};
use super::waiters::Waiters;
use crate::io::source::SourceError;
use crate::net::error::ConnectionError;
use crate::net::protocol::{AfterEof, Answer, Protocol};
use crate::net::transport::Transport;
#[cfg(feature = "tls")]
use crate::net::transport::WeakTransport;
use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;
#[cfg(feature = "tls")]
use core::cell::Cell;
use core::cell::RefCell;
use core::task::{Context, Poll, Waker};

/// What has come and was not read, and what the reader is told.
pub(crate) struct Incoming {
    bytes: Vec<u8>,
    /// How many at the beginning were read.
    start: usize,
    /// What the reader has taken out to be looked at, which comes before these
    /// and is not read yet.
    lent: Option<Rc<Lent>>,
    pub(crate) limit: usize,
    eof: bool,
    /// Boxed, as most never have one.
    error: Option<Box<ConnectionError>>,
    paused: bool,
    /// Nobody will read.
    abandoned: bool,
    waiter: Option<Waker>,
    past: Past,
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
enum Past {
    No,
    Wanted,
    Open,
}

impl Incoming {
    pub(crate) fn data(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    pub(crate) fn eof(&self) -> bool {
        self.eof
    }

    pub(crate) fn error(&self) -> Option<&ConnectionError> {
        self.error.as_deref()
    }

    /// How many bytes were not read.
    pub(crate) fn unread(&self) -> usize {
        self.lent().len() + self.data().len()
    }

    fn lent(&self) -> &[u8] {
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

    fn append(&mut self, data: &[u8]) {
        if self.start > 0 && self.bytes.len() + data.len() > self.bytes.capacity() {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        self.bytes.extend_from_slice(data);
    }

    fn consume(&mut self, count: usize) {
        self.start += count.min(self.data().len());
        if self.start == self.bytes.len() {
            self.start = 0;
            // An idle connection keeps no buffer.
            self.bytes = Vec::new();
        }
    }

    /// Adds bytes; whether the connection is to be paused now.
    fn feed(&mut self, data: &[u8]) -> bool {
        if self.abandoned {
            return false;
        }
        self.past = Past::No;
        self.append(data);
        let pause = !self.paused && self.unread() > self.limit.saturating_mul(2);
        self.paused |= pause;
        pause
    }

    /// Whether the connection is to be read again now.
    fn resumes(&mut self, needs_more: bool) -> bool {
        let resumes = self.paused && (needs_more || self.unread() <= self.limit);
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

/// What the two streams and the protocol share.
pub(crate) struct Shared {
    pub(crate) incoming: RefCell<Incoming>,
    /// How it ended, once it has.
    lost: RefCell<Option<Result<(), Box<ConnectionError>>>>,
    /// Who waits to go on writing, or for the end.
    pub(super) waiters: Waiters,
    /// The connection that took the first one's place. Not held: it holds this.
    #[cfg(feature = "tls")]
    upgraded: Cell<Option<Box<WeakTransport>>>,
    /// The protocol of the connection that goes is not to say that it is gone.
    #[cfg(feature = "tls")]
    handed_over: Cell<bool>,
}

impl Shared {
    pub(crate) fn new(limit: usize) -> Rc<Shared> {
        Rc::new(Shared {
            incoming: RefCell::new(Incoming {
                bytes: Vec::new(),
                start: 0,
                lent: None,
                limit,
                eof: false,
                error: None,
                paused: false,
                abandoned: false,
                waiter: None,
                past: Past::No,
            }),
            lost: RefCell::new(None),
            waiters: Waiters::default(),
            #[cfg(feature = "tls")]
            upgraded: Cell::new(None),
            #[cfg(feature = "tls")]
            handed_over: Cell::new(false),
        })
    }

    fn wake_reader(&self) {
        let waiter = self.incoming.borrow_mut().waiter.take();
        if let Some(waiter) = waiter {
            waiter.wake();
        }
    }

    fn wake_writers(&self) {
        self.waiters.wake_all();
    }

    /// Bytes have come to the connection: whether they are left there, for the
    /// reader to take.
    fn offer(&self) -> bool {
        let mut incoming = self.incoming.borrow_mut();
        let offers = incoming.past == Past::Wanted;
        incoming.past = if offers { Past::Open } else { Past::No };
        drop(incoming);
        if offers {
            self.wake_reader();
        }
        offers
    }

    /// Takes up an offer, if there is one, or waits until bytes come: how many
    /// it brought, at least one.
    pub(crate) fn poll_past(
        &self,
        cx: &Context<'_>,
        buffer: &mut [u8],
        transport: Option<&Transport>,
    ) -> Poll<usize> {
        let open = core::mem::replace(&mut self.incoming.borrow_mut().past, Past::No) == Past::Open;
        let count = match self.upgraded().as_ref().or(transport) {
            Some(transport) if open => transport.read_now(buffer),
            _ => 0,
        };
        if count > 0 {
            return Poll::Ready(count);
        }
        let poll = self.poll_more(cx, transport);
        // An offer that came to nothing is not made again at once: the bytes
        // may have to come the other way.
        self.incoming.borrow_mut().past = if open { Past::No } else { Past::Wanted };
        poll.map(|()| 0)
    }

    /// Bytes come. Whether the connection is to be paused.
    pub(crate) fn feed_data(&self, data: &[u8]) -> bool {
        let pause = self.incoming.borrow_mut().feed(data);
        self.wake_reader();
        pause
    }

    pub(crate) fn feed_eof(&self) {
        self.incoming.borrow_mut().eof = true;
        self.wake_reader();
    }

    pub(crate) fn set_exception(&self, error: ConnectionError) {
        self.incoming.borrow_mut().error = Some(Box::new(error));
        self.wake_reader();
    }

    pub(crate) fn abandon(&self) {
        let mut incoming = self.incoming.borrow_mut();
        incoming.abandoned = true;
        incoming.bytes = Vec::new();
        incoming.start = 0;
        incoming.lent = None;
    }

    /// Takes `count` bytes through `take`.
    pub(crate) fn consume<R>(
        &self,
        count: usize,
        transport: Option<&Transport>,
        take: impl FnOnce(&[u8]) -> R,
    ) -> R {
        let mut incoming = self.incoming.borrow_mut();
        let count = count.min(incoming.data().len());
        let taken = take(&incoming.data()[..count]);
        incoming.consume(count);
        let resumes = incoming.resumes(false);
        drop(incoming);
        self.resume(transport, resumes);
        taken
    }

    /// Waits for more than has come; the connection is read for that.
    pub(crate) fn poll_more(&self, cx: &Context<'_>, transport: Option<&Transport>) -> Poll<()> {
        let mut incoming = self.incoming.borrow_mut();
        incoming.past = Past::No;
        incoming.waiter = Some(cx.waker().clone());
        let resumes = incoming.resumes(true);
        drop(incoming);
        self.resume(transport, resumes);
        Poll::Pending
    }

    /// Looks for separators; `None` when more has to come.
    pub(crate) fn look(
        &self,
        scan: &mut Scan,
        separators: &[&[u8]],
        transport: Option<&Transport>,
    ) -> Option<Result<Vec<u8>, ReadError<Vec<u8>>>> {
        let incoming = self.incoming.borrow();
        if let Some(error) = incoming.error() {
            return Some(Err(ReadError::Lost(error.clone())));
        }
        let (found, eof) = (scan.look(incoming.data(), separators, incoming.limit), incoming.eof);
        drop(incoming);
        match found {
            Found::Until(end) => Some(Ok(self.consume(end, transport, <[u8]>::to_vec))),
            Found::Overrun { found, consumed } => {
                Some(Err(ReadError::LimitOverrun { found, consumed }))
            }
            Found::More if eof => {
                let partial = self.consume(usize::MAX, transport, <[u8]>::to_vec);
                Some(Err(ReadError::Incomplete { partial, expected: None }))
            }
            Found::More => None,
        }
    }

    /// The connection is over, because of `error`.
    pub(super) fn fail(&self, error: ConnectionError) {
        self.lost.replace(Some(Err(Box::new(error.clone()))));
        self.set_exception(error);
        self.wake_writers();
    }

    /// Has the connection read again, if `resumes`.
    pub(super) fn resume(&self, transport: Option<&Transport>, resumes: bool) {
        if resumes && let Some(transport) = self.upgraded().as_ref().or(transport) {
            transport.resume_reading();
        }
    }

    /// Whether writing to `transport` may go on, or never will; `None` for now not.
    pub(super) fn drained(&self, transport: &Transport) -> Option<Result<(), ConnectionError>> {
        if let Some(lost) = &*self.lost.borrow() {
            const RESET: ConnectionError = ConnectionError::Source(SourceError::ConnectionReset);
            return Some(Err(lost.as_ref().err().map_or(RESET, |error| (**error).clone())));
        }
        (!transport.is_writing_paused()).then_some(Ok(()))
    }

    /// How it ended, if it has.
    pub(super) fn ended(&self) -> Option<Result<(), ConnectionError>> {
        let lost = self.lost.borrow();
        Some(lost.as_ref()?.clone().map_err(|error| *error))
    }
}

#[cfg(feature = "tls")]
impl Shared {
    /// The connection goes, and another will take its place: what has come is
    /// that one's.
    pub(super) fn hand_over(&self) -> Vec<u8> {
        self.handed_over.set(true);
        let mut incoming = self.incoming.borrow_mut();
        let received = [incoming.lent(), incoming.data()].concat();
        incoming.consume(usize::MAX);
        incoming.lent = None;
        incoming.paused = false;
        incoming.past = Past::No;
        received
    }

    /// The other connection stands.
    pub(super) fn become_of(&self, transport: &Transport) {
        self.upgraded.set(Some(Box::new(transport.downgrade())));
        // Who waited for the old one to be drained waits for this one now.
        self.wake_writers();
    }

    /// The connection that took the first one's place.
    fn upgraded(&self) -> Option<Transport> {
        let upgraded = self.upgraded.take()?;
        let transport = upgraded.upgrade();
        self.upgraded.set(Some(upgraded));
        transport
    }
}

#[cfg(not(feature = "tls"))]
impl Shared {
    /// No connection takes another's place.
    #[inline]
    fn upgraded(&self) -> Option<Transport> {
        None
    }
}

/// The protocol of a pair of streams. `begin` is told when the connection
/// stands.
///
/// asyncio: `StreamReaderProtocol`.
pub struct StreamProtocol<B> {
    pub(super) shared: Rc<Shared>,
    pub(super) begin: Option<B>,
}

/// What begins when a connection of streams stands.
pub(crate) trait Begin {
    fn begin(self, transport: &Transport, shared: &Rc<Shared>);
}

impl<B: Begin> Protocol for StreamProtocol<B> {
    fn connection_made(&mut self, transport: &Transport) -> Answer {
        if let Some(begin) = self.begin.take() {
            begin.begin(transport, &self.shared);
        }
        Ok(())
    }

    fn data_received(&mut self, transport: &Transport, data: &[u8]) -> Answer {
        if self.shared.feed_data(data) {
            transport.pause_reading();
        }
        Ok(())
    }

    #[inline]
    fn leaves_it(&mut self) -> bool {
        self.shared.offer()
    }

    fn eof_received(&mut self, _transport: &Transport) -> Answer<AfterEof> {
        self.shared.feed_eof();
        Ok(AfterEof::KeepOpen)
    }

    fn resume_writing(&mut self, _transport: &Transport) -> Answer {
        self.shared.wake_writers();
        Ok(())
    }

    fn connection_lost(
        &mut self,
        _transport: &Transport,
        error: Option<&ConnectionError>,
    ) -> Answer {
        match error {
            None => self.shared.feed_eof(),
            Some(error) => self.shared.set_exception(error.clone()),
        }
        self.shared.lost.replace(Some(error.cloned().map_or(Ok(()), |error| Err(Box::new(error)))));
        self.shared.wake_writers();
        Ok(())
    }
}

impl<B> Drop for StreamProtocol<B> {
    fn drop(&mut self) {
        #[cfg(feature = "tls")]
        if self.shared.handed_over.take() {
            return;
        }
        // The loop is gone, and `connection_lost` will not come.
        if self.shared.lost.borrow().is_none() {
            self.shared.fail(ConnectionError::Source(SourceError::Closed));
        }
    }
}
