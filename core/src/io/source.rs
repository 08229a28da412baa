//! Sources of bytes and connections that never block.
//!
//! A mio socket, a WASI descriptor and a UART's rings all look like this, so
//! protocols are written once, over these traits. Each call tries, and says
//! so when it [would block](SourceError::WouldBlock); `poll_…` then waits.

use super::registration::Interest;
use core::fmt;
use core::task::{Context, Poll};

/// Why a source did not do what was asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SourceError {
    /// Not now; wait with [`Source::poll_ready`] and try again.
    WouldBlock,
    /// The other side is gone (reset, aborted, broken pipe).
    ConnectionReset,
    /// Nobody listens at the address.
    ConnectionRefused,
    /// The process has no descriptor, or the board no slot, left.
    NoDescriptors,
    /// Bytes came in faster than they were read; this many were lost.
    Overrun(u32),
    /// The source is closed.
    Closed,
    /// No event loop runs on this thread that the source could belong to.
    NoRunningLoop,
    /// The source belongs to another event loop than the one that runs; that
    /// one would never be told when the source is ready.
    ForeignLoop,
    /// The platform cannot do it.
    Unsupported(crate::error::Unsupported),
    /// The platform's error number for anything else.
    Os(i32),
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WouldBlock => f.write_str("it would block"),
            Self::ConnectionReset => f.write_str("the other side closed the connection"),
            Self::ConnectionRefused => f.write_str("the connection was refused"),
            Self::NoDescriptors => f.write_str("no descriptors are left"),
            Self::Overrun(lost) => write!(f, "input overrun: {lost} bytes were lost"),
            Self::Closed => f.write_str("it is closed"),
            Self::NoRunningLoop => f.write_str("no event loop is running on this thread"),
            Self::ForeignLoop => f.write_str("it belongs to another event loop"),
            Self::Unsupported(what) => what.fmt(f),
            Self::Os(code) => write!(f, "operating system error {code}"),
        }
    }
}

impl core::error::Error for SourceError {}

/// Something whose readiness can be waited for.
pub trait Source {
    /// Waits until a direction of `interest` may be ready. A hint only.
    fn poll_ready(&self, cx: &mut Context<'_>, interest: Interest) -> Poll<()>;
}

/// A source of bytes in, out, or both.
pub trait ByteSource: Source {
    /// Reads what there is, up to the buffer's length. 0 for a buffer that is
    /// not empty means the end.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](SourceError::WouldBlock) when there is nothing yet.
    fn try_read(&self, buffer: &mut [u8]) -> Result<usize, SourceError>;

    /// Writes the start of `bytes`, as much as there is room for.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](SourceError::WouldBlock) when there is no room.
    fn try_write(&self, bytes: &[u8]) -> Result<usize, SourceError>;

    /// Says that nothing more will be written; reading goes on.
    ///
    /// # Errors
    ///
    /// Where the platform cannot close one direction: `Unsupported`.
    fn shutdown(&self) -> Result<(), SourceError>;
}

/// A source of connections.
pub trait AcceptSource: Source {
    /// What a connection is.
    type Connection: ByteSource;

    /// Takes the next connection.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](SourceError::WouldBlock) when none is waiting,
    /// [`NoDescriptors`](SourceError::NoDescriptors) when there is one that
    /// cannot be taken now.
    fn try_accept(&self) -> Result<Self::Connection, SourceError>;
}

/// Reads, waiting until there is something. 0 means the end.
///
/// # Errors
///
/// The source's, but never `WouldBlock`.
///
/// # Cancellation
///
/// Nothing is lost: bytes are taken only in the step that returns them.
pub async fn read<S: ByteSource + ?Sized>(
    source: &S,
    buffer: &mut [u8],
) -> Result<usize, SourceError> {
    core::future::poll_fn(|cx| {
        loop {
            match source.try_read(buffer) {
                Err(SourceError::WouldBlock) => {
                    core::task::ready!(source.poll_ready(cx, Interest::READABLE));
                }
                done => return Poll::Ready(done),
            }
        }
    })
    .await
}

/// Writes all of `bytes`, waiting for room.
///
/// # Errors
///
/// The source's, but never `WouldBlock`; then part may have been written.
///
/// # Cancellation
///
/// The start of `bytes` may have been written.
pub async fn write_all<S: ByteSource + ?Sized>(
    source: &S,
    bytes: &[u8],
) -> Result<(), SourceError> {
    let mut rest = bytes;
    core::future::poll_fn(|cx| {
        while !rest.is_empty() {
            match source.try_write(rest) {
                Ok(written) => rest = &rest[written.min(rest.len())..],
                Err(SourceError::WouldBlock) => {
                    core::task::ready!(source.poll_ready(cx, Interest::WRITABLE));
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        Poll::Ready(Ok(()))
    })
    .await
}

/// Takes the next connection, waiting for one.
///
/// # Errors
///
/// The source's, but never `WouldBlock`.
///
/// # Cancellation
///
/// Nothing is lost: a connection is taken only in the step that returns it.
pub async fn accept<S: AcceptSource + ?Sized>(source: &S) -> Result<S::Connection, SourceError> {
    core::future::poll_fn(|cx| {
        loop {
            match source.try_accept() {
                Err(SourceError::WouldBlock) => {
                    core::task::ready!(source.poll_ready(cx, Interest::READABLE));
                }
                done => return Poll::Ready(done),
            }
        }
    })
    .await
}
