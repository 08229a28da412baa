//! A connection: a source, what waits to be written, a protocol, and the
//! machine that decides; this does what it decides.
//!
//! The protocol is lent out for the time of a callback, so that it cannot be
//! called again within; everything else stays reachable for the transport.

use super::driven::{After, Driven, Header, drive, make_ready};
use super::error::{ConnectionError, ProtocolError, WriteError};
use super::flow_control::{FlowChange, WriteBufferLimits};
use super::machine::{Action, Machine, Rest, Verdict};
use super::protocol::AfterEof;
use super::receiver::Receiver;
use super::storage::{Storage, Unsent};
use super::transport::{Flow, Follow, Link, Ref, Transport, another};
use crate::io::source::{ByteSource, End, SourceError};
use crate::schedule::ExceptionContext;
use core::cell::{Cell, RefCell};
use core::fmt::Display;
use core::net::SocketAddr;
use core::task::Context;

#[cfg(feature = "alloc")]
use super::protocol::{BufferedProtocol, Protocol};
#[cfg(feature = "alloc")]
use super::receiver::{Buffered, Streamed};
#[cfg(feature = "alloc")]
use super::storage::Heap;
#[cfg(feature = "alloc")]
use crate::error::Closed;
#[cfg(feature = "alloc")]
use crate::io::{Listener, Ready};
#[cfg(feature = "alloc")]
use crate::schedule::EventLoop;
#[cfg(feature = "alloc")]
use alloc::{boxed::Box, rc::Rc};

/// The connection of a source `S` with a protocol `P`, which keeps its bytes in `B`.
///
/// Where there is a heap nobody names this type: [`Transport::new`] makes
/// connections. Where there is none it is a static, [opened](Self::open) for
/// one source after the other:
///
/// ```ignore
/// static LINK: Connection<&'static Serial, Streamed<Shell>, Fixed<256, 64>> = Connection::new();
///
/// let transport = LINK.open(&SERIAL, Streamed(Shell::new()))?;
/// LINK.drive().await; // in a task
/// ```
#[repr(C)]
pub struct Connection<S, P, B: Storage> {
    header: Header,
    machine: Cell<Machine>,
    io: RefCell<Io<S, B::Unsent>>,
    protocol: RefCell<Option<P>>,
    rare: Rare<P>,
}

/// What bytes come from and go to.
struct Io<S, U> {
    /// Until the end.
    source: Option<S>,
    /// What could not be written yet.
    unsent: U,
}

/// What most connections never have.
#[cfg(feature = "alloc")]
struct Rare<P>(Cell<Option<Box<RareParts<P>>>>);

#[cfg(not(feature = "alloc"))]
struct Rare<P>(Cell<Option<RareParts<P>>>);

struct RareParts<P> {
    /// Why it ends.
    error: Option<ConnectionError>,
    /// Takes over when the running callback has returned.
    #[cfg(feature = "alloc")]
    successor: Option<P>,
    #[cfg(not(feature = "alloc"))]
    successor: core::marker::PhantomData<P>,
}

impl<P> Rare<P> {
    const fn none() -> Rare<P> {
        Rare(Cell::new(None))
    }

    fn take_error(&self) -> Option<ConnectionError> {
        let mut parts = self.0.take();
        let error = parts.as_mut().and_then(|parts| parts.error.take());
        self.0.set(parts);
        error
    }

    fn with<R>(&self, f: impl FnOnce(&mut RareParts<P>) -> R) -> R {
        let parts = self.0.take();
        #[cfg(feature = "alloc")]
        let mut parts =
            parts.unwrap_or_else(|| Box::new(RareParts { error: None, successor: None }));
        #[cfg(not(feature = "alloc"))]
        let mut parts =
            parts.unwrap_or(RareParts { error: None, successor: core::marker::PhantomData });
        let result = f(&mut parts);
        self.0.set(Some(parts));
        result
    }

    #[cfg(feature = "alloc")]
    fn take_successor(&self) -> Option<P> {
        let mut parts = self.0.take()?;
        let successor = parts.successor.take();
        self.0.set(Some(parts));
        successor
    }

    #[cfg(not(feature = "alloc"))]
    fn take_successor(&self) -> Option<P> {
        None
    }
}

