//! Handshakes over a scripted connection, by an engine that does no more than
//! one: each side says hello, and what is written goes as it is.

use crate::case::Outcome;
use crate::dropping_all::{drops, soon};
use crate::wire::{Probe, noting, source};
use molen::io::Ready;
use molen::net::{Transport, connect_accepted_socket, open_streams};
use molen::testing::{Fault, FaultSource, FaultUser, Told};
use molen::tls::{
    ClientSide, ServerSide, Timeouts, TlsEngine, TlsError, TlsInfo, connect_tls, open_tls_streams,
    start_tls, start_tls_server_side,
};
use std::boxed::Box;
use std::vec::Vec;

/// What either side says in its handshake.
const HELLO: &[u8] = b"hi";

struct Plain {
    to_send: Vec<u8>,
    greeted: bool,
    received: Vec<u8>,
}

impl TlsEngine for Plain {
    fn receive(&mut self, ciphertext: &[u8]) -> Result<usize, TlsError> {
        self.received.extend_from_slice(ciphertext);
        if !self.greeted && self.received.starts_with(HELLO) {
            self.greeted = true;
            self.received.drain(..HELLO.len());
        }
        Ok(ciphertext.len())
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, TlsError> {
        let count = if self.greeted { buffer.len().min(self.received.len()) } else { 0 };
        for (place, byte) in buffer.iter_mut().zip(self.received.drain(..count)) {
            *place = byte;
        }
        Ok(count)
    }

    fn write(&mut self, pieces: &[&[u8]]) -> Result<usize, TlsError> {
        self.to_send.extend(pieces.concat());
        Ok(pieces.iter().map(|piece| piece.len()).sum())
    }

    fn transmit(&mut self, send: &mut dyn FnMut(&[&[u8]])) {
        if !self.to_send.is_empty() {
            send(&[&core::mem::take(&mut self.to_send)]);
        }
    }

    fn close_notify(&mut self) {}

    fn is_peer_closed(&self) -> bool {
        false
    }

    fn is_handshaking(&self) -> bool {
        !self.greeted
    }

    fn info(&self) -> TlsInfo {
        TlsInfo::default()
    }
}

/// Makes such engines, for both sides.
struct Plainly;

impl Plainly {
    fn engine() -> Box<dyn TlsEngine> {
        Box::new(Plain { to_send: HELLO.to_vec(), greeted: false, received: Vec::new() })
    }
}

impl ClientSide for Plainly {
    fn client_engine(&self, _server_hostname: &str) -> Result<Box<dyn TlsEngine>, TlsError> {
        Ok(Plainly::engine())
    }
}

impl ServerSide for Plainly {
    fn server_engine(&self) -> Result<Box<dyn TlsEngine>, TlsError> {
        Ok(Plainly::engine())
    }
}

/// The other side's hello comes when ours was sent, and somebody waits for it.
fn answered_late(source: &'static FaultSource) -> FaultUser {
    source.reset(&[Fault::WouldBlock, Fault::Data(HELLO)], &[]);
    soon(move || soon(move || soon(move || soon(move || source.set_ready(Ready::BOTH)))));
    source.user(Told::ByEvents)
}

/// Ends the connection that a handshake has made.
fn abort(made: Result<Transport, TlsError>) -> bool {
    made.map(|transport| transport.abort()).is_ok()
}

pub(super) fn handshakes_leave_nothing_at_any_poll() -> Outcome {
    let event_loop = new_loop!();
    event_loop.run_until_complete(async {
        let source = source(&[], &[]);
        // A handshake's timer is what `drops` looks for, too.
        let closed = || source.closed() == 1;
        let make = || {
            let user = answered_late(source);
            async { abort(connect_tls(user, Probe(noting), &Plainly, "mill").await) }
        };
        drops(3, make, closed).await?;
        let make = || {
            let user = answered_late(source);
            async {
                let streams = open_tls_streams(user, 64, &Plainly, "mill", Timeouts::DEFAULT);
                let (_reader, writer) = streams.await.ok()?;
                writer.transport().abort();
                Some(())
            }
        };
        drops(3, make, closed).await?;
        let make = || {
            let user = answered_late(source);
            async {
                let plain = connect_accepted_socket(user, Probe(noting)).await.ok()?;
                Some(abort(start_tls(&plain, Probe(noting), &Plainly, "mill").await))
            }
        };
        drops(3, make, closed).await?;
        let make = || {
            let user = answered_late(source);
            async {
                let plain = connect_accepted_socket(user, Probe(noting)).await.ok()?;
                Some(abort(start_tls_server_side(&plain, Probe(noting), &Plainly).await))
            }
        };
        drops(3, make, closed).await?;
        for as_server in [false, true] {
            let make = || {
                let user = answered_late(source);
                async move {
                    let (_reader, mut writer) = open_streams(user, 64).await.ok()?;
                    match as_server {
                        false => writer.start_tls(&Plainly, "mill").await.ok()?,
                        true => writer.start_tls_server_side(&Plainly).await.ok()?,
                    }
                    writer.transport().abort();
                    Some(())
                }
            };
            drops(3, make, closed).await?;
        }
        Ok(())
    })?
}
