//! What is between the two connections: the engine, and what both need to know.
//!
//! ```text
//!               handshake done          closing, all written         the connection below is lost
//!  HANDSHAKE ───────────────────▶ OPEN ───────────────────▶ GOODBYE ─────────────────────▶ (lost)
//!      │                           │       close_notify,      │ the other side's came: close it
//!      │ timeout, loss, error      │ error                    │ timeout: abort it
//!      └────────────▶ FAILED ◀─────┘                          ▼
//!                       └── what the engine has to say (an alert) is written, then it is closed
//! ```
//!
//! Back-pressure goes both ways. What the engine cannot take because nobody
//! reads its plaintext waits here, at most one read of the connection below,
//! which is paused meanwhile. And nothing is encrypted while the connection
//! below has more to write than its high mark.

use super::cipher::Cipher;
use super::engine::{TlsEngine, TlsInfo};
use super::error::TlsError;
use super::source::TlsSource;
use super::timeouts::Timeouts;
use crate::io::source::SourceError;
use crate::io::{Ready, Registration};
use crate::net::error::ConnectionError;
use crate::net::server::Client;
use crate::net::transport::{Transport, WeakTransport};
use crate::schedule::TimerHandle;
use crate::time::Duration;
use alloc::boxed::Box;
use alloc::rc::Rc;
use core::cell::{Cell, RefCell};
use core::task::{Context, Poll, Waker};

/// How much is encrypted in one go.
const WRITE_SIZE: usize = 64 * 1024;

/// How many pieces are encrypted in one go.
const WRITE_PIECES: usize = 64;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Handshake,
    Open,
    /// The `close_notify` is sent; what comes is dropped.
    Goodbye,
    Failed,
}

/// Is called when the handshake is done, with the source of plaintext.
pub(super) type Established = Box<dyn FnOnce(TlsSource)>;

pub(super) struct Channel {
    /// The connection below. Not held: its events keep it, and it keeps this.
    raw: RefCell<Option<WeakTransport>>,
    cipher: RefCell<Cipher>,
    /// Tells the connection above.
    registration: Registration,
    phase: Cell<Phase>,
    /// The end of the connection below was read.
    ended: Cell<bool>,
    /// The connection below is over.
    lost: Cell<bool>,
    /// The connection above knows how the goodbye ended.
    is_goodbye_over: Cell<bool>,
    failure: RefCell<Option<ConnectionError>>,
    /// Who waits for the handshake.
    waiter: Cell<Option<Waker>>,
    established: Cell<Option<Established>>,
    /// Whom a server serves by this: for as long as there is the connection
    /// below or that above.
    client: Option<Client>,
    /// Ends a handshake or a goodbye that takes too long.
    timer: Cell<Option<TimerHandle>>,
    timeouts: Timeouts,
    info: RefCell<Option<Rc<TlsInfo>>>,
}

impl Channel {
    pub(super) fn new(
        engine: Box<dyn TlsEngine>,
        timeouts: Timeouts,
        served: Option<(Client, Established)>,
    ) -> Rc<Channel> {
        let (client, established) = served.unzip();
        Rc::new(Channel {
            raw: RefCell::new(None),
            cipher: RefCell::new(Cipher::new(engine)),
            registration: Registration::new(),
            phase: Cell::new(Phase::Handshake),
            ended: Cell::new(false),
            lost: Cell::new(false),
            is_goodbye_over: Cell::new(false),
            failure: RefCell::new(None),
            waiter: Cell::new(None),
            established: Cell::new(established),
            client,
            timer: Cell::new(None),
            timeouts,
            info: RefCell::new(None),
        })
    }

    pub(super) fn registration(&self) -> &Registration {
        &self.registration
    }

    pub(super) fn info(&self) -> Option<Rc<TlsInfo>> {
        self.info.borrow().clone()
    }

    pub(super) fn with_raw<R>(&self, f: impl FnOnce(&Transport) -> R) -> Option<R> {
        let raw = self.raw.borrow().as_ref().and_then(WeakTransport::upgrade)?;
        Some(f(&raw))
    }

    // What the connection below tells.

    /// It stands: the handshake begins.
    pub(super) fn begin(self: &Rc<Self>, raw: &Transport) {
        *self.raw.borrow_mut() = Some(raw.downgrade());
        self.set_timer(self.timeouts.handshake, Channel::handshake_took_too_long);
        self.cipher.borrow_mut().transmit(raw);
    }

    /// Bytes have come.
    pub(super) fn receive(self: &Rc<Self>, raw: &Transport, data: &[u8]) {
        if self.phase.get() == Phase::Failed {
            return;
        }
        let mut cipher = self.cipher.borrow_mut();
        let mut result = cipher.take_in(data);
        if self.phase.get() == Phase::Goodbye {
            result = result.and_then(|()| cipher.discard());
        }
        cipher.transmit(raw);
        let (waits, is_peer_closed) = (cipher.is_waiting(), cipher.engine.is_peer_closed());
        let is_done = result.is_ok() && !cipher.engine.is_handshaking();
        drop(cipher);
        if waits {
            raw.pause_reading();
        }
        match self.phase.get() {
            Phase::Handshake if is_done => self.establish(),
            Phase::Goodbye if is_peer_closed => raw.close(),
            _ => {}
        }
        match result {
            Ok(()) => self.registration.set_ready(Ready::READABLE),
            Err(error) => self.fail(error),
        }
    }

