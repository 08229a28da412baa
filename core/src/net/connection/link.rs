//! A connection as its transport sees it.

use super::{Connection, Io};
use crate::io::source::{ByteSource, End, SourceError};
use crate::net::driven::make_ready;
use crate::net::error::WriteError;
use crate::net::flow_control::WriteBufferLimits;
use crate::net::machine::{Machine, Verdict};
use crate::net::receiver::Receiver;
use crate::net::storage::{Storage, Unsent};
use crate::net::transport::{Flow, Follow, Link};
use core::net::SocketAddr;

#[cfg(feature = "std")]
use crate::net::error::ConnectionError;
#[cfg(feature = "alloc")]
use crate::net::{owned_bytes::OwnedBytes, transport::Begun};
#[cfg(feature = "alloc")]
use alloc::{boxed::Box, rc::Rc};
#[cfg(feature = "std")]
use core::task::{Context, Poll};

impl<S: ByteSource + 'static, P: Receiver + 'static, B: Storage> Link for Connection<S, P, B> {
    #[inline]
    fn write(&self, pieces: &[&[u8]]) -> Result<(Flow, Follow), WriteError> {
        self.admitted((Flow::Dropped, Follow::Nothing), || self.put(pieces))
    }

    #[cfg(feature = "alloc")]
    fn begin_write(&self, pieces: &[&[u8]]) -> Result<Begun, WriteError> {
        let dropped = Begun::Done(Flow::Dropped, Follow::Nothing);
        self.admitted(dropped, || Ok(self.begin(pieces)))
    }

    #[cfg(feature = "alloc")]
    fn keep(&self, bytes: OwnedBytes) -> (Flow, Follow) {
        // The code of whose bytes they are has run since the write began.
        if self.machine.get().is_closing() {
            return (Flow::Dropped, Follow::Nothing);
        }
        if bytes.rest().is_empty() {
            return (self.flow(), Follow::Nothing);
        }
        let mut io = self.io.borrow_mut();
        let was_empty = io.unsent.is_empty();
        io.unsent.push_owned(bytes);
        let waiting = io.unsent.len();
        drop(io);
        self.grown(was_empty, waiting)
    }

    fn write_eof(&self) -> Result<Follow, WriteError> {
        if !self.can_write_eof() {
            return Err(WriteError::NoHalfClose);
        }
        Ok(Follow::when(self.with(Machine::write_eof)))
    }

    fn can_write_eof(&self) -> bool {
        self.io.borrow().source.as_ref().is_none_or(ByteSource::can_shut_down)
    }

    fn close(&self) -> Follow {
        let left = self.left_to_close();
        Follow::when(self.with(|machine| machine.close(left)))
    }

    fn abort(&self) -> Follow {
        let decides = self.with(Machine::end);
        if decides {
            self.forget_unsent();
        }
        Follow::when(decides)
    }

    #[cfg(feature = "alloc")]
    fn read_now(&self, buffer: &mut [u8]) -> (usize, Follow) {
        if !self.with(Machine::take_up) {
            return (0, Follow::Nothing);
        }
        let read = match &self.io.borrow().source {
            Some(source) => source.try_read(buffer),
            None => return (0, Follow::Nothing),
        };
        match read {
            Ok(0) => self.with(Machine::read_end),
            Ok(count) => return (count.min(buffer.len()), Follow::Nothing),
            Err(SourceError::WouldBlock | SourceError::Interrupted) => {
                return (0, Follow::Nothing);
            }
            Err(error) => self.fail_with(error),
        }
        (0, Follow::Turn)
    }

    fn pause_reading(&self) -> Follow {
        self.with(Machine::pause_reading);
        Follow::Nothing
    }

    fn resume_reading(&self) -> Follow {
        Follow::when(self.with(Machine::resume_reading))
    }

    fn set_limits(&self, limits: WriteBufferLimits) -> Follow {
        let waiting = self.waiting();
        Follow::when(self.with(|machine| machine.set_limits(limits, waiting)))
    }

    fn machine(&self) -> Machine {
        self.machine.get()
    }

    fn pending(&self) -> usize {
        self.waiting()
    }

