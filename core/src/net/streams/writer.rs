//! The writing half.
//!
//! # Invariants
//!
//! * **Connected**: what a writer shares has a connection: `of` has given it
//!   one, if it had none, and nothing takes it away.

use super::stream_protocol::Shared;
use super::waiters::{Key, NAMELESS};
use crate::net::error::{ConnectionError, RefusedWrite, WriteError};
use crate::net::transport::{ExtraInfo, ExtraValue, Flow, Transport};
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::fmt;
use core::future::{Future, poll_fn};
use core::net::SocketAddr;
use core::task::{Context, Poll};

/// Writes to a connection. Dropping it closes the connection when all is
/// written.
///
/// ```no_run
/// # use molen_core as molen;
/// # async fn example(writer: molen::net::StreamWriter) -> Result<(), Box<dyn std::error::Error>> {
/// writer.write(b"GET / HTTP/1.0\r\n")?; // does not wait
/// writer.writelines(&[b"Host: ", b"example.org", b"\r\n\r\n"])?; // in one call of the system
/// writer.drain().await?; // waits while too much is unsent
/// writer.write_eof()?; // half-closes; reading goes on
/// writer.close();
/// writer.wait_closed().await?; // tells whether all of it was sent
/// # Ok(())
/// # }
/// ```
///
/// asyncio: `asyncio.StreamWriter`.
pub struct StreamWriter {
    /// *Connected*.
    pub(super) shared: Rc<Shared>,
}

/// How far a [`drain`](StreamWriter::drain) has come: one byte of the task of
/// each connection that waits.
#[derive(PartialEq, Eq)]
enum Step {
    First,
    Later,
}

/// Who drains, or waits for the end; forgotten when it is dropped.
struct Waiting<'a> {
    shared: &'a Shared,
    key: Key,
    step: Step,
}

