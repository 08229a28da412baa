//! A file, read in the executor, a piece after the other.

use super::progress::Progress;
use molen_core::schedule::EventLoop;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::sync::Arc;

/// How much is read at once. asyncio: `SENDFILE_FALLBACK_READBUFFER_SIZE`, 256 KiB, for
/// sockets, and 16 KiB for transports.
const PIECE: usize = 256 * 1024;

/// Reads a file piece by piece, in the loop's default executor.
pub(crate) struct Reading {
    file: Arc<File>,
    buffer: Vec<u8>,
}

impl Reading {
    /// Of the file whose progress this is.
    pub(crate) fn new(progress: &Progress<'_>) -> io::Result<Reading> {
        Ok(Reading { file: Arc::new(progress.file.try_clone()?), buffer: Vec::new() })
    }

    /// The next piece that `progress` is to make; nothing at the end.
    ///
    /// # Cancellation
    ///
    /// A piece that is being read is lost, and `progress` does not count it.
    pub(crate) async fn next(
        &mut self,
        event_loop: &EventLoop,
        progress: &Progress<'_>,
    ) -> io::Result<&[u8]> {
        let place = progress.place().map_err(|_pipe| ErrorKind::NotSeekable)?;
        let wanted = progress.next(PIECE);
        if wanted == 0 {
            return Ok(&[]);
        }
        let (file, mut buffer) = (self.file.clone(), core::mem::take(&mut self.buffer));
        let read = move || {
            buffer.resize(wanted, 0);
            let count = read(&file, &mut buffer, place);
            (buffer, count)
        };
        let job = event_loop.run_in_executor(None, read);
        let job = job.map_err(|refused| io::Error::other(refused.reason))?;
        // As text: what a panic carried may be for its own thread only.
        let (buffer, count) = job.await.map_err(|error| io::Error::other(error.to_string()))?;
        self.buffer = buffer;
        Ok(self.buffer.get(..count?).unwrap_or_default())
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
