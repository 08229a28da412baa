//! The 16550, with registers of one byte one after the other, as on QEMU's RISC-V `virt`: FIFOs of 16 bytes, one interrupt for all.

use core::sync::atomic::{AtomicBool, Ordering};

use super::{Busy, Received, Uart};
use crate::mmio::Block;

/// Received byte on reading, byte to send on writing; divisor's lower byte while DLAB is set.
const DATA: usize = 0;
/// Interrupts that are let through; divisor's upper byte while DLAB is set.
const INTERRUPTS: usize = 1;
/// FIFO control on writing.
const FIFO: usize = 2;
const LINE_CONTROL: usize = 3;
const MODEM_CONTROL: usize = 4;
const LINE_STATUS: usize = 5;

const INT_RX: u8 = 1 << 0;
const INT_TX: u8 = 1 << 1;
/// Line status: overruns among others.
const INT_LINE: u8 = 1 << 2;
const FIFO_ENABLE_AND_CLEAR: u8 = 0b111;
const LINE_EIGHT_BITS: u8 = 0b11;
const LINE_DLAB: u8 = 1 << 7;
/// DTR, RTS, and OUT2, which gates the interrupt on many boards.
const MODEM_READY: u8 = 0b1011;
const STATUS_DATA: u8 = 1 << 0;
const STATUS_OVERRUN: u8 = 1 << 1;
const STATUS_TX_EMPTY: u8 = 1 << 5;

/// The UART at `BASE`.
pub struct Ns16550<const BASE: usize> {
    registers: Block<BASE, 8>,
    /// Reading the line status clears its overrun bit; what the transmitting side saw of it is kept here.
    overrun: AtomicBool,
}

impl<const BASE: usize> Ns16550<BASE> {
    /// The UART at `BASE`, not yet set up.
    ///
    /// # Safety
    ///
    /// A 16550 with a register stride of one byte is at `BASE`, and nothing else uses it.
    pub const unsafe fn new() -> Self {
        // SAFETY: DEVICE of `mmio`: the caller's contract.
        let registers = unsafe { Block::new() };
        Self { registers, overrun: AtomicBool::new(false) }
    }

    /// Switches it on, eight bits, no parity: `clock` is the UART's, `baud` the line's, both per second.
    /// Interrupts stay masked.
    pub fn enable(&self, clock: u32, baud: u32) {
        let divisor =
            clock.checked_div(baud.saturating_mul(16)).unwrap_or(1).clamp(1, 0xFFFF) as u16;
        let [upper, lower] = divisor.to_be_bytes();
        self.registers.write_byte(INTERRUPTS, 0);
        self.registers.write_byte(LINE_CONTROL, LINE_DLAB | LINE_EIGHT_BITS);
        self.registers.write_byte(DATA, lower);
        self.registers.write_byte(INTERRUPTS, upper);
        self.registers.write_byte(LINE_CONTROL, LINE_EIGHT_BITS);
        self.registers.write_byte(FIFO, FIFO_ENABLE_AND_CLEAR);
        self.registers.write_byte(MODEM_CONTROL, MODEM_READY);
    }

    #[inline]
    fn set_interrupts(&self, bits: u8) {
        self.registers.write_byte(INTERRUPTS, self.registers.read_byte(INTERRUPTS) | bits);
    }

    #[inline]
    fn clear_interrupts(&self, bits: u8) {
        self.registers.write_byte(INTERRUPTS, self.registers.read_byte(INTERRUPTS) & !bits);
    }
}

impl<const BASE: usize> Uart for Ns16550<BASE> {
    #[inline]
    fn receive(&self) -> Received {
        let status = self.registers.read_byte(LINE_STATUS);
        if status & STATUS_OVERRUN != 0 || self.overrun.load(Ordering::Relaxed) {
            // This read has cleared the bit, so it is told now, before the up to 16 bytes that the FIFO kept.
            self.overrun.store(false, Ordering::Relaxed);
            Received::Overrun
        } else if status & STATUS_DATA != 0 {
            Received::Byte(self.registers.read_byte(DATA))
        } else {
            Received::Empty
        }
    }

    #[inline]
    fn transmit(&self, byte: u8) -> Result<(), Busy> {
        let status = self.registers.read_byte(LINE_STATUS);
        if status & STATUS_OVERRUN != 0 {
            self.overrun.store(true, Ordering::Relaxed);
        }
        if status & STATUS_TX_EMPTY == 0 {
            return Err(Busy);
        }
        self.registers.write_byte(DATA, byte);
        Ok(())
    }

    fn unmask_receive(&self) {
        self.set_interrupts(INT_RX | INT_LINE);
    }

    fn mask_receive(&self) {
        self.clear_interrupts(INT_RX | INT_LINE);
    }

    fn unmask_transmit(&self) {
        self.set_interrupts(INT_TX);
    }

    fn mask_transmit(&self) {
        self.clear_interrupts(INT_TX);
    }

    /// Interrupts are levels here: serving them is enough.
    #[inline]
    fn acknowledge(&self) {}
}
