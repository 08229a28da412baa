//! What a program's connection calls.
//!
//! ```text
//!  connection_made
//!    ( pipe_data_received(fd)* pipe_connection_lost(fd) )   for each pipe, interleaved
//!    process_exited                                         anywhere among them
//!  connection_lost
//! ```

use super::transport::SubprocessTransport;
use crate::net::error::ConnectionError;
use crate::net::protocol::Answer;
use core::fmt;

/// One of a program's standard streams.
///
/// asyncio: the descriptors 0, 1 and 2.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum StandardStream {
    /// What it reads: descriptor 0.
    Stdin,
    /// What it writes: descriptor 1.
    Stdout,
    /// What it writes about its errors: descriptor 2.
    Stderr,
}

impl StandardStream {
    /// Its number as a descriptor.
    pub const fn fd(self) -> usize {
        match self {
            StandardStream::Stdin => 0,
            StandardStream::Stdout => 1,
            StandardStream::Stderr => 2,
        }
    }
}

impl fmt::Display for StandardStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            StandardStream::Stdin => "stdin",
            StandardStream::Stdout => "stdout",
            StandardStream::Stderr => "stderr",
        })
    }
}

/// Is told what happens to a program that was started.
///
/// All calls come from the loop, one at a time, never from inside a call of
/// the transport or of one of its pipes' transports.
///
/// asyncio: `asyncio.SubprocessProtocol`.
pub trait SubprocessProtocol {
    /// The program runs, and its pipes stand. Nothing is read from them before
    /// this returns.
    ///
    /// # Errors
    ///
    /// Reported; the transport is [closed](SubprocessTransport::close).
    fn connection_made(&mut self, transport: &SubprocessTransport) -> Answer {
        let _ = transport;
        Ok(())
    }

    /// The program wrote some bytes, at least one, to `fd`.
    ///
    /// # Errors
    ///
    /// Reported; the pipe is lost with it. The program goes on.
    fn pipe_data_received(
        &mut self,
        transport: &SubprocessTransport,
        fd: StandardStream,
        data: &[u8],
    ) -> Answer {
        let _ = (transport, fd, data);
        Ok(())
    }

    /// The pipe `fd` is over: all its bytes have come. `None` when whoever had
    /// its other end closed it, or it was closed from here.
    ///
    /// # Errors
    ///
    /// Reported.
    fn pipe_connection_lost(
        &mut self,
        transport: &SubprocessTransport,
        fd: StandardStream,
        error: Option<&ConnectionError>,
    ) -> Answer {
        let _ = (transport, fd, error);
        Ok(())
    }

    /// More waits to be written to the program's input than the high mark.
    ///
    /// # Errors
    ///
    /// Reported.
    fn pause_writing(&mut self, transport: &SubprocessTransport) -> Answer {
        let _ = transport;
        Ok(())
    }

    /// No more waits to be written to the program's input than the low mark.
    ///
    /// # Errors
    ///
    /// Reported.
    fn resume_writing(&mut self, transport: &SubprocessTransport) -> Answer {
        let _ = transport;
        Ok(())
    }

    /// The program has ended, and
    /// [`get_returncode`](SubprocessTransport::get_returncode) tells how. Bytes
    /// may still come: its pipes may hold some, and others may hold its pipes.
    ///
    /// # Errors
    ///
    /// Reported.
    fn process_exited(&mut self, transport: &SubprocessTransport) -> Answer {
        let _ = transport;
        Ok(())
    }

    /// The program has ended, and all its pipes are lost: the last call, made
    /// exactly once. `error` is never given today, as in asyncio.
    ///
    /// # Errors
    ///
    /// Reported.
    fn connection_lost(
        &mut self,
        transport: &SubprocessTransport,
        error: Option<&ConnectionError>,
    ) -> Answer {
        let _ = (transport, error);
        Ok(())
    }
}
