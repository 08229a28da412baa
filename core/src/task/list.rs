//! The tasks of one loop, so that `close` finds those that are not done.

#[cfg(feature = "alloc")]
mod heap;
#[cfg(not(feature = "alloc"))]
mod statics;

#[cfg(feature = "alloc")]
pub(crate) use heap::{Links, TaskList};
#[cfg(not(feature = "alloc"))]
pub(crate) use statics::{Links, TaskList};
