//! Which of many children were woken, so that only those are polled.
//!
//! Each child is polled with a waker of its own. When that is called, the child
//! is put on a list and the parent's waker is called, if the list was empty:
//!
//! ```text
//!  child 7's waker ─▶ queued? ─no─▶ list: 7 ─▶ 3 ─▶ 12       first of the list
//!                        │yes         │                       └▶ parent's waker
//!                        ▼            ▼ the parent is polled
//!                     nothing     takes the list, polls 12, 3, 7
//! ```
//!
//! A child's waker may outlive the parent and be called anywhere, so the
//! children's places are in one block that parent and wakers own together. The
//! parent's waker is fixed in the block; should the parent ever be polled with
//! another (it moved to another task), there is a new block.
//!
//! # Invariants
//!
//! * **Counted**: the parent and each child waker own one reference to the
//!   block; whoever gives up the last one frees it.
//! * **Queued Once**: a child is pushed by whoever set its mark, and the mark
//!   is cleared after the child was taken off and its link read.

#[cfg(feature = "threads")]
use crate::atomic::between_threads::{add, clear, push_head, sub, take_head, test_and_set};
use crate::atomic::{AtomicBool, AtomicPtr, AtomicUsize};
#[cfg(not(feature = "threads"))]
use crate::atomic::{add, clear, push_head, sub, take_head, test_and_set};
use alloc::boxed::Box;
use core::cell::Cell;
use core::mem::ManuallyDrop;
use core::ptr::{NonNull, null_mut};
use core::task::{Context, RawWaker, RawWakerVTable, Waker};

/// What parent and child wakers share.
struct Block {
    references: AtomicUsize,
    parent: Waker,
    /// The children that were woken, last first.
    woken: AtomicPtr<Child>,
    children: Box<[Child]>,
}

/// One child's place.
struct Child {
    block: *const Block,
    /// The next on the list: belongs to whoever set the mark, then to who took the list.
    next: Cell<*mut Child>,
    number: u32,
    queued: AtomicBool,
}

/// The parent's side.
pub(super) struct Children {
    block: NonNull<Block>,
}

// SAFETY: what a block holds is shared by atomics, but for the links, which
// have one owner at a time (Queued Once).
unsafe impl Send for Children {}
// SAFETY: as above; and by `&Children` nothing is changed but by atomics.
unsafe impl Sync for Children {}

impl Children {
    /// For children `0..count` of a parent that is polled with `parent`.
    pub(super) fn new(count: usize, parent: &Waker) -> Children {
        let child = |number| Child {
            block: core::ptr::null(),
            next: Cell::new(null_mut()),
            number,
            queued: AtomicBool::new(false),
        };
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let block = Box::new(Block {
            references: AtomicUsize::new(1),
            parent: parent.clone(),
            woken: AtomicPtr::new(null_mut()),
            children: (0..count).map(child).collect(),
        });
        let block = NonNull::from(Box::leak(block));
        // SAFETY: nobody else has seen the block yet.
        for child in unsafe { &mut (*block.as_ptr()).children } {
            child.block = block.as_ptr();
        }
        Children { block }
    }

    #[inline]
    fn block(&self) -> &Block {
        // SAFETY: Counted.
        unsafe { self.block.as_ref() }
    }

    /// Whether it wakes who `waker` wakes.
    pub(super) fn wakes(&self, waker: &Waker) -> bool {
        self.block().parent.will_wake(waker)
    }

    /// Calls `poll` with the waker of child `number`.
    pub(super) fn with<R>(&self, number: usize, poll: impl FnOnce(&mut Context<'_>) -> R) -> R {
        let child = core::ptr::from_ref(&self.block().children[number]);
        // SAFETY: Counted: the parent's reference outlives the call, and this
        // waker, which owns none, is not dropped.
        let waker = ManuallyDrop::new(unsafe { Waker::new(child.cast(), &WAKER) });
        poll(&mut Context::from_waker(&waker))
    }

    /// Takes the children that were woken, first come first.
    pub(super) fn take_woken(&self) -> Woken<'_> {
        let mut rest = take_head(&self.block().woken);
        let mut first = null_mut();
        // SAFETY: Queued Once: the links of what was taken are ours.
        while let Some(child) = unsafe { rest.as_ref() } {
            let next = child.next.replace(first);
            first = rest;
            rest = next;
        }
        Woken { first, _children: self }
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        // SAFETY: Counted: the parent's reference.
        unsafe { release(self.block.as_ptr()) }
    }
}

