//! Pipes with protocols.
//!
//! Where two directions of a socket have two ends, a pipe has one: at the end
//! of what is read, or when nobody reads what is written, the connection is over,
//! whatever its protocol would like.

use super::connect::connect_accepted_socket;
use super::error::ConnectionError;
use super::protocol::{AfterEof, Answer, Protocol};
use super::transport::Transport;
use crate::io::source::{ByteSource, SourceError};

/// Gives what comes through `pipe` to `protocol`: `data_received`, at the end
/// `eof_received`, whose answer is not asked for, and `connection_lost`.
/// `connection_made` was called when this returns.
///
/// For a pair of streams, give the pipe to
/// [`open_streams`](super::streams::open_streams).
///
/// asyncio: `loop.connect_read_pipe()`.
///
/// # Errors
///
/// [`SourceError::NoRunningLoop`], [`SourceError::Closed`].
///
/// # Cancellation
///
/// The connection is aborted.
pub async fn connect_read_pipe<S, P>(pipe: S, protocol: P) -> Result<Transport, SourceError>
where
    S: ByteSource + 'static,
    P: Protocol + 'static,
{
    connect_accepted_socket(pipe, Reading(protocol)).await
}

/// Writes to `pipe` for `protocol`, whose `connection_lost` is called when the
/// reader has gone, also if nothing is being written: without an error then, and
/// with one if something waits to be written. `write_eof` closes.
/// `connection_made` was called when this returns.
///
/// The pipe's `try_read` is how it tells that the reader has gone: it is the
/// end then, and would block before.
///
/// asyncio: `loop.connect_write_pipe()`.
///
/// # Errors
///
/// [`SourceError::NoRunningLoop`], [`SourceError::Closed`].
///
/// # Cancellation
///
/// The connection is aborted.
pub async fn connect_write_pipe<S, P>(pipe: S, protocol: P) -> Result<Transport, SourceError>
where
    S: ByteSource + 'static,
    P: Protocol + 'static,
{
    connect_accepted_socket(pipe, Writing(protocol)).await
}

/// Whom a read pipe tells.
struct Reading<P>(P);

/// Whom a write pipe tells. What it "reads" is the news that the reader has gone.
struct Writing<P>(P);

impl<P: Protocol> Protocol for Reading<P> {
    fn connection_made(&mut self, transport: &Transport) -> Answer {
        self.0.connection_made(transport)
    }

    fn data_received(&mut self, transport: &Transport, data: &[u8]) -> Answer {
        self.0.data_received(transport, data)
    }

    fn eof_received(&mut self, transport: &Transport) -> Answer<AfterEof> {
        self.0.eof_received(transport)?;
        Ok(AfterEof::Close)
    }

    fn data_lost(&mut self, transport: &Transport, lost: u32) -> Answer {
        self.0.data_lost(transport, lost)
    }

    fn connection_lost(
        &mut self,
        transport: &Transport,
        error: Option<&ConnectionError>,
    ) -> Answer {
        self.0.connection_lost(transport, error)
    }
}

impl<P: Protocol> Protocol for Writing<P> {
    fn connection_made(&mut self, transport: &Transport) -> Answer {
        self.0.connection_made(transport)
    }

    fn data_received(&mut self, _transport: &Transport, _data: &[u8]) -> Answer {
        // There is none.
        Ok(())
    }

    fn pause_writing(&mut self, transport: &Transport) -> Answer {
        self.0.pause_writing(transport)
    }

    fn resume_writing(&mut self, transport: &Transport) -> Answer {
        self.0.resume_writing(transport)
    }

    fn connection_lost(
        &mut self,
        transport: &Transport,
        error: Option<&ConnectionError>,
    ) -> Answer {
        self.0.connection_lost(transport, error)
    }
}