// SAFETY: repr(C), and the header is the first field.
unsafe impl<S: ByteSource + 'static, P: Receiver + 'static, B: Storage> Driven
    for Connection<S, P, B>
{
    fn header(&self) -> &Header {
        &self.header
    }

    fn turn(this: &Ref<Self>, cx: Option<&mut Context<'_>>) -> After {
        this.do_turn(Transport { link: another::<Self>(this) }, cx)
    }

    #[cfg(feature = "threads")]
    fn panicked(&self, event_loop: &EventLoop, payload: crate::platform::Payload) {
        event_loop.report_panic("a callback of a protocol panicked", &payload);
        self.fail(ConnectionError::Protocol(ProtocolError::panicked(&payload)));
        self.let_go_if_lost();
    }
}

impl<S: ByteSource + 'static, P: Receiver + 'static, B: Storage> Connection<S, P, B> {
    fn with<R>(&self, f: impl FnOnce(&mut Machine) -> R) -> R {
        let mut machine = self.machine.get();
        let result = f(&mut machine);
        self.machine.set(machine);
        result
    }

    /// How many bytes wait.
    fn waiting(&self) -> usize {
        self.io.borrow().unsent.len()
    }

    fn do_turn(&self, transport: Transport, cx: Option<&mut Context<'_>>) -> After {
        self.with(Machine::begin_turn);
        loop {
            let waiting = self.waiting();
            match self.with(|machine| machine.next(waiting)) {
                Action::Rest => break,
                Action::Read => self.receive(&transport),
                Action::Flush => self.flush(),
                Action::Shutdown => self.shut_down(),
                Action::ConnectionMade => {
                    self.call_or_fail("a protocol's connection_made failed", (), |protocol| {
                        protocol.made(&transport)
                    })
                }
                Action::EofReceived => {
                    let after = self.call_or_fail(
                        "a protocol's eof_received failed",
                        AfterEof::KeepOpen,
                        |protocol| protocol.eof(&transport),
                    );
                    if after == AfterEof::Close {
                        self.with(|machine| machine.close(self.waiting()));
                    }
                }
                Action::Flow(change) => {
                    let message = match change {
                        FlowChange::Pause => "a protocol's pause_writing failed",
                        FlowChange::Resume => "a protocol's resume_writing failed",
                    };
                    self.call(message, |protocol| protocol.flow(&transport, change));
                }
                Action::ConnectionLost => {
                    let error = self.rare.take_error();
                    self.call("a protocol's connection_lost failed", |protocol| {
                        protocol.lost(&transport, error.as_ref())
                    });
                    self.let_go();
                }
            }
            self.change_protocol();
        }
        self.rest(cx)
    }

    fn rest(&self, cx: Option<&mut Context<'_>>) -> After {
        let ready = match (&cx, &self.io.borrow().source) {
            // An event tells who listens; who only waits has to ask.
            (None, Some(source)) => source.known_ready(),
            _ => crate::io::Ready::NONE,
        };
        match self.machine.get().rest(self.waiting(), ready) {
            Rest::Gone => After::Gone,
            Rest::Again => After::Again,
            Rest::Wait(interest) => {
                let (Some(cx), Some(source)) = (cx, &self.io.borrow().source) else {
                    return After::Wait;
                };
                let waits = interest.is_none() || source.poll_ready(cx, interest).is_pending();
                if waits { After::Wait } else { After::Again }
            }
        }
    }

    /// Calls the protocol; what it fails with is reported and returned.
    fn call<R>(
        &self,
        message: &'static str,
        f: impl FnOnce(&mut P) -> Result<R, ProtocolError>,
    ) -> Option<Result<R, ProtocolError>> {
        let result = match self.protocol.try_borrow_mut() {
            Ok(mut protocol) => protocol.as_mut().map(f),
            Err(_running) => None,
        };
        if let Some(Err(error)) = &result {
            self.report(message, error);
        }
        result
    }

    /// Calls the protocol, which must not fail: the connection would end.
    fn call_or_fail<R>(
        &self,
        message: &'static str,
        otherwise: R,
        f: impl FnOnce(&mut P) -> Result<R, ProtocolError>,
    ) -> R {
        match self.call(message, f) {
            Some(Ok(result)) => result,
            Some(Err(error)) => {
                self.fail(ConnectionError::Protocol(error));
                otherwise
            }
            None => otherwise,
        }
    }

