//! Connections and servers of TCP.

use super::network::Tcp;
use molen_core::net::{
    Connect, Hosts, Listen, Protocol, StreamReader, StreamWriter, WithFactory, WithHandler,
    WithProtocol, WithStreams,
};
use molen_core::schedule::CallbackResult;

/// What [`create_connection`] returns, to be awaited.
pub type CreateConnection<P> = Connect<Tcp, WithProtocol<P>>;
/// What [`open_connection`] returns, to be awaited.
pub type OpenConnection = Connect<Tcp, WithStreams>;
/// What [`create_server`] returns, to be awaited.
pub type CreateServer<F> = Listen<Tcp, WithFactory<F>>;
/// What [`start_server`] returns, to be awaited.
pub type StartServer<F> = Listen<Tcp, WithHandler<F>>;

/// Connects to `to`, with `protocol`. `connection_made` was called when the
/// connection is there. What asyncio's keyword arguments say, methods of
/// [`Connect`] do.
///
/// ```
/// # mod molen { pub use {molen_core::*, molen_std::{net, *}}; }
/// use molen::net::{Answer, ConnectionError, Protocol, Transport, create_connection, create_server};
/// use molen::sync::oneshot;
///
/// struct EchoServer;
///
/// impl Protocol for EchoServer {
///     fn data_received(&mut self, transport: &Transport, data: &[u8]) -> Answer {
///         transport.write(data)?;
///         transport.close();
///         Ok(())
///     }
/// }
///
/// struct EchoClient {
///     received: Vec<u8>,
///     over: Option<oneshot::SharedSender<Vec<u8>>>,
/// }
///
/// impl Protocol for EchoClient {
///     fn connection_made(&mut self, transport: &Transport) -> Answer {
///         transport.write(b"Hello World!")?;
///         Ok(())
///     }
///
///     fn data_received(&mut self, _transport: &Transport, data: &[u8]) -> Answer {
///         self.received.extend_from_slice(data);
///         Ok(())
///     }
///
///     fn connection_lost(&mut self, _: &Transport, _: Option<&ConnectionError>) -> Answer {
///         if let Some(over) = self.over.take() {
///             // Nobody may wait for it any more.
///             let _ = over.send(std::mem::take(&mut self.received));
///         }
///         Ok(())
///     }
/// }
///
/// let event_loop = molen::new_event_loop()?;
/// event_loop.run_until_complete(async {
///     let server = create_server(("localhost", 0), || EchoServer).await?;
///     let (over, received) = oneshot::channel();
///     let client = EchoClient { received: Vec::new(), over: Some(over) };
///     create_connection(("localhost", server.addresses()[0].port()), client).await?;
///     assert_eq!(received.await?, b"Hello World!");
///     Ok::<_, Box<dyn std::error::Error>>(())
/// })??;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// asyncio: `loop.create_connection()`.
///
/// # Errors
///
/// [`HostError`](super::HostError): no such name, refused by all addresses, too
/// late, no loop runs.
///
/// # Cancellation
///
/// All attempts are given up, or the connection aborted.
pub fn create_connection<P: Protocol + 'static>(
    to: impl Into<Hosts>,
    protocol: P,
) -> CreateConnection<P> {
    Connect::with_protocol(Tcp, to, protocol)
}

/// Connects to `to`, with a pair of streams.
///
/// ```
/// # mod molen { pub use {molen_core::*, molen_std::{net, *}}; }
/// use molen::Duration;
/// use molen::net::{StreamWriter, open_connection, start_server};
///
/// let event_loop = molen::new_event_loop()?;
/// event_loop.run_until_complete(async {
///     let server = start_server(("localhost", 0), async |_reader, writer: StreamWriter| {
///         writer.write(b"hello\n").map_err(|error| error.to_string())?;
///         writer.drain().await.map_err(|error| error.to_string())
///     })
///     .await?;
///     let port = server.addresses()[0].port();
///     let (mut reader, _writer) =
///         open_connection(("localhost", port)).timeout(Duration::from_secs(10)).await?;
///     assert_eq!(reader.readline().await?, b"hello\n");
///     Ok::<_, Box<dyn std::error::Error>>(())
/// })??;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// asyncio: `asyncio.open_connection()`.
///
/// # Errors
///
/// As for [`create_connection`].
///
/// # Cancellation
///
/// All attempts are given up, or the connection aborted.
pub fn open_connection(to: impl Into<Hosts>) -> OpenConnection {
    Connect::with_streams(Tcp, to)
}

