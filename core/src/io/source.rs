//! Sources of bytes and connections that never block.
//!
//! A mio socket, a WASI descriptor and a UART's rings all look like this, so
//! protocols are written once, over these traits. Each call tries, and says
//! so when it [would block](SourceError::WouldBlock); `poll_…` then waits.
//!
//! | trait | what it moves | for instance |
//! |---|---|---|
//! | [`ByteSource`] | bytes in order | TCP, pipes, a UART |
//! | [`DatagramSource`] | whole messages | UDP |
//! | [`AcceptSource`] | connections | a listening socket |

use super::registration::{Interest, Ready};
use core::fmt;
use core::future::poll_fn;
use core::task::{Context, Poll, ready};

/// Why a source did not do what was asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum SourceError {
    /// Not now; wait with [`Source::poll_ready`] and try again.
    WouldBlock,
    /// Something else came first (a signal); try again at once.
    Interrupted,
    /// The other side is gone (reset, aborted, broken pipe).
    ConnectionReset,
    /// Nobody listens at the address.
    ConnectionRefused,
    /// The other side no longer answers: what was sent was not acknowledged, or
    /// it was asked in vain whether it is still there.
    TimedOut,
    /// Another socket has the address.
    AddressInUse,
    /// The address is not one of this machine's.
    AddressNotAvailable,
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
            Self::Interrupted => f.write_str("it was interrupted"),
            Self::ConnectionReset => f.write_str("the other side closed the connection"),
            Self::ConnectionRefused => f.write_str("the connection was refused"),
            Self::TimedOut => f.write_str("the other side no longer answers"),
            Self::AddressInUse => f.write_str("the address is in use"),
            Self::AddressNotAvailable => f.write_str("this machine has no such address"),
            Self::NoDescriptors => f.write_str("no descriptors are left"),
            Self::Overrun(lost) => write!(f, "input overrun: {lost} bytes were lost"),
            Self::Closed => f.write_str("it is closed"),
            Self::NoRunningLoop => f.write_str("no event loop is running on this thread"),
            Self::ForeignLoop => f.write_str("it belongs to another event loop"),
            Self::Unsupported(what) => what.fmt(f),
            Self::Os(code) => show_os_error(*code, f),
        }
    }
}

impl core::error::Error for SourceError {}

#[cfg(not(feature = "std"))]
fn show_os_error(code: i32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "operating system error {code}")
}

#[cfg(feature = "std")]
fn show_os_error(code: i32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    fmt::Display::fmt(&std::io::Error::from_raw_os_error(code), f)
}

#[cfg(feature = "std")]
impl SourceError {
    /// What kind of error it is, in the standard library's words.
    pub fn kind(&self) -> std::io::ErrorKind {
        use std::io::ErrorKind;
        match self {
            Self::WouldBlock => ErrorKind::WouldBlock,
            Self::Interrupted => ErrorKind::Interrupted,
            Self::ConnectionReset => ErrorKind::ConnectionReset,
            Self::ConnectionRefused => ErrorKind::ConnectionRefused,
            Self::TimedOut => ErrorKind::TimedOut,
            Self::Closed => ErrorKind::NotConnected,
            Self::AddressInUse => ErrorKind::AddrInUse,
            Self::AddressNotAvailable => ErrorKind::AddrNotAvailable,
            Self::Unsupported(_) => ErrorKind::Unsupported,
            Self::Os(code) => std::io::Error::from_raw_os_error(*code).kind(),
            _ => ErrorKind::Other,
        }
    }
}

/// Something whose readiness can be waited for.
pub trait Source {
    /// Waits until a direction of `interest` may be ready. A hint only.
    fn poll_ready(&self, cx: &mut Context<'_>, interest: Interest) -> Poll<()>;

    /// The directions in which it is worth trying, as far as is known without
    /// asking the system.
    fn known_ready(&self) -> Ready {
        Ready::BOTH
    }

    /// Has `listener` told of every event from now on, in place of the one
    /// before; no task need wait then. False when this source can only be
    /// waited for.
    ///
    /// With `None`, nobody is told any more.
    #[cfg(feature = "alloc")]
    fn listen(&self, listener: Option<super::EventListener>) -> bool {
        let _ = listener;
        false
    }

    /// An address of a connection, where there are addresses.
    fn address(&self, end: End) -> Option<core::net::SocketAddr> {
        let _ = end;
        None
    }

    /// An address of a connection whose addresses are names of Unix sockets.
    #[cfg(feature = "std")]
    fn unix_address(&self, end: End) -> Option<crate::net::UnixAddress> {
        let _ = end;
        None
    }

    /// The operating system's number of it, where there is one.
    fn descriptor(&self) -> Option<u64> {
        None
    }

    /// What was agreed on, if it is TLS.
    #[cfg(feature = "tls")]
    fn tls_info(&self) -> Option<alloc::rc::Rc<crate::net::tls::TlsInfo>> {
        None
    }
}

/// One of the two ends of a connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// This side. asyncio: `sockname`.
    Local,
    /// The other side. asyncio: `peername`.
    Peer,
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

