//! A connection: a source, what waits to be written, a protocol, and the
//! machine that decides; this does what it decides.
//!
//! | file | concept |
//! |---|---|
//! | `link` | what a transport's calls do at once |
//! | `on_heap`, `in_static` | where connections live, and how they begin |
//!
//! The protocol is lent out for the time of a callback, so that it cannot be
//! called again within; everything else stays reachable for the transport.

use super::driven::{After, Driven, Header, with_machine};
use super::error::{ConnectionError, ProtocolError};
use super::flow_control::FlowChange;
use super::machine::{Action, Machine, Rest};
use super::protocol::AfterEof;
use super::receiver::Receiver;
use super::storage::{Storage, Unsent};
use super::transport::{Ref, Transport, another};
use crate::io::source::{ByteSource, Source, SourceError};
use crate::schedule::ExceptionContext;
use core::cell::{Cell, RefCell};
use core::fmt::Display;
use core::task::{Context, Waker};

#[cfg(feature = "alloc")]
use alloc::boxed::Box;

#[cfg(not(feature = "alloc"))]
mod in_static;
mod link;
#[cfg(feature = "alloc")]
mod on_heap;

#[cfg(feature = "tls")]
pub(super) use on_heap::{open_boxed, open_made};

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
    /// The task that drives it, if one does.
    driver: Option<Waker>,
    /// Why it ends.
    error: Option<ConnectionError>,
    /// Who sends a file, and waits for room.
    #[cfg(feature = "std")]
    holder: Option<Waker>,
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

    /// Takes something out, if there is any.
    #[inline]
    fn take<R>(&self, take: impl FnOnce(&mut RareParts<P>) -> Option<R>) -> Option<R> {
        let mut parts = self.0.take()?;
        let taken = take(&mut parts);
        self.0.set(Some(parts));
        taken
    }

    fn with<R>(&self, f: impl FnOnce(&mut RareParts<P>) -> R) -> R {
        let parts = self.0.take();
        #[cfg(feature = "alloc")]
        let mut parts = parts.unwrap_or_else(|| {
            Box::new(RareParts {
                driver: None,
                error: None,
                #[cfg(feature = "std")]
                holder: None,
                successor: None,
            })
        });
        #[cfg(not(feature = "alloc"))]
        let mut parts = parts.unwrap_or(RareParts {
            driver: None,
            error: None,
            successor: core::marker::PhantomData,
        });
        let result = f(&mut parts);
        self.0.set(Some(parts));
        result
    }
}

// SAFETY: repr(C), and the header is the first field.
unsafe impl<S: ByteSource + 'static, P: Receiver + 'static, B: Storage> Driven
    for Connection<S, P, B>
{
    #[cfg(feature = "alloc")]
    fn header(&self) -> &Header {
        &self.header
    }

    fn machine(&self) -> &Cell<Machine> {
        &self.machine
    }

    fn take_driver(&self) -> Option<Waker> {
        self.rare.take(|rare| rare.driver.take())
    }

    fn put_driver(&self, driver: Waker) {
        self.rare.with(|rare| rare.driver = Some(driver));
    }

    fn turn(this: &Ref<Self>, cx: Option<&mut Context<'_>>) -> After {
        this.do_turn(Transport { link: another::<Self>(this) }, cx)
    }

    #[cfg(feature = "alloc")]
    fn abandon(&self) {
        self.with(Machine::abandon);
        self.forget_unsent();
        self.let_go();
        #[cfg(feature = "std")]
        self.wake_holder();
    }

    #[cfg(feature = "threads")]
    fn panicked(&self, event_loop: &crate::schedule::EventLoop, payload: crate::platform::Payload) {
        event_loop.report_panic("a callback of a protocol panicked", &payload);
        self.fail(ConnectionError::Protocol(ProtocolError::panicked(&payload)));
        self.let_go_if_lost();
    }
}

impl<S: ByteSource + 'static, P: Receiver + 'static, B: Storage> Connection<S, P, B> {
    fn with<R>(&self, f: impl FnOnce(&mut Machine) -> R) -> R {
        with_machine(self, f)
    }

    /// How many bytes wait.
    fn waiting(&self) -> usize {
        self.io.borrow().unsent.len()
    }

    /// What keeps it from its end: bytes that wait, and a goodbye of the
    /// source's own.
    fn left(&self) -> usize {
        match self.machine.get().is_closing() {
            true => self.left_to_close(),
            false => self.waiting(),
        }
    }

