//! A protocol that writes down what comes, and may answer.

use crate::case::{Failure, Outcome};
use core::cell::RefCell;
use molen::io::source::SourceError;
use molen::net::{Answer, ConnectionError, DatagramProtocol, DatagramTransport};
use molen::{Duration, sleep};
use std::net::SocketAddr;
use std::rc::Rc;
use std::string::{String, ToString};
use std::vec::Vec;

/// What came.
#[derive(Clone, Default)]
pub(super) struct Log(Rc<RefCell<Vec<String>>>);

impl Log {
    fn add(&self, event: impl Into<String>) {
        self.0.borrow_mut().push(event.into());
    }

    pub(super) fn has(&self, event: &str) -> bool {
        self.0.borrow().iter().any(|known| known == event)
    }

    /// Waits until `event` has come.
    pub(super) async fn wait_for(&self, event: &str) {
        while !self.has(event) {
            sleep(Duration::from_millis(1)).await;
        }
    }

    #[track_caller]
    pub(super) fn check(&self, expected: &[&str]) -> Outcome {
        if *self.0.borrow() == *expected {
            return Ok(());
        }
        Err(Failure::shown(&std::format_args!("{:?} came, not {expected:?}", self.0.borrow())))
    }

    /// Waits until `transport` is closed.
    pub(super) async fn closed<A>(&self, transport: &DatagramTransport<A>) {
        while !transport.is_lost() {
            sleep(Duration::from_millis(1)).await;
        }
    }
}

/// What is done with a message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    Nothing,
    /// It goes back with a mark.
    Answer,
}

/// Writes down what comes.
pub(super) struct Recorder(pub(super) Log, pub(super) Then);

impl<A> DatagramProtocol<A> for Recorder {
    fn connection_made(&mut self, _transport: &DatagramTransport<A>) -> Answer {
        self.0.add("made");
        Ok(())
    }

    fn datagram_received(
        &mut self,
        transport: &DatagramTransport<A>,
        data: &[u8],
        sender: &A,
    ) -> Answer {
        self.0.add(String::from_utf8_lossy(data));
        if self.1 == Then::Answer {
            transport.sendto(&[b">", data].concat(), Some(sender))?;
        }
        Ok(())
    }

    fn error_received(&mut self, _transport: &DatagramTransport<A>, error: SourceError) -> Answer {
        // Windows tells of a refusal as of a reset.
        let refused =
            matches!(error, SourceError::ConnectionRefused | SourceError::ConnectionReset);
        self.0.add(if refused { "refused".into() } else { error.to_string() });
        Ok(())
    }

    fn connection_lost(
        &mut self,
        _transport: &DatagramTransport<A>,
        error: Option<&ConnectionError>,
    ) -> Answer {
        self.0.add(error.map_or("lost".into(), ToString::to_string));
        Ok(())
    }
}

/// Where it receives.
pub(super) fn local(transport: &DatagramTransport<SocketAddr>) -> Result<SocketAddr, Failure> {
    transport.local_address().ok_or_else(|| Failure::said("it has no address"))
}
