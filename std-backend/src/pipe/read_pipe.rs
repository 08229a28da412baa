//! The end of a pipe that is read.

use super::direction::Direction;
use super::handle::OwnedOpen;
use super::pipe_error::PipeError;
use super::system::{self, Channel};
use core::fmt;
use core::task::{Context, Poll};
use molen_core::io::source::{self, ByteSource, Source, SourceError};
use molen_core::io::{EventListener, Interest, Ready};
#[cfg(unix)]
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

/// How much [`ReadPipe::read_to_end`] makes room for at first, and at most at
/// a time: what a pipe of Linux holds.
const FIRST: usize = 4 << 10;
const MOST: usize = 64 << 10;

/// The end of a pipe that is read; also a terminal, a socket, another
/// character device. It belongs to the loop it was made in.
///
/// One task at a time may wait to read. Dropping it closes the descriptor.
///
/// asyncio: what `connect_read_pipe` takes; given to a
/// reader of streams, it is a `StreamReader`'s source.
pub struct ReadPipe {
    channel: Channel,
}

impl ReadPipe {
    /// Takes a descriptor over for the running loop, and makes it non-blocking.
    ///
    /// Not for a descriptor that is shared with other processes, such as the
    /// standard input: that is [`stdin`](super::stdin).
    ///
    /// On Windows: a handle that was not opened for overlapped I/O, as pipes of the
    /// standard library. A thread reads it; when this is dropped, that thread
    /// goes on until its read ends.
    ///
    /// # Errors
    ///
    /// [`PipeError`]: it is a file on a disk, no loop of this crate runs, or
    /// the system refuses. The descriptor is closed then.
    pub fn new(descriptor: impl Into<OwnedOpen>) -> Result<ReadPipe, PipeError> {
        system::open(descriptor.into(), Direction::In).map(ReadPipe::of)
    }

    /// Our end of a child's pipe.
    pub(crate) fn of_child(end: OwnedOpen) -> Result<ReadPipe, PipeError> {
        system::open_end(end, Direction::In).map(ReadPipe::of)
    }

    pub(super) fn of(channel: Channel) -> ReadPipe {
        ReadPipe { channel }
    }

    /// Reads what there is, up to the buffer's length, waiting until there is
    /// something. 0 means the end: all who could write have closed it.
    ///
    /// asyncio: a transport of `connect_read_pipe()`, which reads by itself.
    ///
    /// # Errors
    ///
    /// The descriptor's, but never `WouldBlock`.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost: bytes are taken only in the step that returns them.
    pub async fn read(&self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        source::read(self, buffer).await
    }

    /// Reads to the end and puts everything behind what `bytes` holds; how many
    /// it was.
    ///
    /// asyncio: `StreamReader.read(-1)`.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read); `bytes` then has what came before.
    ///
    /// # Cancellation
    ///
    /// `bytes` has what was read so far; called again, it goes on there.
    pub async fn read_to_end(&self, bytes: &mut Vec<u8>) -> Result<usize, SourceError> {
        let before = bytes.len();
        let mut room = FIRST;
        core::future::poll_fn(|cx| {
            loop {
                let end = bytes.len();
                bytes.resize(end + room, 0);
                let read = self.try_read(&mut bytes[end..]);
                bytes.truncate(end + read.unwrap_or(0));
                match read {
                    Ok(0) => return Poll::Ready(Ok(end - before)),
                    Ok(all) if all == room => room = (room * 2).min(MOST),
                    Ok(_) => {}
                    Err(SourceError::WouldBlock) => {
                        core::task::ready!(self.poll_ready(cx, Interest::READABLE));
                    }
                    Err(error) => return Poll::Ready(Err(error)),
                }
            }
        })
        .await
    }
}

impl Source for ReadPipe {
    fn poll_ready(&self, cx: &mut Context<'_>, interest: Interest) -> Poll<()> {
        self.channel.poll_ready(cx, interest)
    }

    fn known_ready(&self) -> Ready {
        self.channel.known_ready()
    }

    fn listen(&self, listener: Option<EventListener>) -> bool {
        self.channel.listen(listener)
    }

    fn descriptor(&self) -> Option<u64> {
        self.channel.number()
    }
}

impl ByteSource for ReadPipe {
    fn try_read(&self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        self.channel.read(buffer)
    }

    /// Always `Closed`: nothing is written here.
    fn try_write(&self, _bytes: &[u8]) -> Result<usize, SourceError> {
        Err(SourceError::Closed)
    }

    fn can_shut_down(&self) -> bool {
        false
    }

    fn shutdown(&self) -> Result<(), SourceError> {
        Ok(())
    }
}

#[cfg(unix)]
impl AsFd for ReadPipe {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.channel.as_fd()
    }
}

#[cfg(unix)]
impl AsRawFd for ReadPipe {
    fn as_raw_fd(&self) -> RawFd {
        self.channel.as_fd().as_raw_fd()
    }
}

impl fmt::Debug for ReadPipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadPipe").field("fd", &self.channel.number()).finish()
    }
}
