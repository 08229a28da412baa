//! What a server does with a connection: which protocol it gets.

use super::served::Served;
use crate::error::Closed;
use crate::io::source::ByteSource;
use crate::net::protocol::Protocol;
use crate::net::transport::Transport;
use crate::schedule::EventLoop;
use alloc::rc::Rc;
use core::cell::RefCell;

/// Makes a protocol for each connection of a server.
pub trait Serving: 'static {
    /// Is told what happens.
    type Protocol: Protocol + 'static;

    /// One for the next connection.
    ///
    /// # Errors
    ///
    /// [`Closed`] when none can be made now: the connection is closed.
    fn protocol(&self) -> Result<Self::Protocol, Closed>;

    /// Gives the next connection a protocol, now or later; returns who is to be
    /// told when clients are to be closed.
    ///
    /// # Errors
    ///
    /// As for [`protocol`](Self::protocol), or the loop is closed.
    #[doc(hidden)]
    fn serve<S: ByteSource + 'static>(
        this: &Rc<Self>,
        event_loop: &EventLoop,
        source: Served<S>,
    ) -> Result<Transport, Closed> {
        Transport::new(event_loop, source, this.protocol()?)
    }
}

/// Makes each protocol by a function.
#[derive(Debug)]
pub struct WithFactory<F>(RefCell<F>);

impl<F> WithFactory<F> {
    /// By this one.
    pub fn new(factory: F) -> WithFactory<F> {
        WithFactory(RefCell::new(factory))
    }
}

impl<P: Protocol + 'static, F: FnMut() -> P + 'static> Serving for WithFactory<F> {
    type Protocol = P;

    fn protocol(&self) -> Result<P, Closed> {
        // In use only when it runs the loop itself.
        let mut factory = self.0.try_borrow_mut().map_err(|_in_use| Closed)?;
        Ok((*factory)())
    }
}