    /// The other side has ended the connection below.
    pub(super) fn end_received(self: &Rc<Self>, raw: &Transport) {
        self.ended.set(true);
        match self.phase.get() {
            Phase::Handshake => self.fail(TlsError::ConnectionLost(None)),
            Phase::Open => self.registration.set_ready(Ready::READABLE),
            Phase::Goodbye | Phase::Failed => raw.close(),
        }
    }

    /// It can take more.
    pub(super) fn resume_writing(&self) {
        if self.phase.get() == Phase::Open {
            self.registration.set_ready(Ready::WRITABLE);
        }
    }

    /// It is over.
    pub(super) fn lost(self: &Rc<Self>, error: Option<&ConnectionError>) {
        self.lost.set(true);
        self.cancel_timer();
        let source_error = error.and_then(ConnectionError::source_error);
        if self.phase.get() == Phase::Handshake {
            return self.fail(TlsError::ConnectionLost(source_error));
        }
        // Who has said goodbye may vanish before it has heard ours.
        let is_heard = self.phase.get() == Phase::Goodbye && self.is_peer_closed();
        if let Some(error) = error
            && !is_heard
        {
            self.failure.borrow_mut().get_or_insert_with(|| error.clone());
        }
        self.registration.set_ready(Ready::BOTH);
    }

    /// It has dropped its protocol: it is over, or its loop.
    pub(super) fn forget(self: &Rc<Self>) {
        if !self.lost.get() {
            self.lost(Some(&ConnectionError::Source(SourceError::Closed)));
        }
        // The connection above holds this, and this would hold it.
        self.registration.listen(None);
        drop(self.established.take());
    }

    // The handshake.

    fn establish(self: &Rc<Self>) {
        self.phase.set(Phase::Open);
        self.cancel_timer();
        let info = Rc::new(self.cipher.borrow().engine.info());
        *self.info.borrow_mut() = Some(info);
        self.registration.set_ready(Ready::BOTH);
        if let Some(established) = self.established.take() {
            established(TlsSource(self.clone()));
        }
        self.wake();
    }

    /// A server's client has `above` from now on.
    pub(super) fn serves(&self, above: &Transport) {
        if let Some(client) = &self.client {
            client.becomes(above);
        }
    }

    fn wake(&self) {
        if let Some(waiter) = self.waiter.take() {
            waiter.wake();
        }
    }

    /// Waits for the end of the handshake.
    pub(super) fn poll_established(
        self: &Rc<Self>,
        cx: &Context<'_>,
    ) -> Poll<Result<TlsSource, TlsError>> {
        match self.phase.get() {
            Phase::Handshake => {
                self.waiter.set(Some(cx.waker().clone()));
                Poll::Pending
            }
            Phase::Open | Phase::Goodbye => Poll::Ready(Ok(TlsSource(self.clone()))),
            Phase::Failed => Poll::Ready(Err(match &*self.failure.borrow() {
                Some(ConnectionError::Tls(error)) => error.clone(),
                other => {
                    let error = other.as_ref().and_then(ConnectionError::source_error);
                    TlsError::ConnectionLost(error)
                }
            })),
        }
    }

    fn handshake_took_too_long(self: &Rc<Self>) {
        if self.phase.get() == Phase::Handshake {
            self.fail(TlsError::HandshakeTimeout(self.timeouts.handshake));
            self.with_raw(Transport::abort);
        }
    }

    // What the connection above does.

    pub(super) fn try_read(self: &Rc<Self>, buffer: &mut [u8]) -> Result<usize, SourceError> {
        let mut cipher = self.cipher.borrow_mut();
        let waited = cipher.is_waiting();
        let read = cipher.read(buffer);
        let is_peer_closed = cipher.engine.is_peer_closed();
        if waited {
            // It went on meanwhile.
            self.with_raw(|raw| {
                cipher.transmit(raw);
                if !cipher.is_waiting() {
                    raw.resume_reading();
                }
            });
        }
        drop(cipher);
        let count = match read {
            Ok(count) => count,
            Err((count, error)) => {
                self.fail(error);
                count
            }
        };
        if count > 0 || buffer.is_empty() {
            return Ok(count);
        }
        if self.failure.borrow().is_none() {
            if is_peer_closed {
                return Ok(0);
            }
            if self.ended.get() {
                self.fail(TlsError::Truncated);
            } else if !self.lost.get() {
                self.registration.clear(Ready::READABLE);
                return Err(SourceError::WouldBlock);
            }
        }
        Err(SourceError::Closed)
    }