/// The numbers of children that were woken. What is not taken from it stays
/// marked, and is not heard of again.
pub(super) struct Woken<'a> {
    first: *mut Child,
    _children: &'a Children,
}

impl Iterator for Woken<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        // SAFETY: in the block, which `_children` keeps.
        let child = unsafe { self.first.as_ref() }?;
        self.first = child.next.get();
        // From here on it may be pushed again, and the link is not ours.
        clear(&child.queued);
        Some(child.number as usize)
    }
}

/// Calls `poll` for those of `count` children that were woken, first come
/// first, each with a waker of its own: at first, and whenever the parent's
/// waker is another than before, for all.
pub(super) fn poll_woken(
    children: &mut Option<Children>,
    count: usize,
    cx: &mut Context<'_>,
    mut poll: impl FnMut(usize, &mut Context<'_>),
) {
    match children {
        Some(children) if children.wakes(cx.waker()) => {
            for number in children.take_woken() {
                children.with(number, |cx| poll(number, cx));
            }
        }
        _ => {
            let children = children.insert(Children::new(count, cx.waker()));
            for number in 0..count {
                children.with(number, |cx| poll(number, cx));
            }
        }
    }
}

/// The parent's waker, of a child's; `None` for other wakers.
pub(crate) fn parent_of(waker: &Waker) -> Option<&Waker> {
    if !core::ptr::eq(waker.vtable(), &WAKER) {
        return None;
    }
    // SAFETY: Counted: the waker's reference, which is there as long as it is borrowed.
    Some(unsafe { &(*block_of(waker.data())).parent })
}

/// The wakers of children; their data is a child's address.
static WAKER: RawWakerVTable = RawWakerVTable::new(
    |child| {
        // SAFETY: Counted: who clones owns a reference, or borrows the parent's.
        unsafe { add(&(*block_of(child)).references, 1) };
        RawWaker::new(child, &WAKER)
    },
    |child| {
        // SAFETY: Counted: the waker's reference, given up after use.
        unsafe {
            wake_by_ref(child);
            release(block_of(child));
        }
    },
    // SAFETY: Counted: the waker's reference.
    |child| unsafe { wake_by_ref(child) },
    // SAFETY: Counted: the waker's reference, given up.
    |child| unsafe { release(block_of(child)) },
);

/// The block of a waker's data.
///
/// # Safety
///
/// The caller owns a reference to it.
unsafe fn block_of(child: *const ()) -> *const Block {
    // SAFETY: only `Children::with` makes such data, and the block is alive.
    unsafe { (*child.cast::<Child>()).block }
}

/// Notes that a child was woken.
///
/// # Safety
///
/// As for [`block_of`].
unsafe fn wake_by_ref(data: *const ()) {
    let child = data.cast::<Child>();
    // SAFETY: the caller's reference.
    let (child_ref, block) = unsafe { (&*child, &*block_of(data)) };
    if test_and_set(&child_ref.queued) {
        return;
    }
    let was_empty = push_head(&block.woken, child.cast_mut(), |before| child_ref.next.set(before));
    if was_empty {
        block.parent.wake_by_ref();
    }
}

/// Gives a reference up.
///
/// # Safety
///
/// The caller owns it.
unsafe fn release(block: *const Block) {
    // SAFETY: the caller's reference.
    if sub(unsafe { &(*block).references }, 1) == 1 {
        // SAFETY: Counted: nobody is left; `Children::new` made it by a box.
        drop(unsafe { Box::from_raw(block.cast_mut()) });
    }
}