    #[inline]
    fn receive(&self, transport: &Transport) {
        self.with(Machine::read);
        let mut read = |buffer: &mut [u8]| match &self.io.borrow().source {
            Some(source) => source.try_read(buffer),
            None => Err(SourceError::WouldBlock),
        };
        let received = self.header.with_loop(|event_loop| {
            B::lend(Some(event_loop), |lent| {
                self.call_or_fail(
                    "a protocol's data_received or buffer_updated failed",
                    Err(SourceError::WouldBlock),
                    |protocol| protocol.receive(transport, &mut read, lent),
                )
            })
        });
        match received {
            Some(Ok(0)) => self.with(Machine::read_end),
            Some(Ok(_)) | Some(Err(SourceError::WouldBlock | SourceError::Interrupted)) | None => {}
            Some(Err(SourceError::Overrun(lost))) => {
                self.call_or_fail("a protocol's data_lost failed", (), |protocol| {
                    protocol.data_lost(transport, lost)
                });
            }
            Some(Err(error)) => self.fail(ConnectionError::Source(error)),
        }
    }

    fn flush(&self) {
        let written = match &*self.io.borrow() {
            Io { source: Some(source), unsent } => source.try_write_vectored(&unsent.pieces()),
            Io { source: None, .. } => Ok(0),
        };
        self.with(Machine::flushed);
        match written {
            Ok(written) => {
                self.io.borrow_mut().unsent.consume(written);
                let waiting = self.waiting();
                self.with(|machine| machine.shrunk(waiting));
            }
            Err(SourceError::WouldBlock | SourceError::Interrupted) => {}
            Err(error) => self.fail(ConnectionError::Source(error)),
        }
    }

    fn shut_down(&self) {
        let result = match &self.io.borrow().source {
            Some(source) => source.shutdown(),
            None => Ok(()),
        };
        if let Err(error) = result {
            self.fail(ConnectionError::Source(error));
        }
    }

    /// Ends the connection because of `error`, unless its end is decided.
    fn fail(&self, error: ConnectionError) {
        if self.with(Machine::end) {
            self.io.borrow_mut().unsent.clear();
            self.rare.with(|rare| rare.error = Some(error));
        }
    }

    fn change_protocol(&self) {
        if let Some(successor) = self.rare.take_successor()
            && let Ok(mut protocol) = self.protocol.try_borrow_mut()
            && protocol.is_some()
        {
            let former = protocol.replace(successor);
            drop(protocol);
            self.with(Machine::protocol_changed);
            drop(former);
        }
    }

    /// The end: closes the source and drops the protocol, which may hold the
    /// transport and so the connection itself.
    fn let_go(&self) {
        let source = self.io.borrow_mut().source.take();
        #[cfg(feature = "alloc")]
        if let Some(source) = &source {
            source.listen(None);
        }
        drop(source);
        let protocol = match self.protocol.try_borrow_mut() {
            Ok(mut protocol) => protocol.take(),
            Err(_running) => None,
        };
        drop(protocol);
        self.rare.0.set(None);
    }

    #[cfg(feature = "threads")]
    fn let_go_if_lost(&self) {
        if self.machine.get().phase() == super::machine::Phase::Lost {
            self.let_go();
        }
    }

    #[cold]
    fn report(&self, message: &'static str, error: &dyn Display) {
        self.header.with_loop(|event_loop| {
            event_loop.call_exception_handler(&ExceptionContext::new(message, Some(error)));
        });
    }
}

impl<S: ByteSource + 'static, P: Receiver + 'static, B: Storage> Link for Connection<S, P, B> {
    #[inline]
    fn write(&self, pieces: &[&[u8]]) -> Result<(Flow, Follow), WriteError> {
        match self.with(Machine::write) {
            Verdict::Take => {}
            Verdict::AfterEof => return Err(WriteError::AfterEof),
            Verdict::Drop => return Ok((Flow::Dropped, Follow::Nothing)),
            Verdict::DropAndWarn => {
                self.report(
                    "a program goes on writing to a connection that is closed",
                    &"what it writes is dropped",
                );
                return Ok((Flow::Dropped, Follow::Nothing));
            }
        }
        let mut rest: usize = pieces.iter().map(|piece| piece.len()).sum();
        let mut io = self.io.borrow_mut();
        let free = io.unsent.free();
        if rest > free {
            return Err(WriteError::Full { free });
        }
        let mut sent = 0;
        if rest > 0 && io.unsent.is_empty() {
            match send(io.source.as_ref(), pieces) {
                Ok(count) => sent = count.min(rest),
                Err(SourceError::WouldBlock | SourceError::Interrupted) => {}
                Err(error) => {
                    drop(io);
                    self.fail(ConnectionError::Source(error));
                    return Ok((Flow::Dropped, Follow::Turn));
                }
            }
        }
        rest -= sent;
        if rest == 0 {
            return Ok((self.flow(), Follow::Nothing));
        }
        let was_empty = io.unsent.is_empty();
        for piece in pieces {
            let skipped = sent.min(piece.len());
            sent -= skipped;
            io.unsent.push(&piece[skipped..]);
        }
        let waiting = io.unsent.len();
        drop(io);
        let untold = self.with(|machine| {
            machine.flushed();
            machine.grown(waiting)
        });
        Ok((self.flow(), Follow::when(was_empty || untold)))
    }

