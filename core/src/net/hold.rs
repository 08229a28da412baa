//! Writing alone for a while: how a file gets into a connection whole.
//!
//! ```text
//!            hold_writing              written(0)                 dropped
//!  everybody ───────────▶ held: what   ─────────▶ the file, by     ──────▶ everybody
//!  writes                 waits goes              sendfile or write        writes
//! ```
//!
//! While a connection is held, its transport refuses to write
//! ([`WriteError::SendfileInProgress`]); reading goes on, and an end that is
//! asked for meanwhile, by `close` or `write_eof`, waits. asyncio does not read
//! meanwhile either, so that two who send each other files without reading
//! wait for ever; here they do not.

use super::error::{ConnectionError, WriteError};
use super::machine::Verdict;
use super::transport::{Flow, Transport};
use crate::io::source::SourceError;
use core::fmt;
use core::future::poll_fn;
use std::fs::File;

/// The right to write alone to a connection; dropping it gives it back.
#[derive(Debug)]
pub struct WriteHold<'a> {
    transport: &'a Transport,
}

/// Why nobody can have a connection alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum HoldRefused {
    /// The connection is closing or lost.
    ///
    /// asyncio: `RuntimeError: Transport is closing`.
    Closing,
    /// `write_eof` was called before.
    AfterEof,
    /// Somebody has it already.
    InProgress,
}

impl fmt::Display for HoldRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            HoldRefused::Closing => "the connection is closing or closed",
            HoldRefused::AfterEof => "write_eof was called before",
            HoldRefused::InProgress => "another file is being sent",
        })
    }
}

impl core::error::Error for HoldRefused {}

impl Transport {
    /// Has nobody else write, as long as what this returns lives. For backends,
    /// which send files so.
    ///
    /// asyncio: `transport._make_empty_waiter()`.
    ///
    /// # Errors
    ///
    /// [`HoldRefused`].
    pub fn hold_writing(&self) -> Result<WriteHold<'_>, HoldRefused> {
        match self.link.hold() {
            Verdict::Take => Ok(WriteHold { transport: self }),
            Verdict::Drop | Verdict::DropAndWarn => Err(HoldRefused::Closing),
            Verdict::AfterEof => Err(HoldRefused::AfterEof),
            Verdict::Held => Err(HoldRefused::InProgress),
        }
    }
}

impl WriteHold<'_> {
    /// Waits until at most `most` bytes wait to be written.
    ///
    /// # Errors
    ///
    /// What ended the connection; that it is [closed](SourceError::Closed) if
    /// nothing but the program did.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost.
    pub async fn written(&self, most: usize) -> Result<(), ConnectionError> {
        poll_fn(|cx| self.transport.link.poll_written(cx, most)).await
    }

    /// Writes all of `bytes`, now or later. Why a connection drops them,
    /// [`written`](Self::written) says.
    ///
    /// # Errors
    ///
    /// [`WriteError::Full`].
    pub fn write(&self, bytes: &[u8]) -> Result<Flow, WriteError> {
        let (flow, follow) = self.transport.link.put_held(bytes)?;
        self.transport.follow(follow);
        Ok(flow)
    }

    /// Sends up to `count` bytes of `file`, from its byte `offset` on, when there
    /// is room, without having the program see them; 0 at the file's end.
    ///
    /// Only when nothing is [waiting](Self::written) to be written.
    ///
    /// # Errors
    ///
    /// As for [`try_sendfile`](crate::io::source::ByteSource::try_sendfile), but
    /// never `WouldBlock`; [`SourceError::Closed`] when the connection is over.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost: bytes are sent only in the step that returns.
    pub async fn sendfile(
        &self,
        file: &File,
        offset: u64,
        count: usize,
    ) -> Result<usize, SourceError> {
        poll_fn(|cx| self.transport.link.poll_sendfile(cx, file, offset, count)).await
    }

    /// Ends the connection because of `error`, as a failed write does.
    pub fn fail(&self, error: SourceError) {
        self.transport.follow(self.transport.link.fail_sendfile(error));
    }
}

impl Drop for WriteHold<'_> {
    fn drop(&mut self) {
        self.transport.follow(self.transport.link.release());
    }
}
