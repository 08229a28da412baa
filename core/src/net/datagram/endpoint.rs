//! An endpoint: a source of messages, those that wait to be sent, and a
//! protocol; the machine of stream connections decides.

use super::protocol::DatagramProtocol;
use super::transport::{DatagramTransport, EndpointLink, SendError};
use crate::error::Closed;
use crate::io::source::{DatagramSource, End, SourceError};
use crate::io::{EventListener, Listener, Ready};
use crate::net::driven::{After, Driven, Header, drive, make_ready, with_machine};
use crate::net::error::{ConnectionError, ProtocolError};
use crate::net::flow_control::{FlowChange, WriteBufferLimits};
use crate::net::machine::{Action, Machine, Rest, Verdict};
use crate::net::storage::{Heap, READ_SIZE, Storage};
use crate::net::transport::{Flow, Follow};
use crate::schedule::{EventLoop, ExceptionContext};
use crate::task::create_hidden_task;
use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::fmt::Display;
use core::net::SocketAddr;
use core::task::{Context, Waker};

/// What a waiting message counts beside its bytes, so that a crowd of empty
/// ones is flow-controlled too.
///
/// asyncio: since 3.14.
const MESSAGE_OVERHEAD: usize = 8;

struct Message<A> {
    bytes: Vec<u8>,
    receiver: Option<A>,
}

impl<A> Message<A> {
    fn size(&self) -> usize {
        self.bytes.len() + MESSAGE_OVERHEAD
    }
}

struct Io<S, A> {
    source: Option<S>,
    unsent: VecDeque<Message<A>>,
    size: usize,
    /// What `error_received` has to be told.
    errors: VecDeque<SourceError>,
}

#[repr(C)]
struct Endpoint<S: DatagramSource, P> {
    header: Header,
    machine: Cell<Machine>,
    peer: Option<S::Address>,
    io: RefCell<Io<S, S::Address>>,
    protocol: RefCell<Option<P>>,
    error: Cell<Option<Box<ConnectionError>>>,
    driver: Cell<Option<Box<Waker>>>,
    /// Where messages go that are longer than the loop's buffer; else empty.
    long: Cell<Box<[u8]>>,
}

impl<A: Clone + PartialEq + 'static> DatagramTransport<A> {
    /// An endpoint of `source` with `protocol` in `event_loop`; `peer` is whom
    /// the source is connected to. `connection_made` is called in the next batch.
    ///
    /// Backends' `create_datagram_endpoint` makes the source too.
    ///
    /// # Errors
    ///
    /// [`Closed`]: the loop is closed; source and protocol are dropped.
    pub fn new<S, P>(
        event_loop: &EventLoop,
        source: S,
        protocol: P,
        peer: Option<A>,
    ) -> Result<DatagramTransport<A>, Closed>
    where
        S: DatagramSource<Address = A> + 'static,
        P: DatagramProtocol<A> + 'static,
    {
        if event_loop.is_closed() {
            return Err(Closed);
        }
        let endpoint = Rc::new(Endpoint {
            header: Header::new::<Endpoint<S, P>>(event_loop),
            machine: Cell::new(Machine::new(WriteBufferLimits::DEFAULT)),
            peer,
            io: RefCell::new(Io {
                source: Some(source),
                unsent: VecDeque::new(),
                size: 0,
                errors: VecDeque::new(),
            }),
            protocol: RefCell::new(Some(protocol)),
            error: Cell::new(None),
            driver: Cell::new(None),
            long: Cell::default(),
        });
        let transport = DatagramTransport { link: endpoint.clone() };
        let listens = match &endpoint.io.borrow().source {
            Some(source) => source.listen(Some(EventListener::new(endpoint.clone()))),
            None => false,
        };
        if listens {
            make_ready(endpoint);
        } else {
            let task =
                create_hidden_task(event_loop, drive(endpoint)).map_err(|_refused| Closed)?;
            task.detach();
        }
        Ok(transport)
    }
}

// SAFETY: repr(C), and the header is the first field.
unsafe impl<S, P> Driven for Endpoint<S, P>
where
    S: DatagramSource + 'static,
    P: DatagramProtocol<S::Address> + 'static,
{
    fn header(&self) -> &Header {
        &self.header
    }

    fn machine(&self) -> &Cell<Machine> {
        &self.machine
    }

    fn take_driver(&self) -> Option<Waker> {
        self.driver.take().map(|driver| *driver)
    }

    fn put_driver(&self, driver: Waker) {
        self.driver.set(Some(Box::new(driver)));
    }

    fn turn(this: &Rc<Self>, cx: Option<&mut Context<'_>>) -> After {
        this.do_turn(&DatagramTransport { link: this.clone() }, cx)
    }

    fn abandon(&self) {
        self.with(Machine::abandon);
        self.drop_unsent();
        self.let_go();
    }

    #[cfg(feature = "threads")]
    fn panicked(&self, event_loop: &EventLoop, payload: crate::platform::Payload) {
        event_loop.report_panic("a callback of a datagram protocol panicked", &payload);
        self.fail(ConnectionError::Protocol(ProtocolError::panicked(&payload)));
        if self.machine.get().phase() == crate::net::machine::Phase::Lost {
            self.let_go();
        }
    }
}

