//! A value that interrupts and other threads use as well, one at a time.
//!
//! | platform | what keeps the others out |
//! |---|---|
//! | one core and its interrupts | a critical section, which the program provides |
//! | threads (feature `threads`) | a flag: who comes meanwhile spins |
//! | WebAssembly without threads | nothing: nobody else runs |
//!
//! Why a flag that spins, and no queue without locks: a value is held for a
//! few moves of memory, so that the one atomic exchange is all that it costs
//! when nobody else is there, which is less than the two that a lock-free
//! queue with a stored waker needs. A thread that is preempted just then keeps
//! the others spinning for its time slice, and a thread of real-time priority
//! must not meet one of lower priority here. A Unix signal handler must not
//! use it at all: `add_signal_handler` runs handlers in the loop.
//!
//! # Invariants
//!
//! * **No Calls Out**: what runs while a value is held only moves memory. It
//!   calls no waker and no destructor, clones nothing, cannot panic, and does
//!   not come back here.

#[cfg(loom)]
use loom::cell::UnsafeCell;

#[cfg(not(loom))]
struct UnsafeCell<T>(core::cell::UnsafeCell<T>);

/// The face of loom's cell, which checks that accesses do not overlap.
#[cfg(not(loom))]
impl<T> UnsafeCell<T> {
    const fn new(value: T) -> UnsafeCell<T> {
        UnsafeCell(core::cell::UnsafeCell::new(value))
    }

    #[inline(always)]
    fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.0.get())
    }
}

/// A value for one at a time.
pub(crate) struct Guarded<T> {
    #[cfg(feature = "threads")]
    held: crate::atomic::AtomicBool,
    value: UnsafeCell<T>,
}

// SAFETY: `with` lets one in at a time.
unsafe impl<T: Send> Sync for Guarded<T> {}

/// `const fn`, but under loom, whose types are made at run time.
#[cfg(not(loom))]
macro_rules! const_fn {
    ($(#[$doc:meta])* $visibility:vis fn $name:ident($($argument:ident: $type:ty),*) -> $result:ty $body:block) => {
        $(#[$doc])*
        $visibility const fn $name($($argument: $type),*) -> $result $body
    };
}
#[cfg(loom)]
macro_rules! const_fn {
    ($($function:tt)*) => {
        $($function)*
    };
}
pub(crate) use const_fn;

impl<T> Guarded<T> {
    const_fn! {
        pub(crate) fn new(value: T) -> Guarded<T> {
            Guarded {
                #[cfg(feature = "threads")]
                held: crate::atomic::AtomicBool::new(false),
                value: UnsafeCell::new(value),
            }
        }
    }

    /// Runs `f`, which keeps to *No Calls Out*, while nobody else is in.
    #[cfg(feature = "threads")]
    #[inline]
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        use crate::atomic::Ordering;
        // Not a swap: one that fails would be a store, and loom would follow each for ever.
        while self.held.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_err()
        {
            self.wait_until_free();
        }
        // SAFETY: the flag was clear, so nobody else is in.
        let result = self.value.with_mut(|value| f(unsafe { &mut *value }));
        self.held.store(false, Ordering::Release);
        result
    }

    #[cfg(all(feature = "threads", not(loom)))]
    #[cold]
    fn wait_until_free(&self) {
        while self.held.load(crate::atomic::Ordering::Relaxed) {
            core::hint::spin_loop();
        }
    }

    #[cfg(all(feature = "threads", loom))]
    fn wait_until_free(&self) {
        loom::thread::yield_now();
    }

    /// Runs `f`, which keeps to *No Calls Out*, while nobody else is in.
    #[cfg(all(not(feature = "threads"), not(target_family = "wasm")))]
    #[inline]
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: nobody else runs in a critical section.
        critical_section::with(|_| self.value.with_mut(|value| f(unsafe { &mut *value })))
    }

    /// Runs `f`, which keeps to *No Calls Out*.
    #[cfg(all(not(feature = "threads"), target_family = "wasm"))]
    #[inline]
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: there is one thread without interrupts, and `f` does not come back here.
        self.value.with_mut(|value| f(unsafe { &mut *value }))
    }
}

/// How full something guarded is, to be looked at without entering: whoever
/// tries again and again does not keep the others out. It may be out of date.
/// Where nobody runs at the same time there is nothing to look at.
pub(crate) struct Level {
    #[cfg(feature = "threads")]
    count: crate::atomic::AtomicUsize,
}

impl Level {
    const_fn! {
        pub(crate) fn new() -> Level {
            Level {
                #[cfg(feature = "threads")]
                count: crate::atomic::AtomicUsize::new(0),
            }
        }
    }

    /// Notes that it is at `count`. For who has entered.
    #[inline(always)]
    pub(crate) fn set(&self, count: usize) {
        #[cfg(feature = "threads")]
        self.count.store(count, crate::atomic::Ordering::Relaxed);
        #[cfg(not(feature = "threads"))]
        let _ = count;
    }

    /// Whether it was at `count` just now; false if that is not known.
    #[inline(always)]
    pub(crate) fn is(&self, count: usize) -> bool {
        #[cfg(feature = "threads")]
        return self.count.load(crate::atomic::Ordering::Relaxed) == count;
        #[cfg(not(feature = "threads"))]
        return count == usize::MAX;
    }
}
