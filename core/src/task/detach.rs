//! Letting a task go on without a handle, but not letting it fail unnoticed.

use super::Task;
use crate::error::ScheduleError;
#[cfg(feature = "threads")]
use crate::error::TaskError;
use crate::schedule::{ExceptionContext, current};
use alloc::rc::Rc;
use core::cell::Cell;
use core::fmt;

impl<T: 'static, E: fmt::Display + 'static> Task<Result<T, E>> {
    /// Lets the task go on without a handle; if it ends with an error, the
    /// loop's exception handler is told. (A panic is reported in any case.)
    ///
    /// asyncio reports every exception of a task that nobody retrieved; here a
    /// task's result is any type, so code that drops the handle says which it wants.
    ///
    /// # Errors
    ///
    /// The handle, when the loop is closed.
    pub fn detach_reporting(self) -> Result<(), Self> {
        let kept = Rc::new(Cell::new(None));
        let ended = kept.clone();
        let report = move || {
            let result = ended.take().and_then(|mut task: Self| task.take_result());
            let error: &dyn fmt::Display = match &result {
                Some(Ok(Err(error))) => error,
                #[cfg(feature = "threads")]
                Some(Err(error @ TaskError::Panicked(_))) => error,
                _ => return,
            };
            if let Some(event_loop) = current() {
                event_loop.call_exception_handler(&ExceptionContext::new(
                    "the exception of a task was never retrieved",
                    Some(error),
                ));
            }
        };
        match self.add_done_callback(report).map_err(ScheduleError::into_inner) {
            Ok(_) => {
                // The callback holds the handle, and goes when the task has ended.
                kept.set(Some(self));
                Ok(())
            }
            Err(_) => Err(self),
        }
    }
}