    fn address(&self, end: End) -> Option<SocketAddr> {
        self.io.borrow().source.as_ref()?.address(end)
    }

    #[cfg(feature = "std")]
    fn unix_address(&self, end: End) -> Option<crate::net::UnixAddress> {
        self.io.borrow().source.as_ref()?.unix_address(end)
    }

    fn descriptor(&self) -> Option<u64> {
        self.io.borrow().source.as_ref()?.descriptor()
    }

    #[cfg(feature = "std")]
    fn hold(&self) -> Verdict {
        self.with(Machine::hold)
    }

    #[cfg(feature = "std")]
    fn release(&self) -> Follow {
        drop(self.rare.take(|rare| rare.holder.take()));
        Follow::when(self.with(Machine::release))
    }

    #[cfg(feature = "std")]
    fn put_held(&self, bytes: &[u8]) -> Result<(Flow, Follow), WriteError> {
        if self.machine.get().is_over() {
            return Ok((Flow::Dropped, Follow::Nothing));
        }
        self.put(&[bytes])
    }

    #[cfg(feature = "std")]
    fn poll_written(&self, cx: &Context<'_>, most: usize) -> Poll<Result<(), ConnectionError>> {
        if self.machine.get().is_over() {
            let error = self.rare.take(|rare| rare.error.clone());
            const CLOSED: ConnectionError = ConnectionError::Source(SourceError::Closed);
            return Poll::Ready(Err(error.unwrap_or(CLOSED)));
        }
        if self.waiting() <= most {
            return Poll::Ready(Ok(()));
        }
        self.rare.with(|rare| rare.holder = Some(cx.waker().clone()));
        Poll::Pending
    }

    #[cfg(feature = "std")]
    fn poll_sendfile(
        &self,
        cx: &Context<'_>,
        file: &std::fs::File,
        offset: u64,
        count: usize,
    ) -> Poll<Result<usize, SourceError>> {
        if self.machine.get().is_over() {
            return Poll::Ready(Err(SourceError::Closed));
        }
        let result = match &self.io.borrow().source {
            Some(source) => source.try_sendfile(file, offset, count),
            None => Err(SourceError::Closed),
        };
        match result {
            Err(SourceError::WouldBlock) => {
                // Its event makes a turn, and that wakes whoever holds.
                self.rare.with(|rare| rare.holder = Some(cx.waker().clone()));
                Poll::Pending
            }
            done => Poll::Ready(done),
        }
    }

    #[cfg(feature = "std")]
    fn fail_sendfile(&self, error: SourceError) -> Follow {
        self.fail_with(error);
        Follow::Turn
    }

    #[cfg(feature = "tls")]
    fn tls_info(&self) -> Option<Rc<crate::net::tls::TlsInfo>> {
        self.io.borrow().source.as_ref()?.tls_info()
    }

    #[cfg(feature = "alloc")]
    fn set_protocol(&self, protocol: Box<dyn Receiver>) -> Follow {
        use core::any::Any;
        // Connections on the heap hold their protocols so; no other type has this method's callers.
        let mut offered = Some(protocol);
        if let Some(offered) = (&mut offered as &mut dyn Any).downcast_mut::<Option<P>>()
            && let Some(successor) = offered.take()
            && !self.machine.get().is_over()
        {
            let _former = self.rare.with(|rare| rare.successor.replace(successor));
            if self.protocol.try_borrow().is_ok() {
                self.change_protocol();
            }
        }
        Follow::when(self.machine.get().is_writing_paused())
    }

    #[cfg(feature = "alloc")]
    fn with_protocol(&self, f: &mut dyn FnMut(&mut dyn core::any::Any)) -> bool {
        let looked = match self.protocol.try_borrow_mut() {
            Ok(mut protocol) => protocol.as_mut().map(|protocol| f(protocol.protocol())).is_some(),
            Err(_running) => return false,
        };
        // As at the end of a callback.
        self.change_protocol();
        looked
    }

    #[cfg(feature = "alloc")]
    fn schedule(self: Rc<Self>) {
        make_ready(self);
    }

