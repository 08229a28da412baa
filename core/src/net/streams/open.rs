//! Connections and servers whose protocol is a pair of streams.

use super::handler::Handler;
use super::reader::StreamReader;
use super::stream_protocol::{Shared, StreamProtocol};
use super::writer::StreamWriter;
use crate::error::Closed;
use crate::io::source::{AcceptSource, ByteSource, SourceError};
use crate::net::connect::connect_accepted_socket;
use crate::net::server::{ServeError, Server, Start};
use crate::net::transport::Transport;
use crate::schedule::CallbackResult;
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
    let shared = Shared::new(limit);
    let start = None::<fn(&Transport, &Rc<Shared>)>;
    let protocol = StreamProtocol { shared: shared.clone(), start };
    let transport = connect_accepted_socket(source, protocol).await?;
    Ok((StreamReader::of(&transport, &shared), StreamWriter::of(&transport, &shared)))
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
        let handler = handler.clone();
        let shared = Shared::new(limit);
        let start = move |transport: &Transport, shared: &Rc<Shared>| {
            let reader = StreamReader::of(transport, shared);
            let writer = StreamWriter::of(transport, shared);
            // Refused only by a loop that closes: then both are dropped.
            if let Ok(task) = create_task(Handler(handler(reader, writer))) {
                task.detach();
            }
        };
        Transport::new(event_loop, source, StreamProtocol { shared, start: Some(start) })
    })
}
