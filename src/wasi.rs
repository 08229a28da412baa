//! The face in WASI modules.

pub use molen_core::RunError as Error;
pub use molen_wasi::{event_loop, reactor, run};
