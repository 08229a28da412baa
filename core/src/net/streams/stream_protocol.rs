//! Between a connection and its two streams.

use super::incoming::{Found, ReadError, Scan};
use super::unread::{End, Incoming, Past};
use super::waiters::Waiters;
use crate::io::source::SourceError;
use crate::net::error::ConnectionError;
use crate::net::protocol::{AfterEof, Answer, Protocol};
use crate::net::transport::Transport;
use crate::schedule::wake_contained;
#[cfg(feature = "tls")]
use alloc::boxed::Box;
use alloc::rc::{Rc, Weak};
use alloc::vec::Vec;
use core::cell::{OnceCell, RefCell};
use core::task::{Context, Poll};

/// What the two streams and the protocol share.
///
/// ```text
///  reader ──┐                                 ┌── the loop, by events
///           ├─▶ Shared ─▶ transport ─▶ connection ─▶ protocol ─ ─ ▶ Shared
///  writer ──┘
/// ```
///
/// The protocol does not hold it: it would hold itself.
pub(crate) struct Shared {
    connection: OnceCell<Connected>,
    pub(crate) incoming: RefCell<Incoming>,
}

/// The connection, and the one that has taken its place.
struct Connected {
    transport: Transport,
    /// What takes a place holds what it took it from: it goes through it.
    #[cfg(feature = "tls")]
    upgraded: OnceCell<Box<Connected>>,
}

impl Connected {
    fn new(transport: Transport) -> Connected {
        Connected {
            transport,
            #[cfg(feature = "tls")]
            upgraded: OnceCell::new(),
        }
    }

    /// The last that has taken the others' place.
    #[cfg(feature = "tls")]
    fn last(&self) -> &Connected {
        let mut last = self;
        while let Some(next) = last.upgraded.get() {
            last = next;
        }
        last
    }

    #[cfg(not(feature = "tls"))]
    #[inline]
    fn last(&self) -> &Connected {
        self
    }
}

impl Shared {
    pub(crate) fn new(limit: usize) -> Rc<Shared> {
        Rc::new(Shared {
            connection: OnceCell::new(),
            incoming: RefCell::new(Incoming::new(limit)),
        })
    }

    /// The connection stands. Only the first one counts.
    pub(super) fn connect(&self, transport: &Transport) {
        self.connection.get_or_init(|| Connected::new(transport.clone()));
    }

    /// The connection, if there is one.
    #[inline]
    pub(super) fn transport(&self) -> Option<&Transport> {
        Some(&self.connection.get()?.last().transport)
    }

    fn wake_reader(&self) {
        let waiter = self.incoming.borrow_mut().waiter.take();
        if let Some(waiter) = waiter {
            // Other connections have events too, whatever a foreign waker does.
            wake_contained(waiter);
        }
    }

    fn wake_writers(&self) {
        if let Some(waiters) = self.known_waiters() {
            waiters.wake_all();
        }
    }

    /// Who waits to go on writing, or for the end, if anybody ever did.
    pub(super) fn known_waiters(&self) -> Option<Rc<Waiters>> {
        Some(self.incoming.borrow().rare.as_ref()?.waiters.clone())
    }

    /// Who waits to go on writing, or for the end.
    pub(super) fn waiters(&self) -> Rc<Waiters> {
        self.incoming.borrow_mut().rare().waiters.clone()
    }

    /// Bytes have come to the connection: whether they are left there, for the
    /// reader to take.
    fn offer(&self) -> bool {
        let mut incoming = self.incoming.borrow_mut();
        let offers = incoming.past == Past::Wanted;
        incoming.past = match incoming.past {
            Past::Wanted => Past::Open,
            Past::Abandoned => Past::Abandoned,
            Past::Open | Past::No => Past::No,
        };
        drop(incoming);
        if offers {
            self.wake_reader();
        }
        offers
    }

    /// Takes up an offer, if there is one, or waits until bytes come: how many
    /// it brought, at least one.
    pub(crate) fn poll_past(&self, cx: &Context<'_>, buffer: &mut [u8]) -> Poll<usize> {
        let open = core::mem::replace(&mut self.incoming.borrow_mut().past, Past::No) == Past::Open;
        let count = match self.transport() {
            Some(transport) if open => transport.read_now(buffer),
            _ => 0,
        };
        if count > 0 {
            return Poll::Ready(count);
        }
        let poll = self.poll_more(cx);
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
        let former = self.incoming.borrow_mut().rare().error.replace(error);
        drop(former);
        self.wake_reader();
    }

    pub(crate) fn abandon(&self) {
        let mut incoming = self.incoming.borrow_mut();
        incoming.past = Past::Abandoned;
        incoming.bytes = Vec::new();
        incoming.start = 0;
        incoming.lent = None;
    }

    /// Takes `count` bytes through `take`.
    pub(crate) fn consume<R>(&self, count: usize, take: impl FnOnce(&[u8]) -> R) -> R {
        let mut incoming = self.incoming.borrow_mut();
        let count = count.min(incoming.data().len());
        let taken = take(&incoming.data()[..count]);
        incoming.consume(count);
        let resumes = incoming.resumes(false);
        drop(incoming);
        self.resume(resumes);
        taken
    }

    /// Waits for more than has come; the connection is read for that.
    pub(crate) fn poll_more(&self, cx: &Context<'_>) -> Poll<()> {
        let waiter = cx.waker().clone();
        let mut incoming = self.incoming.borrow_mut();
        incoming.past = Past::No;
        let former = incoming.waiter.replace(waiter);
        let resumes = incoming.resumes(true);
        drop(incoming);
        drop(former);
        self.resume(resumes);
        Poll::Pending
    }

