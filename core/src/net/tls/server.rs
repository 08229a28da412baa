//! Servers whose connections go through TLS.
//!
//! A connection is accepted, and its handshake goes on by its own events: no
//! client holds up accepting, however slow. The protocol is made when the
//! handshake is done. One that fails closes its connection, and nobody is
//! told, as in asyncio: whoever scans the network could fill a log.

use super::channel::Channel;
use super::engine::ServerSide;
use super::error::TlsError;
use super::protocol::TlsProtocol;
use super::timeouts::Timeouts;
use crate::error::Closed;
use crate::io::source::AcceptSource;
use crate::net::connection::open_boxed;
use crate::net::protocol::Protocol;
use crate::net::receiver::{Receiver, Streamed};
use crate::net::server::{Server, Start};
use crate::net::streams::{StreamReader, StreamWriter, served_streams};
use crate::net::transport::Transport;
use crate::schedule::CallbackResult;
use alloc::boxed::Box;
use alloc::rc::Rc;
use core::cell::RefCell;
use core::future::Future;

/// A server that accepts from `listeners`, and gives each connection, when its
/// handshake is done, a protocol made by `factory`.
///
/// asyncio: `loop.create_server(sock=…, ssl=…)`.
///
/// # Errors
///
/// [`TlsError`]: the context or the timeouts cannot be used, or no loop runs.
pub fn create_tls_server<L, P>(
    listeners: impl IntoIterator<Item = L>,
    factory: impl FnMut() -> P + 'static,
    context: &(impl ServerSide + Clone + 'static),
    timeouts: Timeouts,
    start: Start,
) -> Result<Server, TlsError>
where
    L: AcceptSource + 'static,
    P: Protocol + 'static,
{
    let factory = RefCell::new(factory);
    let make = move || {
        let protocol = factory.try_borrow_mut().ok()?();
        Some(Box::new(Streamed(protocol)) as Box<dyn Receiver>)
    };
    serve(listeners, Rc::new(make), context, timeouts, start)
}

/// A server that makes a task of `handler` for each connection of `listeners`
/// when its handshake is done.
///
/// asyncio: `start_server(sock=…, ssl=…)`.
///
/// # Errors
///
/// As for [`create_tls_server`].
pub fn start_tls_stream_server<L, F, H>(
    listeners: impl IntoIterator<Item = L>,
    handler: F,
    limit: usize,
    context: &(impl ServerSide + Clone + 'static),
    timeouts: Timeouts,
    start: Start,
) -> Result<Server, TlsError>
where
    L: AcceptSource + 'static,
    F: Fn(StreamReader, StreamWriter) -> H + 'static,
    H: Future<Output: CallbackResult> + 'static,
{
    let handler = Rc::new(handler);
    let make = move || {
        let protocol = served_streams(handler.clone(), limit);
        Some(Box::new(Streamed(protocol)) as Box<dyn Receiver>)
    };
    serve(listeners, Rc::new(make), context, timeouts, start)
}

fn serve<L: AcceptSource + 'static>(
    listeners: impl IntoIterator<Item = L>,
    make: Rc<dyn Fn() -> Option<Box<dyn Receiver>>>,
    context: &(impl ServerSide + Clone + 'static),
    timeouts: Timeouts,
    start: Start,
) -> Result<Server, TlsError> {
    let timeouts = timeouts.check()?;
    // What is wrong with it is said now, not at the first client.
    drop(context.server_engine()?);
    let context = context.clone();
    let server = Server::of(listeners, start, move |event_loop, served| {
        let engine = context.server_engine().map_err(|_unusable| Closed)?;
        let (make, client) = (make.clone(), served.client());
        let established = Box::new(move |source| {
            if let Some(event_loop) = crate::schedule::current()
                && let Some(protocol) = make()
                && let Ok(transport) = open_boxed(event_loop, source, protocol)
            {
                client.becomes(&transport);
            }
        });
        let channel = Channel::new(engine, timeouts, Some(established));
        Transport::new(event_loop, served, TlsProtocol(channel))
    });
    server.map_err(|_no_loop| TlsError::NoRunningLoop)
}
