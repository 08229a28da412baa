//! Running a task's first step inside of what runs.
//!
//! ```text
//!  run_nodes ─▶ A runs ─▶ run_eagerly ─▶ B runs ─▶ run_eagerly ─▶ C runs
//!               └ suspended ◀──────────────┴ suspended ◀──────────── newest
//! ```
//!
//! What is suspended is on the call stack: it must not be dropped by what runs
//! inside of it. So each eager step notes, in its own frame, what it interrupts.
//!
//! # Invariants
//!
//! * **On Stack**: a frame is in the list from the beginning of its
//!   `run_eagerly` to the end, and that is not left by unwinding.

use crate::schedule::EventLoop;
use crate::schedule::node::Node;
use crate::trace::observe_step;
use core::cell::Cell;
use core::ptr::NonNull;

/// What an eager step interrupts.
pub(in crate::schedule) struct Suspended {
    node: *const Node,
    before: *const Suspended,
}

impl EventLoop {
    /// Runs a node now, inside of what runs.
    ///
    /// # Safety
    ///
    /// It is a task's, in no chain, and alive; *Right Table*; the loop runs on this thread.
    pub(crate) unsafe fn run_eagerly(&self, node: NonNull<Node>) {
        let outer = self.running_node.replace(node.as_ptr());
        let suspended = Suspended { node: outer, before: self.suspended().get() };
        self.suspended().set(&raw const suspended);
        let around = crate::task::cancel::scope::around(self).replace(core::ptr::null());
        #[cfg(feature = "alloc")]
        let entered = self.task_hooks().entered.take();
        // SAFETY: the caller's promise.
        let run = || unsafe { (node.as_ref().table().run)(node, self) };
        let run = || observe_step(self, node, run);
        #[cfg(feature = "threads")]
        if let Err(payload) = crate::platform::catch_unwind(&mut { run }) {
            self.running_node.set(node.as_ptr());
            self.end_panicked(payload);
        }
        #[cfg(not(feature = "threads"))]
        run();
        #[cfg(feature = "alloc")]
        self.task_hooks().entered.set(entered);
        crate::task::cancel::scope::around(self).set(around);
        self.suspended().set(suspended.before);
        self.running_node.set(outer);
    }

    /// Whether `node` is interrupted by an eager step that goes on.
    pub(crate) fn is_suspended(&self, node: NonNull<Node>) -> bool {
        let mut next = self.suspended().get();
        // SAFETY: On Stack.
        while let Some(suspended) = unsafe { next.as_ref() } {
            if core::ptr::eq(suspended.node, node.as_ptr()) {
                return true;
            }
            next = suspended.before;
        }
        false
    }

    /// The newest frame; null when no eager step goes on.
    #[cfg(feature = "alloc")]
    fn suspended(&self) -> &Cell<*const Suspended> {
        &self.hooks.suspended
    }

    /// The newest frame; null when no eager step goes on.
    #[cfg(not(feature = "alloc"))]
    fn suspended(&self) -> &Cell<*const Suspended> {
        // SAFETY: interrupts run no tasks.
        static NEWEST: crate::one_thread::OneThread<Cell<*const Suspended>> =
            unsafe { crate::one_thread::OneThread::new(Cell::new(core::ptr::null())) };
        &NEWEST
    }
}
