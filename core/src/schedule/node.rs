//! A node: anything that the loop can run, and the chains that hold nodes.
//!
//! Tasks and callbacks begin with a [`Node`]. It is a link and a table of
//! functions, and it is in at most one chain at a time; that is why the ready
//! queue needs no capacity of its own and why queueing cannot fail.
//!
//! # Invariants
//!
//! * **In One Chain**: whoever sets a node's *queued* mark, and nobody else,
//!   may link it, until whoever unlinks it clears the mark.
//! * **Alive In Chain**: a node in a chain is not freed or moved; its owner
//!   gives it up only once it has been unlinked and is done.
//! * **Right Table**: a node's table belongs to the type that embeds it, whose
//!   first field it is (`repr(C)`), so a table's functions may cast back.

use super::EventLoop;
use core::cell::Cell;
use core::ptr::{NonNull, null};

/// What can be done to a node once it is out of its chain.
pub(crate) struct NodeVTable {
    /// Runs it: polls the task, calls the callback.
    pub(crate) run: unsafe fn(NonNull<Node>, &EventLoop),
    /// Disposes of it without running it, because the loop closes.
    pub(crate) discard: unsafe fn(NonNull<Node>, &EventLoop),
    /// Ends it after `run` panicked.
    #[cfg(feature = "threads")]
    pub(crate) panicked: unsafe fn(NonNull<Node>, &EventLoop, crate::platform::Payload),
    /// What tracers are told of it.
    #[cfg_attr(not(feature = "trace"), allow(dead_code, reason = "it is nothing"))]
    pub(crate) described: crate::trace::Described,
}

/// The start of everything that the loop can run.
#[repr(C)]
pub(crate) struct Node {
    link: Cell<*const Node>,
    vtable: Cell<Option<&'static NodeVTable>>,
}

impl Node {
    /// A node without a table, all zero, for statics.
    pub(crate) const fn unset() -> Node {
        Node { link: Cell::new(null()), vtable: Cell::new(None) }
    }

    #[cfg(feature = "alloc")]
    /// A node of the type that `vtable` belongs to.
    pub(crate) const fn new(vtable: &'static NodeVTable) -> Node {
        Node { link: Cell::new(null()), vtable: Cell::new(Some(vtable)) }
    }

    pub(crate) fn set_vtable(&self, vtable: &'static NodeVTable) {
        self.vtable.set(Some(vtable));
    }

    #[inline]
    pub(crate) fn vtable(&self) -> Option<&'static NodeVTable> {
        self.vtable.get()
    }

    /// The table.
    ///
    /// # Safety
    ///
    /// It is set, as it is for every node that was ever in a chain.
    #[inline]
    pub(crate) unsafe fn table(&self) -> &'static NodeVTable {
        // SAFETY: the caller's promise.
        unsafe { self.vtable.get().unwrap_unchecked() }
    }

    #[inline]
    pub(crate) fn set_link(&self, next: *const Node) {
        self.link.set(next);
    }
}

/// Nodes in the order in which they will run, linked from first to last.
#[derive(Clone, Copy)]
pub(crate) struct Chain(*const Node);

impl Chain {
    pub(crate) const EMPTY: Chain = Chain(null());

    pub(crate) fn is_empty(self) -> bool {
        self.0.is_null()
    }

    /// Puts a node last. Takes a step for each node that is there.
    ///
    /// # Safety
    ///
    /// *In One Chain* and *Alive In Chain*.
    pub(crate) unsafe fn push(&mut self, node: NonNull<Node>) {
        // SAFETY: the caller's promise.
        unsafe {
            node.as_ref().set_link(null());
            let mut last = match self.0.as_ref() {
                None => {
                    self.0 = node.as_ptr();
                    return;
                }
                Some(first) => first,
            };
            while let Some(next) = last.link.get().as_ref() {
                last = next;
            }
            last.set_link(node.as_ptr());
        }
    }

    /// Takes the first node off.
    ///
    /// # Safety
    ///
    /// *Alive In Chain* holds for the nodes of `self`.
    #[inline]
    pub(crate) unsafe fn pop(&mut self) -> Option<NonNull<Node>> {
        let first = NonNull::new(self.0.cast_mut())?;
        // SAFETY: Alive In Chain.
        self.0 = unsafe { first.as_ref() }.link.get();
        Some(first)
    }

    /// Puts the nodes of `chain` last. Takes a step for each node that is there.
    ///
    /// # Safety
    ///
    /// As for [`push`](Self::push), for each of its nodes.
    #[cfg(not(feature = "threads"))]
    pub(crate) unsafe fn append(&mut self, chain: Chain) {
        let mut end = &raw mut self.0;
        // SAFETY: the caller's promise.
        unsafe {
            while let Some(node) = (*end).as_ref() {
                end = node.link.as_ptr();
            }
            *end = chain.0;
        }
    }

    /// Takes `node` out, wherever it is; false when it is not there.
    ///
    /// # Safety
    ///
    /// As for [`pop`](Self::pop), and the links are the caller's to change.
    #[cfg(not(feature = "threads"))]
    pub(crate) unsafe fn remove(&mut self, node: NonNull<Node>) -> bool {
        let wanted = node.as_ptr().cast_const();
        // SAFETY: Alive In Chain.
        let after = unsafe { node.as_ref() }.link.get();
        if self.0 == wanted {
            self.0 = after;
            return true;
        }
        let mut next = self.0;
        // SAFETY: Alive In Chain.
        while let Some(here) = unsafe { next.as_ref() } {
            next = here.link.get();
            if next == wanted {
                here.set_link(after);
                return true;
            }
        }
        false
    }

    /// The chain that begins with the last of `stack` and ends with its first:
    /// a stack's order of arrival.
    ///
    /// # Safety
    ///
    /// *Alive In Chain* and *In One Chain* hold for `stack`, which the caller took whole.
    #[cfg(not(feature = "threads"))]
    #[inline]
    pub(crate) unsafe fn from_stack(stack: *const Node) -> Chain {
        // SAFETY: Alive In Chain.
        match unsafe { stack.as_ref() } {
            Some(node) if !node.link.get().is_null() => {}
            // None, or the most frequent case: one.
            _ => return Chain(stack),
        }
        let mut rest = stack;
        let mut done = null();
        // SAFETY: Alive In Chain; In One Chain makes the links ours to turn.
        while let Some(node) = unsafe { rest.as_ref() } {
            rest = node.link.replace(done);
            done = node;
        }
        Chain(done)
    }
}

/// A first-in, first-out queue of nodes for one thread.
#[cfg(feature = "threads")]
pub(crate) struct List {
    first: Cell<*const Node>,
    last: Cell<*const Node>,
}

#[cfg(feature = "threads")]
impl List {
    pub(crate) const fn new() -> List {
        List { first: Cell::new(null()), last: Cell::new(null()) }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.first.get().is_null()
    }

    /// Puts `node` last.
    ///
    /// # Safety
    ///
    /// *In One Chain*: the caller has just set its queued mark. *Alive In Chain*.
    #[inline]
    pub(crate) unsafe fn push(&self, node: NonNull<Node>) {
        // SAFETY: the caller's promise.
        unsafe { node.as_ref() }.set_link(null());
        let node = node.as_ptr().cast_const();
        if self.first.get().is_null() {
            self.first.set(node);
        } else {
            // SAFETY: Alive In Chain; `last` is valid while the list is not empty.
            unsafe { &*self.last.get() }.set_link(node);
        }
        self.last.set(node);
    }

    /// Takes all of it.
    #[inline]
    pub(crate) fn take(&self) -> Chain {
        Chain(self.first.replace(null()))
    }
}
