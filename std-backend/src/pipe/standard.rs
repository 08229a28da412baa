//! The process's standard streams.
//!
//! They may be anything: a terminal, a pipe, a file, a socket, nothing. What
//! the standard library has in its buffers for them is not seen here: a program
//! reads its input by one of the two, and flushes before it changes sides.
//!
//! Windows has no way to wait for a console, or for a file that was opened by
//! somebody else: a thread for each stream reads and writes there, through the
//! standard library, which makes UTF-8 of what a console says. The input's thread
//! reads only what was asked for; a read that is under way when the loop has lost
//! interest keeps what it gets for whoever asks next. What was written is
//! with the system before the loop has closed.

use super::pipe_error::PipeError;
use super::{ReadPipe, WritePipe, system};

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
    system::stdin().map(ReadPipe::of)
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
    system::stdout().map(WritePipe::of)
}

/// The standard error as a source of bytes of the running loop.
///
/// asyncio: `connect_write_pipe(…, sys.stderr)`.
///
/// # Errors
///
/// As [`stdin`].
pub fn stderr() -> Result<WritePipe, PipeError> {
    system::stderr().map(WritePipe::of)
}
