//! What a connection calls: protocols.
//!
//! ```text
//!  connection_made ( data_received* eof_received? ) connection_lost
//!                    ( pause_writing resume_writing )* pause_writing?
//! ```

use super::error::{ConnectionError, ProtocolError};
use super::transport::Transport;

/// How a callback of a protocol ends; an error is reported to the loop's
/// exception handler and, where the callback's docs say so, ends the
/// connection with it.
pub type Answer<T = ()> = Result<T, ProtocolError>;

/// Whether the connection is kept when the other side has ended its input.
///
/// asyncio: the truth value that `eof_received` returns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AfterEof {
    /// What waits is written, then the connection is closed.
    Close,
    /// Nothing more is read, but writing goes on until `close`.
    KeepOpen,
}

/// Is told what happens on a stream connection.
///
/// All calls come from the loop, one at a time, never from inside a call of
/// the transport. What a callback cannot do now it does with the transport,
/// which may be [cloned](Transport) and kept.
///
/// A call that panics is contained and reported, and the connection ends with
/// that, whichever call it is: nobody knows what state the protocol is in
/// (asyncio goes on after a failure of `pause_writing` and `resume_writing`, as
/// this does after an error of theirs).
///
/// No task runs in a call: there is no `current_task()`, and
/// no context variable has a value. A protocol that needs some keeps a
/// `copy_context()` of its maker's, and has that `run` what needs it (asyncio does
/// so by itself).
///
/// ```
/// # use molen_core as molen;
/// use molen::net::{Answer, ConnectionError, Protocol, Transport};
///
/// struct Echo;
///
/// impl Protocol for Echo {
///     fn connection_made(&mut self, transport: &Transport) -> Answer {
///         transport.write(b"hello\n")?;
///         Ok(())
///     }
///
///     fn data_received(&mut self, transport: &Transport, data: &[u8]) -> Answer {
///         transport.write(data)?;
///         Ok(())
///     }
///
///     fn connection_lost(&mut self, _: &Transport, error: Option<&ConnectionError>) -> Answer {
///         // The last call. `None`: one of both sides has closed it.
///         let _orderly = error.is_none();
///         Ok(())
///     }
/// }
/// ```
///
/// asyncio: `asyncio.Protocol`.
pub trait Protocol {
    /// The connection stands. Nothing is read before this returns, and nothing
    /// after it if it pauses reading. Failing closes the connection (asyncio
    /// goes on with a protocol that may be half made).
    ///
    /// # Errors
    ///
    /// Reported; the connection ends with it.
    fn connection_made(&mut self, transport: &Transport) -> Answer {
        let _ = transport;
        Ok(())
    }

    /// Some bytes came, at least one, in pieces of any size.
    ///
    /// # Errors
    ///
    /// Reported; the connection ends with it.
    fn data_received(&mut self, transport: &Transport, data: &[u8]) -> Answer;

    /// Whether what has come is left where it is for now, as somebody may take
    /// it from there ([`Transport::read_now`]) in the next batch. If nobody
    /// does, this is asked again after that.
    #[doc(hidden)]
    #[inline]
    fn leaves_it(&mut self) -> bool {
        false
    }

    /// The other side will send nothing more. Called at most once.
    ///
    /// # Errors
    ///
    /// Reported; the connection ends with it.
    fn eof_received(&mut self, transport: &Transport) -> Answer<AfterEof> {
        let _ = transport;
        Ok(AfterEof::Close)
    }

    /// More waits to be written than the high mark. Always followed by
    /// `resume_writing`, or by the end.
    ///
    /// # Errors
    ///
    /// Reported.
    fn pause_writing(&mut self, transport: &Transport) -> Answer {
        let _ = transport;
        Ok(())
    }

    /// No more waits to be written than the low mark.
    ///
    /// # Errors
    ///
    /// Reported.
    fn resume_writing(&mut self, transport: &Transport) -> Answer {
        let _ = transport;
        Ok(())
    }

