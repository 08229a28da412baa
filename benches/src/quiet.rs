//! Whether somebody else used the CPUs while a sample was taken.

use crate::measure::children_cpu_s;
use std::time::{Duration, Instant};

/// Jiffies since boot, busy and in all.
#[derive(Clone, Copy, Default)]
struct Stat {
    busy: u64,
    all: u64,
}

impl Stat {
    fn now() -> Option<Self> {
        let text = std::fs::read_to_string("/proc/stat").ok()?;
        let fields: Vec<u64> = text
            .lines()
            .next()?
            .split_whitespace()
            .skip(1)
            .take(8)
            .filter_map(|f| f.parse().ok())
            .collect();
        let idle = fields.get(3)? + fields.get(4)?;
        let all: u64 = fields.iter().sum();
        Some(Stat { busy: all - idle, all })
    }
}

/// Waits until the CPUs were less than 6 % busy for 150 ms, but no longer
/// than `limit`, and says whether they were.
pub fn wait(limit: Duration) -> bool {
    const WINDOW: Duration = Duration::from_millis(150);
    let end = Instant::now() + limit;
    loop {
        let before = Stat::now().unwrap_or_default();
        std::thread::sleep(WINDOW);
        let after = Stat::now().unwrap_or_default();
        let all = after.all.saturating_sub(before.all).max(1);
        if after.busy.saturating_sub(before.busy) * 100 < all * 6 {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
    }
}

/// Watches what everybody but this program's children uses.
pub struct Watch {
    started: Instant,
    busy: u64,
    children: f64,
}

impl Watch {
    /// Starts to watch.
    pub fn start() -> Self {
        Watch {
            started: Instant::now(),
            busy: Stat::now().unwrap_or_default().busy,
            children: children_cpu_s(),
        }
    }

    /// Whether others used less than a tenth of one CPU since the start.
    pub fn was_quiet(&self) -> bool {
        /// `/proc/stat` counts in hundredths of a second on every Linux.
        const TICK: f64 = 0.01;
        let busy = Stat::now().unwrap_or_default().busy;
        let all = busy.saturating_sub(self.busy) as f64 * TICK;
        let ours = children_cpu_s() - self.children;
        all - ours < 0.1 * self.started.elapsed().as_secs_f64() + 0.03
    }
}
