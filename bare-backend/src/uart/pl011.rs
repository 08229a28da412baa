//! Arm's PL011 and its relatives, as on the Stellaris LM3S: FIFOs of 16 bytes, one interrupt for all.

use super::{Busy, Received, Uart};
use crate::mmio::Block;

const DATA: usize = 0x00;
/// Read: receive errors; any write clears them.
const ERRORS: usize = 0x04;
const FLAGS: usize = 0x18;
const IBRD: usize = 0x24;
const FBRD: usize = 0x28;
const LINE: usize = 0x2C;
const CTRL: usize = 0x30;
/// Interrupts that are let through.
const MASK: usize = 0x38;
const INTERRUPT_CLEAR: usize = 0x44;

const ERRORS_OVERRUN: u32 = 1 << 3;
const FLAGS_RX_EMPTY: u32 = 1 << 4;
const FLAGS_TX_FULL: u32 = 1 << 5;
const LINE_FIFO: u32 = 1 << 4;
const LINE_EIGHT_BITS: u32 = 3 << 5;
const CTRL_UART: u32 = 1 << 0;
const CTRL_TX: u32 = 1 << 8;
const CTRL_RX: u32 = 1 << 9;
const INT_RX: u32 = 1 << 4;
const INT_TX: u32 = 1 << 5;
/// Bytes that came but did not reach the FIFO's trigger level, and then nothing for 32 bit times.
const INT_RX_TIMEOUT: u32 = 1 << 6;
const INT_OVERRUN: u32 = 1 << 10;

/// The UART at `BASE`.
pub struct Pl011<const BASE: usize> {
    registers: Block<BASE, 0x48>,
}

impl<const BASE: usize> Pl011<BASE> {
    /// The UART at `BASE`, not yet set up.
    ///
    /// # Safety
    ///
    /// A PL011 that has its clock is at `BASE`, and nothing else uses it.
    pub const unsafe fn new() -> Self {
        // SAFETY: DEVICE of `mmio`: the caller's contract.
        let registers = unsafe { Block::new() };
        Self { registers }
    }

    /// Switches it on, eight bits, no parity: `clock` is the UART's, `baud` the line's (up to 2 MBd), both per second.
    /// Interrupts stay masked.
    pub fn enable(&self, clock: u32, baud: u32) {
        // Divisor in 64ths: clock / (16 × baud) × 64.
        let divisor = clock.saturating_mul(4).checked_div(baud).unwrap_or(64).max(64);
        self.registers.write(CTRL, 0);
        self.registers.write(IBRD, divisor / 64);
        self.registers.write(FBRD, divisor % 64);
        self.registers.write(LINE, LINE_EIGHT_BITS | LINE_FIFO);
        self.registers.write(CTRL, CTRL_UART | CTRL_TX | CTRL_RX);
    }

    #[inline]
    fn set_mask(&self, bits: u32) {
        self.registers.write(MASK, self.registers.read(MASK) | bits);
    }

    #[inline]
    fn clear_mask(&self, bits: u32) {
        self.registers.write(MASK, self.registers.read(MASK) & !bits);
    }
}

impl<const BASE: usize> Uart for Pl011<BASE> {
    #[inline]
    fn receive(&self) -> Received {
        if self.registers.read(FLAGS) & FLAGS_RX_EMPTY == 0 {
            Received::Byte(self.registers.read(DATA) as u8)
        } else if self.registers.read(ERRORS) & ERRORS_OVERRUN != 0 {
            // The FIFO kept its bytes, what came after them was lost: told after them.
            self.registers.write(ERRORS, 0);
            Received::Overrun
        } else {
            Received::Empty
        }
    }

    #[inline]
    fn transmit(&self, byte: u8) -> Result<(), Busy> {
        if self.registers.read(FLAGS) & FLAGS_TX_FULL != 0 {
            return Err(Busy);
        }
        self.registers.write(DATA, u32::from(byte));
        Ok(())
    }

    fn unmask_receive(&self) {
        self.set_mask(INT_RX | INT_RX_TIMEOUT | INT_OVERRUN);
    }

    fn mask_receive(&self) {
        self.clear_mask(INT_RX | INT_RX_TIMEOUT | INT_OVERRUN);
    }

    fn unmask_transmit(&self) {
        self.set_mask(INT_TX);
    }

    fn mask_transmit(&self) {
        self.clear_mask(INT_TX);
    }

    #[inline]
    fn acknowledge(&self) {
        self.registers.write(INTERRUPT_CLEAR, INT_RX | INT_TX | INT_RX_TIMEOUT | INT_OVERRUN);
    }
}
