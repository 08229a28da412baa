//! How much of a file was sent.

use std::fs::File;
use std::io::{Seek, SeekFrom};

/// A file, and how much of it was sent; when dropped, the file's position is where that ends, or
/// where it was if nothing was sent.
pub(crate) struct Progress<'a> {
    pub(crate) file: &'a File,
    start: u64,
    count: Option<u64>,
    sent: u64,
    /// The file's position at first; a pipe has none.
    before: Option<u64>,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(mut file: &'a File, start: u64, count: Option<u64>) -> Progress<'a> {
        Progress { file, start, count, sent: 0, before: file.stream_position().ok() }
    }

    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    pub(crate) fn add(&mut self, count: usize) {
        self.sent += count as u64;
    }

    /// Where the next part begins.
    pub(crate) fn position(&self) -> u64 {
        self.start.saturating_add(self.sent)
    }

    /// Where the next part begins, if the file has positions. A pipe is read
    /// from where it is; it has no other place to begin at.
    pub(crate) fn place(&self) -> Result<Option<u64>, NotSeekable> {
        match self.before {
            Some(_has_positions) => Ok(Some(self.position())),
            None if self.start > 0 => Err(NotSeekable),
            None => Ok(None),
        }
    }

    /// How much to send next, at most `most`.
    pub(crate) fn next(&self, most: usize) -> usize {
        let left = self.count.map_or(u64::MAX, |count| count.saturating_sub(self.sent));
        usize::try_from(left).map_or(most, |left| left.min(most))
    }
}

/// The file has no positions, and an offset was asked for.
pub(crate) struct NotSeekable;

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if let Some(before) = self.before {
            let position = if self.sent > 0 { self.position() } else { before };
            // It has been asked for, so it can be set; and nobody is left to tell.
            let _ = self.file.seek(SeekFrom::Start(position));
        }
    }
}
