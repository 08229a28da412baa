//! QEMU's RISC-V machine `virt`: CLINT at 10 MHz, PLIC, a 16550.

use molen::backend::board::Board;
use molen::backend::riscv::clint::Clint;
use molen::backend::riscv::plic::{Plic, Source};
use molen::backend::serial::Serial;
use molen::backend::uart::ns16550::Ns16550;

/// The clock that the UART divides.
const UART_HZ: u32 = 3_686_400;
const UART_IRQ: Option<Source> = Source::new(10);

/// The loop's backend.
// SAFETY: the machine's CLINT is here, and only this static uses it.
pub static BOARD: Board<Clint<0x0200_0000, 10_000_000>> = Board::new(unsafe { Clint::new() });

/// The interrupt controller.
// SAFETY: the machine's PLIC is here, and only this static uses it.
pub static PLIC: Plic<0x0C00_0000> = unsafe { Plic::new() };

/// The UART.
// SAFETY: the machine's UART is here, and only this static uses it.
pub static SERIAL: Serial<Ns16550<0x1000_0000>, 64, 64> = Serial::new(unsafe { Ns16550::new() });

/// Starts the clock and lets interrupts through. Once, at the beginning of the program.
pub fn start() {
    BOARD.clock().start();
    // SAFETY: no critical section is open at the beginning of the program.
    unsafe { riscv::interrupt::enable() };
}

/// Starts the UART.
pub fn start_serial() {
    SERIAL.uart().enable(UART_HZ, 115_200);
    SERIAL.start();
    if let Some(source) = UART_IRQ {
        PLIC.enable(source);
    }
}

#[riscv_rt::core_interrupt(riscv::interrupt::Interrupt::MachineTimer)]
fn timer_interrupt() {
    BOARD.clock().on_interrupt();
}
