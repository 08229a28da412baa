//! Standard input, output and error.
//!
//! No host lets these be non-blocking, so each is used as it can be without
//! blocking the loop:
//!
//! | | polled | then |
//! |---|---|---|
//! | input: pipe, terminal, socket | for reading | one `fd_read` for each event |
//! | input that the host cannot poll | no: always readable | each read blocks, and the loop with it |
//! | input: a regular file | no: always readable | reads do not wait |
//! | output, error | never: always writable | writes are done at once |

use super::errno::source_error;
use super::selector::{confirm_readable, table};
use super::table::Slot;
use core::cell::Cell;
use core::task::{Context, Poll};
use molen_core::Unsupported;
use molen_core::io::source::{ByteSource, Source, SourceError};
use molen_core::io::{Interest, Ready};
use wasi::Fd;

/// Standard input.
///
/// asyncio: a `StreamReader` made by `connect_read_pipe(…, sys.stdin)`.
pub struct Stdin {
    slot: &'static Slot,
    /// It is not polled: a regular file, or the host refused.
    always_readable: Cell<bool>,
}

/// The module's standard input.
///
/// # Errors
///
/// [`SourceError::NoDescriptors`] when [`CAPACITY`](super::CAPACITY)
/// descriptors are registered.
pub fn stdin() -> Result<Stdin, SourceError> {
    let slot = table().insert(0).map_err(|_| SourceError::NoDescriptors)?;
    // SAFETY: it has no pointers to get wrong.
    let kind = unsafe { wasi::fd_fdstat_get(0) }.map(|stat| stat.fs_filetype);
    let file = kind == Ok(wasi::FILETYPE_REGULAR_FILE);
    Ok(Stdin { slot, always_readable: Cell::new(file) })
}

impl Drop for Stdin {
    fn drop(&mut self) {
        table().remove(self.slot);
    }
}

impl Source for Stdin {
    fn poll_ready(&self, cx: &mut Context<'_>, interest: Interest) -> Poll<()> {
        if self.always_readable.get() {
            return Poll::Ready(());
        }
        self.slot.registration.poll_ready(cx, interest)
    }
}

impl ByteSource for Stdin {
    fn try_read(&self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.slot.take_read_error().is_some() {
            // The host cannot poll it; reading it says what it is.
            self.always_readable.set(true);
        }
        if !self.always_readable.get() {
            if !self.slot.registration.ready().contains(Ready::READABLE) {
                return Err(SourceError::WouldBlock);
            }
            self.slot.registration.clear(Ready::READABLE);
            if !confirm_readable(self.slot) {
                return Err(SourceError::WouldBlock);
            }
        }
        read(0, buffer)
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
    fd: Fd,
}

/// Standard error is written as standard output is.
pub type Stderr = Stdout;

/// The module's standard output.
///
/// # Errors
///
/// None on this level; other platforms may have.
pub fn stdout() -> Result<Stdout, SourceError> {
    Ok(Stdout { fd: 1 })
}

/// The module's standard error.
///
/// # Errors
///
/// None on this level; other platforms may have.
pub fn stderr() -> Result<Stderr, SourceError> {
    Ok(Stdout { fd: 2 })
}

impl Stdout {
    /// Writes all of `bytes` before it returns, for what is said outside of a
    /// task or is not worth waiting for.
    ///
    /// # Errors
    ///
    /// The host's; part of the bytes may have been written.
    pub fn write_now(&self, bytes: &[u8]) -> Result<(), SourceError> {
        write_all(self.fd, bytes)
    }
}

impl Source for Stdout {
    /// Always ready. To who comes back because the host said "not now", every
    /// other ready task goes first.
    fn poll_ready(&self, cx: &mut Context<'_>, _interest: Interest) -> Poll<()> {
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl ByteSource for Stdout {
    fn try_read(&self, _buffer: &mut [u8]) -> Result<usize, SourceError> {
        Err(one_way("reading from standard output"))
    }

    fn try_write(&self, bytes: &[u8]) -> Result<usize, SourceError> {
        if bytes.is_empty() { Ok(0) } else { write(self.fd, bytes) }
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

/// `fd_read` into one buffer.
pub(super) fn read(fd: Fd, buffer: &mut [u8]) -> Result<usize, SourceError> {
    let vectors = [wasi::Iovec { buf: buffer.as_mut_ptr(), buf_len: buffer.len() }];
    loop {
        // SAFETY: Valid Lists (selector): the vector is the buffer.
        match unsafe { wasi::fd_read(fd, &vectors) } {
            Err(wasi::ERRNO_INTR) => {}
            // A host that claims more than there is room for is not believed.
            Ok(count) => return Ok(count.min(buffer.len())),
            Err(errno) => return Err(source_error(errno)),
        }
    }
}

/// `fd_write` from one buffer.
pub(super) fn write(fd: Fd, bytes: &[u8]) -> Result<usize, SourceError> {
    let vectors = [wasi::Ciovec { buf: bytes.as_ptr(), buf_len: bytes.len() }];
    loop {
        // SAFETY: Valid Lists (selector): the vector is the bytes.
        match unsafe { wasi::fd_write(fd, &vectors) } {
            Err(wasi::ERRNO_INTR) => {}
            Ok(count) => return Ok(count.min(bytes.len())),
            Err(wasi::ERRNO_AGAIN) => return Err(SourceError::WouldBlock),
            Err(wasi::ERRNO_PIPE) => return Err(SourceError::ConnectionReset),
            Err(errno) => return Err(SourceError::Os(i32::from(errno.raw()))),
        }
    }
}

/// `fd_write` until all is written.
pub(super) fn write_all(fd: Fd, mut bytes: &[u8]) -> Result<(), SourceError> {
    while !bytes.is_empty() {
        match write(fd, bytes)? {
            0 => return Err(SourceError::WouldBlock),
            count => bytes = bytes.get(count..).unwrap_or_default(),
        }
    }
    Ok(())
}
