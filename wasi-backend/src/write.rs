//! Writing the start of a buffer, for every kind of connection.

use core::future::poll_fn;
use core::task::{Poll, ready};
use molen_core::io::Ready;
use molen_core::io::source::{ByteSource, SourceError};

/// Writes the start of `bytes`, waiting until there is room for some.
pub(crate) async fn write<S: ByteSource>(stream: &S, bytes: &[u8]) -> Result<usize, SourceError> {
    poll_fn(|cx| {
        loop {
            match stream.try_write(bytes) {
                Err(SourceError::WouldBlock) => ready!(stream.poll_ready(cx, Ready::WRITABLE)),
                done => return Poll::Ready(done),
            }
        }
    })
    .await
}
