//! A loop kept in memory, but not open, by something that may outlive it.

use super::event_loop::EventLoop;
use super::exception::ExceptionContext;
use super::node::Chain;

/// Keeps a loop in memory; on the loop's thread.
pub(crate) struct LoopMemory(
    #[cfg(feature = "threads")] super::remote::Remote,
    #[cfg(not(feature = "threads"))] core::ptr::NonNull<EventLoop>,
);

impl LoopMemory {
    pub(crate) fn of(event_loop: &EventLoop) -> LoopMemory {
        #[cfg(feature = "threads")]
        return LoopMemory(event_loop.remote());
        #[cfg(not(feature = "threads"))]
        LoopMemory(core::ptr::NonNull::from(event_loop))
    }

    pub(crate) fn event_loop(&self) -> &EventLoop {
        #[cfg(feature = "threads")]
        return self.0.event_loop();
        #[cfg(not(feature = "threads"))]
        // SAFETY: without threads loops are statics (`EventLoop::start`).
        unsafe {
            self.0.as_ref()
        }
    }

    pub(crate) fn is(&self, event_loop: &EventLoop) -> bool {
        core::ptr::eq(self.event_loop(), event_loop)
    }

    /// Makes done callbacks ready; a closed loop drops them.
    pub(crate) fn run_done_callbacks(&self, callbacks: Chain) {
        self.event_loop().run_done_callbacks(callbacks);
    }

    pub(crate) fn discard(&self, callbacks: Chain) {
        self.event_loop().discard(callbacks);
    }

    pub(crate) fn report(&self, context: &ExceptionContext<'_>) {
        self.event_loop().call_exception_handler(context);
    }
}

impl EventLoop {
    /// Makes done callbacks ready; a closed loop drops them.
    pub(crate) fn run_done_callbacks(&self, callbacks: Chain) {
        if self.is_closed() {
            self.discard(callbacks);
        } else {
            // SAFETY: done callbacks: begun, not yet scheduled.
            unsafe { super::callback::enqueue_chain(callbacks, self) };
        }
    }
}
