//! Servers: what accepts connections, and knows which it accepted are left.
//!
//! ```text
//!  made ──start_serving──▶ serving ──close──▶ closed ──last client gone──▶ wait_closed returns
//!    └────────────────────── close ─────────────▲
//! ```
//!
//! Closing a server closes its listeners and nothing else: the clients live
//! on, until they go or are sent away with
//! [`close_clients`](Server::close_clients).
//!
//! Nothing else stops a server. What accepting a connection fails with is
//! reported and tried again after a pause ([`AcceptFailure`](crate::io::AcceptFailure));
//! only a listener that is no more is given up, which is reported too, and with
//! the last one the server closes and says why: [`ServeError::ListenersGone`].

mod served;
mod serving;

#[cfg(feature = "tls")]
pub(crate) use served::Client;
pub(crate) use served::Served;
pub use serving::{Serving, WithFactory};

use super::protocol::Protocol;
use super::transport::{Transport, WeakTransport};
use crate::error::{Closed, NoRunningLoop};
use crate::io::source::{AcceptSource, End, SourceError};
use crate::io::{accept_with_backoff, report_listener};
use crate::schedule::EventLoop;
use crate::sync::Event;
use crate::task::{Task, create_hidden_task, yield_now};
use crate::time::Duration;
use crate::timeouts::timeout;
use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::fmt;
use core::future::Future;
use core::net::SocketAddr;
use core::pin::Pin;

/// How many connections are accepted in one step, before others have a turn.
///
/// asyncio: the backlog and one, 101.
const ACCEPTS_AT_ONCE: usize = 101;

/// Whether a server accepts from the beginning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Start {
    /// It does. asyncio: `start_serving=True`.
    Now,
    /// When [`Server::start_serving`] is called. Until then those who connect
    /// wait in the system's queue (asyncio: are refused).
    Later,
}

/// A server. Clones name the same one; it goes on when all are dropped.
///
/// asyncio: `asyncio.Server`.
#[derive(Clone)]
pub struct Server(Rc<Shared>);

type Accepting = Pin<Box<dyn Future<Output = ()>>>;

struct Shared {
    /// What accepts, one for each listener; until it is started.
    waiting: RefCell<Vec<Accepting>>,
    accepting: RefCell<Vec<Task<()>>>,
    /// How many listeners are left.
    listeners: Cell<usize>,
    /// Why the last one went, if nobody closed it.
    failure: Cell<Option<SourceError>>,
    addresses: RefCell<Vec<SocketAddr>>,
    #[cfg(feature = "std")]
    unix_addresses: RefCell<Vec<super::UnixAddress>>,
    clients: RefCell<Clients>,
    closed: Event,
    /// It is closed, and the last connection is gone.
    over: Event,
    forever: Cell<bool>,
}

/// The connections that are left.
#[derive(Default)]
struct Clients {
    places: Vec<Option<WeakTransport>>,
    free: Vec<usize>,
}

impl Clients {
    fn reserve(&mut self) -> usize {
        self.free.pop().unwrap_or_else(|| {
            self.places.push(None);
            self.places.len() - 1
        })
    }

    fn count(&self) -> usize {
        self.places.len() - self.free.len()
    }
}

/// Why [`Server::serve_forever`] does not serve.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ServeError {
    /// It was called before, and still serves.
    AlreadyServing,
    /// The server is closed.
    Closed,
    /// The server has closed by itself: its last listener is no more, for
    /// instance because somebody else has closed its descriptor.
    ListenersGone(SourceError),
    /// No loop runs here.
    NoRunningLoop,
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ServeError::AlreadyServing => "cannot serve forever: the server is doing so already",
            ServeError::Closed => "cannot serve: the server is closed",
            ServeError::ListenersGone(cause) => {
                return write!(f, "cannot serve: the server has no listener left: {cause}");
            }
            ServeError::NoRunningLoop => "cannot serve: no event loop is running on this thread",
        })
    }
}

impl core::error::Error for ServeError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            ServeError::ListenersGone(cause) => Some(cause),
            _ => None,
        }
    }
}

impl From<NoRunningLoop> for ServeError {
    fn from(_none: NoRunningLoop) -> ServeError {
        ServeError::NoRunningLoop
    }
}

impl Server {
    /// A server that accepts from `listeners`, and gives each connection a
    /// protocol made by `factory`. If that panics, the panic is reported and the
    /// one connection lost.
    ///
    /// Backends' `create_server` makes the listeners too.
    ///
    /// # Errors
    ///
    /// [`ServeError::NoRunningLoop`] when it is to start now and no loop runs.
    pub fn new<L, P>(
        listeners: impl IntoIterator<Item = L>,
        factory: impl FnMut() -> P + 'static,
        start: Start,
    ) -> Result<Server, ServeError>
    where
        L: AcceptSource + 'static,
        P: Protocol + 'static,
    {
        Server::serving(listeners, start, WithFactory::new(factory))
    }

