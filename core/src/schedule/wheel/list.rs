//! Timer nodes and the circular lists that they are in.
//!
//! A [`TimerNode`] lives in whatever waits for it: a sleep future, a handle slot. A list is a ring of its
//! nodes and of its own end, which has links like a node but no deadline:
//!
//! ```text
//!        ┌──► end ⇄ a ⇄ b ⇄ c ◄──┐      end.next is the first node, end.prev the last
//!        └───────────────────────┘      a list without nodes is an end that points at itself,
//!                                       or one with null links, if it never had any
//! ```
//!
//! So a node can be unlinked by two stores, without a look at the list that it is in.
//!
//! # Invariants
//!
//! The rest of the wheel dereferences no pointer to a node: it goes through [`NodeRef`], which is safe to use
//! because of these four, for which the caller of [`Wheel::insert`](super::SizedWheel::insert) answers.
//!
//! - **Pinned**: from `insert` until it is popped or removed, a node is neither moved, dropped nor
//!   borrowed mutably. (`TimerNode` is `!Unpin`, so a pinned future that contains one may still be polled.)
//!   The same holds, from the first `insert`, for the wheel and its levels, which contain the ends.
//! - **Linked**: a node's `next` is `Some` exactly while it is in one list, and then both its neighbours
//!   point back at it. Each link in a ring leads to a Pinned node or to the ring's one end.
//! - **One owner**: a node is in at most one list of one wheel, and it is removed through that wheel.
//! - **One thread**: nodes, lists and the wheel are `!Sync`; nothing of them is touched by two threads or
//!   by an interrupt at once.
//!
//! Nodes are only ever reached through shared references to their `Cell`s, or through the very pointer
//! that was given to `insert`. No `&mut` to a node is ever made, so no pointer's provenance is invalidated,
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
#[repr(C)]
pub struct TimerNode {
    /// First, so that a pointer to the links is one to the node.
    links: Links,
    deadline: Cell<Ticks>,
}

/// A number of ticks that needs no more alignment than a pointer, so that a node leaves no hole in the future
/// that it is in.
#[derive(Clone, Copy)]
#[repr(C, packed(4))]
struct Ticks(u64);

const _: () = assert!(size_of::<TimerNode>() == 2 * size_of::<usize>() + 8);

impl TimerNode {
    /// A node that is in no list. All its bytes are zero, so that a `static` full of them stays in `.bss`.
    pub const fn new() -> Self {
        Self::at(0)
    }

    /// A node that is in no list, and already has a number where its deadline will be.
    pub const fn at(deadline: u64) -> Self {
        Self { links: Links::new(), deadline: Cell::new(Ticks(deadline)) }
    }

    /// The deadline that the node was last inserted with, in ticks; 0 if it never was.
    ///
    /// It stays readable after the node has fired (asyncio: `TimerHandle.when()`).
    pub fn deadline(&self) -> u64 {
        self.deadline.get().0
    }

    /// Whether the node is in a wheel: inserted, and neither popped nor removed since.
    pub fn is_linked(&self) -> bool {
        self.links.next.get().is_some()
    }

    /// Whether the node was ever in a wheel: unlinking it leaves `prev` as it was.
    pub fn was_linked(&self) -> bool {
        self.links.prev.get().is_some()
    }

    pub(in crate::schedule) fn set_deadline(&self, deadline: u64) {
        self.deadline.set(Ticks(deadline));
    }
}

impl Default for TimerNode {
    fn default() -> Self {
        Self::new()
    }
}

/// What a node and a list's end have in common.
struct Links {
    prev: Cell<Option<Link>>,
    next: Cell<Option<Link>>,
    _pinned: PhantomPinned,
}

impl Links {
    const fn new() -> Self {
        Self { prev: Cell::new(None), next: Cell::new(None), _pinned: PhantomPinned }
    }
}

impl Link {
    /// The neighbour behind this one, which is in a ring.
    fn next(self) -> Link {
        // SAFETY: Linked: the links in a ring are never null.
        unsafe { self.next.get().unwrap_unchecked() }
    }

    /// The neighbour before this one, which is in a ring.
    fn prev(self) -> Link {
        // SAFETY: Linked, as above.
        unsafe { self.prev.get().unwrap_unchecked() }
    }
}

/// One step along a ring: to a node, or to the end.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
struct Link(NonNull<Links>);

impl Deref for Link {
    type Target = Links;

    fn deref(&self) -> &Links {
        // SAFETY: Linked: it leads to a node or an end, and both are Pinned.
        unsafe { self.0.as_ref() }
    }
}

/// A pointer to a node for which the invariants hold, and that may therefore be read through safely.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(transparent)]
pub(in crate::schedule) struct NodeRef(NonNull<TimerNode>);

impl NodeRef {
    /// # Safety
    /// `node` is **Pinned** for as long as any copy of the result is used, on **One thread**.
    pub(in crate::schedule) unsafe fn new(node: NonNull<TimerNode>) -> Self {
        Self(node)
    }

    pub(in crate::schedule) fn as_ptr(self) -> NonNull<TimerNode> {
        self.0
    }

    fn link(self) -> Link {
        Link(self.0.cast())
    }