    /// `lost` bytes came in faster than they were read and are gone, as a UART
    /// may say. Unless this says otherwise, a stream with a hole ends.
    ///
    /// # Errors
    ///
    /// Reported; the connection ends with it.
    fn data_lost(&mut self, transport: &Transport, lost: u32) -> Answer {
        let _ = (transport, lost);
        Err(ProtocolError::new("input overrun: bytes were lost"))
    }

    /// The connection is over: the last call, made exactly once. `None` when
    /// it was closed or aborted from here, or ended by the other side.
    ///
    /// The source is still open, and is closed when this returns.
    ///
    /// # Errors
    ///
    /// Reported.
    fn connection_lost(
        &mut self,
        transport: &Transport,
        error: Option<&ConnectionError>,
    ) -> Answer {
        let _ = (transport, error);
        Ok(())
    }
}

/// A protocol that says where bytes are to be put, which saves a copy.
///
/// asyncio: `asyncio.BufferedProtocol`.
pub trait BufferedProtocol {
    /// As [`Protocol::connection_made`].
    ///
    /// # Errors
    ///
    /// Reported; the connection ends with it.
    fn connection_made(&mut self, transport: &Transport) -> Answer {
        let _ = transport;
        Ok(())
    }

    /// Where the next bytes go. An empty buffer is a failure.
    ///
    /// asyncio's `sizehint` is always −1 in practice, and so is left out.
    fn get_buffer(&mut self) -> &mut [u8];

    /// So many bytes, at least one, are now at the start of the buffer.
    ///
    /// # Errors
    ///
    /// Reported; the connection ends with it.
    fn buffer_updated(&mut self, transport: &Transport, count: usize) -> Answer;

    /// As [`Protocol::eof_received`].
    ///
    /// # Errors
    ///
    /// Reported; the connection ends with it.
    fn eof_received(&mut self, transport: &Transport) -> Answer<AfterEof> {
        let _ = transport;
        Ok(AfterEof::Close)
    }

    /// As [`Protocol::pause_writing`].
    ///
    /// # Errors
    ///
    /// Reported.
    fn pause_writing(&mut self, transport: &Transport) -> Answer {
        let _ = transport;
        Ok(())
    }

    /// As [`Protocol::resume_writing`].
    ///
    /// # Errors
    ///
    /// Reported.
    fn resume_writing(&mut self, transport: &Transport) -> Answer {
        let _ = transport;
        Ok(())
    }

    /// As [`Protocol::data_lost`].
    ///
    /// # Errors
    ///
    /// Reported; the connection ends with it.
    fn data_lost(&mut self, transport: &Transport, lost: u32) -> Answer {
        let _ = (transport, lost);
        Err(ProtocolError::new("input overrun: bytes were lost"))
    }

    /// As [`Protocol::connection_lost`].
    ///
    /// # Errors
    ///
    /// Reported.
    fn connection_lost(
        &mut self,
        transport: &Transport,
        error: Option<&ConnectionError>,
    ) -> Answer {
        let _ = (transport, error);
        Ok(())
    }
}

/// Gives `data` to a buffered protocol, in as many rounds as its buffers need.
///
/// asyncio: `_feed_data_to_buffered_proto`.
///
/// # Errors
///
/// The protocol's, or that its buffer is empty.
pub fn feed_data<P: BufferedProtocol + ?Sized>(
    protocol: &mut P,
    transport: &Transport,
    data: &[u8],
) -> Answer {
    let mut rest = data;
    while !rest.is_empty() {
        let buffer = protocol.get_buffer();
        let count = buffer.len().min(rest.len());
        if count == 0 {
            return Err(EMPTY_BUFFER);
        }
        buffer[..count].copy_from_slice(&rest[..count]);
        rest = &rest[count..];
        protocol.buffer_updated(transport, count)?;
    }
    Ok(())
}

/// `get_buffer` returned an empty buffer.
pub(crate) const EMPTY_BUFFER: ProtocolError =
    ProtocolError::new("get_buffer() returned an empty buffer");
