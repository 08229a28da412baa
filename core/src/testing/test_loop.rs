//! Loops and statics for tests, in both ways of building the core.

use super::backend::TestBackend;
use crate::error::RunError;
use crate::schedule::{EventLoop, ExceptionHandler, HandlerBox, LoopRef};
use core::fmt;
use core::ops::Deref;

/// A loop for one test. It is closed when this is dropped, whatever the test
/// left in it.
pub struct TestLoop(LoopRef);

impl Deref for TestLoop {
    type Target = LoopRef;

    fn deref(&self) -> &LoopRef {
        &self.0
    }
}

impl Drop for TestLoop {
    fn drop(&mut self) {
        // Refused only while it runs, and then somebody else will close it.
        let _ = self.0.close();
    }
}

impl fmt::Debug for TestLoop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TestLoop {
    /// What [`test_loop!`](crate::test_loop) calls.
    #[doc(hidden)]
    #[cfg(feature = "threads")]
    pub fn new(backend: &'static TestBackend) -> Result<TestLoop, RunError> {
        Ok(TestLoop(LoopRef::new(alloc::rc::Rc::new(backend))))
    }

    /// What [`test_loop!`](crate::test_loop) calls.
    #[doc(hidden)]
    #[cfg(not(feature = "threads"))]
    pub fn start(
        event_loop: &'static EventLoop,
        backend: &'static TestBackend,
    ) -> Result<TestLoop, RunError> {
        event_loop.start(backend).map(TestLoop)
    }
}

/// A new loop on a `&'static` [`TestBackend`], as a
/// `Result<`[`TestLoop`]`, RunError>`.
///
/// Where loops are statics, each place in the source has one loop, so the
/// second time that a place is reached it is [`RunError::Closed`].
#[cfg(feature = "threads")]
#[macro_export]
macro_rules! test_loop {
    ($backend:expr) => {
        $crate::testing::TestLoop::new($backend)
    };
}

/// A new loop on a `&'static` [`TestBackend`], as a
/// `Result<`[`TestLoop`]`, RunError>`.
///
/// Where loops are statics, each place in the source has one loop, so the
/// second time that a place is reached it is [`RunError::Closed`].
#[cfg(not(feature = "threads"))]
#[macro_export]
macro_rules! test_loop {
    ($backend:expr) => {{
        static LOOP: $crate::EventLoop = $crate::EventLoop::new();
        $crate::testing::TestLoop::start(&LOOP, $backend)
    }};
}

/// A `&'static` to a value: `static_ref!(Promise<u8> = Promise::new())`.
///
/// With threads there is a heap, and each evaluation leaks a new value. Without, each
/// place in the source has one value, made when the program is built, for as long as it runs.
#[cfg(feature = "threads")]
#[macro_export]
macro_rules! static_ref {
    ($type:ty = $value:expr) => {{
        let value: &'static $type = $crate::testing::leak($value);
        value
    }};
}

/// A `&'static` to a value: `static_ref!(Promise<u8> = Promise::new())`.
///
/// With threads there is a heap, and each evaluation leaks a new value. Without, each
/// place in the source has one value, made when the program is built, for as long as it runs.
#[cfg(not(feature = "threads"))]
#[macro_export]
macro_rules! static_ref {
    ($type:ty = $value:expr) => {{
        // SAFETY: it is named in this block alone, which interrupts do not run.
        static VALUE: $crate::OneThread<$type> = unsafe { $crate::OneThread::new($value) };
        let value: &'static $type = &VALUE;
        value
    }};
}

/// What [`static_ref!`](crate::static_ref) calls.
#[doc(hidden)]
#[cfg(feature = "threads")]
pub fn leak<T>(value: T) -> &'static T {
    alloc::boxed::Box::leak(alloc::boxed::Box::new(value))
}

/// `handler` as loops keep their exception handlers, with `alloc` or without.
pub fn handler(handler: &'static ExceptionHandler) -> HandlerBox {
    #[cfg(feature = "alloc")]
    return alloc::rc::Rc::new(move |event_loop: &EventLoop, context: &_| {
        handler(event_loop, context)
    });
    #[cfg(not(feature = "alloc"))]
    handler
}
