//! Clients' connections, and upgrades of connections that stand.

use super::channel::Channel;
use super::engine::{ClientSide, ServerSide, TlsEngine};
use super::error::TlsError;
use super::protocol::TlsProtocol;
use super::source::TlsSource;
use super::timeouts::Timeouts;
use crate::io::source::ByteSource;
use crate::net::connect::{AbortOnDrop, made};
use crate::net::connection::open_made;
use crate::net::error::ConnectionError;
use crate::net::protocol::Protocol;
use crate::net::receiver::{Receiver, Streamed};
use crate::net::transport::Transport;
use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::future::{Future, IntoFuture, poll_fn};
use core::pin::Pin;

type Engine = Result<Box<dyn TlsEngine>, TlsError>;

/// What a handshake needs beside a connection.
pub(super) struct Plan {
    pub(super) engine: Engine,
    pub(super) timeouts: Timeouts,
}

impl Plan {
    fn new(engine: Engine) -> Plan {
        Plan { engine, timeouts: Timeouts::DEFAULT }
    }

    /// Whether it can begin at all.
    pub(super) fn check(&self) -> Result<(), TlsError> {
        crate::schedule::current().ok_or(TlsError::NoRunningLoop)?;
        self.timeouts.check()?;
        self.engine.as_ref().map(drop).map_err(TlsError::clone)
    }

    fn channel(self) -> Result<Rc<Channel>, TlsError> {
        let timeouts = self.timeouts.check()?;
        Ok(Channel::new(self.engine?, timeouts, None))
    }

    /// Upgrades `raw`. The connection below, whose end is that of the one above.
    pub(super) async fn upgrade(
        self,
        raw: Transport,
        received: &[u8],
    ) -> Result<TlsSource, TlsError> {
        let channel = self.channel()?;
        crate::schedule::current().ok_or(TlsError::NoRunningLoop)?;
        raw.set_protocol(TlsProtocol(channel.clone()));
        channel.begin(&raw);
        if !received.is_empty() {
            channel.receive(&raw, received);
        }
        raw.resume_reading();
        if !raw.is_reading() && !raw.is_closing() {
            // Its end was told to the protocol before.
            channel.end_received(&raw);
        }
        shake_hands(channel, raw).await
    }
}

/// Waits for the end of the handshake.
async fn shake_hands(channel: Rc<Channel>, raw: Transport) -> Result<TlsSource, TlsError> {
    let mut guard = AbortOnDrop(Some(raw));
    let result = poll_fn(|cx| channel.poll_established(cx)).await;
    // One that failed is closed already, when its alert is written.
    guard.0 = None;
    result
}

/// The connection above, whose protocol knows of it or will be told.
pub(super) fn above(source: TlsSource, protocol: Box<dyn Receiver>) -> Result<Transport, TlsError> {
    let event_loop = crate::schedule::current().ok_or(TlsError::NoRunningLoop)?;
    open_made(event_loop, source, protocol).map_err(|_closed| TlsError::NoRunningLoop)
}

/// Has everything on `transport`'s connection go through TLS from now on, as
/// the client. `protocol`, which was told of the connection before, is told
/// of what goes on above; the transport that this returns takes the place of
/// the old one, which is not to be used any more.
///
/// What is still to be written is written first. What came already, and was
/// given to the old protocol though it belongs to TLS, is given here with
/// [`StartTls::received`].
///
/// ```ignore
/// transport.write(b"STARTTLS\r\n")?;
/// // … the other side agrees …
/// let transport = start_tls(&transport, protocol, &context, "example.org").await?;
/// ```
///
/// asyncio: `loop.start_tls()`.
///
/// # Errors
///
/// [`TlsError`]; the connection is closed then, but for errors that were there
/// before the handshake (a name, a timeout, a configuration), which leave it
/// as it was.
///
/// # Cancellation
///
/// The connection is aborted.
pub fn start_tls<P: Protocol + 'static>(
    transport: &Transport,
    protocol: P,
    context: &(impl ClientSide + ?Sized),
    server_hostname: &str,
) -> StartTls {
    StartTls::new(transport, protocol, context.client_engine(server_hostname))
}

/// As [`start_tls`], as the server.
///
/// asyncio: `loop.start_tls(…, server_side=True)`.
///
/// # Errors
///
/// As for [`start_tls`].
///
/// # Cancellation
///
/// The connection is aborted.
pub fn start_tls_server_side<P: Protocol + 'static>(
    transport: &Transport,
    protocol: P,
    context: &(impl ServerSide + ?Sized),
) -> StartTls {
    StartTls::new(transport, protocol, context.server_engine())
}

