//! Timer nodes and the circular lists that they are in.
//!
//! A [`TimerNode`] lives in whatever waits for it: a sleep future, a handle slot. A list is only a pointer
//! to its first node; the first node's `prev` is the last one, so appending needs no walk and no second
//! pointer in the list:
//!
//! ```text
//!   List ──► a ⇄ b ⇄ c
//!            ▲───────▲      c.next = a, a.prev = c
//! ```
//!
//! # Invariants
//!
//! The rest of the wheel contains no raw dereference: it goes through [`NodeRef`], which is safe to use
//! because of these four, for which the caller of [`Wheel::insert`](super::SizedWheel::insert) answers.
//!
//! - **Pinned**: from `insert` until it is popped or removed, a node is neither moved, dropped nor
//!   borrowed mutably. (`TimerNode` is `!Unpin`, so a pinned future that contains one may still be polled.)
//! - **Linked**: a node's links are `Some` exactly while it is in one list, and then both neighbours
//!   point back at it. Every `NodeRef` that is stored anywhere is such a link or a list's head.
//! - **One owner**: a node is in at most one list of one wheel, and it is removed through that wheel.
//! - **One thread**: nodes, lists and the wheel are `!Sync`; nothing of them is touched by two threads or
//!   by an interrupt at once.
//!
//! Nodes are only ever reached through shared references to their `Cell`s, or through the very pointer
//! that was given to `insert`. No `&mut TimerNode` is ever made, so no pointer's provenance is invalidated,
//! and the pointer that comes back from a pop still reaches the whole struct that the node is embedded in.

use core::cell::Cell;
use core::marker::PhantomPinned;
use core::ops::Deref;
use core::ptr::NonNull;

/// One timer: the part of a sleep future or of a handle slot that the wheel links up.
///
/// It holds no waker. Its owner puts it first in a larger `#[repr(C)]` struct, and casts back the pointer
/// that [`Wheel::pop_due`](super::SizedWheel::pop_due) returns. 24 bytes on 64-bit targets, 16 on 32-bit.
///
/// A linked node must be removed before it is dropped; see [`Wheel::insert`](super::SizedWheel::insert).
pub struct TimerNode {
    prev: Cell<Option<NodeRef>>,
    next: Cell<Option<NodeRef>>,
    deadline: Cell<u64>,
    _pinned: PhantomPinned,
}

const _: () = assert!(size_of::<TimerNode>() == 2 * size_of::<usize>() + 8);

impl TimerNode {
    /// A node that is in no list. All its bytes are zero, so that a `static` full of them stays in `.bss`.
    pub const fn new() -> Self {
        Self {
            prev: Cell::new(None),
            next: Cell::new(None),
            deadline: Cell::new(0),
            _pinned: PhantomPinned,
        }
    }

    /// The deadline that the node was last inserted with, in ticks; 0 if it never was.
    ///
    /// It stays readable after the node has fired (asyncio: `TimerHandle.when()`).
    pub fn deadline(&self) -> u64 {
        self.deadline.get()
    }

    /// Whether the node is in a wheel: inserted, and neither popped nor removed since.
    pub fn is_linked(&self) -> bool {
        self.next.get().is_some()
    }

    pub(super) fn set_deadline(&self, deadline: u64) {
        self.deadline.set(deadline);
    }
}

impl Default for TimerNode {
    fn default() -> Self {
        Self::new()
    }
}

/// A pointer to a node for which the invariants hold, and that may therefore be read through safely.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub(super) struct NodeRef(NonNull<TimerNode>);

impl NodeRef {
    /// # Safety
    /// `node` is **Pinned** for as long as any copy of the result is used, on **One thread**.
    pub(super) unsafe fn new(node: NonNull<TimerNode>) -> Self {
        Self(node)
    }

    pub(super) fn as_ptr(self) -> NonNull<TimerNode> {
        self.0
    }

    /// The node after this one in its list, round to the first after the last.
    fn next(self) -> NodeRef {
        // A linked node has a successor (Linked), so the alternative is never taken; it costs one
        // conditional move and is what keeps a panic out of here.
        self.next.get().unwrap_or(self)
    }

    /// The node before this one in its list, round to the last before the first.
    fn prev(self) -> NodeRef {
        self.prev.get().unwrap_or(self)
    }
}

