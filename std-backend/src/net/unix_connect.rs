//! Transports and streams over Unix sockets.

use super::UnixStream;
use super::unix_error::{UnixError, UnixRefused};
use super::unix_name::{Doing, ToUnixAddress};
use core::pin::Pin;
use molen_core::io::source::SourceError;
use molen_core::net::{
    DEFAULT_LIMIT, Protocol, StreamReader, StreamWriter, Transport, connect_accepted_socket,
    open_streams,
};
use molen_core::{Duration, timeout};

/// Connects to the Unix socket `path`, with `protocol`. `connection_made` was
/// called when this returns.
///
/// asyncio: `loop.create_unix_connection()`; `sock=` is
/// [`connect_accepted_socket`] of a [`UnixStream`](super::UnixStream), and `ssl=` is
/// `connect_tls` or `open_tls_streams` of one.
///
/// # Errors
///
/// [`UnixError`]: the path is too long, nobody listens, no permission, no
/// descriptors left, no loop runs. On Windows
/// [`Unsupported`](molen_core::Unsupported).
///
/// # Cancellation
///
/// The attempt is given up, or the connection aborted.
pub fn create_unix_connection<P: Protocol + 'static>(
    path: impl ToUnixAddress,
    protocol: P,
) -> UnixConnect<WithProtocol<P>> {
    UnixConnect::new(&path, WithProtocol(protocol))
}

/// Connects to the Unix socket `path`, with a pair of streams.
///
/// asyncio: `asyncio.open_unix_connection()`.
///
/// # Errors
///
/// As for [`create_unix_connection`].
///
/// # Cancellation
///
/// The attempt is given up, or the connection aborted.
pub fn open_unix_connection(path: impl ToUnixAddress) -> UnixConnect<WithStreams> {
    UnixConnect::new(&path, WithStreams { limit: DEFAULT_LIMIT })
}

/// A connection that is made when this is awaited: see [`create_unix_connection`]
/// and [`open_unix_connection`].
#[must_use = "nothing connects unless this is awaited"]
pub struct UnixConnect<M> {
    doing: Doing,
    timeout: Option<Duration>,
    making: M,
}

/// A connection with this protocol.
pub struct WithProtocol<P>(P);

/// A connection with a pair of streams.
pub struct WithStreams {
    limit: usize,
}

/// The future of a [`UnixConnect`].
pub type UnixConnecting<T> = Pin<Box<dyn Future<Output = Result<T, UnixError>>>>;

impl<M> UnixConnect<M> {
    fn new(path: &impl ToUnixAddress, making: M) -> UnixConnect<M> {
        UnixConnect { doing: Doing::new("connect to", path), timeout: None, making }
    }

    /// How long it may take at most. Without, it waits for as long as the
    /// listener has too many others waiting.
    ///
    /// asyncio: `asyncio.timeout()` around it.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }
}

impl UnixConnect<WithStreams> {
    /// How long a line may be, in bytes; twice as much is kept unread.
    ///
    /// asyncio: `limit`.
    pub fn limit(mut self, bytes: usize) -> Self {
        self.making.limit = bytes;
        self
    }
}

impl<P: Protocol + 'static> IntoFuture for UnixConnect<WithProtocol<P>> {
    type Output = Result<Transport, UnixError>;
    type IntoFuture = UnixConnecting<Transport>;

    fn into_future(self) -> UnixConnecting<Transport> {
        let UnixConnect { doing, timeout, making } = self;
        connect(doing, timeout, async |stream| connect_accepted_socket(stream, making.0).await)
    }
}

impl IntoFuture for UnixConnect<WithStreams> {
    type Output = Result<(StreamReader, StreamWriter), UnixError>;
    type IntoFuture = UnixConnecting<(StreamReader, StreamWriter)>;

    fn into_future(self) -> Self::IntoFuture {
        let UnixConnect { doing, timeout, making } = self;
        connect(doing, timeout, async move |stream| open_streams(stream, making.limit).await)
    }
}

fn connect<T: 'static>(
    doing: Doing,
    limit: Option<Duration>,
    make: impl AsyncFnOnce(UnixStream) -> Result<T, SourceError> + 'static,
) -> UnixConnecting<T> {
    Box::pin(async move {
        let connected = async {
            let address = doing.address()?;
            let made = async { make(UnixStream::connect_to(&address).await?).await };
            made.await.map_err(|cause| doing.failed(cause))
        };
        match limit {
            None => connected.await,
            Some(limit) => match timeout(limit, connected).await {
                Ok(done) => done,
                Err(_late) => Err(doing.failed(UnixRefused::TimedOut)),
            },
        }
    })
}
