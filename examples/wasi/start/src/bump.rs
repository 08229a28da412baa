//! An allocator that only goes forward.
//!
//! # Invariants
//!
//! * **Once**: memory is given out in order and never given back, so no two
//!   allocations overlap.
//! * **One Thread**: a component has one thread of control.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::{Cell, UnsafeCell};
use core::ptr::null_mut;

const ROOM: usize = 4096;

/// Four kilobytes, each given out once: for a program that hardly allocates.
pub struct Bump {
    memory: UnsafeCell<[u8; ROOM]>,
    used: Cell<usize>,
}

impl Bump {
    /// With nothing given out.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Bump {
        Bump { memory: UnsafeCell::new([0; ROOM]), used: Cell::new(0) }
    }
}

// SAFETY: One Thread.
unsafe impl Sync for Bump {}

// SAFETY: Once.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let base = self.memory.get().cast::<u8>();
        let start = (base.addr() + self.used.get()).next_multiple_of(layout.align()) - base.addr();
        match start.checked_add(layout.size()) {
            Some(end) if end <= ROOM => {
                self.used.set(end);
                base.wrapping_add(start)
            }
            _ => null_mut(),
        }
    }

    unsafe fn dealloc(&self, _memory: *mut u8, _layout: Layout) {}
}
