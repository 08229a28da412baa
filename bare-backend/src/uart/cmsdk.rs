//! The UART of Arm's Cortex-M System Design Kit, as on the MPS2 boards: one byte of buffer each way, one interrupt each way.

use super::{Busy, Received, Uart};
use crate::mmio::Block;

const DATA: usize = 0x0;
const STATE: usize = 0x4;
const CTRL: usize = 0x8;
/// Read: pending interrupts; write one to clear.
const INT: usize = 0xC;
const BAUDDIV: usize = 0x10;

const STATE_TX_FULL: u32 = 1 << 0;
const STATE_RX_FULL: u32 = 1 << 1;
const STATE_RX_OVERRUN: u32 = 1 << 3;

const CTRL_TX_ENABLE: u32 = 1 << 0;
const CTRL_RX_ENABLE: u32 = 1 << 1;
const CTRL_TX_INTERRUPT: u32 = 1 << 2;
const CTRL_RX_INTERRUPT: u32 = 1 << 3;

/// The UART at `BASE`.
pub struct CmsdkUart<const BASE: usize> {
    registers: Block<BASE, 0x14>,
}

impl<const BASE: usize> CmsdkUart<BASE> {
    /// The UART at `BASE`, not yet set up.
    ///
    /// # Safety
    ///
    /// A CMSDK UART is at `BASE`, and nothing else uses it.
    pub const unsafe fn new() -> Self {
        // SAFETY: DEVICE of `mmio`: the caller's contract.
        let registers = unsafe { Block::new() };
        Self { registers }
    }

    /// Switches it on: `clock` is that of the bus, `baud` the line's, both per second. Interrupts stay masked.
    pub fn enable(&self, clock: u32, baud: u32) {
        // The hardware's least divisor is 16.
        self.registers.write(BAUDDIV, clock.checked_div(baud).unwrap_or(16).max(16));
        self.registers.write(CTRL, CTRL_TX_ENABLE | CTRL_RX_ENABLE);
    }

    #[inline]
    fn set_control(&self, bits: u32) {
        self.registers.write(CTRL, self.registers.read(CTRL) | bits);
    }

    #[inline]
    fn clear_control(&self, bits: u32) {
        self.registers.write(CTRL, self.registers.read(CTRL) & !bits);
    }
}

impl<const BASE: usize> Uart for CmsdkUart<BASE> {
    #[inline]
    fn receive(&self) -> Received {
        let state = self.registers.read(STATE);
        if state & STATE_RX_FULL != 0 {
            Received::Byte(self.registers.read(DATA) as u8)
        } else if state & STATE_RX_OVERRUN != 0 {
            // The byte in the buffer stayed, the ones after it were lost: told after it.
            self.registers.write(STATE, STATE_RX_OVERRUN);
            Received::Overrun
        } else {
            Received::Empty
        }
    }

    #[inline]
    fn transmit(&self, byte: u8) -> Result<(), Busy> {
        if self.registers.read(STATE) & STATE_TX_FULL != 0 {
            return Err(Busy);
        }
        self.registers.write(DATA, u32::from(byte));
        Ok(())
    }

    fn unmask_receive(&self) {
        self.set_control(CTRL_RX_INTERRUPT);
    }

    fn mask_receive(&self) {
        self.clear_control(CTRL_RX_INTERRUPT);
    }

    fn unmask_transmit(&self) {
        self.set_control(CTRL_TX_INTERRUPT);
    }

    fn mask_transmit(&self) {
        self.clear_control(CTRL_TX_INTERRUPT);
    }

    #[inline]
    fn acknowledge(&self) {
        self.registers.write(INT, self.registers.read(INT));
    }
}