    /// Writes the start of `pieces`, one after the other, as much as there is
    /// room for, in one call of the system where it has one for that.
    ///
    /// # Errors
    ///
    /// As for [`try_write`](Self::try_write).
    fn try_write_vectored(&self, pieces: &[&[u8]]) -> Result<usize, SourceError> {
        match pieces.iter().find(|piece| !piece.is_empty()) {
            Some(first) => self.try_write(first),
            None => Ok(0),
        }
    }

    /// Sends up to `count` bytes of `file`, from its byte `offset` on, without
    /// having the program see them; 0 at the file's end.
    ///
    /// Only for sources that tell a [listener](Source::listen) when there is room.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](SourceError::WouldBlock) when there is no room;
    /// [`Unsupported`](SourceError::Unsupported), or the system's, when the
    /// file cannot be sent so.
    #[cfg(feature = "std")]
    fn try_sendfile(
        &self,
        file: &std::fs::File,
        offset: u64,
        count: usize,
    ) -> Result<usize, SourceError> {
        let _ = (file, offset, count);
        Err(SourceError::Unsupported(crate::error::Unsupported {
            operation: "sending a file without reading it",
            platform: "this connection",
            reason: "its bytes do not go through a socket of the system as they are",
        }))
    }

    /// A transport takes it over: what asyncio's transports set on their
    /// sockets is set (small writes leave at once).
    fn begin_transport(&self) {}

    /// Whether one direction can be closed and the other kept.
    fn can_shut_down(&self) -> bool {
        true
    }

    /// Says that nothing more will be written; reading goes on.
    ///
    /// # Errors
    ///
    /// Where the platform cannot close one direction: `Unsupported`.
    fn shutdown(&self) -> Result<(), SourceError>;

    /// Whether it has something of its own to say before a connection that is
    /// closed in an orderly way lets go of it, as TLS has. Then
    /// [`try_goodbye`](Self::try_goodbye) is called, after all was written.
    #[inline]
    fn says_goodbye(&self) -> bool {
        false
    }

    /// Goes on with its goodbye, until this returns `Ok` or `says_goodbye` false.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](SourceError::WouldBlock) until it is over; it is ready
    /// for writing then.
    #[inline]
    fn try_goodbye(&self) -> Result<(), SourceError> {
        Ok(())
    }

    /// All there is to know about `error`, which this source has returned.
    #[inline]
    fn explain(&self, error: SourceError) -> crate::net::ConnectionError {
        crate::net::ConnectionError::Source(error)
    }
}

/// A message of UDP is at most so long: its length is told in two bytes.
const LONGEST_DATAGRAM: usize = 65_535;

/// A source of messages, each of which has a sender or a receiver.
pub trait DatagramSource: Source {
    /// Who sends and receives.
    type Address: Clone + PartialEq + 'static;

    /// How long the messages may be that an endpoint receives whole, in bytes:
    /// as long as those of UDP, if it is not said.
    #[inline]
    fn longest_message(&self) -> usize {
        LONGEST_DATAGRAM
    }

    /// Takes the next message and its sender. What is longer than the buffer
    /// is cut off.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](SourceError::WouldBlock) when there is none yet; others
    /// tell of a message that was sent before, and leave the source usable.
    fn try_recv_from(&self, buffer: &mut [u8]) -> Result<(usize, Self::Address), SourceError>;

    /// Sends `message`, whole, to `receiver`; to the peer of a connected
    /// source when there is none.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](SourceError::WouldBlock) when there is no room.
    fn try_send_to(
        &self,
        message: &[u8],
        receiver: Option<&Self::Address>,
    ) -> Result<usize, SourceError>;
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
    /// cannot be taken now, [`Closed`](SourceError::Closed) when the listener is
    /// no more; see [`AcceptFailure`](super::AcceptFailure) for what others mean.
    fn try_accept(&self) -> Result<Self::Connection, SourceError>;
}

