//! Connections in statics, for programs without a heap; a task drives each.

use super::{Connection, Io, Rare};
use crate::error::Full;
use crate::io::source::ByteSource;
use crate::net::driven::{Header, drive};
use crate::net::flow_control::WriteBufferLimits;
use crate::net::machine::Machine;
use crate::net::receiver::Receiver;
use crate::net::storage::{Storage, Unsent};
use crate::net::transport::Transport;
use core::cell::{Cell, RefCell};

// SAFETY: there is one thread of control, and interrupts do not touch connections.
unsafe impl<S, P, B: Storage> Sync for Connection<S, P, B> {}

impl<S: ByteSource + 'static, P: Receiver + 'static, B: Storage> Connection<S, P, B> {
    /// No connection yet.
    pub const fn new() -> Self {
        Connection {
            header: Header::new(),
            machine: Cell::new(Machine::new(WriteBufferLimits::DEFAULT)),
            io: RefCell::new(Io { source: None, unsent: B::Unsent::EMPTY }),
            protocol: RefCell::new(None),
            rare: Rare::none(),
        }
    }

    /// Connects `source` with `protocol`. `connection_made` is called when the
    /// connection is [driven](Self::drive).
    ///
    /// # Errors
    ///
    /// [`Full`] with both while the connection is in use.
    pub fn open(&'static self, source: S, protocol: P) -> Result<Transport, Full<(S, P)>> {
        let Ok(mut io) = self.io.try_borrow_mut() else {
            return Err(Full((source, protocol)));
        };
        if io.source.is_some() {
            return Err(Full((source, protocol)));
        }
        source.begin_transport();
        io.source = Some(source);
        drop(io);
        self.protocol.replace(Some(protocol));
        self.io.borrow_mut().unsent.clear();
        self.machine.set(Machine::new(WriteBufferLimits::DEFAULT));
        Ok(Transport { link: self })
    }

    /// Drops source and protocol, telling nobody: for a connection whose loop is
    /// closed. Does nothing inside one of its callbacks.
    pub fn reset(&self) {
        if self.protocol.try_borrow_mut().is_ok() {
            self.let_go();
        }
    }

    /// Drives the connection to its end: to be awaited in a task.
    ///
    /// # Cancellation
    ///
    /// The connection stands still until it is driven again.
    pub async fn drive(&'static self) {
        drive(self).await;
    }
}

impl<S: ByteSource + 'static, P: Receiver + 'static, B: Storage> Default for Connection<S, P, B> {
    fn default() -> Self {
        Connection::new()
    }
}