    /// A server whose connections have the protocols of `serving`. For
    /// backends' builders.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new).
    pub fn serving<L: AcceptSource + 'static>(
        listeners: impl IntoIterator<Item = L>,
        start: Start,
        serving: impl Serving,
    ) -> Result<Server, ServeError> {
        let shared = Rc::new(Shared {
            waiting: RefCell::default(),
            accepting: RefCell::default(),
            listeners: Cell::new(0),
            failure: Cell::new(None),
            addresses: RefCell::default(),
            #[cfg(feature = "std")]
            unix_addresses: RefCell::default(),
            clients: RefCell::default(),
            closed: Event::new(),
            over: Event::new(),
            forever: Cell::new(false),
        });
        let serving = Rc::new(serving);
        for listener in listeners {
            shared.addresses.borrow_mut().extend(listener.address(End::Local));
            #[cfg(feature = "std")]
            shared.unix_addresses.borrow_mut().extend(listener.unix_address(End::Local));
            let accepting = accept(listener, Rc::downgrade(&shared), serving.clone());
            shared.waiting.borrow_mut().push(Box::pin(accepting));
            shared.listeners.set(shared.listeners.get() + 1);
        }
        let server = Server(shared);
        if start == Start::Now {
            server.start_serving()?;
        }
        Ok(server)
    }

    /// Begins to accept. Repeated, it does nothing.
    ///
    /// asyncio: `Server.start_serving()`.
    ///
    /// # Errors
    ///
    /// [`ServeError::Closed`], [`ServeError::ListenersGone`], [`ServeError::NoRunningLoop`].
    pub fn start_serving(&self) -> Result<(), ServeError> {
        if self.0.closed.is_set() {
            return Err(self.0.why_closed());
        }
        let event_loop = crate::schedule::current().ok_or(NoRunningLoop)?;
        for accepting in self.0.waiting.take() {
            // It goes on when nobody holds it.
            let server = self.clone();
            let serving = async move {
                accepting.await;
                drop(server);
            };
            let task = create_hidden_task(event_loop, serving).map_err(|_closed| {
                // The loop that runs closes: nobody will ever begin it.
                self.close();
                ServeError::NoRunningLoop
            })?;
            self.0.accepting.borrow_mut().push(task);
        }
        Ok(())
    }

    /// Whether it accepts. asyncio: `Server.is_serving()`.
    pub fn is_serving(&self) -> bool {
        !self.0.accepting.borrow().is_empty()
    }

    /// The addresses that it listens on; none once it is closed.
    ///
    /// asyncio: `Server.sockets`.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.0.addresses.borrow().clone()
    }

    /// The names of the Unix sockets that it listens on; none once it is closed.
    ///
    /// asyncio: `Server.sockets`.
    #[cfg(feature = "std")]
    pub fn unix_addresses(&self) -> Vec<super::UnixAddress> {
        self.0.unix_addresses.borrow().clone()
    }

    /// How many of the connections that it accepted are left.
    pub fn client_count(&self) -> usize {
        self.0.clients.borrow().count()
    }

    /// Closes the listeners; connections live on. Repeated, it does nothing.
    ///
    /// asyncio: `Server.close()`.
    pub fn close(&self) {
        if self.0.closed.is_set() {
            return;
        }
        self.0.closed.set();
        self.0.addresses.take();
        #[cfg(feature = "std")]
        self.0.unix_addresses.take();
        for task in self.0.accepting.take() {
            task.abort();
        }
        drop(self.0.waiting.take());
        self.0.look();
    }

    /// Closes all connections, each when what waits is written.
    ///
    /// asyncio: `Server.close_clients()`.
    pub fn close_clients(&self) {
        for client in self.clients() {
            client.close();
        }
    }

    /// Ends all connections at once.
    ///
    /// asyncio: `Server.abort_clients()`.
    pub fn abort_clients(&self) {
        for client in self.clients() {
            client.abort();
        }
    }

    /// The connections that are left, as they are now.
    fn clients(&self) -> Vec<Transport> {
        let clients = self.0.clients.borrow();
        clients.places.iter().flatten().filter_map(WeakTransport::upgrade).collect()
    }

    /// Waits until the server is closed and the last connection is gone.
    ///
    /// asyncio: `Server.wait_closed()`, since 3.12.1.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost; any number may wait.
    pub async fn wait_closed(&self) {
        self.0.over.wait().await;
    }

    /// Ends the server in an orderly way, for as long as that takes but not longer
    /// than `patience`: closes its listeners; closes each connection when what
    /// waits in it is written; and after `patience` ends those that are left at
    /// once. Returns how many those were.
    ///
    /// Who would first let clients finish by themselves closes the server, waits
    /// for [`wait_closed`](Self::wait_closed) for a while, and then calls this.
    ///
    /// asyncio: `close()`, `close_clients()`, `wait_closed()` in a
    /// `timeout()`, and `abort_clients()`.
    ///
    /// # Cancellation
    ///
    /// The listeners are closed, connections close when they have written.
    pub async fn shutdown(&self, patience: Duration) -> usize {
        self.close();
        self.close_clients();
        if timeout(patience, self.wait_closed()).await.is_ok() {
            return 0;
        }
        let left = self.client_count();
        self.abort_clients();
        self.wait_closed().await;
        left
    }

    /// Accepts until the server is closed, by [`close`](Self::close) or by
    /// dropping this future.
    ///
    /// asyncio: `Server.serve_forever()`, which ends with `CancelledError`.
    ///
    /// # Errors
    ///
    /// [`ServeError`]; among them, then or later, [`ServeError::ListenersGone`] when
    /// nobody has closed the server, but it cannot accept any more.
    ///
    /// # Cancellation
    ///
    /// The server is closed.
    pub async fn serve_forever(&self) -> Result<(), ServeError> {
        struct CloseOnDrop<'a>(&'a Server);
        impl Drop for CloseOnDrop<'_> {
            fn drop(&mut self) {
                self.0.0.forever.set(false);
                self.0.close();
            }
        }
        if self.0.closed.is_set() {
            return Err(self.0.why_closed());
        }
        if self.0.forever.replace(true) {
            return Err(ServeError::AlreadyServing);
        }
        let _closes = CloseOnDrop(self);
        self.start_serving()?;
        self.0.closed.wait().await;
        match self.0.why_closed() {
            ServeError::Closed => Ok(()),
            failure => Err(failure),
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("serving", &self.is_serving())
            .field("addresses", &self.0.addresses.borrow())
            .field("clients", &self.client_count())
            .finish()
    }
}