/// A source that is shared is a source.
macro_rules! forward {
    ($S:ident, $holder:ty) => {
        impl<$S: Source + ?Sized> Source for $holder {
            #[inline]
            fn poll_ready(&self, cx: &mut Context<'_>, interest: Interest) -> Poll<()> {
                (**self).poll_ready(cx, interest)
            }

            #[inline]
            fn known_ready(&self) -> Ready {
                (**self).known_ready()
            }

            #[cfg(feature = "alloc")]
            fn listen(&self, listener: Option<super::EventListener>) -> bool {
                (**self).listen(listener)
            }

            fn address(&self, end: End) -> Option<core::net::SocketAddr> {
                (**self).address(end)
            }

            #[cfg(feature = "std")]
            fn unix_address(&self, end: End) -> Option<crate::net::UnixAddress> {
                (**self).unix_address(end)
            }

            fn descriptor(&self) -> Option<u64> {
                (**self).descriptor()
            }

            #[cfg(feature = "tls")]
            fn tls_info(&self) -> Option<alloc::rc::Rc<crate::net::tls::TlsInfo>> {
                (**self).tls_info()
            }
        }

        impl<$S: ByteSource + ?Sized> ByteSource for $holder {
            #[inline]
            fn try_read(&self, buffer: &mut [u8]) -> Result<usize, SourceError> {
                (**self).try_read(buffer)
            }

            #[inline]
            fn try_write(&self, bytes: &[u8]) -> Result<usize, SourceError> {
                (**self).try_write(bytes)
            }

            #[inline]
            fn try_write_vectored(&self, pieces: &[&[u8]]) -> Result<usize, SourceError> {
                (**self).try_write_vectored(pieces)
            }

            #[cfg(feature = "std")]
            fn try_sendfile(
                &self,
                file: &std::fs::File,
                offset: u64,
                count: usize,
            ) -> Result<usize, SourceError> {
                (**self).try_sendfile(file, offset, count)
            }

            fn begin_transport(&self) {
                (**self).begin_transport();
            }

            fn can_shut_down(&self) -> bool {
                (**self).can_shut_down()
            }

            fn shutdown(&self) -> Result<(), SourceError> {
                (**self).shutdown()
            }

            #[inline]
            fn says_goodbye(&self) -> bool {
                (**self).says_goodbye()
            }

            #[inline]
            fn try_goodbye(&self) -> Result<(), SourceError> {
                (**self).try_goodbye()
            }

            #[inline]
            fn explain(&self, error: SourceError) -> crate::net::ConnectionError {
                (**self).explain(error)
            }
        }
    };
}
forward!(S, &S);
#[cfg(feature = "alloc")]
forward!(S, alloc::rc::Rc<S>);

/// Tries `operation`; as long as it would block, waits until a direction of
/// `interest` may be ready and tries anew. All that waits for a source comes down
/// to this.
///
/// # Errors
///
/// The operation's, but never `WouldBlock` and `Interrupted`.
#[inline(always)]
pub fn poll_io<S: Source + ?Sized, T>(
    source: &S,
    cx: &mut Context<'_>,
    interest: Interest,
    mut operation: impl FnMut() -> Result<T, SourceError>,
) -> Poll<Result<T, SourceError>> {
    loop {
        match operation() {
            Ok(done) => return Poll::Ready(Ok(done)),
            Err(SourceError::WouldBlock) => ready!(source.poll_ready(cx, interest)),
            Err(SourceError::Interrupted) => {}
            Err(error) => return Poll::Ready(Err(error)),
        }
    }
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
    poll_fn(|cx| poll_io(source, cx, Interest::READABLE, || source.try_read(buffer))).await
}

/// Writes the start of `bytes`, waiting until there is room for some.
///
/// # Errors
///
/// The source's, but never `WouldBlock`.
///
/// # Cancellation
///
/// Nothing is lost: bytes are written only in the step that returns.
pub async fn write_some<S: ByteSource + ?Sized>(
    source: &S,
    bytes: &[u8],
) -> Result<usize, SourceError> {
    poll_fn(|cx| poll_io(source, cx, Interest::WRITABLE, || source.try_write(bytes))).await
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
    poll_fn(|cx| {
        while !rest.is_empty() {
            // Not by `poll_io`, which makes programs 50 bytes larger here.
            match source.try_write(rest) {
                Ok(written) => rest = &rest[written.min(rest.len())..],
                Err(SourceError::WouldBlock) => ready!(source.poll_ready(cx, Interest::WRITABLE)),
                Err(SourceError::Interrupted) => {}
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
    poll_fn(|cx| poll_io(source, cx, Interest::READABLE, || source.try_accept())).await
}
