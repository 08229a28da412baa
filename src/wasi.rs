//! The face in WASI modules.

pub use molen_core::RunError as Error;
pub use molen_wasi::{Module, event_loop, new_event_loop, reactor, run, run_with_loop_factory};

/// Runs futures on the module's loop, one after the other: see
/// [`crate::runner`].
///
/// asyncio: `asyncio.Runner`.
pub type Runner = molen_core::runner::Runner<Module>;
