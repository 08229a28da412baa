//! The platform-level interrupt controller: which device interrupts reach hart 0, and which one is it.
//!
//! A handler of the machine-external interrupt claims a source, serves it, and completes it:
//!
//! ```text
//!   while let Some(source) = PLIC.claim() { serve(source); PLIC.complete(source); }
//! ```

use core::num::NonZeroU32;

use crate::mmio::Block;

const PRIORITY: usize = 0x0;
/// Enable bits of context 0: hart 0, machine mode.
const ENABLE: usize = 0x2000;
const THRESHOLD: usize = 0x20_0000;
const CLAIM: usize = 0x20_0004;

/// The number of an interrupt source; 0 is none.
pub type Source = NonZeroU32;

/// The PLIC at `BASE`, for machine mode of hart 0. It keeps no state in memory.
pub struct Plic<const BASE: usize> {
    registers: Block<BASE, 0x20_1000>,
}

impl<const BASE: usize> Plic<BASE> {
    /// The controller at `BASE`.
    ///
    /// # Safety
    ///
    /// A PLIC is at `BASE`, its context 0 is machine mode of hart 0, and nothing else sets up that context.
    pub const unsafe fn new() -> Self {
        // SAFETY: DEVICE of `mmio`: the caller's contract.
        let registers = unsafe { Block::new() };
        Self { registers }
    }

    /// Lets `source` (below 1024) through, and machine-external interrupts as such (`mie.MEIE`).
    pub fn enable(&self, source: Source) {
        let source = source.get() as usize & 1023;
        let word = ENABLE + source / 32 * 4;
        critical_section::with(|_| {
            self.registers.write(PRIORITY + source * 4, 1);
            self.registers.write(THRESHOLD, 0);
            self.registers.write(word, self.registers.read(word) | 1 << (source % 32));
        });
        // SAFETY: the machine-external interrupt protects no critical section.
        unsafe { riscv::register::mie::set_mext() };
    }

    /// Takes the pending source of highest priority, if there is one.
    #[inline]
    pub fn claim(&self) -> Option<Source> {
        Source::new(self.registers.read(CLAIM))
    }

    /// Tells that `source`, claimed before, has been served.
    #[inline]
    pub fn complete(&self, source: Source) {
        self.registers.write(CLAIM, source.get());
    }
}
