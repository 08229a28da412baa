//! What most loops on a microcontroller do without: an exception handler, and a
//! store for callbacks.
//!
//! Where there is a heap each loop has its own. Where there is none, one loop
//! at a time is open, and they are a static, which the linker leaves out of
//! programs that use neither.

use super::event_loop::EventLoop;
use super::exception::HandlerBox;
use super::store::CallbackStorage;
use core::cell::Cell;

pub(super) struct Hooks {
    pub(super) exception_handler: Cell<Option<HandlerBox>>,
    pub(super) store: Cell<Option<&'static dyn CallbackStorage>>,
    /// What connections read to, one after the other.
    #[cfg(feature = "alloc")]
    read_buffer: Cell<Option<alloc::boxed::Box<[u8]>>>,
}

impl Hooks {
    pub(super) const fn new() -> Hooks {
        Hooks {
            exception_handler: Cell::new(None),
            store: Cell::new(None),
            #[cfg(feature = "alloc")]
            read_buffer: Cell::new(None),
        }
    }
}

#[cfg(not(feature = "alloc"))]
static HOOKS: Hooks = Hooks::new();

#[cfg(not(feature = "alloc"))]
// SAFETY: there is one thread of control, and interrupts do not touch them.
unsafe impl Sync for Hooks {}

impl EventLoop {
    #[cfg(feature = "alloc")]
    pub(super) fn hooks(&self) -> &Hooks {
        &self.hooks
    }

    #[cfg(not(feature = "alloc"))]
    pub(super) fn hooks(&self) -> &Hooks {
        &HOOKS
    }

    /// The buffer that connections read to, unless it is lent already.
    #[cfg(feature = "alloc")]
    pub(crate) fn take_read_buffer(&self) -> Option<alloc::boxed::Box<[u8]>> {
        self.hooks.read_buffer.take()
    }

    /// Keeps `buffer` for the next connection that reads.
    #[cfg(feature = "alloc")]
    pub(crate) fn put_read_buffer(&self, buffer: alloc::boxed::Box<[u8]>) {
        self.hooks.read_buffer.set(Some(buffer));
    }

    /// The loop is closed. What is open next begins without hooks.
    pub(super) fn unhook(&self) {
        #[cfg(not(feature = "alloc"))]
        {
            HOOKS.exception_handler.set(None);
            HOOKS.store.set(None);
        }
    }
}