/// Listens on `on`, and gives each connection a protocol that `factory` makes.
/// What asyncio's keyword arguments say, methods of [`Listen`] do. An example is that of
/// [`create_connection`].
///
/// asyncio: `loop.create_server()`.
///
/// # Errors
///
/// [`HostError`](super::HostError): the address is in use or not ours, no loop runs.
pub fn create_server<P: Protocol + 'static, F: FnMut() -> P + 'static>(
    on: impl Into<Hosts>,
    factory: F,
) -> CreateServer<F> {
    Listen::with_factory(Tcp, on, factory)
}

/// Listens on `on`, and makes a task of `handler` for each connection.
///
/// ```
/// # mod molen { pub use {molen_core::*, molen_std::{net, *}}; }
/// use molen::net::{StreamReader, StreamWriter, open_connection, start_server};
///
/// /// Sends every line back. What it fails with goes to the loop's exception handler.
/// async fn echo(mut reader: StreamReader, writer: StreamWriter) -> std::io::Result<()> {
///     loop {
///         let line = reader.readline().await?;
///         if line.is_empty() {
///             return Ok(()); // the end; dropping the writer closes the connection
///         }
///         writer.write(&line)?;
///         writer.drain().await?;
///     }
/// }
///
/// let event_loop = molen::new_event_loop()?;
/// event_loop.run_until_complete(async {
///     let server = start_server(("localhost", 0), echo).await?;
///     let (mut reader, writer) =
///         open_connection(("localhost", server.addresses()[0].port())).await?;
///     writer.write(b"Hello World!\n")?;
///     assert_eq!(reader.readline().await?, b"Hello World!\n");
///     // A program that does nothing else: `server.serve_forever().await?`.
///     server.shutdown(molen::Duration::from_secs(5)).await;
///     Ok::<_, Box<dyn std::error::Error>>(())
/// })??;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// It serves as many at once as come. A limit is a
/// [`Semaphore`](molen_core::Semaphore), at which handlers wait for their turn, in the
/// order of coming; or at which they say goodbye, with
/// [`try_acquire`](molen_core::Semaphore::try_acquire):
///
/// ```
/// use molen_core::{Semaphore, combine::join};
/// use molen_std::net::{StreamWriter, open_connection, start_server};
/// use std::{cell::Cell, rc::Rc};
///
/// let event_loop = molen_std::new_event_loop()?;
/// event_loop.run_until_complete(async {
///     let (places, most) = (Rc::new(Semaphore::new(2)), Rc::new(Cell::new(0)));
///     let seen = most.clone();
///     let server = start_server(("localhost", 0), move |_reader, writer: StreamWriter| {
///         let (places, most) = (places.clone(), most.clone());
///         async move {
///             let _place = places.acquire().await;
///             most.set(most.get().max(2 - places.available_permits()));
///             writer.write(b"your turn\n").map_err(|error| error.to_string())?;
///             writer.drain().await.map_err(|error| error.to_string())
///         }
///     })
///     .await?;
///     let port = server.addresses()[0].port();
///     let visits = join([(); 4].map(|()| open_connection(("localhost", port)))).await;
///     for visit in visits {
///         let (mut reader, _writer) = visit?;
///         assert_eq!(reader.readline().await?, b"your turn\n");
///     }
///     assert!((1..=2).contains(&seen.get()));
///     Ok::<_, Box<dyn std::error::Error>>(())
/// })??;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// A closure will do as well: `async |reader, writer| …`. As nothing else tells the type of its
/// errors, it ends with `std::io::Result::Ok(())` or the like.
///
/// asyncio: `asyncio.start_server()`.
///
/// # Errors
///
/// As for [`create_server`].
pub fn start_server<F, H>(on: impl Into<Hosts>, handler: F) -> StartServer<F>
where
    F: Fn(StreamReader, StreamWriter) -> H + 'static,
    H: Future<Output: CallbackResult> + 'static,
{
    Listen::with_handler(Tcp, on, handler)
}
