//! Our end of a child's pipe, in the selector.
//!
//! mio reads ahead, into a buffer of its own, and says when something is in
//! it; what is written it copies, and says when the system has taken it. The
//! end of what is only written is found by reading: nothing ever comes, so a
//! read ends when the reader has gone.

use super::named_pipe::into_mio;
use crate::pipe::handle::OwnedOpen;
use crate::place::Place;
use crate::registered::Registered;
use crate::selector::StdSelector;
use core::task::{Context, Poll};
use mio::windows::NamedPipe;
use mio::{Interest, Registry, Token};
use molen_core::io::Ready;
use molen_core::io::source::SourceError;
use std::io::{self, ErrorKind, Read, Write};
use std::os::windows::io::{AsRawHandle, AsRawSocket, RawSocket};

/// How much is given to the system at a time: mio keeps a copy until the
/// reader has taken it.
const MOST: usize = 64 << 10;

/// What the selector knows it by.
struct End(NamedPipe);

impl AsRawSocket for End {
    /// Sockets' numbers are handles' numbers, so this one is no socket's.
    fn as_raw_socket(&self) -> RawSocket {
        self.0.as_raw_handle().addr() as RawSocket
    }
}

impl mio::event::Source for End {
    fn register(&mut self, registry: &Registry, token: Token, of: Interest) -> io::Result<()> {
        self.0.register(registry, token, of)
    }

    fn reregister(&mut self, registry: &Registry, token: Token, of: Interest) -> io::Result<()> {
        self.0.reregister(registry, token, of)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        self.0.deregister(registry)
    }
}

pub(super) struct Overlapped(Registered<End>);

impl Overlapped {
    /// `end` is the overlapped one of a pair.
    pub(super) fn open(end: OwnedOpen) -> Result<Overlapped, SourceError> {
        let selector = StdSelector::running("using a pipe")?;
        // mio says when it can be written, which is at once.
        Registered::new(selector, End(into_mio(end)), Ready::NONE).map(Overlapped)
    }

    pub(super) fn place(&self) -> &Place {
        self.0.place()
    }

    pub(super) fn number(&self) -> u64 {
        self.0.io().as_raw_socket()
    }

    pub(super) fn read(&self, buffer: &mut [u8]) -> Result<usize, SourceError> {
        self.0.transfer(Ready::READABLE, buffer.len(), |end| {
            match (&end.0).read(buffer) {
                // Whoever had the other end has closed it.
                Err(error) if is_end(&error) => Ok(0),
                done => done,
            }
        })
    }

    pub(super) fn write(&self, bytes: &[u8]) -> Result<usize, SourceError> {
        let bytes = &bytes[..bytes.len().min(MOST)];
        self.0.transfer(Ready::WRITABLE, bytes.len(), |end| match (&end.0).write(bytes) {
            Err(error) if is_end(&error) => Err(ErrorKind::BrokenPipe.into()),
            done => done,
        })
    }

    pub(super) fn poll_reader_gone(&self, cx: &mut Context<'_>) -> Poll<()> {
        match self.read(&mut [0]) {
            Err(SourceError::WouldBlock) => match self.place().poll_ready(cx, Ready::READABLE) {
                Poll::Pending => Poll::Pending,
                // Told meanwhile: asked again at once.
                Poll::Ready(()) => {
                    cx.waker().wake_by_ref();
                    Poll::Pending
                }
            },
            _ => Poll::Ready(()),
        }
    }
}

/// Whether `error` says that the other end is closed.
fn is_end(error: &io::Error) -> bool {
    const ERROR_BROKEN_PIPE: i32 = 109;
    const ERROR_NO_DATA: i32 = 232;
    const ERROR_PIPE_NOT_CONNECTED: i32 = 233;
    matches!(
        error.raw_os_error(),
        Some(ERROR_BROKEN_PIPE | ERROR_NO_DATA | ERROR_PIPE_NOT_CONNECTED)
    )
}
