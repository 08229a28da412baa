//! What the examples need to know of the board they run on: its clock and its UART.
//!
//! A board is one file of this folder that gives
//!
//! - `BOARD`, the loop's backend, and `start()`, which sets its clock going;
//! - `SERIAL`, the UART with its rings, and `start_serial()`;
//! - the interrupt handler of the clock; that of the UART comes with
//!   [`serial_interrupts!`](crate::serial_interrupts), so that a program without it does not pay for it.
//!
//! | target | board |
//! |---|---|
//! | thumbv7em-none-eabihf | mps2-an386, Cortex-M4F at 25 MHz |
//! | thumbv6m-none-eabi | lm3s6965evb (a Cortex-M3, which runs Cortex-M0 code), 12.5 MHz |
//! | riscv32imac-unknown-none-elf | QEMU's `virt`, timer at 10 MHz |
#![no_std]

#[cfg(all(target_arch = "arm", target_has_atomic = "32"))]
#[path = "board/mps2_an386.rs"]
pub mod board;
#[cfg(all(target_arch = "arm", not(target_has_atomic = "32")))]
#[path = "board/lm3s6965evb.rs"]
pub mod board;
#[cfg(target_arch = "riscv32")]
#[path = "board/virt.rs"]
pub mod board;

/// Marks the program's entry.
#[cfg(target_arch = "arm")]
pub use cortex_m_rt::entry;
#[cfg(target_arch = "riscv32")]
pub use riscv_rt::entry;

/// Defines the handler of the UART's interrupts, in the program that uses `board::SERIAL`.
///
/// A Cortex-M program without a chip's vector table gets all device interrupts in `DefaultHandler`, and the UART's are
/// the only ones that these programs let through.
#[cfg(target_arch = "arm")]
#[macro_export]
macro_rules! serial_interrupts {
    () => {
        #[cortex_m_rt::exception]
        // SAFETY: as in any interrupt handler, only things that are shared safely are used.
        unsafe fn DefaultHandler(_number: i16) {
            $crate::board::SERIAL.on_interrupt();
        }
    };
}

/// Defines the handler of the UART's interrupts, in the program that uses `board::SERIAL`.
#[cfg(target_arch = "riscv32")]
#[macro_export]
macro_rules! serial_interrupts {
    () => {
        #[riscv_rt::core_interrupt(riscv::interrupt::Interrupt::MachineExternal)]
        fn external_interrupt() {
            while let Some(source) = $crate::board::PLIC.claim() {
                $crate::board::SERIAL.on_interrupt();
                $crate::board::PLIC.complete(source);
            }
        }
    };
}
