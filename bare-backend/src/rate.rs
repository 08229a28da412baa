//! Ticks of a hardware counter ⇄ nanoseconds, by one multiplication.
//!
//! The core counts nanoseconds; hardware counts ticks of `HZ`. Everything that depends on `HZ` is a
//! constant here, so at run time a conversion is a multiplication and a shift: no division, no 128-bit
//! arithmetic. Spans are kept below 2³² ns (4.29 s) on the way to the hardware, because a Cortex-M0 has
//! only a 32 × 32 → 32 multiplier: where a tick is a whole number of nanoseconds (25 MHz, 12.5 MHz,
//! 10 MHz, 1 MHz …) one `muls` does it there.
//!
//! # Rounding
//!
//! A timer never fires early. So [`Rate::ns`] rounds down (the clock never runs ahead of the counter) and
//! [`Rate::ticks_at_least`] rounds up (an alarm never stands before its deadline).

/// Nanoseconds in a second.
const NANOS: u64 = 1_000_000_000;

/// A counter that ticks `HZ` times a second; 1 kHz to just under 1 GHz.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rate<const HZ: u32>;

impl<const HZ: u32> Rate<HZ> {
    /// The greatest number of ticks that is shorter than 2³² ns: what [`ns`](Self::ns) accepts.
    pub const MAX_TICKS: u32 = {
        assert!(HZ >= 1_000, "a counter for the event loop needs at least 1 kHz");
        assert!((HZ as u64) < NANOS, "a tick must be longer than a nanosecond");
        (u32::MAX as u64 * HZ as u64 / NANOS) as u32
    };

    /// Nanoseconds per tick if that is a whole number, else zero.
    const WHOLE: u32 = if NANOS.is_multiple_of(HZ as u64) { (NANOS / HZ as u64) as u32 } else { 0 };

    /// The shift that leaves [`STEP`](Self::STEP) as many significant bits as a `u32` holds.
    const SHIFT: u32 = {
        let mut shift = 0;
        while shift < 31 && (NANOS << (shift + 1)) / (HZ as u64) <= u32::MAX as u64 {
            shift += 1;
        }
        shift
    };

    /// Nanoseconds per tick × 2^SHIFT, rounded down.
    const STEP: u32 = ((NANOS << Self::SHIFT) / HZ as u64) as u32;

    /// Nanoseconds in 2³² ticks, rounded down: the weight of the upper word of a 64-bit counter.
    const UPPER: u64 = ((NANOS as u128) << 32).div_euclid(HZ as u128) as u64;

    /// Ticks per nanosecond × 2³², rounded up.
    const INVERSE: u32 = ((HZ as u64) << 32).div_ceil(NANOS) as u32;

    /// Length of `ticks` in nanoseconds, rounded down. `ticks` is at most [`MAX_TICKS`](Self::MAX_TICKS).
    #[inline(always)]
    pub const fn ns(ticks: u32) -> u32 {
        if Self::WHOLE != 0 {
            ticks.wrapping_mul(Self::WHOLE)
        } else {
            ((ticks as u64 * Self::STEP as u64) >> Self::SHIFT) as u32
        }
    }

    /// Length of any number of ticks in nanoseconds, rounded down; for counters of 64 bits.
    ///
    /// Wraps after 2⁶⁴ ns, 584 years.
    #[inline(always)]
    pub const fn ns_wide(ticks: u64) -> u64 {
        if Self::WHOLE != 0 {
            ticks.wrapping_mul(Self::WHOLE as u64)
        } else {
            let lower = ((ticks as u32 as u64) * Self::STEP as u64) >> Self::SHIFT;
            (ticks >> 32).wrapping_mul(Self::UPPER).wrapping_add(lower)
        }
    }

    /// The number of ticks that lasts longer than `ns` nanoseconds, by at most two ticks.
    #[inline(always)]
    pub const fn ticks_at_least(ns: u32) -> u32 {
        ((ns as u64 * Self::INVERSE as u64) >> 32) as u32 + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn exact_ns(ticks: u128, hz: u32) -> u128 {
        ticks * u128::from(NANOS) / u128::from(hz)
    }

    fn check<const HZ: u32>(ticks: u32, wide: u64, ns: u32) {
        let hz = u128::from(HZ);
        let ticks = ticks % (Rate::<HZ>::MAX_TICKS + 1);
        let (got, exact) = (u128::from(Rate::<HZ>::ns(ticks)), exact_ns(ticks.into(), HZ));
        assert!(
            got <= exact,
            "{HZ} Hz: the clock ran ahead: {ticks} ticks are {exact} ns, not {got}"
        );
        assert!(exact - got <= 3, "{HZ} Hz: {ticks} ticks are {exact} ns, not {got}");

        let wide = wide >> 12; // keep the result below 2⁶⁴ ns for the slowest rate of the test
        let (got, exact) = (u128::from(Rate::<HZ>::ns_wide(wide)), exact_ns(wide.into(), HZ));
        if exact < 1 << 64 {
            assert!(got <= exact, "{HZ} Hz: {wide} ticks are {exact} ns, not {got}");
            assert!(
                exact - got <= exact / (1 << 30) + 3,
                "{HZ} Hz: {wide} ticks are {exact} ns, not {got}"
            );
        }

        let got = u128::from(Rate::<HZ>::ticks_at_least(ns));
        let scaled = u128::from(ns) * hz;
        assert!(
            got * u128::from(NANOS) >= scaled,
            "{HZ} Hz: an alarm in {ns} ns set {got} ticks ahead is early"
        );
        assert!(
            got.saturating_sub(2) * u128::from(NANOS) <= scaled,
            "{HZ} Hz: {ns} ns in {got} ticks is late"
        );
    }

    proptest! {
        #[test]
        fn conversions_agree_with_exact_arithmetic(ticks: u32, wide: u64, ns: u32) {
            check::<25_000_000>(ticks, wide, ns);
            check::<12_500_000>(ticks, wide, ns);
            check::<10_000_000>(ticks, wide, ns);
            check::<48_000_000>(ticks, wide, ns);
            check::<72_000_000>(ticks, wide, ns);
            check::<168_000_000>(ticks, wide, ns);
            check::<999_999_999>(ticks, wide, ns);
            check::<33_333_333>(ticks, wide, ns);
            check::<32_768>(ticks, wide, ns);
            check::<1_000>(ticks, wide, ns);
        }

        #[test]
        fn a_wide_clock_never_steps_back(start: u64, step in 0_u64..1 << 34) {
            let start = start >> 14;
            prop_assert!(Rate::<72_000_000>::ns_wide(start) <= Rate::<72_000_000>::ns_wide(start + step));
            prop_assert!(Rate::<32_768>::ns_wide(start >> 10) <= Rate::<32_768>::ns_wide((start >> 10) + step));
        }
    }

    #[test]
    fn edges_of_the_range() {
        for ticks in [0, 1, 2, 1 << 24, u32::MAX] {
            check::<25_000_000>(ticks, u64::MAX, u32::MAX);
            check::<72_000_000>(ticks, u64::from(u32::MAX) << 12, 0);
            check::<1_000>(ticks, 1 << 44, 1);
        }
    }
}
