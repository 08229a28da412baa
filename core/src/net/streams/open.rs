//! Connections and servers whose protocol is a pair of streams.

use super::reader::StreamReader;
use super::stream_protocol::{Shared, StreamProtocol};
use super::writer::StreamWriter;
use crate::error::Closed;
use crate::io::source::{AcceptSource, ByteSource, SourceError};
use crate::net::connect::connect_accepted_socket;
use crate::net::protocol::Protocol;
use crate::net::server::{ServeError, Server, Start};
use crate::net::transport::Transport;
use crate::schedule::{CallbackResult, EventLoop, ExceptionContext};
use crate::task::create_task;
use alloc::rc::Rc;
use core::future::Future;

/// Gives `source`, a connection that stands, a pair of streams.
///
/// asyncio: `open_connection(sock=…)`.
///
/// # Errors
///
/// [`SourceError::NoRunningLoop`].
///
/// # Cancellation
///
/// The connection is aborted.
pub async fn open_streams<S: ByteSource + 'static>(
    source: S,
    limit: usize,
) -> Result<(StreamReader, StreamWriter), SourceError> {
    let (protocol, streams) = client_streams(limit);
    Ok(streams(&connect_accepted_socket(source, protocol).await?))
}

/// The protocol of a pair of streams, and what makes the pair.
pub(crate) fn client_streams(
    limit: usize,
) -> (impl Protocol, impl FnOnce(&Transport) -> (StreamReader, StreamWriter)) {
    let shared = Shared::new(limit);
    let start = None::<fn(&Transport, &Rc<Shared>)>;
    let protocol = StreamProtocol { shared: shared.clone(), start };
    let streams = move |transport: &Transport| {
        (StreamReader::of(transport, &shared), StreamWriter::of(transport, &shared))
    };
    (protocol, streams)
}

/// A protocol that makes a task of `handler` when its connection stands.
pub(crate) fn served_streams<F, H>(handler: Rc<F>, limit: usize) -> impl Protocol
where
    F: Fn(StreamReader, StreamWriter) -> H + 'static,
    H: Future<Output: CallbackResult> + 'static,
{
    let start = move |transport: &Transport, shared: &Rc<Shared>| {
        let reader = StreamReader::of(transport, shared);
        let writer = StreamWriter::of(transport, shared);
        // Refused only by a loop that closes: then both are dropped.
        if let Ok(task) = create_task(handle(handler(reader, writer))) {
            task.detach();
        }
    };
    StreamProtocol { shared: Shared::new(limit), start: Some(start) }
}

/// A server that makes a task of `handler` for each connection of `listeners`.
/// A handler that fails is reported; its connection is closed when it ends in
/// any way, as it drops its writer then.
///
/// Backends' `start_server` makes the listeners too.
///
/// asyncio: `start_server(sock=…)`.
///
/// # Errors
///
/// As for [`Server::new`].
pub fn start_stream_server<L, F, H>(
    listeners: impl IntoIterator<Item = L>,
    handler: F,
    limit: usize,
    start: Start,
) -> Result<Server, ServeError>
where
    L: AcceptSource + 'static,
    F: Fn(StreamReader, StreamWriter) -> H + 'static,
    H: Future<Output: CallbackResult> + 'static,
{
    let handler = Rc::new(handler);
    Server::of(listeners, start, move |event_loop, source| -> Result<Transport, Closed> {
        Transport::new(event_loop, source, served_streams(handler.clone(), limit))
    })
}

/// Runs a handler and reports what it fails with.
async fn handle<H: Future<Output: CallbackResult>>(handler: H) {
    handler.await.report(|error| {
        if let Some(event_loop) = crate::schedule::current() {
            report(event_loop, error);
        }
    });
}

fn report(event_loop: &EventLoop, error: &dyn core::fmt::Display) {
    event_loop.call_exception_handler(&ExceptionContext::new(
        "the handler of a stream connection failed",
        Some(error),
    ));
}