    /// Looks for separators; `None` when more has to come.
    pub(crate) fn look(
        &self,
        scan: &mut Scan,
        separators: &[&[u8]],
    ) -> Option<Result<Vec<u8>, ReadError<Vec<u8>>>> {
        let incoming = self.incoming.borrow();
        if let Some(error) = incoming.error() {
            return Some(Err(ReadError::Lost(error.clone())));
        }
        let (found, eof) = (scan.look(incoming.data(), separators, incoming.limit()), incoming.eof);
        drop(incoming);
        match found {
            Found::Until(end) => Some(Ok(self.consume(end, <[u8]>::to_vec))),
            Found::Overrun { found, consumed } => {
                Some(Err(ReadError::LimitOverrun { found, consumed }))
            }
            Found::More if eof => {
                let partial = self.consume(usize::MAX, <[u8]>::to_vec);
                Some(Err(ReadError::Incomplete { partial, expected: None }))
            }
            Found::More => None,
        }
    }

    /// The connection is over, because of `error`.
    pub(super) fn fail(&self, error: ConnectionError) {
        self.lose(Some(error));
    }

    /// The connection is over.
    fn lose(&self, error: Option<ConnectionError>) {
        let mut incoming = self.incoming.borrow_mut();
        incoming.end = End::Lost;
        if error.is_some() {
            incoming.rare().reason = error.clone();
        }
        drop(incoming);
        match error {
            None => self.feed_eof(),
            Some(error) => self.set_exception(error),
        }
        self.wake_writers();
    }

    /// Has the connection read again, if `resumes`.
    pub(super) fn resume(&self, resumes: bool) {
        if resumes && let Some(transport) = self.transport() {
            transport.resume_reading();
        }
    }

    /// Whether writing may go on, or never will; `None` for now not.
    pub(super) fn drained(&self) -> Option<Result<(), ConnectionError>> {
        if let Some(lost) = self.incoming.borrow().lost() {
            const RESET: ConnectionError = ConnectionError::Source(SourceError::ConnectionReset);
            return Some(Err(lost.err().cloned().unwrap_or(RESET)));
        }
        let paused = self.transport().is_some_and(Transport::is_writing_paused);
        (!paused).then_some(Ok(()))
    }

    /// How it ended, if it has.
    pub(super) fn ended(&self) -> Option<Result<(), ConnectionError>> {
        Some(self.incoming.borrow().lost()?.map_err(ConnectionError::clone))
    }
}

#[cfg(feature = "tls")]
impl Shared {
    /// The connection goes, and another will take its place: what has come is
    /// that one's.
    pub(super) fn hand_over(&self) -> Vec<u8> {
        let mut incoming = self.incoming.borrow_mut();
        if incoming.end == End::NotYet {
            incoming.end = End::HandedOver;
        }
        let received = [incoming.lent(), incoming.data()].concat();
        incoming.consume(usize::MAX);
        incoming.lent = None;
        incoming.paused = false;
        if incoming.past != Past::Abandoned {
            incoming.past = Past::No;
        }
        received
    }

    /// The other connection stands.
    pub(super) fn become_of(&self, transport: Transport) {
        if let Some(connection) = self.connection.get() {
            let _ = connection.last().upgraded.set(Box::new(Connected::new(transport)));
        }
        // Who waited for the old one to be drained waits for this one now.
        self.wake_writers();
    }
}

/// The protocol of a pair of streams. `begin` is told when the connection
/// stands.
///
/// asyncio: `StreamReaderProtocol`.
pub struct StreamProtocol<B> {
    pub(super) shared: Weak<Shared>,
    pub(super) begin: Option<B>,
}

/// What begins when a connection of streams stands, and has the streams.
pub(crate) trait Begin {
    fn begin(self, transport: &Transport) -> Weak<Shared>;
}

impl<B: Begin> Protocol for StreamProtocol<B> {
    fn connection_made(&mut self, transport: &Transport) -> Answer {
        if let Some(begin) = self.begin.take() {
            self.shared = begin.begin(transport);
        }
        Ok(())
    }

    fn data_received(&mut self, transport: &Transport, data: &[u8]) -> Answer {
        // With both streams gone it is dropped, so that the end is noticed.
        if let Some(shared) = self.shared.upgrade()
            && shared.feed_data(data)
        {
            transport.pause_reading();
        }
        Ok(())
    }

    #[inline]
    fn leaves_it(&mut self) -> bool {
        self.shared.upgrade().is_some_and(|shared| shared.offer())
    }

    fn eof_received(&mut self, _transport: &Transport) -> Answer<AfterEof> {
        if let Some(shared) = self.shared.upgrade() {
            shared.feed_eof();
        }
        Ok(AfterEof::KeepOpen)
    }

    fn resume_writing(&mut self, _transport: &Transport) -> Answer {
        if let Some(shared) = self.shared.upgrade() {
            shared.wake_writers();
        }
        Ok(())
    }

    fn connection_lost(
        &mut self,
        _transport: &Transport,
        error: Option<&ConnectionError>,
    ) -> Answer {
        if let Some(shared) = self.shared.upgrade() {
            shared.lose(error.cloned());
        }
        Ok(())
    }
}

impl<B> Drop for StreamProtocol<B> {
    fn drop(&mut self) {
        let Some(shared) = self.shared.upgrade() else { return };
        let end = shared.incoming.borrow().end;
        match end {
            // The loop is gone, and `connection_lost` will not come.
            End::NotYet => shared.fail(ConnectionError::Source(SourceError::Closed)),
            #[cfg(feature = "tls")]
            End::HandedOver => shared.incoming.borrow_mut().end = End::NotYet,
            End::Lost => {}
        }
    }
}
