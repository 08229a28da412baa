//! Connections and servers whose protocol is a pair of streams.

use super::reader::StreamReader;
use super::reporting::Reporting;
use super::stream_protocol::{Begin, Shared, StreamProtocol};
use super::writer::StreamWriter;
use crate::error::Closed;
use crate::io::source::{AcceptSource, ByteSource, SourceError};
use crate::net::connect::connect_accepted_socket;
use crate::net::server::{ServeError, Server, Serving, Start};
use crate::net::transport::Transport;
use crate::schedule::CallbackResult;
use crate::task::{Context, create_task, inherited};
use alloc::rc::{Rc, Weak};
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
    let transport = connect_accepted_socket(source, protocol).await?;
    Ok(streams.of(&transport))
}

/// The protocol of a pair of streams that its opener waits for.
pub type ClientProtocol = StreamProtocol<Nothing>;

/// Nothing begins with the connection: who opened it goes on.
#[derive(Debug)]
pub enum Nothing {}

impl Begin for Nothing {
    fn begin(self, _transport: &Transport) -> Weak<Shared> {
        match self {}
    }
}

/// What becomes a pair of streams when there is a transport.
pub struct ClientStreams(Rc<Shared>);

/// The two, which belong together.
pub(in crate::net) fn client_streams(limit: usize) -> (ClientProtocol, ClientStreams) {
    let shared = Shared::new(limit);
    (StreamProtocol { shared: Rc::downgrade(&shared), begin: None }, ClientStreams(shared))
}

impl ClientStreams {
    pub(in crate::net) fn of(self, transport: &Transport) -> (StreamReader, StreamWriter) {
        (StreamReader::of(self.0.clone()), StreamWriter::of(transport, self.0))
    }
}

/// A server that makes a task of `handler` for each connection of `listeners`.
/// A handler that fails is reported; its connection is closed when it ends in
/// any way, as it drops its writer then. Each has a copy of the
/// [context](crate::task::Context) in which this is called.
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
    Server::serving(listeners, start, WithHandler::new(handler, limit))
}

/// Makes a pair of streams and a task of each connection.
#[derive(Debug)]
pub struct WithHandler<F> {
    handling: Rc<Handling<F>>,
    limit: usize,
}

/// What all connections of a server have in common.
#[derive(Debug)]
struct Handling<F> {
    handler: F,
    /// In which handlers run: that of the code that made the server.
    context: Option<Context>,
}

impl<F> WithHandler<F> {
    /// By this one, with lines of at most `limit` bytes.
    pub fn new(handler: F, limit: usize) -> WithHandler<F> {
        let context = crate::schedule::current().and_then(inherited);
        WithHandler { handling: Rc::new(Handling { handler, context }), limit }
    }

    /// How long a line may be, in bytes.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }
}

impl<F, H> Serving for WithHandler<F>
where
    F: Fn(StreamReader, StreamWriter) -> H + 'static,
    H: Future<Output: CallbackResult> + 'static,
{
    type Protocol = StreamProtocol<Handler<F>>;

    fn protocol(&self) -> Result<StreamProtocol<Handler<F>>, Closed> {
        let begin = Some(Handler { handling: self.handling.clone(), limit: self.limit });
        Ok(StreamProtocol { shared: Weak::new(), begin })
    }
}

/// The handler of a connection, whose task begins with it.
#[derive(Debug)]
pub struct Handler<F> {
    handling: Rc<Handling<F>>,
    limit: usize,
}

impl<F, H> Begin for Handler<F>
where
    F: Fn(StreamReader, StreamWriter) -> H + 'static,
    H: Future<Output: CallbackResult> + 'static,
{
    fn begin(self, transport: &Transport) -> Weak<Shared> {
        let shared = Shared::new(self.limit);
        let weak = Rc::downgrade(&shared);
        let reader = StreamReader::of(shared.clone());
        let writer = StreamWriter::of(transport, shared);
        let handle = || {
            // Refused only by a loop that closes: then both are dropped.
            if let Ok(task) = create_task(Reporting((self.handling.handler)(reader, writer))) {
                task.detach();
            }
        };
        match &self.handling.context {
            None => handle(),
            // It runs: this is a callback of the connection's.
            Some(context) => context.copy().run(handle).unwrap_or_default(),
        }
        weak
    }
}
