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

mod served;
mod serving;

pub(crate) use served::Served;
pub use serving::{Serving, WithFactory};

use super::protocol::Protocol;
use super::transport::{Transport, WeakTransport};
use crate::error::NoRunningLoop;
use crate::io::accept_with_backoff;
use crate::io::source::{AcceptSource, End, SourceError};
use crate::schedule::ExceptionContext;
use crate::task::{Task, create_hidden_task, yield_now};
use crate::time::Duration;
use crate::timeouts::timeout;
use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{Cell, RefCell};
use core::fmt;
use core::future::{Future, poll_fn};
use core::net::SocketAddr;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

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
    addresses: RefCell<Vec<SocketAddr>>,
    #[cfg(feature = "std")]
    unix_addresses: RefCell<Vec<super::UnixAddress>>,
    clients: RefCell<Clients>,
    closed: Cell<bool>,
    forever: Cell<bool>,
    waiters: RefCell<Vec<Waker>>,
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
    /// No loop runs here.
    NoRunningLoop,
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ServeError::AlreadyServing => "cannot serve forever: the server is doing so already",
            ServeError::Closed => "cannot serve: the server is closed",
            ServeError::NoRunningLoop => "cannot serve: no event loop is running on this thread",
        })
    }
}

impl core::error::Error for ServeError {}

impl From<NoRunningLoop> for ServeError {
    fn from(_none: NoRunningLoop) -> ServeError {
        ServeError::NoRunningLoop
    }
}

impl Server {
    /// A server that accepts from `listeners`, and gives each connection a
    /// protocol made by `factory`.
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
            addresses: RefCell::default(),
            #[cfg(feature = "std")]
            unix_addresses: RefCell::default(),
            clients: RefCell::default(),
            closed: Cell::new(false),
            forever: Cell::new(false),
            waiters: RefCell::default(),
        });
        let serving = Rc::new(serving);
        for listener in listeners {
            shared.addresses.borrow_mut().extend(listener.address(End::Local));
            #[cfg(feature = "std")]
            shared.unix_addresses.borrow_mut().extend(listener.unix_address(End::Local));
            let accepting = accept(listener, Rc::downgrade(&shared), serving.clone());
            shared.waiting.borrow_mut().push(Box::pin(accepting));
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
    /// [`ServeError::Closed`], [`ServeError::NoRunningLoop`].
    pub fn start_serving(&self) -> Result<(), ServeError> {
        if self.0.closed.get() {
            return Err(ServeError::Closed);
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
        if self.0.closed.replace(true) {
            return;
        }
        self.0.addresses.take();
        #[cfg(feature = "std")]
        self.0.unix_addresses.take();
        for task in self.0.accepting.take() {
            task.abort();
        }
        drop(self.0.waiting.take());
        self.0.wake();
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
        poll_fn(|cx| {
            let over = self.0.closed.get() && self.client_count() == 0;
            self.0.poll(cx, over)
        })
        .await;
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
    /// [`ServeError`].
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
        if self.0.closed.get() {
            return Err(ServeError::Closed);
        }
        if self.0.forever.replace(true) {
            return Err(ServeError::AlreadyServing);
        }
        let _closes = CloseOnDrop(self);
        self.start_serving()?;
        poll_fn(|cx| self.0.poll(cx, self.0.closed.get())).await;
        Ok(())
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
    fn poll(&self, cx: &Context<'_>, over: bool) -> Poll<()> {
        if over {
            return Poll::Ready(());
        }
        let mut waiters = self.waiters.borrow_mut();
        if !waiters.iter().any(|waiter| waiter.will_wake(cx.waker())) {
            waiters.push(cx.waker().clone());
        }
        Poll::Pending
    }

    fn wake(&self) {
        let waiters = self.waiters.take();
        for waiter in waiters {
            waiter.wake();
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
                    let source = Served { source, server: server.clone(), place };
                    if let Ok(transport) = Serving::serve(&serving, event_loop, source) {
                        let weak = Some(transport.downgrade());
                        server.clients.borrow_mut().places[place] = weak;
                    }
                }
                Err(error) if ends_listening(error) => {
                    event_loop.call_exception_handler(&ExceptionContext::new(
                        "a server stopped accepting connections",
                        Some(&error),
                    ));
                    return;
                }
                // That of one connection, which is gone.
                Err(_) => {}
            }
        }
        yield_now().await;
    }
}

/// Whether no connection can be accepted ever after.
fn ends_listening(error: SourceError) -> bool {
    matches!(
        error,
        SourceError::Closed
            | SourceError::NoRunningLoop
            | SourceError::ForeignLoop
            | SourceError::Unsupported(_)
            | SourceError::Os(_)
    )
}