impl<'a> Waiting<'a> {
    fn of(writer: &'a StreamWriter) -> Waiting<'a> {
        Waiting { shared: &writer.shared, key: NAMELESS, step: Step::First }
    }

    fn wait<T>(&mut self, cx: &Context<'_>) -> Poll<T> {
        self.shared.waiters().add(&mut self.key, cx);
        Poll::Pending
    }

    fn poll_drained(&mut self, cx: &Context<'_>) -> Poll<Result<(), ConnectionError>> {
        if self.step == Step::First {
            self.step = Step::Later;
            if let Some(error) = self.shared.incoming.borrow().error() {
                return Poll::Ready(Err(error.clone()));
            }
            // The end may be queued: who writes and drains in a loop, and
            // never has to wait, learns of it.
            if self.shared.transport().is_some_and(Transport::is_closing) {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
        match self.shared.drained() {
            Some(drained) => Poll::Ready(drained),
            None => self.wait(cx),
        }
    }

    fn poll_closed(&mut self, cx: &Context<'_>) -> Poll<Result<(), ConnectionError>> {
        match self.shared.ended() {
            Some(ended) => Poll::Ready(ended),
            None => self.wait(cx),
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.key != NAMELESS
            && let Some(waiters) = self.shared.known_waiters()
        {
            waiters.forget(self.key);
        }
    }
}

impl StreamWriter {
    pub(super) fn of(transport: &Transport, shared: Rc<Shared>) -> StreamWriter {
        shared.connect(transport);
        StreamWriter { shared }
    }

    /// The connection's transport. asyncio: `writer.transport`.
    #[inline]
    pub fn transport(&self) -> &Transport {
        // SAFETY: Connected.
        unsafe { self.shared.transport().unwrap_unchecked() }
    }

    /// Writes all of `bytes`, now or later; follow it with [`drain`](Self::drain).
    ///
    /// asyncio: `write()`.
    ///
    /// # Errors
    ///
    /// As for [`Transport::write`].
    pub fn write(&self, bytes: &[u8]) -> Result<Flow, WriteError> {
        self.transport().write(bytes)
    }

    /// Writes all of `pieces`, now or later. asyncio: `writelines()`.
    ///
    /// # Errors
    ///
    /// As for [`Transport::write`].
    pub fn writelines(&self, pieces: &[&[u8]]) -> Result<Flow, WriteError> {
        self.transport().writelines(pieces)
    }

    /// As [`write`](Self::write), without copying: see [`Transport::write_owned`].
    ///
    /// # Errors
    ///
    /// As for [`Transport::write_owned`].
    pub fn write_owned<B>(&self, bytes: B) -> Result<Flow, RefusedWrite<B>>
    where
        B: AsRef<[u8]> + 'static,
    {
        self.transport().write_owned(bytes)
    }

    /// As [`writelines`](Self::writelines), without copying.
    ///
    /// # Errors
    ///
    /// As for [`Transport::write_owned`].
    pub fn writelines_owned<B>(&self, pieces: Vec<B>) -> Result<Flow, RefusedWrite<Vec<B>>>
    where
        B: AsRef<[u8]> + 'static,
    {
        self.transport().writelines_owned(pieces)
    }

    /// Waits until it makes sense to write more; often that is at once. Any
    /// number may wait.
    ///
    /// asyncio: `drain()`.
    ///
    /// # Errors
    ///
    /// What the connection was lost with; `ConnectionReset` when it was closed.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost: what was written is written.
    pub fn drain(&self) -> impl Future<Output = Result<(), ConnectionError>> + use<'_> {
        let mut waiting = Waiting::of(self);
        poll_fn(move |cx| waiting.poll_drained(cx))
    }

    /// As [`drain`](Self::drain), for futures made by hand; an end that is
    /// queued is not waited for.
    ///
    /// # Errors
    ///
    /// What the connection was lost with; `ConnectionReset` when it was closed.
    pub fn poll_drained(&self, cx: &mut Context<'_>) -> Poll<Result<(), ConnectionError>> {
        if let Some(drained) = self.shared.drained() {
            return Poll::Ready(drained);
        }
        self.shared.waiters().add_nameless(cx);
        Poll::Pending
    }

    /// Says that nothing more will be written; reading goes on.
    ///
    /// asyncio: `write_eof()`.
    ///
    /// # Errors
    ///
    /// As for [`Transport::write_eof`].
    pub fn write_eof(&self) -> Result<(), WriteError> {
        self.transport().write_eof()
    }

    /// Whether one direction can be closed alone. asyncio: `can_write_eof()`.
    pub fn can_write_eof(&self) -> bool {
        self.transport().can_write_eof()
    }

    /// Closes the connection when all is written. asyncio: `close()`.
    pub fn close(&self) {
        self.transport().close();
    }

    /// Whether the connection is closing or closed. asyncio: `is_closing()`.
    pub fn is_closing(&self) -> bool {
        self.transport().is_closing()
    }

    /// Waits until the connection is over. asyncio: `wait_closed()`.
    ///
    /// # Errors
    ///
    /// What the connection was lost with.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost; any number may wait.
    pub async fn wait_closed(&self) -> Result<(), ConnectionError> {
        let mut waiting = Waiting::of(self);
        poll_fn(|cx| waiting.poll_closed(cx)).await
    }

    /// What is known of the connection. asyncio: `get_extra_info()`.
    pub fn get_extra_info(&self, what: ExtraInfo) -> Option<ExtraValue> {
        self.transport().get_extra_info(what)
    }

    /// The other side's address: see [`Transport::peer_address`].
    pub fn peer_address(&self) -> Option<SocketAddr> {
        self.transport().peer_address()
    }

    /// This side's address: see [`Transport::local_address`].
    pub fn local_address(&self) -> Option<SocketAddr> {
        self.transport().local_address()
    }
}

impl Drop for StreamWriter {
    fn drop(&mut self) {
        self.transport().close();
    }
}

impl fmt::Debug for StreamWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("StreamWriter").field(self.transport()).finish()
    }
}
