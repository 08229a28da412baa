//! Statics of programs with one thread of control.
//!
//! Locks, events, queues and promises are for the tasks of one loop, so they
//! are not `Sync`, and a `static` must be. Where there are no threads, this says that
//! nobody else is there.

use core::ops::Deref;

/// A value in a `static`, for the loop's code alone.
///
/// ```ignore
/// // SAFETY: no interrupt handler of this program uses it.
/// static ORDERS: OneThread<Queue<Order, 8>> = unsafe { OneThread::new(Queue::new()) };
/// ```
///
/// Only on platforms without threads (microcontrollers and WASI modules).
/// What interrupt handlers give to tasks goes through
/// [`Signal`](crate::sync::Signal) or [`Channel`](crate::sync::Channel), which are `Sync`.
#[derive(Debug)]
pub struct OneThread<T>(T);

// SAFETY: there is one thread of control (the feature `threads` is off), and
// who makes one promises that interrupts stay away.
unsafe impl<T> Sync for OneThread<T> {}

impl<T> OneThread<T> {
    /// Holds `value`.
    ///
    /// # Safety
    ///
    /// No interrupt handler uses it: it would do so while the loop's code does.
    pub const unsafe fn new(value: T) -> OneThread<T> {
        OneThread(value)
    }
}

impl<T> Deref for OneThread<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