impl<S, P> Listener for Endpoint<S, P>
where
    S: DatagramSource + 'static,
    P: DatagramProtocol<S::Address> + 'static,
{
    fn ready(self: Rc<Self>) {
        make_ready(self);
    }
}

impl<S, P> Endpoint<S, P>
where
    S: DatagramSource + 'static,
    P: DatagramProtocol<S::Address> + 'static,
{
    fn with<R>(&self, f: impl FnOnce(&mut Machine) -> R) -> R {
        with_machine(self, f)
    }

    fn waiting(&self) -> usize {
        self.io.borrow().size
    }

    fn do_turn(
        &self,
        transport: &DatagramTransport<S::Address>,
        cx: Option<&mut Context<'_>>,
    ) -> After {
        loop {
            let waiting = self.waiting();
            match self.with(|machine| machine.next(waiting)) {
                Action::Rest => break,
                Action::ConnectionMade => {
                    self.call_or_fail("a datagram protocol's connection_made failed", |protocol| {
                        protocol.connection_made(transport)
                    });
                }
                Action::Read => self.receive(transport),
                Action::Flush => self.flush(),
                Action::Flow(change) => {
                    self.call("a datagram protocol's flow control callback failed", |protocol| {
                        match change {
                            FlowChange::Pause => protocol.pause_writing(transport),
                            FlowChange::Resume => protocol.resume_writing(transport),
                        }
                    });
                }
                // Messages have no end.
                Action::Shutdown | Action::EofReceived => {}
                Action::ConnectionLost => {
                    // What became of the last messages, before the end.
                    self.tell_errors(transport);
                    let error = self.error.take();
                    self.call("a datagram protocol's connection_lost failed", |protocol| {
                        protocol.connection_lost(transport, error.as_deref())
                    });
                    self.let_go();
                }
            }
            self.tell_errors(transport);
        }
        self.rest(cx)
    }

    fn rest(&self, cx: Option<&mut Context<'_>>) -> After {
        let io = self.io.borrow();
        let ready = match (&cx, &io.source) {
            (None, Some(source)) => source.known_ready(),
            _ => Ready::NONE,
        };
        match self.machine.get().rest(io.size, ready) {
            Rest::Gone => After::Gone,
            Rest::Again => After::Again,
            Rest::Wait(_) if !io.errors.is_empty() => After::Again,
            Rest::Wait(interest) => {
                let (Some(cx), Some(source)) = (cx, &io.source) else { return After::Wait };
                if source.poll_ready(cx, interest).is_ready() { After::Again } else { After::Wait }
            }
        }
    }

    fn call(
        &self,
        message: &'static str,
        f: impl FnOnce(&mut P) -> Result<(), ProtocolError>,
    ) -> Option<ProtocolError> {
        let result = match self.protocol.try_borrow_mut() {
            Ok(mut protocol) => protocol.as_mut().map(f),
            Err(_running) => None,
        };
        let error = result?.err()?;
        self.report(message, &error);
        Some(error)
    }

    fn call_or_fail(
        &self,
        message: &'static str,
        f: impl FnOnce(&mut P) -> Result<(), ProtocolError>,
    ) {
        if let Some(error) = self.call(message, f) {
            self.fail(ConnectionError::Protocol(error));
        }
    }

    fn receive(&self, transport: &DatagramTransport<S::Address>) {
        self.with(Machine::read);
        let longest = self.io.borrow().source.as_ref().map_or(0, S::longest_message);
        if longest > READ_SIZE {
            return self.receive_long(transport, longest);
        }
        self.header.with_loop(|event_loop| {
            Heap::lend(Some(event_loop), |lent| self.receive_to(transport, lent));
        });
    }

    /// What the loop's buffer is too short for is received to one of its own.
    fn receive_long(&self, transport: &DatagramTransport<S::Address>, longest: usize) {
        let mut buffer = self.long.take();
        // The first time, and in a loop turned inside of a callback.
        if buffer.is_empty() {
            // Zeroed by the system, where it is touched: the rest takes no memory.
            buffer = alloc::vec![0; longest].into_boxed_slice();
        }
        self.receive_to(transport, &mut buffer);
        self.long.set(buffer);
    }

    fn receive_to(&self, transport: &DatagramTransport<S::Address>, buffer: &mut [u8]) {
        let received = match &self.io.borrow().source {
            Some(source) => source.try_recv_from(buffer),
            None => return,
        };
        match received {
            Ok((count, sender)) => {
                let data = &buffer[..count.min(buffer.len())];
                self.call_or_fail("a datagram protocol's datagram_received failed", |protocol| {
                    protocol.datagram_received(transport, data, &sender)
                });
            }
            Err(error) => self.failed(error),
        }
    }

    /// Sends what waits, as far as it goes.
    fn flush(&self) {
        loop {
            let mut io = self.io.borrow_mut();
            let Io { source: Some(source), unsent, .. } = &*io else { break };
            let Some(message) = unsent.front() else { break };
            match source.try_send_to(&message.bytes, message.receiver.as_ref()) {
                Err(SourceError::WouldBlock | SourceError::Interrupted) => break,
                result => {
                    let sent = io.unsent.pop_front().map_or(0, |message| message.size());
                    io.size -= sent;
                    drop(io);
                    let waiting = self.waiting();
                    self.with(|machine| machine.shrunk(waiting));
                    if let Err(error) = result {
                        self.failed(error);
                    }
                }
            }
        }
        self.with(Machine::flushed);
    }

    /// The system has something against a message: the endpoint goes on,
    /// unless it cannot.
    fn failed(&self, error: SourceError) {
        match error {
            SourceError::WouldBlock | SourceError::Interrupted => {}
            SourceError::Closed
            | SourceError::NoRunningLoop
            | SourceError::ForeignLoop
            | SourceError::Unsupported(_) => self.fail(ConnectionError::Source(error)),
            error => self.io.borrow_mut().errors.push_back(error),
        }
    }

    /// Tells of the errors that there are. Those of what is sent in answer to
    /// them are told in the next turn: who always answers, and always in vain,
    /// holds nobody up.
    fn tell_errors(&self, transport: &DatagramTransport<S::Address>) {
        let due = self.io.borrow().errors.len();
        for _ in 0..due {
            let error = self.io.borrow_mut().errors.pop_front();
            let Some(error) = error else { return };
            self.call("a datagram protocol's error_received failed", |protocol| {
                protocol.error_received(transport, error)
            });
        }
    }

    fn drop_unsent(&self) {
        let mut io = self.io.borrow_mut();
        io.size = 0;
        let dropped = core::mem::take(&mut io.unsent);
        drop(io);
        drop(dropped);
    }

    fn fail(&self, error: ConnectionError) {
        if self.with(Machine::end) {
            self.drop_unsent();
            self.error.set(Some(Box::new(error)));
        }
    }

    fn let_go(&self) {
        let source = self.io.borrow_mut().source.take();
        if let Some(source) = &source {
            source.listen(None);
        }
        drop(source);
        let protocol = match self.protocol.try_borrow_mut() {
            Ok(mut protocol) => protocol.take(),
            Err(_running) => None,
        };
        drop(protocol);
    }

    #[cold]
    fn report(&self, message: &'static str, error: &dyn Display) {
        self.header.with_loop(|event_loop| {
            event_loop.call_exception_handler(&ExceptionContext::new(message, Some(error)));
        });
    }
}

