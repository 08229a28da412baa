//! RISC-V: the machine timer of a CLINT, the interrupts of a PLIC, and sleeping.

pub mod clint;
pub mod idle;
pub mod plic;
