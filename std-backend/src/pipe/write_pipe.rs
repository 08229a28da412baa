//! The end of a pipe that is written.

use super::direction::Direction;
use super::handle::OwnedOpen;
use super::pipe_error::PipeError;
use super::system::{self, Channel};
use core::cell::Cell;
use core::fmt;
use core::task::{Context, Poll};
use molen_core::io::source::{self, ByteSource, Source, SourceError};
use molen_core::io::{EventListener, Interest, Ready};
use std::rc::Rc;

/// The end of a pipe that is written; also a terminal, a socket, another
/// character device. It belongs to the loop it was made in.
///
/// One task at a time may wait to write. Closing it is how the reader learns
/// of the end: [`close`](Self::close), or dropping it.
///
/// asyncio: what `connect_write_pipe` takes.
pub struct WritePipe {
    /// `None` once it is closed. Shared so that a waker called from inside may
    /// close it.
    channel: Cell<Option<Rc<Channel>>>,
}

impl WritePipe {
    /// Takes a descriptor over for the running loop, and makes it non-blocking.
    ///
    /// Not for a descriptor that is shared with other processes, such as the
    /// standard output: that is [`stdout`](super::stdout).
    ///
    /// On Windows: a handle that was not opened for overlapped I/O, as pipes of the
    /// standard library. A thread writes to it, 64 KiB at a time; that the reader has
    /// gone is found by writing alone.
    ///
    /// # Errors
    ///
    /// [`PipeError`]: it is a file on a disk, no loop of this crate runs, or
    /// the system refuses. The descriptor is closed then.
    pub fn new(descriptor: impl Into<OwnedOpen>) -> Result<WritePipe, PipeError> {
        system::open(descriptor.into(), Direction::Out).map(WritePipe::of)
    }

    /// Our end of a child's pipe.
    pub(crate) fn of_child(end: OwnedOpen) -> Result<WritePipe, PipeError> {
        system::open_end(end, Direction::Out).map(WritePipe::of)
    }

    pub(super) fn of(channel: Channel) -> WritePipe {
        WritePipe { channel: Cell::new(Some(Rc::new(channel))) }
    }

    fn channel(&self) -> Option<Rc<Channel>> {
        let channel = self.channel.take();
        self.channel.set(channel.clone());
        channel
    }

    /// Writes the start of `bytes`, waiting until there is room for some.
    ///
    /// asyncio: `os.write` behind `loop.add_writer()`.
    ///
    /// # Errors
    ///
    /// [`ConnectionReset`](SourceError::ConnectionReset) when nobody is left
    /// who could read it; [`Closed`](SourceError::Closed); never `WouldBlock`.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost: bytes are written only in the step that returns.
    pub async fn write(&self, bytes: &[u8]) -> Result<usize, SourceError> {
        source::write_some(self, bytes).await
    }

    /// Writes all of `bytes`, waiting for room.
    ///
    /// asyncio: a transport of `connect_write_pipe()`, which keeps what it cannot write.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write); part may have been written then.
    ///
    /// # Cancellation
    ///
    /// The start of `bytes` may have been written.
    pub async fn write_all(&self, bytes: &[u8]) -> Result<(), SourceError> {
        source::write_all(self, bytes).await
    }

    /// Waits until nobody is left who could read what is written, without
    /// writing anything. At once when it is closed.
    ///
    /// The standard output as a file has no readers, and this waits for ever. So
    /// it does on Windows for pipes that were made by others than this crate, as
    /// by `std::io::pipe`: the system tells of their readers only who writes.
    /// One task at a time can wait.
    ///
    /// asyncio: why a write pipe's transport calls `connection_lost` though nothing is
    /// written.
    ///
    /// # Cancellation
    ///
    /// Nothing changes.
    pub async fn disconnected(&self) {
        core::future::poll_fn(|cx| match self.channel() {
            Some(channel) => channel.poll_reader_gone(cx),
            None => Poll::Ready(()),
        })
        .await;
    }

    /// Closes it: the reader comes to the end. Whoever waits to write fails with
    /// [`Closed`](SourceError::Closed). Closing again does nothing.
    ///
    /// asyncio: `WriteTransport.write_eof()`, which for pipes is `close()`.
    pub fn close(&self) {
        if let Some(channel) = self.channel.take() {
            channel.give_up();
        }
    }

    /// Whether it was closed from this side.
    pub fn is_closed(&self) -> bool {
        self.channel().is_none()
    }
}

impl Source for WritePipe {
    fn poll_ready(&self, cx: &mut Context<'_>, interest: Interest) -> Poll<()> {
        match self.channel() {
            Some(channel) => channel.poll_ready(cx, interest),
            None => Poll::Ready(()),
        }
    }

    fn known_ready(&self) -> Ready {
        self.channel().map_or(Ready::BOTH, |channel| channel.known_ready())
    }

    fn listen(&self, listener: Option<EventListener>) -> bool {
        self.channel().is_some_and(|channel| channel.listen(listener))
    }

    fn descriptor(&self) -> Option<u64> {
        self.channel()?.number()
    }
}

impl ByteSource for WritePipe {
    /// Nothing is read here, but the end is found: when the reader has gone.
    fn try_read(&self, _buffer: &mut [u8]) -> Result<usize, SourceError> {
        match self.channel() {
            Some(channel) => channel.read_none(),
            None => Ok(0),
        }
    }

    fn try_write(&self, bytes: &[u8]) -> Result<usize, SourceError> {
        let channel = self.channel().ok_or(SourceError::Closed)?;
        channel.write(bytes)
    }

    #[cfg(unix)]
    fn try_write_vectored(&self, pieces: &[&[u8]]) -> Result<usize, SourceError> {
        let channel = self.channel().ok_or(SourceError::Closed)?;
        channel.write_vectored(pieces)
    }

    fn shutdown(&self) -> Result<(), SourceError> {
        self.close();
        Ok(())
    }
}

impl fmt::Debug for WritePipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.channel().and_then(|channel| channel.number());
        f.debug_struct("WritePipe").field("fd", &number).finish()
    }
}
