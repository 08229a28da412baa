//! From a file to a connection.
//!
//! ```text
//!  sendfile ─▶ nobody else writes ─▶ what waits is written ─▶ the file ─▶ everybody writes
//!                                                               │
//!                     by the system, from TCP and Unix sockets ─┤
//!       read in the executor and written: TLS, pipes, Windows ──┘
//! ```

use crate::sendfile::{PORTION, Progress, Reading, SendfileFallback};
use core::fmt;
use core::pin::Pin;
use molen_core::io::source::SourceError;
use molen_core::net::{ConnectionError, Flow, HoldRefused, Transport, WriteHold};
use molen_core::{get_running_loop, yield_now};
use std::fs::File;
use std::io;

#[cfg(unix)]
use crate::descriptor::{AsDescriptor, AsRawDescriptor};
#[cfg(unix)]
use crate::{registered::Registered, sendfile::send};
#[cfg(unix)]
use molen_core::io::Ready;

/// Sends `file` over the connection of `transport`, after what waits to be
/// written, and returns how many bytes that were. The system moves them by
/// itself where it can: from a file to a TCP or Unix socket on Linux, macOS and
/// FreeBSD. Elsewhere, and through TLS, pieces of the file are read in the loop's default
/// executor and written.
///
/// Until it is done, who writes to the connection is refused
/// ([`SendfileInProgress`](molen_core::net::WriteError::SendfileInProgress)); reading goes on (asyncio pauses it), and a
/// `close` or `write_eof` waits for its end. What the file has when it is read
/// is sent: who changes it meanwhile changes that, and a file that is cut off
/// ends early.
///
/// At the end, also of a failed or cancelled call, the file's position is where
/// that ends which was sent, or where it was if nothing was.
///
/// ```
/// # mod molen { pub use {molen_core::*, molen_std::{net, *}}; }
/// use molen::net::{open_connection, sendfile, start_server};
/// # let path = std::env::temp_dir().join(format!("molen-sendfile-{}", std::process::id()));
/// # std::fs::write(&path, b"It is a truth universally acknowledged")?;
/// # let event_loop = molen::new_event_loop()?;
/// # event_loop.run_until_complete(async {
/// let file = std::fs::File::open(&path)?;
/// let server = start_server(("127.0.0.1", 0), move |_reader, writer| {
///     let file = file.try_clone();
///     async move {
///         sendfile(writer.transport(), &file?).offset(8).count(5).await?;
///         Ok::<_, Box<dyn std::error::Error>>(())
///     }
/// })
/// .await?;
/// let (mut reader, _writer) = open_connection(server.addresses()[0]).await?;
/// assert_eq!(reader.read_to_end().await?, b"truth");
/// # server.close();
/// # std::fs::remove_file(&path)?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })??;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// asyncio: `loop.sendfile(transport, file, offset=0, count=None, fallback=True)`.
///
/// # Errors
///
/// [`SendfileError`]: the connection is closing or lost, another file is being
/// sent, the file cannot be read.
///
/// # Cancellation
///
/// What was sent stays sent, and the connection lives on.
pub fn sendfile<'a>(transport: &'a Transport, file: &'a File) -> Sendfile<'a> {
    let fallback = SendfileFallback::ReadAndSend;
    Sendfile { transport, file, offset: 0, count: None, fallback }
}

/// A file that is sent when this is awaited: see [`sendfile`].
#[must_use = "nothing is sent unless this is awaited"]
pub struct Sendfile<'a> {
    transport: &'a Transport,
    file: &'a File,
    offset: u64,
    count: Option<u64>,
    fallback: SendfileFallback,
}

impl fmt::Debug for Sendfile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sendfile")
            .field("transport", self.transport)
            .field("offset", &self.offset)
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

impl Sendfile<'_> {
    /// The byte of the file to begin with. Without, it is the first, wherever
    /// the file's position is.
    ///
    /// asyncio: `offset`.
    pub fn offset(mut self, offset: u64) -> Self {
        self.offset = offset;
        self
    }

    /// How many bytes to send at most. Without, all to the file's end.
    ///
    /// asyncio: `count`.
    pub fn count(mut self, bytes: u64) -> Self {
        self.count = Some(bytes);
        self
    }

    /// What to do where the system does not send the file by itself.
    ///
    /// asyncio: `fallback`.
    pub fn fallback(mut self, fallback: SendfileFallback) -> Self {
        self.fallback = fallback;
        self
    }
}

/// Why a file was not sent, or not all of it.
#[derive(Debug)]
#[non_exhaustive]
pub enum SendfileError {
    /// The connection is not to be had.
    Refused(HoldRefused),
    /// The system does not send this file over this connection by itself, and
    /// nothing else was asked for.
    ///
    /// asyncio: `SendfileNotAvailableError`, a `RuntimeError`.
    NotAvailable(SourceError),
    /// The file cannot be read; or the executor did not do so, and says why inside.
    File(io::Error),
    /// The connection ended meanwhile.
    Lost(ConnectionError),
}

