//! Cortex-M: the clock and alarm that every such core has, and sleeping.

pub mod idle;
pub mod systick;
pub mod tick;
