//! Both kinds of protocol as one thing that a connection can call.

use super::error::ConnectionError;
use super::flow_control::FlowChange;
use super::protocol::{AfterEof, Answer, BufferedProtocol, EMPTY_BUFFER, Protocol};
use super::transport::Transport;
use crate::io::source::SourceError;

/// Reads from the connection's source to a buffer.
pub type ReadFn<'a> = dyn FnMut(&mut [u8]) -> Result<usize, SourceError> + 'a;

/// What a connection calls: [`Streamed`] or [`Buffered`].
pub trait Receiver {
    /// `connection_made`.
    #[doc(hidden)]
    fn made(&mut self, transport: &Transport) -> Answer;

    /// [`Protocol::leaves_it`].
    #[doc(hidden)]
    #[inline]
    fn leaves_it(&mut self) -> bool {
        false
    }

    /// Has `read` called once, with a buffer of its own or with `lent`, and
    /// gives what came to the protocol.
    #[doc(hidden)]
    fn receive(
        &mut self,
        transport: &Transport,
        read: &mut ReadFn<'_>,
        lent: &mut [u8],
    ) -> Answer<Result<usize, SourceError>>;

    /// `eof_received`.
    #[doc(hidden)]
    fn eof(&mut self, transport: &Transport) -> Answer<AfterEof>;

    /// `pause_writing` or `resume_writing`.
    #[doc(hidden)]
    fn flow(&mut self, transport: &Transport, change: FlowChange) -> Answer;

    /// `data_lost`.
    #[doc(hidden)]
    fn data_lost(&mut self, transport: &Transport, lost: u32) -> Answer;

    /// `connection_lost`.
    #[doc(hidden)]
    fn lost(&mut self, transport: &Transport, error: Option<&ConnectionError>) -> Answer;

    /// The user's protocol.
    #[doc(hidden)]
    fn protocol(&mut self) -> &mut dyn core::any::Any;
}

/// A [`Protocol`].
pub struct Streamed<P>(pub P);

/// A [`BufferedProtocol`].
pub struct Buffered<P>(pub P);

macro_rules! forward {
    () => {
        fn made(&mut self, transport: &Transport) -> Answer {
            self.0.connection_made(transport)
        }

        fn eof(&mut self, transport: &Transport) -> Answer<AfterEof> {
            self.0.eof_received(transport)
        }

        fn flow(&mut self, transport: &Transport, change: FlowChange) -> Answer {
            match change {
                FlowChange::Pause => self.0.pause_writing(transport),
                FlowChange::Resume => self.0.resume_writing(transport),
            }
        }

        fn data_lost(&mut self, transport: &Transport, lost: u32) -> Answer {
            self.0.data_lost(transport, lost)
        }

        fn lost(&mut self, transport: &Transport, error: Option<&ConnectionError>) -> Answer {
            self.0.connection_lost(transport, error)
        }

        fn protocol(&mut self) -> &mut dyn core::any::Any {
            &mut self.0
        }
    };
}

impl<P: Protocol + 'static> Receiver for Streamed<P> {
    forward!();

    #[inline]
    fn leaves_it(&mut self) -> bool {
        self.0.leaves_it()
    }

    #[inline]
    fn receive(
        &mut self,
        transport: &Transport,
        read: &mut ReadFn<'_>,
        lent: &mut [u8],
    ) -> Answer<Result<usize, SourceError>> {
        let count = match read(lent) {
            Ok(count) => count.min(lent.len()),
            failed => return Ok(failed),
        };
        if count > 0 {
            self.0.data_received(transport, &lent[..count])?;
        }
        Ok(Ok(count))
    }
}

impl<P: BufferedProtocol + 'static> Receiver for Buffered<P> {
    forward!();

    #[inline]
    fn receive(
        &mut self,
        transport: &Transport,
        read: &mut ReadFn<'_>,
        _lent: &mut [u8],
    ) -> Answer<Result<usize, SourceError>> {
        let buffer = self.0.get_buffer();
        if buffer.is_empty() {
            return Err(EMPTY_BUFFER);
        }
        let size = buffer.len();
        let count = match read(buffer) {
            Ok(count) => count.min(size),
            failed => return Ok(failed),
        };
        if count > 0 {
            self.0.buffer_updated(transport, count)?;
        }
        Ok(Ok(count))
    }
}

#[cfg(feature = "alloc")]
impl Receiver for alloc::boxed::Box<dyn Receiver> {
    fn made(&mut self, transport: &Transport) -> Answer {
        (**self).made(transport)
    }

    #[inline]
    fn leaves_it(&mut self) -> bool {
        (**self).leaves_it()
    }

    #[inline]
    fn receive(
        &mut self,
        transport: &Transport,
        read: &mut ReadFn<'_>,
        lent: &mut [u8],
    ) -> Answer<Result<usize, SourceError>> {
        (**self).receive(transport, read, lent)
    }

    fn eof(&mut self, transport: &Transport) -> Answer<AfterEof> {
        (**self).eof(transport)
    }

    fn flow(&mut self, transport: &Transport, change: FlowChange) -> Answer {
        (**self).flow(transport, change)
    }

    fn data_lost(&mut self, transport: &Transport, lost: u32) -> Answer {
        (**self).data_lost(transport, lost)
    }

    fn lost(&mut self, transport: &Transport, error: Option<&ConnectionError>) -> Answer {
        (**self).lost(transport, error)
    }

    fn protocol(&mut self) -> &mut dyn core::any::Any {
        (**self).protocol()
    }
}