impl SendfileError {
    /// What kind of error it is, in the standard library's words.
    pub fn kind(&self) -> io::ErrorKind {
        match self {
            SendfileError::Refused(HoldRefused::InProgress) => io::ErrorKind::ResourceBusy,
            SendfileError::Refused(_) => io::ErrorKind::NotConnected,
            SendfileError::NotAvailable(_) => io::ErrorKind::Unsupported,
            SendfileError::File(error) => error.kind(),
            SendfileError::Lost(error) => match error.source_error() {
                Some(SourceError::Closed) | None => io::ErrorKind::NotConnected,
                Some(error) => error.kind(),
            },
        }
    }
}

impl fmt::Display for SendfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot send the file over the connection: ")?;
        match self {
            SendfileError::Refused(error) => error.fmt(f),
            SendfileError::NotAvailable(error @ SourceError::Os(_)) => {
                write!(f, "the system does not send it by itself: {error}")
            }
            SendfileError::NotAvailable(error) => error.fmt(f),
            SendfileError::File(error) => write!(f, "it cannot be read: {error}"),
            SendfileError::Lost(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for SendfileError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            SendfileError::Refused(error) => Some(error),
            SendfileError::NotAvailable(error) => Some(error),
            SendfileError::File(error) => Some(error),
            SendfileError::Lost(error) => Some(error),
        }
    }
}

impl From<SendfileError> for io::Error {
    fn from(error: SendfileError) -> io::Error {
        // As text: what the connection was lost with may be for its own thread only.
        io::Error::new(error.kind(), error.to_string())
    }
}

impl<'a> IntoFuture for Sendfile<'a> {
    type Output = Result<u64, SendfileError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<u64, SendfileError>> + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        let Sendfile { transport, file, offset, count, fallback } = self;
        Box::pin(async move {
            let hold = transport.hold_writing().map_err(SendfileError::Refused)?;
            let mut progress = Progress::new(file, offset, count);
            hold.written(0).await.map_err(SendfileError::Lost)?;
            if let Err(reason) = by_the_system(&hold, &mut progress).await? {
                match fallback {
                    SendfileFallback::ReadAndSend => by_hand(&hold, &mut progress).await?,
                    SendfileFallback::Refuse => return Err(SendfileError::NotAvailable(reason)),
                }
            }
            Ok(progress.sent())
        })
    }
}

/// Sends all, or says why the system does not do it; then nothing was sent.
async fn by_the_system(
    hold: &WriteHold<'_>,
    progress: &mut Progress<'_>,
) -> Result<Result<(), SourceError>, SendfileError> {
    loop {
        let portion = progress.next(PORTION);
        if portion == 0 {
            return Ok(Ok(()));
        }
        match hold.sendfile(progress.file, progress.position(), portion).await {
            Ok(0) => return Ok(Ok(())),
            Ok(count) => progress.add(count),
            Err(SourceError::Closed) => {
                // It says why.
                hold.written(usize::MAX).await.map_err(SendfileError::Lost)?;
                return Err(SendfileError::Lost(CLOSED));
            }
            Err(error) if progress.sent() == 0 && error != SourceError::ConnectionReset => {
                return Ok(Err(error));
            }
            Err(error) => {
                hold.fail(error);
                return Err(SendfileError::Lost(ConnectionError::Source(error)));
            }
        }
        // Should the peer be quick, others have a turn.
        yield_now().await;
    }
}

async fn by_hand(hold: &WriteHold<'_>, progress: &mut Progress<'_>) -> Result<(), SendfileError> {
    let lost = SendfileError::Lost;
    let event_loop = get_running_loop()
        .map_err(|_none| lost(ConnectionError::Source(SourceError::NoRunningLoop)))?;
    let mut reading = Reading::new(progress).map_err(SendfileError::File)?;
    loop {
        let piece = reading.next(&event_loop, progress).await.map_err(SendfileError::File)?;
        // The next piece is read while this one leaves, but not kept beside it.
        hold.written(0).await.map_err(lost)?;
        if piece.is_empty() {
            return Ok(());
        }
        match hold.write(piece) {
            Ok(Flow::Open | Flow::Paused) => progress.add(piece.len()),
            // The connection is over, and the next wait says why.
            Ok(Flow::Dropped) => {}
            // Its write buffer has a fixed size: none of this crate's has.
            Err(_full) => return Err(lost(CLOSED)),
        }
    }
}

const CLOSED: ConnectionError = ConnectionError::Source(SourceError::Closed);

/// What sockets of the system make of [`ByteSource::try_sendfile`](molen_core::io::source::ByteSource::try_sendfile).
#[cfg(unix)]
pub(super) fn try_sendfile<S>(
    socket: &Registered<S>,
    file: &File,
    offset: u64,
    count: usize,
) -> Result<usize, SourceError>
where
    S: mio::event::Source + AsRawDescriptor + AsDescriptor,
{
    socket.attempt(Ready::WRITABLE, |socket| match count {
        0 => Ok(0),
        count => send(socket, file, offset, count),
    })
}
