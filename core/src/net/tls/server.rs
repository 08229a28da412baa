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
use super::source::TlsSource;
use super::timeouts::Timeouts;
use crate::error::Closed;
use crate::io::source::{AcceptSource, ByteSource};
use crate::net::protocol::Protocol;
use crate::net::server::{Served, Server, Serving, Start, WithFactory};
use crate::net::streams::{StreamReader, StreamWriter, WithHandler};
use crate::net::transport::Transport;
use crate::schedule::{CallbackResult, EventLoop};
use alloc::boxed::Box;
use alloc::rc::Rc;
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
    serve(listeners, start, WithTls::new(WithFactory::new(factory), context, timeouts)?)
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
    serve(listeners, start, WithTls::new(WithHandler::new(handler, limit), context, timeouts)?)
}

fn serve<L: AcceptSource + 'static>(
    listeners: impl IntoIterator<Item = L>,
    start: Start,
    serving: impl Serving,
) -> Result<Server, TlsError> {
    Server::serving(listeners, start, serving).map_err(|_no_loop| TlsError::NoRunningLoop)
}

/// What a server's connections need beside their protocols.
pub(in crate::net) struct ServerTls {
    context: Rc<dyn ServerSide>,
    timeouts: Timeouts,
}

impl ServerTls {
    /// What is wrong with a context is said now, not at the first client.
    pub(super) fn new(
        context: Rc<dyn ServerSide>,
        timeouts: Timeouts,
    ) -> Result<ServerTls, TlsError> {
        drop(context.server_engine()?);
        Ok(ServerTls { context, timeouts: timeouts.check()? })
    }
}

/// Makes the protocols of another, when handshakes are done.
pub(super) struct WithTls<M> {
    pub(super) serving: Rc<M>,
    pub(super) tls: ServerTls,
}

impl<M: Serving> WithTls<M> {
    fn new(
        serving: M,
        context: &(impl ServerSide + Clone + 'static),
        timeouts: Timeouts,
    ) -> Result<WithTls<M>, TlsError> {
        let tls = ServerTls::new(Rc::new(context.clone()), timeouts)?;
        Ok(WithTls { serving: Rc::new(serving), tls })
    }
}

impl<M: Serving> Serving for WithTls<M> {
    type Protocol = M::Protocol;

    fn protocol(&self) -> Result<M::Protocol, Closed> {
        self.serving.protocol()
    }

    fn serve<S: ByteSource + 'static>(
        this: &Rc<Self>,
        event_loop: &EventLoop,
        source: Served<S>,
    ) -> Result<Transport, Closed> {
        let engine = this.tls.context.server_engine().map_err(|_unusable| Closed)?;
        let serving = this.serving.clone();
        let (source, client) = source.split();
        let established = Box::new(move |source: TlsSource| {
            let channel = source.0.clone();
            if let Some(event_loop) = crate::schedule::current()
                && let Ok(protocol) = serving.protocol()
                && let Ok(transport) = Transport::new(event_loop, source, protocol)
            {
                channel.serves(&transport);
            }
        });
        let channel = Channel::new(engine, this.tls.timeouts, Some((client, established)));
        Transport::new(event_loop, source, TlsProtocol(channel))
    }
}
