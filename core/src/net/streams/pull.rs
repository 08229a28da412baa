//! A reader with a given buffer that pulls from a source: for programs without
//! a heap, and wherever memory is to be bounded.

use super::incoming::{Found, ReadError, Scan, are_separators};
use crate::io::source::{ByteSource, SourceError, read};
use core::fmt;

/// Reads lines and the like from a source through a buffer that it is given,
/// which is also the limit. What it returns is in the buffer, until the next
/// call: nothing is copied.
///
/// The source is read only when something is asked for, so it needs no pausing.
///
/// ```
/// # use molen_core as molen;
/// use molen::io::source::{ByteSource, SourceError};
/// use molen::net::{PullReader, ReadError};
///
/// async fn commands(serial: &impl ByteSource) -> Result<(), ReadError<usize>> {
///     let mut buffer = [0; 128];
///     let mut lines = PullReader::new(serial, &mut buffer);
///     loop {
///         match lines.readline().await? {
///             [] => return Ok(()), // the end
///             line => assert!(line.len() <= 128),
///         }
///     }
/// }
/// ```
///
/// asyncio: a `StreamReader`, as far as it can be bounded.
///
/// # Cancellation
///
/// No read loses bytes.
pub struct PullReader<'a, S: ByteSource + ?Sized> {
    source: &'a S,
    buffer: &'a mut [u8],
    start: usize,
    end: usize,
    eof: bool,
}

impl<'a, S: ByteSource + ?Sized> PullReader<'a, S> {
    /// Reads from `source` through `buffer`.
    pub fn new(source: &'a S, buffer: &'a mut [u8]) -> PullReader<'a, S> {
        PullReader { source, buffer, start: 0, end: 0, eof: false }
    }

    /// What was read from the source and not taken yet.
    pub fn buffer(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Whether everything was taken and nothing more will come.
    ///
    /// asyncio: `at_eof()`.
    pub fn at_eof(&self) -> bool {
        self.eof && self.start == self.end
    }

    /// Makes room, without moving more than it must.
    fn make_room(&mut self) {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.end == self.buffer.len() && self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
    }

    /// Reads more; there is room. At the end nothing.
    async fn more(&mut self) -> Result<(), SourceError> {
        match read(self.source, &mut self.buffer[self.end..]).await? {
            0 => self.eof = true,
            count => self.end += count,
        }
        Ok(())
    }

    fn take(&mut self, count: usize) -> &[u8] {
        let start = self.start;
        self.start += count;
        &self.buffer[start..self.start]
    }

    /// Reads what is there, at least one byte and at most the buffer's length.
    /// 0 means the end, or an empty buffer.
    ///
    /// asyncio: `read(n)`.
    ///
    /// # Errors
    ///
    /// The source's.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost.
    pub async fn read(&mut self, into: &mut [u8]) -> Result<usize, SourceError> {
        if self.start == self.end && !self.eof && !into.is_empty() {
            return match read(self.source, into).await? {
                0 => {
                    self.eof = true;
                    Ok(0)
                }
                count => Ok(count),
            };
        }
        let count = into.len().min(self.buffer().len());
        into[..count].copy_from_slice(self.take(count));
        Ok(count)
    }

    /// Waits until something is there, and lends it: at least one byte, or none
    /// at the end. It is read only when [`consume`](Self::consume) says so.
    ///
    /// std: `BufRead::fill_buf`; asyncio has none.
    ///
    /// # Errors
    ///
    /// The source's.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost.
    pub async fn fill_buf(&mut self) -> Result<&[u8], SourceError> {
        // A buffer without room would take what is there for the end.
        if self.start == self.end && !self.eof && !self.buffer.is_empty() {
            self.make_room();
            self.more().await?;
        }
        Ok(self.buffer())
    }

    /// Reads `count` bytes of those in the [buffer](Self::buffer), or all if
    /// there are fewer.
    ///
    /// std: `BufRead::consume`.
    pub fn consume(&mut self, count: usize) {
        self.take(count.min(self.buffer().len()));
    }

    /// Reads exactly `count` bytes.
    ///
    /// asyncio: `readexactly(n)`.
    ///
    /// # Errors
    ///
    /// [`ReadError::Incomplete`] with how many bytes are left, which stay in
    /// the [buffer](Self::buffer); [`ReadError::LimitOverrun`] when the buffer
    /// is smaller; the source's.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost.
    pub async fn readexactly(&mut self, count: usize) -> Result<&[u8], ReadError<usize>> {
        if count > self.buffer.len() {
            let consumed = self.buffer.len();
            return Err(ReadError::LimitOverrun { found: false, consumed });
        }
        while self.buffer().len() < count {
            if self.eof {
                let partial = self.buffer().len();
                return Err(ReadError::Incomplete { partial, expected: Some(count) });
            }
            self.make_room();
            self.more().await?;
        }
        Ok(self.take(count))
    }

    /// Reads until any of `separators`, and it too. The one that ends first
    /// counts.
    ///
    /// asyncio: `readuntil()`.
    ///
    /// # Errors
    ///
    /// [`ReadError::Incomplete`] with how many bytes are left, which stay in
    /// the [buffer](Self::buffer); [`ReadError::LimitOverrun`] when the buffer
    /// is full, with all of it left; [`ReadError::NoSeparator`]; the source's.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost.
    pub async fn readuntil(&mut self, separators: &[&[u8]]) -> Result<&[u8], ReadError<usize>> {
        if !are_separators(separators) {
            return Err(ReadError::NoSeparator);
        }
        let mut scan = Scan::default();
        loop {
            match scan.look(self.buffer(), separators, usize::MAX) {
                Found::Until(end) => return Ok(self.take(end)),
                Found::Overrun { found, consumed } => {
                    return Err(ReadError::LimitOverrun { found, consumed });
                }
                Found::More => {}
            }
            let there = self.buffer().len();
            if self.eof {
                return Err(ReadError::Incomplete { partial: there, expected: None });
            }
            if there == self.buffer.len() {
                return Err(ReadError::LimitOverrun { found: false, consumed: there });
            }
            self.make_room();
            self.more().await?;
        }
    }

    /// Reads a line with its `\n`; at the end what is left, perhaps nothing.
    ///
    /// asyncio: `readline()`.
    ///
    /// # Errors
    ///
    /// [`ReadError::LimitOverrun`] when the buffer is full without an end of
    /// the line; then all of it is dropped. The source's.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost.
    pub async fn readline(&mut self) -> Result<&[u8], ReadError<usize>> {
        match self.readuntil(&[b"\n"]).await.map(<[u8]>::len) {
            // It has just been taken: the borrow is taken anew.
            Ok(count) => Ok(&self.buffer[self.start - count..self.start]),
            Err(ReadError::Incomplete { partial, .. }) => Ok(self.take(partial)),
            Err(error) => {
                if let ReadError::LimitOverrun { .. } = error {
                    self.start = self.end;
                }
                Err(error)
            }
        }
    }
}

impl<S: ByteSource + ?Sized> fmt::Debug for PullReader<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PullReader")
            .field("bytes", &self.buffer().len())
            .field("limit", &self.buffer.len())
            .field("eof", &self.eof)
            .finish()
    }
}
