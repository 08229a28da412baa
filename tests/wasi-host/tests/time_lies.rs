//! Each lie about time.

mod probe;

use std::time::Duration;

use molen_wasi_host::{Errno, Host, Lie};
use probe::{MONOTONIC, MS, Probe, REALTIME, Sub, ms};

const GRID: Duration = Duration::from_millis(1);

/// The monotonic time in nanoseconds after each of these polls.
fn times(lie: Lie, polls: &[&[Sub]]) -> Vec<u64> {
    let mut probe = Probe::new(&Host::new().lie(lie));
    let poll = |subs: &&[Sub]| {
        probe.poll(subs).unwrap();
        u64::try_from(probe.now().as_nanos()).unwrap()
    };
    polls.iter().map(poll).collect()
}

#[test]
fn truncated_timers_fire_early() {
    let lie = Lie::TimerTruncated { grid: GRID };
    let polls: [&[Sub]; 3] =
        [&[Sub::After(100_000)], &[Sub::After(2_700_000)], &[Sub::After(3 * MS)]];
    assert_eq!(times(lie, &polls), [0, 2 * MS, 5 * MS]);
}

#[test]
fn rounded_timers_fire_late() {
    let polls: [&[Sub]; 3] =
        [&[Sub::After(100_000)], &[Sub::After(1), Sub::Read(0)], &[Sub::After(2_700_000)]];
    assert_eq!(times(Lie::TimerRoundedUp { grid: GRID }, &polls), [MS, 2 * MS, 5 * MS]);
}

#[test]
fn a_single_relative_timer_can_be_exact() {
    let lie = Lie::TimerRoundedUpUnlessAlone { grid: GRID };
    let polls: [&[Sub]; 3] = [
        &[Sub::After(100_000)],
        &[Sub::After(100_000), Sub::Read(0)],
        &[Sub::At(MONOTONIC, 1_300_000)],
    ];
    assert_eq!(times(lie, &polls), [100_000, MS, 2 * MS]);
}

#[test]
fn rounding_spares_what_is_due_and_survives_extremes() {
    for grid in [Duration::ZERO, GRID, Duration::MAX] {
        for lie in [Lie::TimerRoundedUp { grid }, Lie::TimerTruncated { grid }] {
            let polls: [&[Sub]; 2] = [&[Sub::After(0)], &[Sub::After(u64::MAX), Sub::Write(1)]];
            assert_eq!(times(lie, &polls), [0, 0], "{lie:?}");
        }
    }
}

#[test]
fn absolute_timeouts_are_not_supported() {
    let mut probe = Probe::new(&Host::new().lie(Lie::AbsoluteUnsupported));
    assert_eq!(probe.poll(&[Sub::After(MS), Sub::At(MONOTONIC, MS)]), Err(Errno::Notsup));
    assert_eq!(probe.poll(&[Sub::At(REALTIME, MS)]), Err(Errno::Notsup));
    let mut probe = Probe::new(&Host::new().lie(Lie::AbsoluteRealtimeUnsupported));
    assert_eq!(probe.poll(&[Sub::At(REALTIME, MS)]), Err(Errno::Notsup));
    assert_eq!(probe.poll_order(&[Sub::At(MONOTONIC, MS)]), [0]);
}

#[test]
fn absolute_monotonic_timeouts_hang() {
    let mut probe = Probe::new(&Host::new().lie(Lie::AbsoluteMonotonicHangs));
    assert_eq!(probe.poll_order(&[Sub::At(MONOTONIC, MS), Sub::After(9 * MS)]), [1]);
    assert_eq!(probe.now(), ms(9));
    assert!(probe.try_poll(&[Sub::At(MONOTONIC, MS)]).unwrap_err().to_string().contains("hung"));
}

#[test]
fn a_zero_timeout_hangs() {
    let mut probe = Probe::new(&Host::new().lie(Lie::ZeroTimeoutHangs));
    assert_eq!(probe.poll_order(&[Sub::After(0), Sub::Write(1)]), [1]);
    assert_eq!(probe.poll_order(&[Sub::After(1)]), [0]);
    assert!(
        probe.try_poll(&[Sub::After(0), Sub::Read(0)]).unwrap_err().to_string().contains("hung")
    );
}

#[test]
fn a_cpu_clock_is_a_timer() {
    let mut probe = Probe::new(&Host::new().lie(Lie::CpuClockIsTimer));
    assert_eq!(probe.poll_order(&[Sub::Clock(2, MS), Sub::Clock(3, 2 * MS)]), [0]);
    assert_eq!(probe.now(), ms(1));
    assert_eq!(probe.poll(&[Sub::Clock(4, MS)]), Err(Errno::Inval));
}
