//! No faster than servers like it: those who flood are thrown out.

use molen::{Duration, Instant};

/// How many messages may be sent at once.
const BURST: u32 = 5;

/// Says when the next message may be sent.
pub struct Pace {
    each: Duration,
    /// When what was sent would have been sent at an even pace.
    even: Instant,
}

impl Pace {
    /// So many messages a second in the long run.
    pub fn new(rate: f64) -> Pace {
        let each = Duration::try_from_secs_f64(1.0 / rate).unwrap_or(Duration::ZERO);
        Pace { each, even: Instant::ZERO }
    }

    /// How long to wait before the next one.
    pub fn wait(&self, now: Instant) -> Duration {
        let ahead = self.even - now + self.each;
        ahead.saturating_sub(self.each * BURST)
    }

    /// One was sent.
    pub fn sent(&mut self, now: Instant) {
        self.even = self.even.max(now) + self.each;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_at_once_and_then_one_a_second() {
        let mut pace = Pace::new(1.0);
        let now = Instant::from_nanos(10_000_000_000);
        let waits: Vec<u64> = (0..8)
            .map(|_| {
                let wait = pace.wait(now).as_secs();
                pace.sent(now);
                wait
            })
            .collect();
        assert_eq!(waits, [0, 0, 0, 0, 0, 1, 2, 3]);
        assert_eq!(pace.wait(now + Duration::from_secs(60)), Duration::ZERO);
    }
}
