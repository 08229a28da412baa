//! Standard input, output and error.
//!
//! Input is polled and read without blocking. Output and error are written at
//! once, as everybody does: what they lead to takes it, or is not worth
//! waiting for.

use super::stream;
use super::watch::Watch;
use core::task::{Context, Poll};
use molen_core::Unsupported;
use molen_core::io::Interest;
use molen_core::io::source::{ByteSource, Source, SourceError};
use wasip2::io::streams::{InputStream, OutputStream};

/// The most that `blocking-write-and-flush` may be given.
const AT_ONCE: usize = 4096;

/// Standard input.
///
/// asyncio: a `StreamReader` made by `connect_read_pipe(…, sys.stdin)`.
pub struct Stdin {
    // The order of the fields is the order of their drops: children first.
    watch: Watch,
    stream: InputStream,
}

/// The component's standard input.
///
/// # Errors
///
/// None on this level; other platforms have some.
pub fn stdin() -> Result<Stdin, SourceError> {
    let stream = wasip2::cli::stdin::get_stdin();
    Ok(Stdin { watch: Watch::new(Some(stream.subscribe()), None), stream })
}

impl Source for Stdin {
    fn poll_ready(&self, cx: &mut Context<'_>, interest: Interest) -> Poll<()> {
        self.watch.poll_ready(cx, interest)
    }
}

impl ByteSource for Stdin {
    fn try_read(&self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        stream::read(&self.watch, &self.stream, buffer)
    }

    fn try_write(&self, _bytes: &[u8]) -> Result<usize, SourceError> {
        Err(one_way("writing to standard input"))
    }

    fn can_shut_down(&self) -> bool {
        false
    }

    fn shutdown(&self) -> Result<(), SourceError> {
        Err(one_way("shutting standard input down for writing"))
    }
}

/// Standard output or standard error.
///
/// asyncio: a `StreamWriter` made by `connect_write_pipe(…, sys.stdout)`.
pub struct Stdout {
    stream: OutputStream,
}

/// Standard error is written as standard output is.
pub type Stderr = Stdout;

/// The component's standard output.
///
/// # Errors
///
/// None on this level; other platforms may have.
pub fn stdout() -> Result<Stdout, SourceError> {
    Ok(Stdout { stream: wasip2::cli::stdout::get_stdout() })
}

/// The component's standard error.
///
/// # Errors
///
/// None on this level; other platforms may have.
pub fn stderr() -> Result<Stderr, SourceError> {
    Ok(Stdout { stream: wasip2::cli::stderr::get_stderr() })
}

impl Stdout {
    /// Writes all of `bytes` before it returns, for what is said outside of a
    /// task or is not worth waiting for.
    ///
    /// # Errors
    ///
    /// The host's; part of the bytes may have been written.
    pub fn write_now(&self, bytes: &[u8]) -> Result<(), SourceError> {
        for piece in bytes.chunks(AT_ONCE) {
            self.stream.blocking_write_and_flush(piece).map_err(super::error::write_error)?;
        }
        Ok(())
    }
}

impl Source for Stdout {
    fn poll_ready(&self, _cx: &mut Context<'_>, _interest: Interest) -> Poll<()> {
        Poll::Ready(())
    }
}

impl ByteSource for Stdout {
    fn try_read(&self, _buffer: &mut [u8]) -> Result<usize, SourceError> {
        Err(one_way("reading from standard output"))
    }

    fn try_write(&self, bytes: &[u8]) -> Result<usize, SourceError> {
        let piece = &bytes[..bytes.len().min(AT_ONCE)];
        if !piece.is_empty() {
            self.stream.blocking_write_and_flush(piece).map_err(super::error::write_error)?;
        }
        Ok(piece.len())
    }

    fn can_shut_down(&self) -> bool {
        false
    }

    fn shutdown(&self) -> Result<(), SourceError> {
        Err(one_way("shutting standard output down"))
    }
}

fn one_way(operation: &'static str) -> SourceError {
    SourceError::Unsupported(Unsupported {
        operation,
        platform: super::PLATFORM,
        reason: "the standard streams go one way, and stay open",
    })
}
