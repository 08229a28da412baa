//! What most loops on a microcontroller do without: an exception handler, and a
//! store for callbacks.
//!
//! Where there is a heap each loop has its own. Where there is none, one loop
//! at a time is open, and they are a static, which the linker leaves out of
//! programs that use neither.

use super::event_loop::EventLoop;
use super::exception::HandlerBox;
use super::store::CallbackStorage;
#[cfg(feature = "alloc")]
use crate::task::cancel::scope::Scope;
use core::cell::Cell;

pub(super) struct Hooks {
    pub(super) exception_handler: Cell<Option<HandlerBox>>,
    pub(super) store: Cell<Option<&'static dyn CallbackStorage>>,
    /// The cancel scope that is being polled; null when none is.
    #[cfg(feature = "alloc")]
    scope_around: Cell<*const Scope>,
}

impl Hooks {
    pub(super) const fn new() -> Hooks {
        Hooks {
            exception_handler: Cell::new(None),
            store: Cell::new(None),
            #[cfg(feature = "alloc")]
            scope_around: Cell::new(core::ptr::null()),
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

    /// The cancel scope that is being polled; null when none is.
    #[cfg(feature = "alloc")]
    pub(crate) fn scope_around(&self) -> &Cell<*const Scope> {
        &self.hooks.scope_around
    }

    #[cfg(not(feature = "alloc"))]
    pub(super) fn hooks(&self) -> &Hooks {
        &HOOKS
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