impl<S, P> EndpointLink<S::Address> for Endpoint<S, P>
where
    S: DatagramSource + 'static,
    P: DatagramProtocol<S::Address> + 'static,
{
    fn sendto(
        &self,
        data: &[u8],
        receiver: Option<&S::Address>,
    ) -> Result<(Flow, Follow), SendError> {
        let receiver = match (&self.peer, receiver) {
            (Some(peer), Some(other)) if peer != other => return Err(SendError::NotThePeer),
            // The source is connected: it knows.
            (Some(_), _) => None,
            (None, receiver) => receiver,
        };
        if self.with(Machine::write) != Verdict::Take {
            return Ok((Flow::Dropped, Follow::Nothing));
        }
        let mut io = self.io.borrow_mut();
        if io.unsent.is_empty()
            && let Some(source) = &io.source
        {
            match source.try_send_to(data, receiver) {
                Err(SourceError::WouldBlock | SourceError::Interrupted) => {}
                Ok(_whole) => return Ok((self.flow(), Follow::Nothing)),
                Err(error) => {
                    drop(io);
                    self.failed(error);
                    return Ok((self.flow(), Follow::Turn));
                }
            }
        }
        let message = Message { bytes: data.to_vec(), receiver: receiver.cloned() };
        io.size += message.size();
        io.unsent.push_back(message);
        let waiting = io.size;
        drop(io);
        self.with(|machine| {
            machine.flushed();
            machine.grown(waiting)
        });
        Ok((self.flow(), Follow::Turn))
    }

    fn close(&self) -> Follow {
        let waiting = self.waiting();
        Follow::when(self.with(|machine| machine.close(waiting)))
    }

    fn abort(&self) -> Follow {
        let decides = self.with(Machine::end);
        if decides {
            self.drop_unsent();
        }
        Follow::when(decides)
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

    #[cfg(feature = "std")]
    fn unix_address(&self, end: End) -> Option<crate::net::UnixAddress> {
        self.io.borrow().source.as_ref()?.unix_address(end)
    }

    fn descriptor(&self) -> Option<u64> {
        self.io.borrow().source.as_ref()?.descriptor()
    }

    fn schedule(self: Rc<Self>) {
        make_ready(self);
    }
}

impl<S: DatagramSource, P> Endpoint<S, P> {
    fn flow(&self) -> Flow {
        if self.machine.get().is_writing_paused() { Flow::Paused } else { Flow::Open }
    }
}
