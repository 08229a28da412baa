//! The process's standard streams.
//!
//! They may be anything: a terminal, a pipe, a file, a socket, nothing. What
//! the standard library has in its buffers for them is not seen here: a program
//! reads its input by one of the two, and flushes before it changes sides.

use super::channel::Sharing;
use super::pipe_error::{PipeError, PipeRefused};
use super::{ReadPipe, WritePipe};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

/// The standard input as a source of bytes of the running loop.
///
/// A terminal gives a line at a time, unless it is set otherwise.
///
/// asyncio: `connect_read_pipe(…, sys.stdin)`, but the shell's terminal is
/// not made non-blocking by it.
///
/// # Errors
///
/// [`PipeError`]: no loop of this crate runs, or it is closed.
pub fn stdin() -> Result<ReadPipe, PipeError> {
    ReadPipe::with_sharing(copy("read from", &std::io::stdin())?, Sharing::Shared)
}

/// The standard output as a source of bytes of the running loop.
///
/// A terminal that is stopped (Ctrl-S) holds up the writer, not the loop.
///
/// asyncio: `connect_write_pipe(…, sys.stdout)`.
///
/// # Errors
///
/// As [`stdin`].
pub fn stdout() -> Result<WritePipe, PipeError> {
    WritePipe::with_sharing(copy("write to", &std::io::stdout())?, Sharing::Shared)
}

/// The standard error as a source of bytes of the running loop.
///
/// asyncio: `connect_write_pipe(…, sys.stderr)`.
///
/// # Errors
///
/// As [`stdin`].
pub fn stderr() -> Result<WritePipe, PipeError> {
    WritePipe::with_sharing(copy("write to", &std::io::stderr())?, Sharing::Shared)
}

/// A descriptor of our own for the same open file, so that closing it is ours too.
fn copy(operation: &'static str, stream: &impl AsFd) -> Result<OwnedFd, PipeError> {
    let descriptor = stream.as_fd();
    descriptor.try_clone_to_owned().map_err(|error| PipeError {
        operation,
        descriptor: descriptor.as_raw_fd(),
        cause: PipeRefused::Os(error),
    })
}
