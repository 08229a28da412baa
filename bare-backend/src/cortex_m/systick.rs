//! A tickless clock and alarm on SysTick, the one timer that every Cortex-M has.
//!
//! SysTick is a 24-bit counter that runs down to zero, raises its interrupt, and goes on from its reload value.
//! There is no compare register: the same counter must keep time and ring. So time is kept as the moment at which
//! the present *period* ends, and the counter tells how far away that is:
//!
//! ```text
//!             period                 period (longest again)
//!   ├───────────────────────────┼───────────────────────────┼──▶ time
//!                    ▲          end                         end + LONGEST
//!                   now = end − ns(counter)
//! ```
//!
//! - **No alarm**: periods of the longest length (2²⁴ ticks; 0.67 s at 25 MHz) follow each other by themselves;
//!   each wrap moves `end` on. Nothing ticks in between.
//! - **Alarm after `end`**: nothing to do, the wrap comes first; the loop arms again then.
//! - **Alarm before `end`**: the period is cut short. The reload register is loaded with the rest and a write to the
//!   counter restarts it from there; then the reload register gets the longest period back, for what follows.
//!
//! # Races, and why there are none
//!
//! A wrap is recorded by COUNTFLAG, which the hardware sets with the wrap and clears when it is read. Whoever reads
//! it (the handler, or `now` from any context) moves `end` on, in a critical section. The state of the exception
//! (pending, active) plays no part, so `now` is right inside handlers of any priority. The counter is read
//! *before* the flag: no flag means that the value belongs to the period that `end` closes. A counter of
//! zero belongs to neither period; it lasts one tick and is read again.
//!
//! Interrupts must not be masked for a whole longest period, or a wrap is missed.
//!
//! An emulator (or a debugger that lets SysTick run on) may hold the core up for longer than a period in the midst of a cut.
//! The cut looks for that: a counter that went up meanwhile has wrapped, and a COUNTFLAG before the reload register has its
//! longest value back means that an unknown number of short periods went by. The clock then goes on from the
//! last moment that it is sure of: it loses the time of the hold-up, but never runs ahead and never steps back. QEMU on
//! a busy host loses some 300 us a cut in that way; with `-icount`, which ties time to instructions, 20 ns.
//!
//! # What a cut costs
//!
//! The two or three CPU cycles between reading the counter and restarting it are not seen by it: the clock is late by
//! them each time a period is cut. `RESTART` is their number in ticks, added back; give the number
//! of your core (a too large one would make timers fire early). The default, 0, is exact under QEMU up to a part of a tick.
//! At rates that are no whole number of nanoseconds per tick, each cut also rounds down by less than 2 ns.

use core::cell::Cell;

use cortex_m::peripheral::SYST;
use critical_section::Mutex;
use molen_core::Instant;
use molen_core::io::Clock;

use crate::alarm::Alarm;
use crate::mmio::Block;
use crate::rate::Rate;

/// Control and status.
const CSR: usize = 0x0;
/// Reload value.
const RVR: usize = 0x4;
/// Current value; any write restarts the counter.
const CVR: usize = 0x8;

const ENABLE: u32 = 1 << 0;
const TICKINT: u32 = 1 << 1;
const CORE_CLOCK: u32 = 1 << 2;
const COUNTFLAG: u32 = 1 << 16;

/// A cut period is at least so many ticks, so that the reload register is put back before it ends.
const SHORTEST: u32 = 64;

/// The clock, on a core whose clock runs at `HZ`.
///
/// Put one in a `static`, [`start`](Self::start) it, and call [`on_interrupt`](Self::on_interrupt) from the
/// `SysTick` exception. It is eight bytes of zeros.
pub struct SysTick<const HZ: u32, const RESTART: u32 = 0> {
    /// When the present period ends, in ns; 0 before the start.
    end: Mutex<Cell<u64>>,
}

impl<const HZ: u32, const RESTART: u32> SysTick<HZ, RESTART> {
    /// Ticks in a period that is not cut short: as many as the counter holds, and so few that two periods, and a part, are
    /// below 2³² ns.
    const LONGEST: u32 =
        if Rate::<HZ>::MAX_TICKS / 3 < 1 << 24 { Rate::<HZ>::MAX_TICKS / 3 } else { 1 << 24 };
    const LONGEST_NS: u32 = Rate::<HZ>::ns(Self::LONGEST);
    const SHORTEST_NS: u32 = Rate::<HZ>::ns(SHORTEST);