    pub(super) fn try_write(self: &Rc<Self>, pieces: &[&[u8]]) -> Result<usize, SourceError> {
        if self.lost.get() || self.failure.borrow().is_some() {
            return Err(SourceError::Closed);
        }
        let Some(written) = self.with_raw(|raw| {
            if raw.is_writing_paused() {
                self.registration.clear(Ready::WRITABLE);
                return Ok(Err(SourceError::WouldBlock));
            }
            let mut chosen: [&[u8]; WRITE_PIECES] = [&[]; WRITE_PIECES];
            let mut room = WRITE_SIZE;
            for (place, piece) in chosen.iter_mut().zip(pieces) {
                *place = &piece[..piece.len().min(room)];
                room -= place.len();
            }
            let mut cipher = self.cipher.borrow_mut();
            let written = cipher.engine.write(&chosen[..pieces.len().min(WRITE_PIECES)]);
            cipher.transmit(raw);
            written.map(Ok)
        }) else {
            return Err(SourceError::Closed);
        };
        written.unwrap_or_else(|error| {
            self.fail(error);
            Err(SourceError::Closed)
        })
    }

    /// What `error`, which the above have returned, stands for.
    pub(super) fn explain(&self, error: SourceError) -> ConnectionError {
        self.failure.borrow().clone().unwrap_or(ConnectionError::Source(error))
    }

    pub(super) fn says_goodbye(&self) -> bool {
        match self.phase.get() {
            Phase::Goodbye => !self.is_goodbye_over.get(),
            _ => !self.lost.get() && self.failure.borrow().is_none(),
        }
    }

    /// Says that nothing more will come, waits until the other side has said
    /// it too, and closes the connection below.
    pub(super) fn try_goodbye(self: &Rc<Self>) -> Result<(), SourceError> {
        if self.phase.get() == Phase::Open {
            self.say_goodbye();
        }
        let is_over = self.lost.get() || self.failure.borrow().is_some();
        if !is_over {
            self.registration.clear(Ready::WRITABLE);
            return Err(SourceError::WouldBlock);
        }
        self.is_goodbye_over.set(true);
        match &*self.failure.borrow() {
            Some(_) => Err(SourceError::Closed),
            None => Ok(()),
        }
    }

    fn say_goodbye(self: &Rc<Self>) {
        self.phase.set(Phase::Goodbye);
        self.set_timer(self.timeouts.shutdown, Channel::goodbye_took_too_long);
        self.with_raw(|raw| {
            let mut cipher = self.cipher.borrow_mut();
            cipher.engine.close_notify();
            // What is wrong with bytes that nobody wants is not told.
            let is_over = cipher.discard().is_err() || cipher.engine.is_peer_closed();
            cipher.transmit(raw);
            drop(cipher);
            if is_over || self.ended.get() {
                raw.close();
                return;
            }
            // Some who do not know a close_notify know the end of a connection.
            if raw.can_write_eof() {
                let _ = raw.write_eof();
            }
            raw.resume_reading();
        });
    }

    fn goodbye_took_too_long(self: &Rc<Self>) {
        if self.phase.get() == Phase::Goodbye && !self.is_peer_closed() {
            let error = TlsError::ShutdownTimeout(self.timeouts.shutdown);
            self.failure.borrow_mut().get_or_insert(ConnectionError::Tls(error));
        }
        self.with_raw(Transport::abort);
    }

    /// The connection above is over.
    pub(super) fn abandon(&self) {
        if !self.lost.get() && self.phase.get() != Phase::Failed {
            self.with_raw(Transport::abort);
        }
    }

    // Its end.

    fn is_peer_closed(&self) -> bool {
        self.cipher.borrow().engine.is_peer_closed()
    }

    /// Nothing more is possible. An alert that says so was transmitted, and is
    /// to be written before the connection below is closed.
    fn fail(self: &Rc<Self>, error: TlsError) {
        let is_goodbye = self.phase.replace(Phase::Failed) == Phase::Goodbye;
        if !is_goodbye {
            self.failure.borrow_mut().get_or_insert(ConnectionError::Tls(error));
        }
        drop(self.established.take());
        if !self.lost.get() {
            self.set_timer(self.timeouts.shutdown, Channel::goodbye_took_too_long);
            self.with_raw(Transport::close);
        }
        self.registration.set_ready(Ready::BOTH);
        self.wake();
    }

    fn set_timer(self: &Rc<Self>, delay: Duration, then: fn(&Rc<Channel>)) {
        self.cancel_timer();
        let weak = Rc::downgrade(self);
        let timer = crate::schedule::current().and_then(|event_loop| {
            let due = move || {
                if let Some(channel) = weak.upgrade() {
                    then(&channel);
                }
            };
            // Refused only by a loop that is closed.
            event_loop.call_later(delay, due).ok()
        });
        self.timer.set(timer);
    }

    fn cancel_timer(&self) {
        if let Some(timer) = self.timer.take() {
            timer.cancel();
        }
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        self.cancel_timer();
    }
}
