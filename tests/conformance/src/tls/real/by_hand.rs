//! A peer whose every step the case says: an engine and a plain connection.

use crate::case::{Failure, Outcome};
use crate::real::ok;
use molen::net::TcpStream;
use molen::tls::{ClientSide, ServerSide, TlsEngine};
use std::boxed::Box;
use std::vec::Vec;

pub(super) struct ByHand {
    pub(super) stream: TcpStream,
    pub(super) engine: Box<dyn TlsEngine>,
    /// How many bytes are sent at once.
    pub(super) step: usize,
}

impl ByHand {
    pub(super) fn client(stream: TcpStream, context: &impl ClientSide) -> Result<ByHand, Failure> {
        let engine = ok(context.client_engine("localhost"))?;
        ok(stream.set_nodelay(true))?;
        Ok(ByHand { stream, engine, step: usize::MAX })
    }

    pub(super) fn server(stream: TcpStream, context: &impl ServerSide) -> Result<ByHand, Failure> {
        let engine = ok(context.server_engine())?;
        ok(stream.set_nodelay(true))?;
        Ok(ByHand { stream, engine, step: usize::MAX })
    }

    /// What the engine has to say.
    pub(super) fn said(&mut self) -> Vec<u8> {
        let mut said = Vec::new();
        self.engine.transmit(&mut |pieces| said.extend(pieces.concat()));
        said
    }

    pub(super) async fn send(&mut self) -> Outcome {
        let said = self.said();
        for part in said.chunks(self.step.min(said.len().max(1))) {
            ok(self.stream.write_all(part).await)?;
            if self.step < said.len() {
                molen::yield_now().await;
            }
        }
        Ok(())
    }

    /// Takes in what has come; false at the end of the connection.
    pub(super) async fn receive(&mut self) -> Result<bool, Failure> {
        let mut buffer = [0; 4096];
        let count = ok(self.stream.read(&mut buffer).await)?;
        let mut rest = &buffer[..count];
        while !rest.is_empty() && !self.engine.is_peer_closed() {
            let taken = self.engine.receive(rest);
            self.send().await?;
            rest = &rest[ok(taken)?..];
        }
        Ok(count > 0)
    }

    pub(super) async fn handshake(&mut self) -> Outcome {
        self.send().await?;
        while self.engine.is_handshaking() {
            check!(self.receive().await?, "the connection ended in the handshake");
        }
        Ok(())
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> Outcome {
        check_eq!(ok(self.engine.write(&[bytes]))?, bytes.len());
        self.send().await
    }

    /// Reads until so many bytes are there, or the other side has closed.
    pub(super) async fn read(&mut self, wanted: usize) -> Result<Vec<u8>, Failure> {
        let mut all = Vec::new();
        let mut buffer = [0; 4096];
        while all.len() < wanted {
            match ok(self.engine.read(&mut buffer))? {
                0 if self.engine.is_peer_closed() => break,
                0 => {
                    if !self.receive().await? {
                        return Err(Failure::said("the connection ended without close_notify"));
                    }
                }
                count => all.extend_from_slice(&buffer[..count]),
            }
        }
        Ok(all)
    }

    /// Reads what comes until the connection ends.
    pub(super) async fn until_the_end(&mut self) -> Outcome {
        while self.receive().await? {
            let mut buffer = [0; 4096];
            while ok(self.engine.read(&mut buffer))? > 0 {}
        }
        Ok(())
    }
}