impl Shared {
    fn why_closed(&self) -> ServeError {
        self.failure.get().map_or(ServeError::Closed, ServeError::ListenersGone)
    }

    /// Tells who waits for the end, if this is it. There is no way back: a
    /// server that is closed takes no connection.
    fn look(&self) {
        if self.closed.is_set() && self.clients.borrow().count() == 0 {
            self.over.set();
        }
    }
}

/// Accepts from one listener for as long as there is the server.
async fn accept<L: AcceptSource + 'static>(
    listener: L,
    server: alloc::rc::Weak<Shared>,
    serving: Rc<impl Serving>,
) {
    loop {
        for _ in 0..ACCEPTS_AT_ONCE {
            let accepted = accept_with_backoff(&listener).await;
            let Some(event_loop) = crate::schedule::current() else { return };
            match accepted {
                Ok(source) => {
                    let Some(server) = server.upgrade() else { return };
                    let place = server.clients.borrow_mut().reserve();
                    let source = Served::new(source, server.clone(), place);
                    let serve = || Serving::serve(&serving, event_loop, source);
                    if let Ok(transport) = contained(event_loop, serve) {
                        let weak = Some(transport.downgrade());
                        server.clients.borrow_mut().places[place] = weak;
                    }
                    // By what makes protocols: then this task ends when it waits next.
                    if server.closed.is_set() {
                        return;
                    }
                }
                Err(error) => {
                    let message = "a server gave up a listener, which is no more";
                    report_listener(event_loop, message, &listener, error);
                    if let Some(server) = server.upgrade() {
                        give_up(&listener, Server(server), error);
                    }
                    return;
                }
            }
        }
        yield_now().await;
    }
}

/// One listener less; with the last, the server closes.
#[cold]
fn give_up(listener: &impl AcceptSource, server: Server, cause: SourceError) {
    let shared = &server.0;
    let address = listener.address(End::Local);
    shared.addresses.borrow_mut().retain(|&other| Some(other) != address);
    #[cfg(feature = "std")]
    {
        let address = listener.unix_address(End::Local);
        shared.unix_addresses.borrow_mut().retain(|other| Some(other) != address.as_ref());
    }
    shared.listeners.set(shared.listeners.get() - 1);
    // The handler of exceptions may have closed it just now.
    if shared.listeners.get() == 0 && !shared.closed.is_set() {
        shared.failure.set(Some(cause));
        server.close();
    }
}

/// What `serve` returns; a panic in it is that of one connection.
#[cfg(feature = "threads")]
fn contained<R>(
    event_loop: &EventLoop,
    serve: impl FnOnce() -> Result<R, Closed>,
) -> Result<R, Closed> {
    let (mut serve, mut served) = (Some(serve), Err(Closed));
    let caught = crate::platform::catch_unwind(&mut || {
        if let Some(serve) = serve.take() {
            served = serve();
        }
    });
    if let Err(payload) = caught {
        event_loop.report_panic("what makes a server's protocols panicked", &payload);
    }
    served
}

/// What `serve` returns.
#[cfg(not(feature = "threads"))]
fn contained<R>(
    _event_loop: &EventLoop,
    serve: impl FnOnce() -> Result<R, Closed>,
) -> Result<R, Closed> {
    serve()
}
