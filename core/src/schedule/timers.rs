//! The timers of one loop: put in, taken out, and popped when they are due.
//!
//! Two forms with one face. With threads a loop is on the heap and always has
//! a [wheel](super::wheel) with all its levels. Without, it is a static of a
//! program in which every byte counts: its timers are in one sorted list,
//! which is best for a handful, until the program gives it a wheel. The
//! wheel's code is then reached through a table of functions that only
//! [`set_wheel`](super::EventLoop::set_wheel) names, so that the linker leaves
//! it out of programs that do not call that.

#[cfg(feature = "threads")]
mod always_wheel;
#[cfg(not(feature = "threads"))]
mod list_or_wheel;

#[cfg(feature = "threads")]
pub(crate) use always_wheel::Timers;
#[cfg(not(feature = "threads"))]
pub(crate) use list_or_wheel::Timers;
#[cfg(not(feature = "threads"))]
pub use list_or_wheel::WheelStore;