    /// Puts the node, which is in no list, into one.
    pub(in crate::schedule) fn insert(self, Gap(before): Gap) {
        let link = self.link();
        // Only the end of a list that never had a node has null links, and then it is its own neighbour.
        let after = before.next.get().unwrap_or(before);
        self.links.prev.set(Some(before));
        self.links.next.set(Some(after));
        before.next.set(Some(link));
        after.prev.set(Some(link));
    }

    /// Takes the node out of the list that it is in.
    ///
    /// # Safety
    /// It is in one.
    pub(in crate::schedule) unsafe fn unlink(self) {
        let link = self.link();
        let (prev, next) = (link.prev(), link.next());
        self.links.next.set(None);
        prev.next.set(Some(next));
        next.prev.set(Some(prev));
    }
}

impl Deref for NodeRef {
    type Target = TimerNode;

    fn deref(&self) -> &TimerNode {
        // SAFETY: Pinned, promised in `new`: the node is alive and nobody holds `&mut` to it.
        unsafe { self.0.as_ref() }
    }
}

/// A place in a list where a node can be put in: behind this link.
#[derive(Clone, Copy)]
pub(in crate::schedule) struct Gap(Link);

/// A list of nodes. All-zero until it first has one.
#[repr(transparent)]
pub(in crate::schedule) struct List {
    end: Links,
}

impl List {
    pub(in crate::schedule) const fn new() -> Self {
        Self { end: Links::new() }
    }

    fn end(&self) -> Link {
        Link(NonNull::from(&self.end))
    }

    /// The node that a link of this ring leads to, if it is not the end.
    fn node(&self, link: Link) -> Option<NodeRef> {
        // SAFETY: Linked: what is not the end is a Pinned node, and its links are its first field.
        (link != self.end()).then(|| unsafe { NodeRef::new(link.0.cast()) })
    }

    pub(in crate::schedule) fn first(&self) -> Option<NodeRef> {
        self.node(self.end.next.get()?)
    }

    /// The first node, if it is the last one too.
    pub(in crate::schedule) fn only(&self) -> Option<NodeRef> {
        self.first().filter(|node| node.link().next() == self.end())
    }

    /// Makes the list, which never had a node, a ring.
    #[cfg(not(feature = "threads"))]
    pub(in crate::schedule) fn close(&self) {
        self.end.next.set(Some(self.end()));
        self.end.prev.set(Some(self.end()));
    }

    /// The first node of a list whose links are not null.
    ///
    /// # Safety
    ///
    /// The list was [closed](Self::close) to a ring.
    #[cfg(not(feature = "threads"))]
    pub(in crate::schedule) unsafe fn first_of_ring(&self) -> Option<NodeRef> {
        self.node(self.end().next())
    }

    /// Where the next node goes in order of insertion.
    pub(in crate::schedule) fn back(&self) -> Gap {
        Gap(self.end.prev.get().unwrap_or(self.end()))
    }

    /// Where a node goes in order of deadline, behind those with an equal one.
    ///
    /// The search begins at the back: it costs one step for each node with a later deadline.
    pub(in crate::schedule) fn gap_for(&self, deadline: u64) -> Gap {
        let Gap(mut before) = self.back();
        while let Some(later) = self.node(before)
            && later.deadline() > deadline
        {
            before = before.prev();
        }
        Gap(before)
    }

    /// The same as [`gap_for`](Self::gap_for), found from the front: one step for each node that is not later.
    #[cfg(not(feature = "threads"))]
    pub(in crate::schedule) fn gap_from_front_for(&self, deadline: u64) -> Gap {
        let mut before = self.end();
        while let Some(next) = before.next.get()
            && let Some(node) = self.node(next)
            && node.deadline() <= deadline
        {
            before = next;
        }
        Gap(before)
    }

    /// The first node of a sorted list whose deadline is not before `deadline`.
    #[cfg(not(feature = "threads"))]
    pub(in crate::schedule) fn first_not_before(&self, deadline: u64) -> Option<NodeRef> {
        let mut node = self.first()?;
        while node.deadline() < deadline {
            node = self.node(node.link().next())?;
        }
        Some(node)
    }

    /// The third node, if there is one.
    #[cfg(not(feature = "threads"))]
    pub(in crate::schedule) fn third(&self) -> Option<NodeRef> {
        let second = self.node(self.first()?.link().next())?;
        self.node(second.link().next())
    }

    /// Empties the list and hands each of its nodes to `relink`, in order. It must put them into lists, of
    /// which this may be one.
    pub(in crate::schedule) fn drain(&self, mut relink: impl FnMut(NodeRef)) {
        let mut next = self.first();
        // The end forgets the nodes; their chain goes on leading to the end, where it is over.
        self.end.next.set(None);
        self.end.prev.set(None);
        while let Some(node) = next {
            next = self.node(node.link().next());
            relink(node);
        }
    }

    /// The smallest deadline in the list; `None` if it has more than `limit` nodes, or none.
    pub(in crate::schedule) fn earliest(&self, limit: usize) -> Option<u64> {
        let mut earliest = u64::MAX;
        let mut node = self.first()?;
        for _ in 0..limit {
            earliest = earliest.min(node.deadline());
            match self.node(node.link().next()) {
                Some(next) => node = next,
                None => return Some(earliest),
            }
        }
        None
    }
}