    fn left_to_close(&self) -> usize {
        let io = self.io.borrow();
        let says_goodbye = io.source.as_ref().is_some_and(ByteSource::says_goodbye);
        // A file that is being sent comes first.
        let goodbye = says_goodbye && !self.machine.get().is_held();
        io.unsent.len() + usize::from(goodbye)
    }

    fn do_turn(&self, transport: Transport, cx: Option<&mut Context<'_>>) -> After {
        loop {
            let left = self.left();
            match self.with(|machine| machine.next(left)) {
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
                        self.with(|machine| machine.close(self.left_to_close()));
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
                    let error = self.rare.take(|rare| rare.error.take());
                    self.call("a protocol's connection_lost failed", |protocol| {
                        protocol.lost(&transport, error.as_ref())
                    });
                    self.let_go();
                }
            }
            self.change_protocol();
        }
        #[cfg(feature = "std")]
        self.wake_holder();
        self.rest(cx)
    }

    #[inline]
    fn known_ready(&self) -> crate::io::Ready {
        self.io.borrow().source.as_ref().map_or(crate::io::Ready::NONE, Source::known_ready)
    }

    /// There may be room for more of a file, or no connection any more.
    #[cfg(feature = "std")]
    #[inline]
    fn wake_holder(&self) {
        if self.machine.get().is_held()
            && let Some(holder) = self.rare.take(|rare| rare.holder.take())
        {
            crate::schedule::wake_contained(holder);
        }
    }

    fn rest(&self, cx: Option<&mut Context<'_>>) -> After {
        // An event tells who listens; who only waits has to ask.
        let ready = if cx.is_none() { self.known_ready() } else { crate::io::Ready::NONE };
        match self.machine.get().rest(self.left(), ready) {
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
        // Somebody may have taken what had come, past the protocol.
        if !self.known_ready().contains(crate::io::Ready::READABLE) {
            return;
        }
        let leaves_it = match self.protocol.try_borrow_mut() {
            Ok(mut protocol) => protocol.as_mut().is_some_and(P::leaves_it),
            Err(_running) => false,
        };
        if leaves_it {
            return self.with(Machine::offer);
        }
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
            Some(Err(error)) => self.fail_with(error),
        }
    }

    fn flush(&self) {
        let written = match &*self.io.borrow() {
            Io { source: Some(source), unsent } if source.says_goodbye() && unsent.is_empty() => {
                source.try_goodbye().map(|()| 0)
            }
            Io { source: Some(source), unsent } => {
                unsent.with_pieces(|pieces| link::send(source, pieces))
            }
            Io { source: None, .. } => Ok(0),
        };
        self.with(Machine::flushed);
        match written {
            Ok(written) => {
                self.io.borrow_mut().unsent.consume(written);
                self.drop_spent();
                let waiting = self.waiting();
                self.with(|machine| machine.shrunk(waiting));
            }
            Err(SourceError::WouldBlock | SourceError::Interrupted) => {}
            Err(error) => self.fail_with(error),
        }
    }

    /// Drops what was kept and is written.
    #[inline]
    fn drop_spent(&self) {
        loop {
            // A statement of its own: nothing is borrowed when it is dropped.
            let spent = self.io.borrow_mut().unsent.take_spent();
            if spent.is_none() {
                return;
            }
        }
    }

    /// Drops what waits.
    fn forget_unsent(&self) {
        let unsent = self.io.borrow_mut().unsent.clear();
        drop(unsent);
    }

    fn shut_down(&self) {
        let result = match &self.io.borrow().source {
            Some(source) => source.shutdown(),
            None => Ok(()),
        };
        if let Err(error) = result {
            self.fail_with(error);
        }
    }

    /// Ends the connection because of its source's `error`.
    fn fail_with(&self, error: SourceError) {
        let error = match &self.io.borrow().source {
            Some(source) => source.explain(error),
            None => ConnectionError::Source(error),
        };
        self.fail(error);
    }

    /// Ends the connection because of `error`, unless its end is decided.
    fn fail(&self, error: ConnectionError) {
        if self.with(Machine::end) {
            self.forget_unsent();
            self.rare.with(|rare| rare.error = Some(error));
        }
    }

    #[cfg(not(feature = "alloc"))]
    fn change_protocol(&self) {}

    #[cfg(feature = "alloc")]
    fn change_protocol(&self) {
        if let Some(successor) = self.rare.take(|rare| rare.successor.take())
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
        self.rare.take(|rare| {
            rare.error = None;
            Some(())
        });
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