impl Deref for NodeRef {
    type Target = TimerNode;

    fn deref(&self) -> &TimerNode {
        // SAFETY: Pinned, promised in `new`: the node is alive and nobody holds `&mut` to it.
        unsafe { self.0.as_ref() }
    }
}

/// A circular list of nodes in order of insertion. All-zero when empty.
#[repr(transparent)]
pub(super) struct List {
    head: Cell<Option<NodeRef>>,
}

/// What is left in a list after a node was taken out of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// Other nodes.
    Some,
    /// Nothing.
    Nothing,
}

impl List {
    pub(super) const fn new() -> Self {
        Self {
            head: Cell::new(None),
        }
    }

    pub(super) fn first(&self) -> Option<NodeRef> {
        self.head.get()
    }

    pub(super) fn last(&self) -> Option<NodeRef> {
        self.first().map(NodeRef::prev)
    }

    /// Appends a node that is in no list.
    pub(super) fn push_back(&self, node: NodeRef) {
        let first = match self.first() {
            Some(first) => first,
            None => {
                self.head.set(Some(node));
                node.prev.set(Some(node));
                node
            }
        };
        let last = first.prev();
        node.prev.set(Some(last));
        node.next.set(Some(first));
        last.next.set(Some(node));
        first.prev.set(Some(node));
    }

    /// Takes out a node that is in this list.
    pub(super) fn unlink(&self, node: NodeRef) -> Left {
        let (prev, next) = (node.prev(), node.next());
        node.prev.set(None);
        node.next.set(None);
        if next == node {
            self.head.set(None);
            return Left::Nothing;
        }
        prev.next.set(Some(next));
        next.prev.set(Some(prev));
        if self.first() == Some(node) {
            self.head.set(Some(next));
        }
        Left::Some
    }

    /// Empties the list and hands each of its nodes, now in no list, to `visit`, in order.
    pub(super) fn drain(&self, mut visit: impl FnMut(NodeRef)) {
        let Some(first) = self.head.take() else {
            return;
        };
        let mut node = first;
        loop {
            // Read before `visit`, which links the node elsewhere. The last node's `next` is still `first`,
            // whatever has become of that one.
            let next = node.next();
            visit(node);
            if next == first {
                return;
            }
            node = next;
        }
    }

    /// The smallest deadline among the nodes, or `floor`, a known lower bound of it, if there are more than
    /// `limit` of them. `u64::MAX` if the list is empty.
    pub(super) fn earliest(&self, floor: u64, limit: usize) -> u64 {
        let Some(first) = self.first() else {
            return u64::MAX;
        };
        let mut earliest = u64::MAX;
        let mut node = first;
        for _ in 0..limit {
            earliest = earliest.min(node.deadline());
            node = node.next();
            if node == first || earliest == floor {
                return earliest;
            }
        }
        floor
    }

    /// Sorts by deadline; equal ones keep their order. O(n log n), in place.
    ///
    /// A merge sort, bottom up: each pass takes the list for a row of sorted runs of `length` nodes, and
    /// merges the first with the second, the third with the fourth ...
    pub(super) fn sort(&self) {
        let mut length = 1_usize;
        loop {
            let Some(last) = self.last() else { return };
            // The old list becomes a chain that ends with `None`; `push_back` makes the new one.
            last.next.set(None);
            let mut rest = self.head.take();
            let mut merges = 0;
            while let Some(node) = rest {
                merges += 1;
                let (mut a, mut b) = (node, rest);
                let mut a_left = 0;
                while let Some(node) = b.filter(|_| a_left < length) {
                    b = node.next.get();
                    a_left += 1;
                }
                let mut b_left = length;
                loop {
                    match b.filter(|_| b_left > 0) {
                        Some(node) if a_left == 0 || node.deadline() < a.deadline() => {
                            b = node.next.get();
                            b_left -= 1;
                            self.push_back(node);
                        }
                        _ if a_left > 0 => {
                            let node = a;
                            a = node.next();
                            a_left -= 1;
                            self.push_back(node);
                        }
                        _ => break,
                    }
                }
                rest = b;
            }
            if merges <= 1 {
                return;
            }
            length = length.saturating_mul(2);
        }
    }
}
