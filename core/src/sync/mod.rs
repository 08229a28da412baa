//! What tasks wait for in one another.
//!
//! | file | concept |
//! |---|---|
//! | `wait_list` | those who wait for one thing, in order of arrival |
//! | `line` | those who wait for one of many things, and keep their place |
//! | [`queue`] | queues in three orders, in place or on the heap |
//! | [`oneshot`] | one value, once |
//! | `guarded` | what interrupts and other threads use as well |
//! | `signal` | the latest value, from an interrupt or another thread |
//! | `channel` | values in order, from interrupts and other threads |

pub mod channel;
pub(crate) mod guarded;
mod line;
pub mod oneshot;
pub mod queue;
pub mod signal;
pub(crate) mod wait_list;

pub use channel::Channel;
#[cfg(feature = "alloc")]
pub use queue::{GrowingLifoQueue, GrowingPriorityQueue, GrowingQueue};
pub use queue::{LifoQueue, PriorityQueue, Queue};
pub use signal::Signal;
