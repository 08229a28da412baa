//! Molen on microcontrollers: what the event loop needs from a chip, and nothing else.
//!
//! A loop on bare metal needs few things, and each is a file here:
//!
//! | need | portable half | chip half |
//! |---|---|---|
//! | what time is it, wake me at *t* | [`rate`], [`alarm`] | `cortex_m::systick`, `riscv::clint` |
//! | sleep until an interrupt, without losing one | – | `cortex_m::idle`, `riscv::idle` |
//! | bytes in, bytes out | [`ring`], [`serial`] | [`uart`] |
//! | an interrupt makes a task ready | [`wake_slot`] | – |
//! | all of it as the core's backend | `board` | – |
//! | what the loop does, by `defmt` (feature `defmt`) | `trace` | – |
//!
//! Nothing here decides what runs next: an interrupt handler moves bytes or time, fires a
//! [`Waker`](core::task::Waker), and the core does the rest.
//!
//! # How an interrupt reaches a task
//!
//! ```text
//!   hardware ──irq──▶ handler of the program ──▶ Serial::on_interrupt ──▶ WakeSlot::wake ──▶ the core's queue
//!                                                  (bytes ⇄ rings)         (outside of any lock)      │
//!   thread:  loop { run what is ready; arm(next deadline); idle: mask ─ "still empty?" ─ WFI ─ unmask }
//! ```
//!
//! The last test for emptiness happens with interrupts masked, and WFI ends on an interrupt that is
//! *pending* even if it is masked. So there is no moment at which a wake-up can get lost.
//!
//! # What the program chooses
//!
//! This library enables no critical-section implementation: the program does (`cortex-m` with
//! `critical-section-single-core`, `riscv` with `critical-section-single-hart`, or the one of its HAL).
//! Interrupt vectors belong to the program too; each driver has an `on_interrupt` to call from them.
//! All statics are zero at start, so `.data` stays empty.
#![no_std]

#[cfg(test)]
extern crate std;

pub mod alarm;
#[cfg(all(any(target_arch = "arm", target_arch = "riscv32"), target_os = "none"))]
pub mod board;
#[cfg(all(target_arch = "arm", target_os = "none"))]
pub mod cortex_m;
mod mmio;
pub mod rate;
pub mod ring;
#[cfg(all(target_arch = "riscv32", target_os = "none"))]
pub mod riscv;
pub mod serial;
#[cfg(feature = "defmt")]
pub mod trace;
pub mod uart;
pub mod wake_slot;