    #[cfg(not(feature = "alloc"))]
    fn schedule(&'static self) {
        make_ready(self);
    }
}

impl<S: ByteSource + 'static, P: Receiver + 'static, B: Storage> Connection<S, P, B> {
    /// What `take` does with a write, if it may; else `dropped`, if it is to be.
    #[inline]
    fn admitted<R>(
        &self,
        dropped: R,
        take: impl FnOnce() -> Result<R, WriteError>,
    ) -> Result<R, WriteError> {
        match self.with(Machine::write) {
            Verdict::Take => take(),
            Verdict::AfterEof => Err(WriteError::AfterEof),
            #[cfg(feature = "std")]
            Verdict::Held => Err(WriteError::SendfileInProgress),
            Verdict::Drop => Ok(dropped),
            Verdict::DropAndWarn => {
                self.report(
                    "a program goes on writing to a connection that is closed",
                    &"what it writes is dropped",
                );
                Ok(dropped)
            }
        }
    }

    /// Writes what it may.
    #[inline]
    fn put(&self, pieces: &[&[u8]]) -> Result<(Flow, Follow), WriteError> {
        let mut rest: usize = pieces.iter().map(|piece| piece.len()).sum();
        let mut io = self.io.borrow_mut();
        let free = io.unsent.free();
        if rest > free {
            return Err(WriteError::Full { free });
        }
        let mut sent = match io.send_first(pieces, rest) {
            Ok(sent) => sent,
            Err(error) => {
                drop(io);
                self.fail_with(error);
                return Ok((Flow::Dropped, Follow::Turn));
            }
        };
        rest -= sent;
        if rest == 0 {
            return Ok((self.flow(), Follow::Nothing));
        }
        let was_empty = io.unsent.is_empty();
        for piece in pieces {
            let skipped = sent.min(piece.len());
            sent -= skipped;
            io.unsent.push(&piece[skipped..]);
        }
        let waiting = io.unsent.len();
        drop(io);
        Ok(self.grown(was_empty, waiting))
    }

    /// Writes the start of `pieces`, if nothing waits before them.
    #[cfg(feature = "alloc")]
    fn begin(&self, pieces: &[&[u8]]) -> Begun {
        let wanted: usize = pieces.iter().map(|piece| piece.len()).sum();
        let sent = self.io.borrow().send_first(pieces, wanted);
        match sent {
            Ok(sent) if sent == wanted => Begun::Done(self.flow(), Follow::Nothing),
            Ok(sent) => Begun::Sent(sent),
            Err(error) => {
                self.fail_with(error);
                Begun::Done(Flow::Dropped, Follow::Turn)
            }
        }
    }

    /// More waits than before: `waiting` bytes.
    #[inline]
    fn grown(&self, was_empty: bool, waiting: usize) -> (Flow, Follow) {
        let untold = self.with(|machine| {
            machine.flushed();
            machine.grown(waiting)
        });
        (self.flow(), Follow::when(was_empty || untold))
    }

    fn flow(&self) -> Flow {
        if self.machine.get().is_writing_paused() { Flow::Paused } else { Flow::Open }
    }
}

impl<S: ByteSource, U: Unsent> Io<S, U> {
    /// Writes the start of `pieces`, `wanted` bytes in all, if nothing waits
    /// before them: how many are gone.
    #[inline]
    fn send_first(&self, pieces: &[&[u8]], wanted: usize) -> Result<usize, SourceError> {
        if wanted == 0 || !self.unsent.is_empty() {
            return Ok(0);
        }
        let Some(source) = &self.source else { return Ok(0) };
        match send(source, pieces) {
            Ok(count) => Ok(count.min(wanted)),
            Err(SourceError::WouldBlock | SourceError::Interrupted) => Ok(0),
            Err(error) => Err(error),
        }
    }
}

/// Writes the start of `pieces`.
#[inline]
pub(super) fn send<S: ByteSource>(source: &S, pieces: &[&[u8]]) -> Result<usize, SourceError> {
    match pieces {
        [piece] => source.try_write(piece),
        pieces => source.try_write_vectored(pieces),
    }
}
