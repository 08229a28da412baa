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
    /// What connections read to, one after the other.
    #[cfg(feature = "alloc")]
    read_buffer: Cell<Option<alloc::boxed::Box<[u8]>>>,
    /// The cancel scope that is being polled; null when none is.
    #[cfg(feature = "alloc")]
    scope_around: Cell<*const Scope>,
    /// What the newest eager step that goes on interrupts.
    #[cfg(feature = "alloc")]
    pub(super) suspended: Cell<*const super::turn::Suspended>,
    #[cfg(feature = "alloc")]
    tasks: TaskHooks,
}

/// What makes tasks be created otherwise than `create_task` does by itself.
#[cfg(feature = "alloc")]
pub(crate) struct TaskHooks {
    pub(crate) factory: Cell<Option<alloc::rc::Rc<crate::task::TaskFactory>>>,
    /// The context that `Context::run` has entered.
    pub(crate) entered: Cell<Option<crate::task::Context>>,
    /// Some task has a context, and those that it creates get a copy.
    pub(crate) contexts: Cell<bool>,
}

impl Hooks {
    pub(super) const fn new() -> Hooks {
        Hooks {
            exception_handler: Cell::new(None),
            store: Cell::new(None),
            #[cfg(feature = "alloc")]
            read_buffer: Cell::new(None),
            #[cfg(feature = "alloc")]
            scope_around: Cell::new(core::ptr::null()),
            #[cfg(feature = "alloc")]
            suspended: Cell::new(core::ptr::null()),
            #[cfg(feature = "alloc")]
            tasks: TaskHooks {
                factory: Cell::new(None),
                entered: Cell::new(None),
                contexts: Cell::new(false),
            },
        }
    }
}

#[cfg(not(feature = "alloc"))]
// SAFETY: interrupts do not touch them.
static HOOKS: crate::one_thread::OneThread<Hooks> =
    unsafe { crate::one_thread::OneThread::new(Hooks::new()) };

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

    #[cfg(feature = "alloc")]
    pub(crate) fn task_hooks(&self) -> &TaskHooks {
        &self.hooks.tasks
    }

    /// After a change of the hooks: sets or clears the loop's mark, the one
    /// thing that `create_task` looks at.
    #[cfg(feature = "alloc")]
    pub(crate) fn note_how_tasks_are_created(&self) {
        let hooks = &self.hooks.tasks;
        let factory = hooks.factory.take();
        let entered = hooks.entered.take();
        let otherwise = factory.is_some() || entered.is_some() || hooks.contexts.get();
        hooks.factory.set(factory);
        hooks.entered.set(entered);
        self.set_creates_otherwise(otherwise);
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
