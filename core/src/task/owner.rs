//! Which loop a task belongs to.
//!
//! Without an allocator one loop at a time is open
//! ([`EventLoop::start`](crate::EventLoop::start)), and tasks that are not done
//! belong to it: nothing is stored.

use crate::schedule::EventLoop;

#[cfg(feature = "alloc")]
pub(crate) use stored::Owner;
#[cfg(not(feature = "alloc"))]
pub(crate) use the_open_loop::Owner;

#[cfg(feature = "alloc")]
mod stored {
    use super::EventLoop;
    use core::cell::Cell;

    pub(crate) struct Owner(Cell<*const EventLoop>);

    impl Owner {
        /// None yet.
        #[cfg(not(feature = "threads"))]
        pub(crate) const fn none() -> Owner {
            Owner(Cell::new(core::ptr::null()))
        }

        pub(crate) fn new(event_loop: &EventLoop) -> Owner {
            Owner(Cell::new(event_loop))
        }

        #[cfg(not(feature = "threads"))]
        pub(crate) fn set(&self, event_loop: &EventLoop) {
            self.0.set(event_loop);
        }

        /// The loop.
        ///
        /// # Safety
        ///
        /// It was set (*Outlives Tasks*).
        #[inline]
        pub(crate) unsafe fn get<'a>(&self) -> &'a EventLoop {
            // SAFETY: the caller's promise.
            unsafe { &*self.0.get() }
        }

        #[inline]
        pub(crate) fn is(&self, event_loop: &EventLoop) -> bool {
            core::ptr::eq(self.0.get(), event_loop)
        }
    }
}

#[cfg(not(feature = "alloc"))]
mod the_open_loop {
    use super::EventLoop;

    pub(crate) struct Owner;

    impl Owner {
        /// None yet.
        pub(crate) const fn none() -> Owner {
            Owner
        }

        pub(crate) fn set(&self, _event_loop: &EventLoop) {}

        /// The loop.
        ///
        /// # Safety
        ///
        /// A task was started, so a loop has been.
        #[inline]
        pub(crate) unsafe fn get<'a>(&self) -> &'a EventLoop {
            // SAFETY: the caller's promise; loops are statics.
            unsafe { &*crate::platform::opened() }
        }

        #[inline]
        pub(crate) fn is(&self, event_loop: &EventLoop) -> bool {
            core::ptr::eq(crate::platform::opened(), event_loop)
        }
    }
}
