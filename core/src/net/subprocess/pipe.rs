//! What each of a program's pipes calls: its program's protocol.

use super::protocol::StandardStream;
use super::transport::{Subprocess, SubprocessTransport};
use crate::net::error::ConnectionError;
use crate::net::protocol::{AfterEof, Answer, Protocol};
use crate::net::transport::Transport;
use alloc::rc::Rc;

/// The protocol of one pipe.
pub(super) struct PipeProtocol {
    subprocess: Rc<Subprocess>,
    fd: StandardStream,
}

impl PipeProtocol {
    pub(super) fn new(subprocess: &Rc<Subprocess>, fd: StandardStream) -> PipeProtocol {
        PipeProtocol { subprocess: subprocess.clone(), fd }
    }

    fn transport(&self) -> SubprocessTransport {
        SubprocessTransport::of(&self.subprocess)
    }
}

impl Protocol for PipeProtocol {
    fn data_received(&mut self, _pipe: &Transport, data: &[u8]) -> Answer {
        // What an input "reads" is the news that its reader has gone.
        if self.fd == StandardStream::Stdin {
            return Ok(());
        }
        let (transport, fd) = (self.transport(), self.fd);
        self.subprocess.call(|protocol| protocol.pipe_data_received(&transport, fd, data))
    }

    fn eof_received(&mut self, _pipe: &Transport) -> Answer<AfterEof> {
        Ok(AfterEof::Close)
    }

    fn pause_writing(&mut self, _pipe: &Transport) -> Answer {
        let transport = self.transport();
        self.subprocess.call(|protocol| protocol.pause_writing(&transport))
    }

    fn resume_writing(&mut self, _pipe: &Transport) -> Answer {
        let transport = self.transport();
        self.subprocess.call(|protocol| protocol.resume_writing(&transport))
    }

    fn connection_lost(&mut self, _pipe: &Transport, error: Option<&ConnectionError>) -> Answer {
        let (transport, fd) = (self.transport(), self.fd);
        self.subprocess.call(|protocol| protocol.pipe_connection_lost(&transport, fd, error))
    }
}

impl Drop for PipeProtocol {
    /// The pipe is over, or somebody gave it another protocol, and this hears
    /// of it no more: either way connection_lost need not wait for it.
    fn drop(&mut self) {
        self.subprocess.pipe_lost(self.fd);
    }
}
