//! Points in time, in whole nanoseconds on a monotonic clock.
//!
//! [`Instant`] counts from a start that the backend chooses (boot, or the
//! making of the loop) and **saturates**: adding to it never overflows, and
//! [`Instant::FAR_FUTURE`] is never reached. [`Duration`] is the language's
//! own. asyncio's float seconds enter through [`seconds`], which refuses what
//! is not a span of time.

pub use core::time::Duration;

use core::fmt;

/// A point on the loop's monotonic clock, in nanoseconds since its start.
///
/// asyncio: the float that `loop.time()` returns.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Instant(u64);

impl Instant {
    /// The clock's start.
    pub const ZERO: Instant = Instant(0);

    /// The end of time. A timer set to it never fires.
    pub const FAR_FUTURE: Instant = Instant(u64::MAX);

    /// The instant `nanos` nanoseconds after the clock's start.
    pub const fn from_nanos(nanos: u64) -> Instant {
        Instant(nanos)
    }

    /// Nanoseconds since the clock's start.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whether it is so far away that it never comes: more than 292 years after
    /// the clock's start. On 32-bit targets this is a look at one word.
    #[inline]
    pub(crate) const fn is_never(self) -> bool {
        self.0.cast_signed() < 0
    }

    /// `self` and a [`span`], or what [never](Self::is_never) comes.
    #[inline]
    pub(crate) const fn after(self, span: u64) -> Instant {
        Instant(self.0.wrapping_add(span))
    }

    /// `self + delay`, or [`FAR_FUTURE`](Self::FAR_FUTURE) where that would overflow.
    #[inline]
    #[must_use]
    pub const fn saturating_add(self, delay: Duration) -> Instant {
        Instant(self.0.saturating_add(nanos(delay)))
    }

    /// The time from `earlier` to `self`; zero when `earlier` is later.
    #[inline]
    pub const fn saturating_since(self, earlier: Instant) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl core::ops::Add<Duration> for Instant {
    type Output = Instant;

    /// Saturates at [`Instant::FAR_FUTURE`].
    #[inline]
    fn add(self, delay: Duration) -> Instant {
        self.saturating_add(delay)
    }
}

impl core::ops::Sub<Duration> for Instant {
    type Output = Instant;

    /// Saturates at [`Instant::ZERO`].
    #[inline]
    fn sub(self, delay: Duration) -> Instant {
        Instant(self.0.saturating_sub(nanos(delay)))
    }
}

impl core::ops::Sub for Instant {
    type Output = Duration;

    /// The time between, as [`saturating_since`](Instant::saturating_since):
    /// never less than zero.
    #[inline]
    fn sub(self, earlier: Instant) -> Duration {
        self.saturating_since(earlier)
    }
}

/// Whole nanoseconds of `delay`, saturating: 584 years stand for ever.
#[inline]
pub(crate) const fn nanos(delay: Duration) -> u64 {
    const PER_SECOND: u64 = 1_000_000_000;
    // Not a saturating multiplication: that needs 128 bits, and a library
    // function where there are none.
    if delay.as_secs() >= u64::MAX / PER_SECOND {
        return u64::MAX;
    }
    delay.as_secs() * PER_SECOND + delay.subsec_nanos() as u64
}

/// Whole nanoseconds of `delay`, or so many that with the time now they make
/// what [never](Instant::is_never) comes, without overflow.
#[inline]
pub(crate) const fn span(delay: Duration) -> u64 {
    let nanos = nanos(delay);
    if nanos.cast_signed() < 0 { i64::MAX as u64 } else { nanos }
}

/// A number of seconds that is no span of time: NaN.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InvalidDelay;

impl fmt::Display for InvalidDelay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid delay: NaN (not a number) seconds")
    }
}

impl core::error::Error for InvalidDelay {}

/// asyncio's float seconds as a [`Duration`].
///
/// Negative numbers count as zero, as `call_later` takes them; infinity and
/// whatever is too large become [`Duration::MAX`], which never fires.
///
/// # Errors
///
/// [`InvalidDelay`] for NaN, where asyncio raises `ValueError`.
pub fn seconds(seconds: f64) -> Result<Duration, InvalidDelay> {
    if seconds.is_nan() {
        return Err(InvalidDelay);
    }
    if seconds <= 0.0 {
        return Ok(Duration::ZERO);
    }
    Ok(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_is_refused_and_the_rest_saturates() {
        assert_eq!(seconds(f64::NAN), Err(InvalidDelay));
        assert_eq!(seconds(-1.0), Ok(Duration::ZERO));
        assert_eq!(seconds(f64::INFINITY), Ok(Duration::MAX));
        assert_eq!(seconds(1e300), Ok(Duration::MAX));
        assert_eq!(seconds(0.25), Ok(Duration::from_millis(250)));
    }

    #[test]
    fn subtracting_saturates_at_the_start() {
        let (early, late) = (Instant::from_nanos(5), Instant::from_nanos(9));
        assert_eq!(late - early, Duration::from_nanos(4));
        assert_eq!(early - late, Duration::ZERO);
        assert_eq!(late - Duration::from_nanos(4), early);
        assert_eq!(late - Duration::MAX, Instant::ZERO);
    }

    #[test]
    fn adding_saturates_at_the_far_future() {
        let late = Instant::from_nanos(5) + Duration::MAX;
        assert_eq!(late, Instant::FAR_FUTURE);
        assert_eq!(late.saturating_since(Instant::FAR_FUTURE), Duration::ZERO);
        let last_whole = u64::MAX / 1_000_000_000 - 1;
        let second_before = Instant::ZERO + Duration::from_secs(last_whole);
        assert_eq!(second_before.as_nanos(), last_whole * 1_000_000_000);
    }
}