    /// A clock that stands at zero.
    pub const fn new() -> Self {
        const { assert!(Self::LONGEST > SHORTEST && RESTART < SHORTEST / 2) };
        Self { end: Mutex::new(Cell::new(0)) }
    }

    #[inline(always)]
    const fn registers() -> Block<0xE000_E010, 0x10> {
        // SAFETY: DEVICE: the architecture puts SysTick here on every Cortex-M.
        unsafe { Block::new() }
    }

    /// Starts the clock at zero, with its interrupt. Takes SysTick away from everyone else.
    #[inline]
    pub fn start(&self, _systick: SYST) {
        critical_section::with(|cs| {
            let registers = Self::registers();
            registers.write(RVR, Self::LONGEST - 1);
            registers.write(CVR, 0);
            self.end.borrow(cs).set(u64::from(Self::LONGEST_NS));
            registers.write(CSR, ENABLE | TICKINT | CORE_CLOCK);
        });
    }

    /// To be called from the `SysTick` exception handler.
    #[inline]
    pub fn on_interrupt(&self) {
        // Reading the clock is what notices the wrap.
        self.now();
    }

    /// Reads the counter, and restarts it from `reload` at once. Returns what it read.
    #[inline(always)]
    fn restart(reload: u32) -> u32 {
        let counter: u32;
        // SAFETY: DEVICE, INSIDE of `mmio`, for the registers of `registers()`. In assembly because the number of
        // cycles between the read and the last write is time that the counter does not see.
        unsafe {
            core::arch::asm!(
                "str {reload}, [{systick}, #4]",
                "ldr {counter}, [{systick}, #8]",
                "str {reload}, [{systick}, #8]",
                systick = in(reg) 0xE000_E010_u32,
                reload = in(reg) reload,
                counter = out(reg) counter,
                options(nostack, preserves_flags),
            );
        }
        counter
    }
}

impl<const HZ: u32, const RESTART: u32> Default for SysTick<HZ, RESTART> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const HZ: u32, const RESTART: u32> Clock for SysTick<HZ, RESTART> {
    // One copy for everyone: it is called from several places and small programs count bytes.
    #[inline(never)]
    fn now(&self) -> Instant {
        critical_section::with(|cs| {
            let registers = Self::registers();
            let end = self.end.borrow(cs);
            loop {
                let counter = registers.read(CVR);
                let status = registers.read(CSR);
                if status & COUNTFLAG != 0 {
                    end.set(end.get() + u64::from(Self::LONGEST_NS));
                } else if counter != 0 || status & ENABLE == 0 {
                    return Instant::from_nanos(end.get() - u64::from(Rate::<HZ>::ns(counter)));
                }
            }
        })
    }
}

impl<const HZ: u32, const RESTART: u32> Alarm for SysTick<HZ, RESTART> {
    fn program(&self, deadline: Instant) {
        critical_section::with(|cs| {
            let now = self.now().as_nanos();
            let end = self.end.borrow(cs);
            // A deadline that has passed wraps to an enormous wait: left to `arm`, as is one of over 2³² ns.
            let Ok(wait) = u32::try_from(deadline.as_nanos().wrapping_sub(now)) else {
                return;
            };
            let wait = wait.max(Self::SHORTEST_NS);
            let rest = end.get().wrapping_sub(now) as u32;
            if wait >= rest {
                return; // the period ends first
            }
            let ticks = Rate::<HZ>::ticks_at_least(wait);
            // One tick goes by with the counter at zero, before it loads.
            let counter = Self::restart(ticks - 1);
            let elapsed = rest.saturating_sub(Rate::<HZ>::ns(counter));
            let mut ahead = elapsed + Rate::<HZ>::ns(ticks + RESTART);
            let registers = Self::registers();
            while registers.read(CVR) == 0 {}
            registers.write(RVR, Self::LONGEST - 1);
            if registers.read(CSR) & COUNTFLAG != 0 {
                Self::restart(Self::LONGEST - 1);
                ahead += Self::LONGEST_NS;
            }
            end.set(now + u64::from(ahead));
        });
    }
}
