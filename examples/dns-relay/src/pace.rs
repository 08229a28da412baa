//! How many questions a client may ask.

use molen::{Duration, Instant};
use std::collections::HashMap;
use std::net::IpAddr;

/// How many clients are told apart.
const CLIENTS: usize = 10_000;

/// How often clients are forgotten who have not asked for long.
const SWEEP: Duration = Duration::from_secs(1);

/// How many times a second's questions may come at once.
const BURST: u32 = 5;

/// Holds each client to so many questions a second, in the long run.
pub struct Pace {
    each: Duration,
    burst: Duration,
    /// When what a client has asked would have been asked at an even pace.
    even: HashMap<IpAddr, Instant>,
    /// When to look again for clients that can be forgotten.
    next_sweep: Instant,
}

impl Pace {
    pub fn new(rate: u32) -> Pace {
        let each = Duration::from_secs(1) / rate.max(1);
        Pace {
            each,
            burst: each * (rate.max(1) * BURST),
            even: HashMap::new(),
            next_sweep: Instant::ZERO,
        }
    }

    /// Whether `client` may ask one more `now`.
    pub fn allows(&mut self, client: IpAddr, now: Instant) -> bool {
        if self.even.len() >= CLIENTS && !self.even.contains_key(&client) {
            // Those who have paid for all they asked are as good as new. Not for
            // each question: whoever makes up addresses would keep this busy.
            if now < self.next_sweep {
                return false;
            }
            self.next_sweep = now + SWEEP;
            self.even.retain(|_, even| *even > now);
            if self.even.len() >= CLIENTS {
                return false;
            }
        }
        let even = self.even.entry(client).or_insert(now);
        let after = (*even).max(now) + self.each;
        let allowed = after - now <= self.burst;
        if allowed {
            *even = after;
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_allowed_and_then_so_many_a_second() {
        let (mut pace, client) = (Pace::new(10), IpAddr::from([192, 0, 2, 1]));
        let asks = |pace: &mut Pace, count: usize, second: u64| {
            let now = Instant::from_nanos(second * 1_000_000_000);
            (0..count).filter(|_| pace.allows(client, now)).count()
        };
        assert_eq!(asks(&mut pace, 100, 1), 50);
        assert_eq!(asks(&mut pace, 100, 2), 10);
        assert_eq!(asks(&mut pace, 100, 60), 50);
        assert!(pace.allows(IpAddr::from([192, 0, 2, 2]), Instant::from_nanos(60_000_000_000)));
    }

    #[test]
    fn a_crowd_of_clients_takes_no_more_room_than_there_is() {
        let mut pace = Pace::new(10);
        let now = Instant::from_nanos(1);
        let allowed = (0..20_000u32).filter(|n| pace.allows(IpAddr::from(n.to_be_bytes()), now));
        assert_eq!(allowed.count(), CLIENTS);
        let later = now + SWEEP;
        assert!(pace.allows(IpAddr::from([192, 0, 2, 2]), later));
    }
}
