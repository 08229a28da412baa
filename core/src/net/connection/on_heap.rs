//! Connections on the heap, which their events keep.

use super::{Connection, Io, Rare};
use crate::error::Closed;
use crate::io::source::ByteSource;
use crate::io::{EventListener, Listener, Ready};
use crate::net::driven::{Header, drive, make_ready};
use crate::net::flow_control::WriteBufferLimits;
use crate::net::machine::Machine;
use crate::net::protocol::{BufferedProtocol, Protocol};
use crate::net::receiver::{Buffered, Receiver, Streamed};
use crate::net::storage::{Heap, Storage, Unsent};
use crate::net::transport::Transport;
use crate::schedule::EventLoop;
use crate::task::create_hidden_task;
use alloc::boxed::Box;
use alloc::rc::Rc;
use core::cell::{Cell, RefCell};

impl<S: ByteSource + 'static, P: Receiver + 'static, B: Storage> Listener for Connection<S, P, B> {
    #[inline]
    fn ready(self: Rc<Self>) {
        if self.machine.get().may_offer_early() {
            self.offer_early();
        }
        make_ready(self);
    }
}

impl<S: ByteSource + 'static, P: Receiver + 'static, B: Storage> Connection<S, P, B> {
    /// Has whoever waits for what has come woken now: so it runs before this
    /// connection's turn, in the same batch, and the turn finds nothing to do.
    fn offer_early(&self) {
        // An event may be told from inside a call, by sources made by hand.
        let readable = self.io.try_borrow().is_ok_and(|io| {
            io.source.as_ref().is_some_and(|source| source.known_ready().contains(Ready::READABLE))
        });
        if readable
            && let Ok(mut protocol) = self.protocol.try_borrow_mut()
            && protocol.as_mut().is_some_and(P::leaves_it)
        {
            self.with(Machine::offer);
        }
    }
}

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
        open(event_loop, source, Box::new(Streamed(protocol)), Machine::new(LIMITS))
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
        open(event_loop, source, Box::new(Buffered(protocol)), Machine::new(LIMITS))
    }
}

const LIMITS: WriteBufferLimits = WriteBufferLimits::DEFAULT;

/// Connects `source` with `protocol`.
#[cfg(feature = "tls")]
pub(in crate::net) fn open_boxed<S: ByteSource + 'static>(
    event_loop: &EventLoop,
    source: S,
    protocol: Box<dyn Receiver>,
) -> Result<Transport, Closed> {
    open(event_loop, source, protocol, Machine::new(LIMITS))
}

/// Connects `source` with a protocol that was told of the connection before
/// it became this one.
#[cfg(feature = "tls")]
pub(in crate::net) fn open_made<S: ByteSource + 'static>(
    event_loop: &EventLoop,
    source: S,
    protocol: Box<dyn Receiver>,
) -> Result<Transport, Closed> {
    open(event_loop, source, protocol, Machine::already_made(LIMITS))
}

fn open<S: ByteSource + 'static>(
    event_loop: &EventLoop,
    source: S,
    protocol: Box<dyn Receiver>,
    machine: Machine,
) -> Result<Transport, Closed> {
    if event_loop.is_closed() {
        return Err(Closed);
    }
    source.begin_transport();
    type OnHeap<S> = Connection<S, Box<dyn Receiver>, Heap>;
    let connection = Rc::new(OnHeap::<S> {
        header: Header::new::<OnHeap<S>>(event_loop),
        machine: Cell::new(machine),
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
        .is_some_and(|source| source.listen(Some(EventListener::new(connection.clone()))));
    if listens {
        make_ready(connection);
    } else {
        create_hidden_task(event_loop, drive(connection)).map_err(|_refused| Closed)?.detach();
    }
    Ok(transport)
}
