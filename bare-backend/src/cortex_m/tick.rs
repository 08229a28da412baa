//! The simplest clock there is: SysTick interrupts a thousand times a second and each interrupt is a millisecond.
//!
//! It costs half the code of the tickless [`systick`](super::systick), can lose no time by cutting periods, and needs no
//! alarm: the next tick is never far. What it pays is a thousand wake-ups a second, and timers that
//! are up to a millisecond late. Take it where code is short and power is not.

use core::cell::Cell;

use cortex_m::peripheral::SYST;
use critical_section::Mutex;
use molen_core::Instant;
use molen_core::io::Clock;

use crate::alarm::Alarm;

// Bits of the control register (Armv7-M Architecture Reference Manual, B3.3.3).
const ENABLE: u32 = 1 << 0;
const TICKINT: u32 = 1 << 1;
const CORE_CLOCK: u32 = 1 << 2;

/// Nanoseconds in a tick.
const TICK: u64 = 1_000_000;

/// The clock, on a core whose clock runs at `HZ`, which is a multiple of 1000.
///
/// Put one in a `static`, [`start`](Self::start) it, and call [`on_interrupt`](Self::on_interrupt) from the
/// `SysTick` exception. It is eight bytes of zeros.
pub struct Tick<const HZ: u32> {
    time: Mutex<Cell<u64>>,
}

impl<const HZ: u32> Tick<HZ> {
    /// Ticks of the counter in a millisecond, less one, as SysTick wants it.
    const RELOAD: u32 = {
        assert!(
            HZ.is_multiple_of(1000) && HZ / 1000 <= 1 << 24,
            "a millisecond must be 1 to 2^24 clock cycles"
        );
        HZ / 1000 - 1
    };

    /// A clock that stands still at zero.
    pub const fn new() -> Self {
        Self { time: Mutex::new(Cell::new(0)) }
    }

    /// Starts it.
    pub fn start(&self, systick: SYST) {
        // SAFETY: SysTick is given to us, and these are its registers' values: a reload value of at most 24
        // bits, any value to clear the counter, and the three bits that switch it on. One write each, where
        // the peripheral's own functions would read and change the control register three times.
        unsafe {
            systick.rvr.write(Self::RELOAD);
            systick.cvr.write(0);
            systick.csr.write(ENABLE | TICKINT | CORE_CLOCK);
        }
    }

    /// What the `SysTick` exception does.
    pub fn on_interrupt(&self) {
        critical_section::with(|key| {
            let time = self.time.borrow(key);
            time.set(time.get() + TICK);
        });
    }
}

impl<const HZ: u32> Default for Tick<HZ> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const HZ: u32> Clock for Tick<HZ> {
    #[inline]
    fn now(&self) -> Instant {
        Instant::from_nanos(critical_section::with(|key| self.time.borrow(key).get()))
    }
}

impl<const HZ: u32> Alarm for Tick<HZ> {
    const TICKS_BY_ITSELF: bool = true;

    /// Nothing: the next tick comes by itself.
    fn program(&self, _deadline: Instant) {}
}
