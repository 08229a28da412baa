//! Streams whose connection becomes another, through TLS.

use super::open::ClientProtocol;
use super::stream_protocol::{Shared, StreamProtocol};
use super::writer::StreamWriter;
use crate::io::source::SourceError;
use crate::net::error::ConnectionError;
use crate::net::transport::Transport;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::Cell;

/// An upgrade under way: the old connection's protocol says nothing to the
/// streams any more, and the new one's does not yet.
pub(crate) struct Upgrade {
    shared: Rc<Shared>,
    received: Vec<u8>,
    is_over: Cell<bool>,
}

impl Upgrade {
    /// Takes what has come and was not read.
    pub(crate) fn begin(writer: &StreamWriter) -> Upgrade {
        let shared = writer.shared.clone();
        let received = shared.hand_over();
        Upgrade { shared, received, is_over: Cell::new(false) }
    }

    /// What had come.
    pub(crate) fn received(&self) -> &[u8] {
        &self.received
    }

    /// The new connection's protocol.
    pub(crate) fn protocol(&self) -> ClientProtocol {
        StreamProtocol { shared: Rc::downgrade(&self.shared), begin: None }
    }

    /// The new connection takes the old one's place.
    pub(crate) fn done(&self, transport: Transport) {
        self.is_over.set(true);
        self.shared.become_of(transport);
    }

    /// There is none.
    pub(crate) fn failed(&self, error: ConnectionError) {
        if !self.is_over.replace(true) {
            self.shared.fail(error);
        }
    }
}

impl Drop for Upgrade {
    /// It was cancelled, and the connection with it.
    fn drop(&mut self) {
        self.failed(ConnectionError::Source(SourceError::Closed));
    }
}