/// An upgrade that begins when it is awaited.
#[must_use = "an upgrade begins when it is awaited"]
pub struct StartTls {
    transport: Transport,
    protocol: Box<dyn Receiver>,
    plan: Plan,
    received: Vec<u8>,
}

impl StartTls {
    fn new<P: Protocol + 'static>(transport: &Transport, protocol: P, engine: Engine) -> StartTls {
        StartTls {
            transport: transport.clone(),
            protocol: Box::new(Streamed(protocol)),
            plan: Plan::new(engine),
            received: Vec::new(),
        }
    }

    /// Bytes that came already, and are the beginning of the other side's
    /// handshake.
    pub fn received(mut self, bytes: &[u8]) -> StartTls {
        self.received.extend_from_slice(bytes);
        self
    }

    crate::tls_timeouts!(plan.timeouts);

    async fn start(self) -> Result<Transport, TlsError> {
        above(self.plan.upgrade(self.transport, &self.received).await?, self.protocol)
    }
}

impl IntoFuture for StartTls {
    type Output = Result<Transport, TlsError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.start())
    }
}

/// Gives `source`, a connection that stands, to `protocol`, through TLS as the
/// client: `connection_made` was called when this returns.
///
/// asyncio: `loop.create_connection(sock=…, ssl=…)`.
///
/// # Errors
///
/// [`TlsError`].
///
/// # Cancellation
///
/// The connection is aborted.
pub fn connect_tls<S, P>(
    source: S,
    protocol: P,
    context: &(impl ClientSide + ?Sized),
    server_hostname: &str,
) -> ConnectTls<S>
where
    S: ByteSource + 'static,
    P: Protocol + 'static,
{
    ConnectTls::new(source, protocol, context.client_engine(server_hostname))
}

/// Gives `source`, a connection that was accepted, to `protocol`, through TLS as
/// the server: `connection_made` was called when this returns.
///
/// ```ignore
/// let (stream, _peer) = listener.accept().await?;
/// let transport = connect_accepted_tls(stream, protocol, &context).await?;
/// ```
///
/// asyncio: `loop.connect_accepted_socket(…, ssl=…)`.
///
/// # Errors
///
/// [`TlsError`].
///
/// # Cancellation
///
/// The connection is aborted.
pub fn connect_accepted_tls<S, P>(
    source: S,
    protocol: P,
    context: &(impl ServerSide + ?Sized),
) -> ConnectTls<S>
where
    S: ByteSource + 'static,
    P: Protocol + 'static,
{
    ConnectTls::new(source, protocol, context.server_engine())
}

/// A connection through TLS that begins when it is awaited.
#[must_use = "a connection begins when it is awaited"]
pub struct ConnectTls<S> {
    source: S,
    protocol: Box<dyn Receiver>,
    plan: Plan,
}

impl<S: ByteSource + 'static> ConnectTls<S> {
    pub(super) fn new<P: Protocol + 'static>(
        source: S,
        protocol: P,
        engine: Engine,
    ) -> ConnectTls<S> {
        ConnectTls { source, protocol: Box::new(Streamed(protocol)), plan: Plan::new(engine) }
    }

    crate::tls_timeouts!(plan.timeouts);

    pub(super) async fn connect(self) -> Result<Transport, TlsError> {
        let channel = self.plan.channel()?;
        let raw = {
            let event_loop = crate::schedule::current().ok_or(TlsError::NoRunningLoop)?;
            Transport::new(event_loop, self.source, TlsProtocol(channel.clone()))
                .map_err(|_closed| TlsError::NoRunningLoop)?
        };
        let source = shake_hands(channel, raw).await?;
        let event_loop = crate::schedule::current().ok_or(TlsError::NoRunningLoop)?;
        let transport = crate::net::connection::open_boxed(event_loop, source, self.protocol)
            .map_err(|_closed| TlsError::NoRunningLoop)?;
        made(transport).await.map_err(|error| TlsError::ConnectionLost(Some(error)))
    }
}

impl<S: ByteSource + 'static> IntoFuture for ConnectTls<S> {
    type Output = Result<Transport, TlsError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.connect())
    }
}

impl From<TlsError> for ConnectionError {
    fn from(error: TlsError) -> ConnectionError {
        ConnectionError::Tls(error)
    }
}
