//! Sources and streams under the traits of `embedded-io-async`.
//!
//! A source becomes one by [`EmbeddedIo`]; streams and [`PullReader`]s are so
//! by themselves.

use super::streams::PullReader;
use crate::io::source::{ByteSource, SourceError, read, write_some};
use embedded_io_async::{BufRead, Error, ErrorKind, ErrorType, Read, Write};

#[cfg(feature = "alloc")]
use super::error::ConnectionError;
#[cfg(feature = "alloc")]
use super::streams::{StreamReader, StreamWriter};

/// A source as an `embedded_io_async::Read` and `Write`.
pub struct EmbeddedIo<S>(pub S);

impl Error for SourceError {
    fn kind(&self) -> ErrorKind {
        match self {
            SourceError::ConnectionReset => ErrorKind::ConnectionReset,
            SourceError::ConnectionRefused => ErrorKind::ConnectionRefused,
            SourceError::TimedOut => ErrorKind::TimedOut,
            SourceError::Interrupted => ErrorKind::Interrupted,
            SourceError::NoDescriptors => ErrorKind::OutOfMemory,
            SourceError::Closed => ErrorKind::NotConnected,
            SourceError::Unsupported(_) => ErrorKind::Unsupported,
            _ => ErrorKind::Other,
        }
    }
}

impl<S: ByteSource> ErrorType for EmbeddedIo<S> {
    type Error = SourceError;
}

impl<S: ByteSource> Read for EmbeddedIo<S> {
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        read(&self.0, buffer).await
    }
}

impl<S: ByteSource> Write for EmbeddedIo<S> {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, SourceError> {
        write_some(&self.0, bytes).await
    }

    async fn flush(&mut self) -> Result<(), SourceError> {
        Ok(())
    }
}

impl<S: ByteSource + ?Sized> ErrorType for PullReader<'_, S> {
    type Error = SourceError;
}

impl<S: ByteSource + ?Sized> Read for PullReader<'_, S> {
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        PullReader::read(self, buffer).await
    }
}

impl<S: ByteSource + ?Sized> BufRead for PullReader<'_, S> {
    async fn fill_buf(&mut self) -> Result<&[u8], SourceError> {
        PullReader::fill_buf(self).await
    }

    fn consume(&mut self, count: usize) {
        PullReader::consume(self, count);
    }
}

#[cfg(feature = "alloc")]
impl Error for ConnectionError {
    fn kind(&self) -> ErrorKind {
        match self {
            ConnectionError::Source(error) => Error::kind(error),
            ConnectionError::Protocol(_) => ErrorKind::Other,
            #[cfg(feature = "tls")]
            ConnectionError::Tls(_) => ErrorKind::Other,
        }
    }
}

#[cfg(feature = "alloc")]
impl ErrorType for StreamReader {
    type Error = ConnectionError;
}

#[cfg(feature = "alloc")]
impl Read for StreamReader {
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ConnectionError> {
        StreamReader::read(self, buffer).await
    }
}

#[cfg(feature = "alloc")]
impl BufRead for StreamReader {
    async fn fill_buf(&mut self) -> Result<&[u8], ConnectionError> {
        StreamReader::fill_buf(self).await
    }

    fn consume(&mut self, count: usize) {
        StreamReader::consume(self, count);
    }
}

#[cfg(feature = "alloc")]
impl ErrorType for StreamWriter {
    type Error = ConnectionError;
}

/// `write` takes all of the bytes, once those before are low enough; `flush`
/// is `drain`.
#[cfg(feature = "alloc")]
impl Write for StreamWriter {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, ConnectionError> {
        self.drain().await?;
        match StreamWriter::write(self, bytes) {
            Ok(_flow) => Ok(bytes.len()),
            Err(_refused) => Err(ConnectionError::Source(SourceError::Closed)),
        }
    }

    async fn flush(&mut self) -> Result<(), ConnectionError> {
        self.drain().await
    }
}
