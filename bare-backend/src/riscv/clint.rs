//! Clock and alarm on the machine timer of a CLINT.
//!
//! `mtime` is a 64-bit counter that never wraps in practice; the interrupt is pending for as long as
//! `mtime ≥ mtimecmp`. A 32-bit hart reads and writes them in halves:
//!
//! - `mtime`: upper, lower, upper again until both uppers agree;
//! - `mtimecmp`: upper = all ones first, so that no half-written value rings.

use molen_core::Instant;
use molen_core::io::Clock;

use crate::alarm::Alarm;
use crate::mmio::Block;
use crate::rate::Rate;

/// `mtimecmp` of hart 0.
const MTIMECMP: usize = 0x4000;
const MTIME: usize = 0xBFF8;

/// The machine timer of hart 0 in the CLINT at `BASE`, ticking at `HZ`. It keeps no state in memory.
///
/// Call [`on_interrupt`](Self::on_interrupt) from the machine-timer interrupt.
pub struct Clint<const BASE: usize, const HZ: u32> {
    registers: Block<BASE, 0xC000>,
}

impl<const BASE: usize, const HZ: u32> Clint<BASE, HZ> {
    /// The clock of the CLINT at `BASE`.
    ///
    /// # Safety
    ///
    /// A CLINT is at `BASE`, and nothing else writes its `mtime` and hart 0's `mtimecmp`.
    pub const unsafe fn new() -> Self {
        // SAFETY: DEVICE of `mmio`: the caller's contract.
        let registers = unsafe { Block::new() };
        Self { registers }
    }

    /// Silences the alarm and lets its interrupt through (`mie.MTIE`; `mstatus.MIE` stays with the program).
    ///
    /// The clock shows the time since the counter was reset.
    pub fn start(&self) {
        self.on_interrupt();
        // SAFETY: the machine-timer interrupt protects no critical section.
        unsafe { riscv::register::mie::set_mtimer() };
    }

    /// To be called from the machine-timer interrupt: stops it from asking.
    #[inline]
    pub fn on_interrupt(&self) {
        self.registers.write(MTIMECMP + 4, u32::MAX);
    }

    #[inline]
    fn ticks(&self) -> u64 {
        loop {
            let upper = self.registers.read(MTIME + 4);
            let lower = self.registers.read(MTIME);
            if self.registers.read(MTIME + 4) == upper {
                return u64::from(upper) << 32 | u64::from(lower);
            }
        }
    }
}

impl<const BASE: usize, const HZ: u32> Clock for Clint<BASE, HZ> {
    fn now(&self) -> Instant {
        Instant::from_nanos(Rate::<HZ>::ns_wide(self.ticks()))
    }
}

impl<const BASE: usize, const HZ: u32> Alarm for Clint<BASE, HZ> {
    fn program(&self, deadline: Instant) {
        let ticks = self.ticks();
        let wait = deadline.as_nanos().saturating_sub(Rate::<HZ>::ns_wide(ticks));
        // Beyond 4.29 s the alarm comes early and the loop arms again: cheaper than a 64-bit division each time.
        let wait = u32::try_from(wait).unwrap_or(u32::MAX);
        let compare = ticks.saturating_add(u64::from(Rate::<HZ>::ticks_at_least(wait)));
        self.registers.write(MTIMECMP + 4, u32::MAX);
        self.registers.write(MTIMECMP, compare as u32);
        self.registers.write(MTIMECMP + 4, (compare >> 32) as u32);
    }
}
