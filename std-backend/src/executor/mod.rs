//! Executors: threads that run functions for a loop.
//!
//! | file | concept |
//! |---|---|
//! | `thread_pool` | [`ThreadPoolExecutor`], what a loop makes when it is given none |
//! | `worker` | its queue, and what one of its threads does |

mod thread_pool;
mod worker;

pub use thread_pool::ThreadPoolExecutor;
