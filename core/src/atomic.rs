//! Atomic operations that every target has.
//!
//! Where the target can compare and swap, these are the plain instructions.
//! Where it cannot (thumbv6m, RISC-V without the A extension) the same names
//! go through `critical-section`, whose implementation the application picks.
//! This is the only file that knows the difference.
//!
//! Without `threads`, what is shared is shared between code and the interrupts
//! of one core, which see each other's accesses in program order: only the
//! compiler must be kept from reordering, and no barrier instruction is needed.

#[cfg(all(feature = "threads", not(loom)))]
pub(crate) use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering};
#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering};

/// Under loom, two threads that take their turns at one time fail the test.
#[cfg(loom)]
pub(crate) use loom::cell::UnsafeCell as TurnCell;
#[cfg(all(feature = "threads", not(loom)))]
pub(crate) use turn_cell::TurnCell;

#[cfg(all(feature = "threads", not(loom)))]
mod turn_cell {
    use core::cell::UnsafeCell;

    /// What several threads use in turns; something else says whose turn it is.
    pub(crate) struct TurnCell<T>(UnsafeCell<T>);

    impl<T> TurnCell<T> {
        pub(crate) const fn new(value: T) -> TurnCell<T> {
            TurnCell(UnsafeCell::new(value))
        }

        /// For looking: others may look at the same time.
        #[inline(always)]
        pub(crate) fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
            f(self.0.get())
        }

        /// For changing: nobody else may look.
        #[inline(always)]
        pub(crate) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
            f(self.0.get())
        }

        pub(crate) fn into_inner(self) -> T {
            self.0.into_inner()
        }
    }
}

#[cfg(not(feature = "threads"))]
pub(crate) use core::sync::atomic::{AtomicBool, Ordering};
#[cfg(all(feature = "alloc", not(feature = "threads")))]
pub(crate) use core::sync::atomic::{AtomicPtr, AtomicUsize};

#[cfg(not(feature = "threads"))]
pub(crate) use shared_with_interrupts::*;

/// The same operations where threads share.
#[cfg(feature = "threads")]
pub(crate) mod between_threads {
    use super::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
    use core::ptr::null_mut;

    /// Sets `flag` and tells whether it was set before. Acquires and releases.
    #[inline]
    pub(crate) fn test_and_set(flag: &AtomicBool) -> bool {
        flag.swap(true, Ordering::AcqRel)
    }

    /// Clears `flag`. What was done before anybody set it is seen from here on,
    /// also if it was set already.
    #[inline]
    pub(crate) fn clear(flag: &AtomicBool) {
        flag.swap(false, Ordering::AcqRel);
    }

    /// Puts `item` at the head of a stack; `link` stores the old head in
    /// `item`. Returns whether the stack was empty.
    #[inline]
    pub(crate) fn push_head<T>(head: &AtomicPtr<T>, item: *mut T, link: impl Fn(*mut T)) -> bool {
        let mut seen = head.load(Ordering::Relaxed);
        loop {
            link(seen);
            match head.compare_exchange_weak(seen, item, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return seen.is_null(),
                Err(now) => seen = now,
            }
        }
    }

    /// Takes a whole stack, leaving it empty.
    #[inline]
    pub(crate) fn take_head<T>(head: &AtomicPtr<T>) -> *mut T {
        if head.load(Ordering::Relaxed).is_null() {
            return null_mut();
        }
        head.swap(null_mut(), Ordering::Acquire)
    }

    /// Adds `n` and returns the value before.
    #[inline]
    pub(crate) fn add(counter: &AtomicUsize, n: usize) -> usize {
        counter.fetch_add(n, Ordering::Relaxed)
    }

    /// Subtracts `n` and returns the value before. Who gets to zero sees what
    /// all others did.
    #[inline]
    pub(crate) fn sub(counter: &AtomicUsize, n: usize) -> usize {
        counter.fetch_sub(n, Ordering::AcqRel)
    }
}

#[cfg(not(feature = "threads"))]
mod shared_with_interrupts {
    use core::ptr::null_mut;
    use core::sync::atomic::{AtomicBool, AtomicPtr, Ordering, compiler_fence};

    /// Sets `flag` and tells whether it was set before. Acquires and releases.
    #[inline]
    pub(crate) fn test_and_set(flag: &AtomicBool) -> bool {
        compiler_fence(Ordering::SeqCst);
        #[cfg(target_has_atomic = "8")]
        {
            let before = flag.swap(true, Ordering::Relaxed);
            compiler_fence(Ordering::SeqCst);
            before
        }
        #[cfg(not(target_has_atomic = "8"))]
        critical_section::with(|_| {
            let before = flag.load(Ordering::Relaxed);
            flag.store(true, Ordering::Relaxed);
            before
        })
    }

    /// Clears `flag`.
    #[cfg(feature = "alloc")]
    #[inline]
    pub(crate) fn clear(flag: &AtomicBool) {
        flag.store(false, Ordering::Relaxed);
        // What was done before it was last set is seen from here on.
        compiler_fence(Ordering::SeqCst);
    }

    /// Puts `item` at the head of a stack; `link` stores the old head in
    /// `item`. Returns whether the stack was empty.
    ///
    /// Between the two steps the stack is cut off below `item`. Nobody who
    /// takes from it can see that: only the code that interrupts interrupt
    /// does, and they run to their end before it goes on.
    #[inline]
    pub(crate) fn push_head<T>(
        head: &AtomicPtr<T>,
        item: *mut T,
        link: impl FnOnce(*mut T),
    ) -> bool {
        #[cfg(target_has_atomic = "ptr")]
        {
            compiler_fence(Ordering::SeqCst);
            let before = head.swap(item, Ordering::Relaxed);
            link(before);
            compiler_fence(Ordering::SeqCst);
            before.is_null()
        }
        #[cfg(not(target_has_atomic = "ptr"))]
        critical_section::with(|_| {
            let before = head.load(Ordering::Relaxed);
            link(before);
            head.store(item, Ordering::Relaxed);
            before.is_null()
        })
    }

    /// Takes a whole stack, leaving it empty.
    #[inline]
    pub(crate) fn take_head<T>(head: &AtomicPtr<T>) -> *mut T {
        #[cfg(target_has_atomic = "ptr")]
        {
            let all = head.swap(null_mut(), Ordering::Relaxed);
            compiler_fence(Ordering::SeqCst);
            all
        }
        #[cfg(not(target_has_atomic = "ptr"))]
        critical_section::with(|_| {
            let all = head.load(Ordering::Relaxed);
            head.store(null_mut(), Ordering::Relaxed);
            all
        })
    }

    /// Adds `n` and returns the value before.
    #[cfg(any(feature = "alloc", feature = "trace"))]
    #[inline]
    pub(crate) fn add(counter: &core::sync::atomic::AtomicUsize, n: usize) -> usize {
        #[cfg(target_has_atomic = "ptr")]
        return counter.fetch_add(n, Ordering::Relaxed);
        #[cfg(not(target_has_atomic = "ptr"))]
        critical_section::with(|_| {
            let before = counter.load(Ordering::Relaxed);
            counter.store(before.wrapping_add(n), Ordering::Relaxed);
            before
        })
    }

    /// Subtracts `n` and returns the value before.
    #[cfg(feature = "alloc")]
    #[inline]
    pub(crate) fn sub(counter: &core::sync::atomic::AtomicUsize, n: usize) -> usize {
        #[cfg(target_has_atomic = "ptr")]
        return counter.fetch_sub(n, Ordering::Relaxed);
        #[cfg(not(target_has_atomic = "ptr"))]
        add(counter, n.wrapping_neg())
    }
}
