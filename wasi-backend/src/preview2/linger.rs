//! Connections that were dropped before all that they wrote had left.
//!
//! The host takes bytes, and a shutdown, and carries them out by itself, as
//! an operating system does. But where a system goes on after `close`,
//! wasmtime makes the drop of an output stream wait until all is written: one
//! peer that does not read would stop the whole loop. So a connection that is
//! dropped while the host is busy is kept until the host is done:
//!
//! ```text
//!   TcpStream dropped ── host busy ──▶ kept, its output waited for ── done ──▶ dropped
//!         └───────────── host done ─────────────────────────────────────────────▲
//! ```
//!
//! # Invariants
//!
//! * **One Thread**: a component has one thread of control.

use super::tcp_stream::Connection;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;

struct Kept(RefCell<Vec<Rc<Connection>>>);

// SAFETY: One Thread.
unsafe impl Sync for Kept {}

static KEPT: Kept = Kept(RefCell::new(Vec::new()));

/// Keeps a busy connection.
pub(super) fn keep(connection: Rc<Connection>) {
    KEPT.0.borrow_mut().push(connection);
}

/// Drops those that the host is done with; returns whether any is left.
pub(super) fn release() -> bool {
    // What is dropped may drop other connections, so the list is not borrowed.
    let mut kept = KEPT.0.take();
    kept.retain(|connection| connection.is_busy());
    let list = &mut *KEPT.0.borrow_mut();
    list.append(&mut kept);
    !list.is_empty()
}
