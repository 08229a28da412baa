//! Transports and streams over Unix sockets.

use super::UnixStream;
use super::unix_error::{UnixError, UnixRefused};
use super::unix_name::{Doing, ToUnixAddress};
#[cfg(feature = "tls")]
use crate::tls::{ClientSecurity, ClientSide};
use core::fmt;
use core::pin::Pin;
use molen_core::net::{Making, Protocol, WithProtocol, WithStreams};
use molen_core::{Duration, timeout};

/// Connects to the Unix socket `path`, with `protocol`. `connection_made` was
/// called when this returns.
///
/// asyncio: `loop.create_unix_connection()`; its keyword arguments are methods of
/// what this returns, but `sock=`, which is
/// [`connect_accepted_socket`](super::connect_accepted_socket) of a
/// [`UnixStream`](super::UnixStream).
///
/// # Errors
///
/// [`UnixError`]: the path is too long, nobody listens, no permission, no
/// descriptors left, TLS fails, no loop runs. On Windows
/// [`Unsupported`](molen_core::Unsupported).
///
/// # Cancellation
///
/// The attempt is given up, or the connection aborted.
pub fn create_unix_connection<P: Protocol + 'static>(
    path: impl ToUnixAddress,
    protocol: P,
) -> UnixConnect<WithProtocol<P>> {
    UnixConnect::new(&path, WithProtocol::new(protocol))
}

/// Connects to the Unix socket `path`, with a pair of streams. An example is that of
/// [`start_unix_server`](super::start_unix_server).
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
    UnixConnect::new(&path, WithStreams::default())
}

/// A connection that is made when this is awaited: see [`create_unix_connection`]
/// and [`open_unix_connection`].
#[must_use = "nothing connects unless this is awaited"]
pub struct UnixConnect<M> {
    doing: Doing,
    timeout: Option<Duration>,
    making: M,
    #[cfg(feature = "tls")]
    security: ClientSecurity,
}

impl<M> fmt::Debug for UnixConnect<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnixConnect").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

/// The future of a [`UnixConnect`].
pub type UnixConnecting<T> = Pin<Box<dyn Future<Output = Result<T, UnixError>>>>;

impl<M> UnixConnect<M> {
    fn new(path: &impl ToUnixAddress, making: M) -> UnixConnect<M> {
        UnixConnect {
            doing: Doing::new("connect to", path),
            timeout: None,
            making,
            #[cfg(feature = "tls")]
            security: ClientSecurity::default(),
        }
    }

    /// How long it may take at most, a handshake included. Without, it waits
    /// for as long as the listener has too many others waiting.
    ///
    /// asyncio: `asyncio.timeout()` around it.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }
}

#[cfg(feature = "tls")]
impl<M> UnixConnect<M> {
    /// Through TLS: the server's certificate is checked, and that it has the
    /// name which [`server_hostname`](Self::server_hostname) says: a path is none.
    ///
    /// asyncio: `ssl`.
    pub fn tls(mut self, context: &(impl ClientSide + Clone + 'static)) -> Self {
        self.security.set_context(context);
        self
    }

    /// The name that is sent to the server (SNI), and that its certificate has
    /// to have. TLS is refused without it.
    ///
    /// asyncio: `server_hostname`.
    pub fn server_hostname(mut self, name: &str) -> Self {
        self.security.set_server_hostname(name);
        self
    }

    molen_core::tls_timeouts!(security.timeouts());
}

impl UnixConnect<WithStreams> {
    /// How long a line may be, in bytes; twice as much is kept unread.
    ///
    /// asyncio: `limit`.
    pub fn limit(mut self, bytes: usize) -> Self {
        self.making.set_limit(bytes);
        self
    }
}

impl<M: Making> IntoFuture for UnixConnect<M> {
    type Output = Result<M::Made, UnixError>;
    type IntoFuture = UnixConnecting<M::Made>;

    fn into_future(self) -> UnixConnecting<M::Made> {
        Box::pin(async move {
            let UnixConnect { doing, timeout: limit, making, .. } = self;
            #[cfg(feature = "tls")]
            let security =
                self.security.check_without_host().map_err(|cause| doing.failed(cause))?;
            let connected = async {
                let stream = UnixStream::connect_to(&doing.checked_address()?).await?;
                let (protocol, kept) = making.begin();
                #[cfg(feature = "tls")]
                let made = security.connect::<_, _, UnixRefused>(stream, protocol).await;
                #[cfg(not(feature = "tls"))]
                let made = molen_core::net::connect_accepted_socket(stream, protocol).await;
                Ok::<_, UnixRefused>(M::finish(kept, made?))
            };
            let connected = match limit {
                None => connected.await,
                Some(limit) => {
                    timeout(limit, connected).await.unwrap_or(Err(UnixRefused::TimedOut))
                }
            };
            connected.map_err(|cause| doing.failed(cause))
        })
    }
}
