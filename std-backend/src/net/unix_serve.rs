//! Servers on Unix sockets.

use super::UnixListener;
use super::unix_error::{UnixError, UnixRefused};
use super::unix_listening::{Cleanup, Listening};
use super::unix_name::{Doing, ToUnixAddress};
#[cfg(feature = "tls")]
use crate::tls::{ServerSecurity, ServerSide};
use core::fmt;
use core::pin::Pin;
use molen_core::io::source::SourceError;
use molen_core::net::{
    DEFAULT_LIMIT, Protocol, Server, Serving, Start, StreamReader, StreamWriter, WithFactory,
    WithHandler,
};
use molen_core::schedule::CallbackResult;

/// Listens on the Unix socket `path`, and gives each connection a protocol
/// that `factory` makes.
///
/// asyncio: `loop.create_unix_server()`; its keyword arguments are methods of what
/// this returns, but `sock=`, which is [`Server::new`] of a [`UnixListener`].
///
/// # Errors
///
/// [`UnixError`]: the path is too long, something that is no socket is there,
/// no permission, TLS cannot be begun as asked for, no loop runs. On Windows
/// [`Unsupported`](molen_core::Unsupported).
pub fn create_unix_server<P, F>(path: impl ToUnixAddress, factory: F) -> UnixListen<WithFactory<F>>
where
    P: Protocol + 'static,
    F: FnMut() -> P + 'static,
{
    UnixListen::new(&path, WithFactory::new(factory))
}

/// Listens on the Unix socket `path`, and makes a task of `handler` for each
/// connection.
///
#[cfg_attr(unix, doc = "```")]
#[cfg_attr(not(unix), doc = "```ignore")]
/// # mod molen { pub use {molen_core::*, molen_std::{net, *}}; }
/// use molen::net::{StreamReader, StreamWriter, open_unix_connection, start_unix_server};
///
/// async fn greet(_reader: StreamReader, writer: StreamWriter) -> std::io::Result<()> {
///     writer.write(b"hello\n")?;
///     writer.drain().await?;
///     Ok(())
/// }
///
/// let path = std::env::temp_dir().join(format!("molen-{}.sock", std::process::id()));
/// let event_loop = molen::new_event_loop()?;
/// event_loop.run_until_complete(async {
///     // Only this user may connect; the path is removed when the server is closed.
///     let _server = start_unix_server(&path, greet).mode(0o600).await?;
///     let (mut reader, _writer) = open_unix_connection(&path).await?;
///     assert_eq!(reader.readline().await?, b"hello\n");
///     Ok::<_, std::io::Error>(())
/// })??;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// asyncio: `asyncio.start_unix_server()`.
///
/// # Errors
///
/// As for [`create_unix_server`].
pub fn start_unix_server<F, H>(path: impl ToUnixAddress, handler: F) -> UnixListen<WithHandler<F>>
where
    F: Fn(StreamReader, StreamWriter) -> H + 'static,
    H: Future<Output: CallbackResult> + 'static,
{
    UnixListen::new(&path, WithHandler::new(handler, DEFAULT_LIMIT))
}

/// A server that is made when this is awaited: see [`create_unix_server`] and
/// [`start_unix_server`].
///
/// A socket that is at its path already is replaced, also one that somebody
/// listens on: that one keeps its connections and gets no new ones. When the
/// server is closed, the path is removed, unless it has been removed or another
/// socket is there by then.
///
/// asyncio: the same, since 3.13.
#[must_use = "nothing listens unless this is awaited"]
pub struct UnixListen<M: Serving> {
    doing: Doing,
    how: Listening,
    start: Start,
    serving: M,
    #[cfg(feature = "tls")]
    security: ServerSecurity,
}

impl<M: Serving> fmt::Debug for UnixListen<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnixListen").finish_non_exhaustive()
    }
}

/// The future of a [`UnixListen`].
pub type UnixListening = Pin<Box<dyn Future<Output = Result<Server, UnixError>>>>;

impl<M: Serving> UnixListen<M> {
    fn new(path: &impl ToUnixAddress, serving: M) -> UnixListen<M> {
        UnixListen {
            doing: Doing::new("listen on", path),
            how: Listening::DEFAULT,
            start: Start::Now,
            serving,
            #[cfg(feature = "tls")]
            security: ServerSecurity::default(),
        }
    }

    /// How many connections wait to be accepted; the system may allow fewer.
    /// Those who connect beyond them wait too.
    ///
    /// asyncio: `backlog`, 100.
    pub fn backlog(mut self, connections: u32) -> Self {
        self.how.backlog = connections;
        self
    }

    /// Who may connect, as the permissions of a file: with `0o600` its owner
    /// alone. They are set before anybody can connect. Not of abstract names.
    ///
    /// Without, the process' umask decides.
    ///
    /// asyncio's programs call `os.chmod` afterwards, when somebody may have
    /// connected.
    pub fn mode(mut self, permissions: u32) -> Self {
        self.how.mode = Some(permissions);
        self
    }

    /// Whether the path is removed when the server is closed. It is by default.
    ///
    /// asyncio: `cleanup_socket`.
    pub fn cleanup_socket(mut self, cleanup: bool) -> Self {
        self.how.cleanup = if cleanup { Cleanup::Remove } else { Cleanup::Leave };
        self
    }

    /// When it begins to accept.
    ///
    /// asyncio: `start_serving`.
    pub fn start(mut self, start: Start) -> Self {
        self.start = start;
        self
    }
}

impl<F, H> UnixListen<WithHandler<F>>
where
    F: Fn(StreamReader, StreamWriter) -> H + 'static,
    H: Future<Output: CallbackResult> + 'static,
{
    /// How long a line may be, in bytes; twice as much is kept unread.
    ///
    /// asyncio: `limit`.
    pub fn limit(mut self, bytes: usize) -> Self {
        self.serving.set_limit(bytes);
        self
    }
}

#[cfg(feature = "tls")]
impl<M: Serving> UnixListen<M> {
    /// Through TLS: each connection has its protocol when its handshake is done.
    /// One that fails is closed, and nobody is told.
    ///
    /// asyncio: `ssl`.
    pub fn tls(mut self, context: &(impl ServerSide + Clone + 'static)) -> Self {
        self.security.set_context(context);
        self
    }

    molen_core::tls_timeouts!(security.timeouts());
}

impl<M: Serving> IntoFuture for UnixListen<M> {
    type Output = Result<Server, UnixError>;
    type IntoFuture = UnixListening;

    fn into_future(self) -> UnixListening {
        Box::pin(async move {
            let UnixListen { doing, how, start, serving, .. } = self;
            let served = || {
                let address = doing.checked_address()?;
                // What listened there before goes on, if this cannot begin.
                #[cfg(feature = "tls")]
                let security = self.security.check()?;
                let listener = UnixListener::listen(&address, how)?;
                #[cfg(feature = "tls")]
                let server = security.serve([listener], start, serving);
                #[cfg(not(feature = "tls"))]
                let server = Server::serving([listener], start, serving);
                server.map_err(|_none| UnixRefused::Source(SourceError::NoRunningLoop))
            };
            served().map_err(|cause| doing.failed(cause))
        })
    }
}
