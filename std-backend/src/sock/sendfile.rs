//! From a file to a socket: by the system where it can, else by hand.
//!
//! ```text
//!  sendfile(2) ──all sent──▶ done
//!      │ refused, and nothing was sent yet
//!      ▼
//!  read in the executor ─▶ send ─▶ read … ─▶ done
//! ```

use super::error::{SocketError, SocketRefused};
use super::operation::Operation;
use super::operations::send_all;
use socket2::Type;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::sync::Arc;

/// What to do about a file that the system does not send by itself.
///
/// asyncio: the argument `fallback` of `loop.sock_sendfile()`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SendfileFallback {
    /// Read it in the loop's default executor, and send what was read.
    #[default]
    ReadAndSend,
    /// Fail with [`SocketRefused::SendfileNotAvailable`].
    Refuse,
}

/// How much is read at once by hand. asyncio: `SENDFILE_FALLBACK_READBUFFER_SIZE`.
const PIECE: usize = 256 * 1024;

/// A file, and how much of it was sent; when dropped, the file's position is where that ends, or
/// where it was if nothing was sent.
struct Progress<'a> {
    file: &'a File,
    start: u64,
    count: Option<u64>,
    sent: u64,
    /// The file's position at first; a pipe has none.
    before: Option<u64>,
}

impl Progress<'_> {
    fn position(&self) -> u64 {
        self.start.saturating_add(self.sent)
    }

    /// How much to send next, at most `most`.
    fn next(&self, most: usize) -> usize {
        let left = self.count.map_or(u64::MAX, |count| count.saturating_sub(self.sent));
        usize::try_from(left).map_or(most, |left| left.min(most))
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if let Some(before) = self.before {
            let position = if self.sent > 0 { self.position() } else { before };
            // It has been asked for, so it can be set; and nobody is left to tell.
            let _ = self.file.seek(SeekFrom::Start(position));
        }
    }
}

pub(super) async fn sendfile(
    operation: &Operation<'_>,
    mut file: &File,
    offset: u64,
    count: Option<u64>,
    fallback: SendfileFallback,
) -> Result<u64, SocketError> {
    match operation.socket().r#type() {
        Ok(Type::STREAM) => {}
        Ok(_other) => return Err(operation.failed(SocketRefused::NotAStream)),
        Err(error) => return Err(operation.os(error)),
    }
    let before = file.stream_position().ok();
    let mut progress = Progress { file, start: offset, count, sent: 0, before };
    if let Err(reason) = native::send(operation, &mut progress).await? {
        match fallback {
            SendfileFallback::ReadAndSend => by_hand(operation, &mut progress).await?,
            SendfileFallback::Refuse => {
                return Err(operation.failed(SocketRefused::SendfileNotAvailable(reason)));
            }
        }
    }
    Ok(progress.sent)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod native {
    use super::{ErrorKind, Operation, Progress, SocketError, io};
    use crate::watches::Half;
    use core::num::NonZero;

    /// How much one system call may send: the loop's other work has a turn in between.
    const PORTION: usize = 1 << 20;

    /// Sends all, or says why the system does not do it; then nothing was sent.
    pub(super) async fn send(
        operation: &Operation<'_>,
        progress: &mut Progress<'_>,
    ) -> Result<Result<(), io::Error>, SocketError> {
        let mut waiting = operation.waiting(Half::Writer);
        while let Some(portion) = NonZero::new(progress.next(PORTION)) {
            let attempt = usize::try_from(progress.position())
                .map_err(|_too_far| io::ErrorKind::FileTooLarge.into())
                .and_then(|at| operation.socket().sendfile(progress.file, at, Some(portion)));
            match attempt {
                Ok(0) => break,
                Ok(count) => progress.sent += count as u64,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if progress.sent == 0 && !is_the_sockets(&error) => {
                    return Ok(Err(error));
                }
                Err(error) => return Err(operation.os(error)),
            }
            if progress.next(PORTION) > 0 {
                operation.ready(&mut waiting).await?;
            }
        }
        Ok(Ok(()))
    }

    /// Whether it is about the connection, and not about the file.
    fn is_the_sockets(error: &io::Error) -> bool {
        matches!(
            error.kind(),
            ErrorKind::BrokenPipe
                | ErrorKind::ConnectionReset
                | ErrorKind::ConnectionAborted
                | ErrorKind::NotConnected
                | ErrorKind::TimedOut
        )
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod native {
    use super::{Operation, Progress, SocketError, io};

    /// Elsewhere the system's call loses count when it is cut short, or has no way to be told of
    /// room in the socket.
    pub(super) async fn send(
        _operation: &Operation<'_>,
        _progress: &mut Progress<'_>,
    ) -> Result<Result<(), io::Error>, SocketError> {
        Ok(Err(io::ErrorKind::Unsupported.into()))
    }
}

async fn by_hand(
    operation: &Operation<'_>,
    progress: &mut Progress<'_>,
) -> Result<(), SocketError> {
    let unreadable = |error| operation.failed(SocketRefused::File(error));
    if progress.before.is_none() && progress.start > 0 {
        return Err(unreadable(ErrorKind::NotSeekable.into()));
    }
    let file = Arc::new(progress.file.try_clone().map_err(unreadable)?);
    let mut buffer = Vec::new();
    loop {
        let wanted = progress.next(PIECE);
        if wanted == 0 {
            return Ok(());
        }
        let file = file.clone();
        let position = progress.before.map(|_has_positions| progress.position());
        let read = move || {
            buffer.resize(wanted, 0);
            let count = read(&file, &mut buffer, position);
            (buffer, count)
        };
        let job = operation.event_loop.run_in_executor(None, read);
        let job = job.map_err(|refused| unreadable(io::Error::other(refused.reason)))?;
        let (filled, count) = job.await.map_err(|error| {
            // As text: what a panic carried may be for its own thread only.
            unreadable(io::Error::other(error.to_string()))
        })?;
        buffer = filled;
        let read = buffer.get(..count.map_err(unreadable)?).unwrap_or_default();
        if read.is_empty() {
            return Ok(());
        }
        send_all(operation, read, |count| progress.sent += count as u64).await?;
    }
}

/// Reads from `position`, or from where the file is.
fn read(mut file: &File, buffer: &mut [u8], position: Option<u64>) -> io::Result<usize> {
    loop {
        let count = match position {
            Some(position) => read_at(file, buffer, position),
            None => file.read(buffer),
        };
        match count {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], position: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, position)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], position: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, position)
}
