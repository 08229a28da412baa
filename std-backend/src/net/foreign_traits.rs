//! Connections under the traits of futures-io and of tokio, for other people's
//! protocols: TLS, WebSockets, HTTP.
//!
//! [`TcpStream`] and `UnixStream` read and write their sockets. [`StreamPair`] goes through a
//! transport, with its buffer and its flow control.

use super::TcpStream;
#[cfg(unix)]
use super::UnixStream;
use core::pin::Pin;
use core::task::{Context, Poll, ready};
use molen_core::io::Interest;
use molen_core::io::source::{ByteSource, poll_io};
use molen_core::net::{StreamReader, StreamWriter};
use std::io;

/// Both streams of a connection as one thing that is read and written.
///
/// Closing it (futures-io), or shutting it down (tokio), ends writing; reading
/// goes on.
#[derive(Debug)]
pub struct StreamPair {
    /// The reading half.
    pub reader: StreamReader,
    /// The writing half.
    pub writer: StreamWriter,
}

/// What both crates' traits come down to.
trait Bytes {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>>;
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>>;
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
}

/// Reads and writes a source itself.
macro_rules! bytes_of_sources {
    ($($type:ty)*) => {$(
        impl Bytes for $type {
            fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
                poll_io(self, cx, Interest::READABLE, || self.try_read(buffer)).map_err(io::Error::from)
            }

            fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
                poll_io(self, cx, Interest::WRITABLE, || self.try_write(bytes)).map_err(io::Error::from)
            }

            fn poll_flush(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }

            fn poll_shutdown(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(self.shutdown().map_err(io::Error::from))
            }
        }
    )*};
}
bytes_of_sources!(TcpStream);
#[cfg(unix)]
bytes_of_sources!(UnixStream);

impl Bytes for StreamPair {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.reader.poll_read(cx, buffer).map_err(io::Error::from)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_flush(cx))?;
        let written = self.writer.write(bytes).map_err(io::Error::other);
        Poll::Ready(written.map(|_flow| bytes.len()))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writer.poll_drained(cx).map_err(io::Error::from)
    }

    fn poll_shutdown(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.writer.can_write_eof() {
            // As of TLS, which has no half-close: the end of writing is the end.
            self.writer.close();
            return Poll::Ready(Ok(()));
        }
        Poll::Ready(self.writer.write_eof().map_err(io::Error::other))
    }
}

macro_rules! futures_io {
    ($($type:ty)*) => {$(
        #[cfg(feature = "futures-io")]
        impl futures_io::AsyncRead for $type {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buffer: &mut [u8],
            ) -> Poll<io::Result<usize>> {
                Bytes::poll_read(self.get_mut(), cx, buffer)
            }
        }

        #[cfg(feature = "futures-io")]
        impl futures_io::AsyncWrite for $type {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bytes: &[u8],
            ) -> Poll<io::Result<usize>> {
                Bytes::poll_write(self.get_mut(), cx, bytes)
            }

            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                Bytes::poll_flush(self.get_mut(), cx)
            }

            fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                Bytes::poll_shutdown(self.get_mut(), cx)
            }
        }

        #[cfg(feature = "tokio")]
        impl tokio::io::AsyncRead for $type {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buffer: &mut tokio::io::ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                let room = buffer.initialize_unfilled();
                let count = ready!(Bytes::poll_read(self.get_mut(), cx, room))?;
                buffer.advance(count);
                Poll::Ready(Ok(()))
            }
        }

        #[cfg(feature = "tokio")]
        impl tokio::io::AsyncWrite for $type {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bytes: &[u8],
            ) -> Poll<io::Result<usize>> {
                Bytes::poll_write(self.get_mut(), cx, bytes)
            }

            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                Bytes::poll_flush(self.get_mut(), cx)
            }

            fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                Bytes::poll_shutdown(self.get_mut(), cx)
            }
        }
    )*};
}
futures_io!(TcpStream StreamPair);
#[cfg(unix)]
futures_io!(UnixStream);
