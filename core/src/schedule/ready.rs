//! The ready queue: what will run, in order of arrival.
//!
//! Two disciplines with one face. With threads, a loop's own thread links
//! nodes without atomics, and other threads use the loop's
//! [inbox](super::inbox). Without threads, code and interrupts share one
//! lock-free stack, which the loop takes whole and turns round once a batch:
//! strict order of arrival across both, and nothing to splice.

use super::node::{Chain, Node};
use core::ptr::NonNull;

#[cfg(feature = "threads")]
use super::node::List;
#[cfg(not(feature = "threads"))]
use core::sync::atomic::{AtomicPtr, Ordering};

/// Nodes that wait for the next batch.
pub(crate) struct ReadyQueue {
    #[cfg(feature = "threads")]
    list: List,
    #[cfg(not(feature = "threads"))]
    stack: AtomicPtr<Node>,
}

#[cfg(feature = "threads")]
impl ReadyQueue {
    pub(crate) const fn new() -> ReadyQueue {
        ReadyQueue { list: List::new() }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Puts `node` last. On the loop's own thread only.
    ///
    /// # Safety
    ///
    /// *In One Chain*: the caller has just set its queued mark. *Alive In Chain*.
    #[inline]
    pub(crate) unsafe fn push(&self, node: NonNull<Node>) {
        // SAFETY: passed on.
        unsafe { self.list.push(node) }
    }

    /// Takes all nodes, first come first.
    #[inline]
    pub(crate) fn take(&self) -> Chain {
        self.list.take()
    }
}

#[cfg(not(feature = "threads"))]
impl ReadyQueue {
    pub(crate) const fn new() -> ReadyQueue {
        ReadyQueue { stack: AtomicPtr::new(core::ptr::null_mut()) }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.stack.load(Ordering::Relaxed).is_null()
    }

    /// Puts `node` last, from code or from an interrupt.
    ///
    /// # Safety
    ///
    /// *In One Chain*: the caller has just set its queued mark. *Alive In Chain*.
    #[inline]
    pub(crate) unsafe fn push(&self, node: NonNull<Node>) {
        crate::atomic::push_head(&self.stack, node.as_ptr(), |seen| {
            // SAFETY: the caller's promise.
            unsafe { node.as_ref() }.set_link(seen);
        });
    }

    /// Takes all nodes, first come first.
    #[inline]
    pub(crate) fn take(&self) -> Chain {
        // SAFETY: every node in the stack was pushed under `push`'s contract.
        unsafe { Chain::from_stack(crate::atomic::take_head(&self.stack)) }
    }
}