    fn write_eof(&self) -> Result<Follow, WriteError> {
        if !self.can_write_eof() {
            return Err(WriteError::NoHalfClose);
        }
        Ok(Follow::when(self.with(Machine::write_eof)))
    }

    fn can_write_eof(&self) -> bool {
        self.io.borrow().source.as_ref().is_none_or(ByteSource::can_shut_down)
    }

    fn close(&self) -> Follow {
        let waiting = self.waiting();
        Follow::when(self.with(|machine| machine.close(waiting)))
    }

    fn abort(&self) -> Follow {
        let decides = self.with(Machine::end);
        if decides {
            self.io.borrow_mut().unsent.clear();
        }
        Follow::when(decides)
    }

    fn pause_reading(&self) -> Follow {
        self.with(Machine::pause_reading);
        Follow::Nothing
    }

    fn resume_reading(&self) -> Follow {
        Follow::when(self.with(Machine::resume_reading))
    }

    fn set_limits(&self, limits: WriteBufferLimits) -> Follow {
        let waiting = self.waiting();
        Follow::when(self.with(|machine| machine.set_limits(limits, waiting)))
    }

    fn machine(&self) -> Machine {
        self.machine.get()
    }

    fn pending(&self) -> usize {
        self.waiting()
    }

    fn address(&self, end: End) -> Option<SocketAddr> {
        self.io.borrow().source.as_ref()?.address(end)
    }

    fn descriptor(&self) -> Option<u64> {
        self.io.borrow().source.as_ref()?.descriptor()
    }

    #[cfg(feature = "alloc")]
    fn set_protocol(&self, protocol: Box<dyn Receiver>) -> Follow {
        use core::any::Any;
        // Connections on the heap hold their protocols so; no other type has this method's callers.
        let mut offered = Some(protocol);
        if let Some(offered) = (&mut offered as &mut dyn Any).downcast_mut::<Option<P>>()
            && let Some(successor) = offered.take()
            && !self.machine.get().is_over()
        {
            let _former = self.rare.with(|rare| rare.successor.replace(successor));
            if self.protocol.try_borrow().is_ok() {
                self.change_protocol();
            }
        }
        Follow::when(self.machine.get().is_writing_paused())
    }

    #[cfg(feature = "alloc")]
    fn with_protocol(&self, f: &mut dyn FnMut(&mut dyn core::any::Any)) -> bool {
        match self.protocol.try_borrow_mut() {
            Ok(mut protocol) => protocol.as_mut().map(|protocol| f(protocol.protocol())).is_some(),
            Err(_running) => false,
        }
    }

    #[cfg(feature = "alloc")]
    fn schedule(self: Rc<Self>) {
        make_ready(self);
    }

    #[cfg(not(feature = "alloc"))]
    fn schedule(&'static self) {
        make_ready(self);
    }
}

impl<S: ByteSource + 'static, P: Receiver + 'static, B: Storage> Connection<S, P, B> {
    fn flow(&self) -> Flow {
        if self.machine.get().is_writing_paused() { Flow::Paused } else { Flow::Open }
    }
}

#[inline]
fn send<S: ByteSource>(source: Option<&S>, pieces: &[&[u8]]) -> Result<usize, SourceError> {
    match (source, pieces) {
        (Some(source), [piece]) => source.try_write(piece),
        (Some(source), pieces) => source.try_write_vectored(pieces),
        (None, _) => Err(SourceError::WouldBlock),
    }
}

#[cfg(feature = "alloc")]
impl<S: ByteSource + 'static, P: Receiver + 'static, B: Storage> Listener for Connection<S, P, B> {
    #[inline]
    fn ready(self: Rc<Self>, _directions: Ready) {
        make_ready(self);
    }
}

