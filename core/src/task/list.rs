//! Tasks in the order in which they were added: a loop's unfinished tasks, so
//! that `close` finds them.

#[cfg(feature = "alloc")]
mod heap;
#[cfg(not(feature = "alloc"))]
mod statics;

#[cfg(feature = "alloc")]
pub(crate) use heap::{Links, TaskList};
#[cfg(not(feature = "alloc"))]
pub(crate) use statics::{Links, TaskList};
