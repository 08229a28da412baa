//! The engine, and what it cannot take because nobody reads.

use super::engine::TlsEngine;
use super::error::TlsError;
use crate::net::transport::Transport;
use alloc::boxed::Box;
use alloc::vec::Vec;

/// The engine and what it could not take yet.
pub(super) struct Cipher {
    pub(super) engine: Box<dyn TlsEngine>,
    waiting: Vec<u8>,
    /// How many at the beginning were taken.
    start: usize,
}

impl Cipher {
    pub(super) fn new(engine: Box<dyn TlsEngine>) -> Cipher {
        Cipher { engine, waiting: Vec::new(), start: 0 }
    }

    /// Whether something waits for the engine.
    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Gives `data` to the engine, or keeps what it does not take.
    pub(super) fn take_in(&mut self, data: &[u8]) -> Result<(), TlsError> {
        if !self.waiting.is_empty() {
            self.waiting.extend_from_slice(data);
            return Ok(());
        }
        let taken = give(&mut *self.engine, data)?;
        if !self.engine.is_peer_closed() {
            self.waiting.extend_from_slice(&data[taken..]);
        }
        Ok(())
    }

    /// Gives the engine what waits.
    fn take_waiting(&mut self) -> Result<(), TlsError> {
        self.start += give(&mut *self.engine, &self.waiting[self.start..])?;
        if self.start == self.waiting.len() || self.engine.is_peer_closed() {
            self.forget_waiting();
        }
        Ok(())
    }

    fn forget_waiting(&mut self) {
        // An idle connection keeps no buffer.
        self.waiting = Vec::new();
        self.start = 0;
    }

    /// Reads plaintext, and has the engine go on for more.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, (usize, TlsError)> {
        let mut count = 0;
        loop {
            let read = self.engine.read(&mut buffer[count..]).map_err(|error| (count, error))?;
            count += read.min(buffer.len() - count);
            if count == buffer.len() || self.waiting.is_empty() {
                return Ok(count);
            }
            let before = self.start;
            self.take_waiting().map_err(|error| (count, error))?;
            if read == 0 && self.start == before && !self.waiting.is_empty() {
                // An engine that neither takes nor gives would be asked for ever.
                let why = "the engine is stuck".into();
                return Err((count, TlsError::Protocol { why }));
            }
        }
    }

    /// Reads what there is, for nobody.
    pub(super) fn discard(&mut self) -> Result<(), TlsError> {
        let mut scratch = [0; 1024];
        while self.read(&mut scratch).map_err(|(_, error)| error)? > 0 {}
        Ok(())
    }

    /// Writes what the engine has to say to the connection below.
    pub(super) fn transmit(&mut self, raw: &Transport) {
        // A connection that is closing drops it, and its end is told.
        self.engine.transmit(&mut |pieces| {
            let _ = raw.writelines(pieces);
        });
    }
}

/// Gives as much of `data` to the engine as it takes.
fn give(engine: &mut dyn TlsEngine, data: &[u8]) -> Result<usize, TlsError> {
    let mut taken = 0;
    while taken < data.len() {
        match engine.receive(&data[taken..])? {
            0 => break,
            count => taken = data.len().min(taken + count),
        }
    }
    Ok(taken)
}