#[cfg(feature = "alloc")]
impl Transport {
    /// Connects `source` with `protocol` in `event_loop`: `connection_made` is
    /// called in the next batch, and then the source is read.
    ///
    /// asyncio: what a loop does with each connected socket.
    ///
    /// # Errors
    ///
    /// [`Closed`]: the loop is closed; source and protocol are dropped.
    pub fn new<S, P>(event_loop: &EventLoop, source: S, protocol: P) -> Result<Transport, Closed>
    where
        S: ByteSource + 'static,
        P: Protocol + 'static,
    {
        open(event_loop, source, Box::new(Streamed(protocol)))
    }

    /// As [`new`](Self::new), with a protocol that says where bytes go.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new).
    pub fn new_buffered<S, P>(
        event_loop: &EventLoop,
        source: S,
        protocol: P,
    ) -> Result<Transport, Closed>
    where
        S: ByteSource + 'static,
        P: BufferedProtocol + 'static,
    {
        open(event_loop, source, Box::new(Buffered(protocol)))
    }
}

#[cfg(feature = "alloc")]
fn open<S: ByteSource + 'static>(
    event_loop: &EventLoop,
    source: S,
    protocol: Box<dyn Receiver>,
) -> Result<Transport, Closed> {
    if event_loop.is_closed() {
        return Err(Closed);
    }
    source.begin_transport();
    type OnHeap<S> = Connection<S, Box<dyn Receiver>, Heap>;
    let connection = Rc::new(OnHeap::<S> {
        header: Header::new::<OnHeap<S>>(event_loop),
        machine: Cell::new(Machine::new(WriteBufferLimits::DEFAULT)),
        io: RefCell::new(Io { source: Some(source), unsent: Unsent::EMPTY }),
        protocol: RefCell::new(Some(protocol)),
        rare: Rare::none(),
    });
    let transport = Transport { link: connection.clone() };
    let listens = connection
        .io
        .borrow()
        .source
        .as_ref()
        .is_some_and(|source| source.listen(Some(connection.clone())));
    if listens {
        make_ready(connection);
    } else {
        let task = event_loop.create_task(drive(connection)).map_err(|_closed| Closed)?;
        task.detach();
    }
    Ok(transport)
}

#[cfg(not(feature = "alloc"))]
// SAFETY: there is one thread of control, and interrupts do not touch connections.
unsafe impl<S, P, B: Storage> Sync for Connection<S, P, B> {}

#[cfg(not(feature = "alloc"))]
impl<S: ByteSource + 'static, P: Receiver + 'static, B: Storage> Connection<S, P, B> {
    /// No connection yet.
    pub const fn new() -> Self {
        Connection {
            header: Header::new(),
            machine: Cell::new(Machine::new(WriteBufferLimits::DEFAULT)),
            io: RefCell::new(Io { source: None, unsent: B::Unsent::EMPTY }),
            protocol: RefCell::new(None),
            rare: Rare::none(),
        }
    }

    /// Connects `source` with `protocol`. `connection_made` is called when the
    /// connection is [driven](Self::drive).
    ///
    /// # Errors
    ///
    /// [`Full`](crate::error::Full) with both while the connection is in use.
    pub fn open(
        &'static self,
        source: S,
        protocol: P,
    ) -> Result<Transport, crate::error::Full<(S, P)>> {
        let Ok(mut io) = self.io.try_borrow_mut() else {
            return Err(crate::error::Full((source, protocol)));
        };
        if io.source.is_some() {
            return Err(crate::error::Full((source, protocol)));
        }
        source.begin_transport();
        io.source = Some(source);
        drop(io);
        self.protocol.replace(Some(protocol));
        self.io.borrow_mut().unsent.clear();
        self.machine.set(Machine::new(WriteBufferLimits::DEFAULT));
        Ok(Transport { link: self })
    }

    /// Drops source and protocol, telling nobody: for a connection whose loop is
    /// closed. Does nothing inside one of its callbacks.
    pub fn reset(&self) {
        if self.protocol.try_borrow_mut().is_ok() {
            self.let_go();
        }
    }

    /// Drives the connection to its end: to be awaited in a task.
    ///
    /// # Cancellation
    ///
    /// The connection stands still until it is driven again.
    pub async fn drive(&'static self) {
        drive(self).await;
    }
}

#[cfg(not(feature = "alloc"))]
impl<S: ByteSource + 'static, P: Receiver + 'static, B: Storage> Default for Connection<S, P, B> {
    fn default() -> Self {
        Connection::new()
    }
}
