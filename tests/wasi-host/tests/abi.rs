//! The honest host: every call of preview 1 that it has, byte for byte.

mod probe;

use std::time::Duration;

use molen_wasi_host::{
    Call, ClockStep, Ending, Errno, Host, Input, Interest, Output, Peer, Subscription, Timeout,
};
use probe::{MONOTONIC, MS, Probe, REALTIME, Seen, Sub, le, ms};

const CLOCK: u8 = 0;
const READ: u8 = 1;
const WRITE: u8 = 2;

#[test]
fn a_poll_waits_for_the_first_deadline_and_reports_only_it() {
    let mut probe = Probe::new(&Host::new());
    let events =
        probe.poll(&[Sub::After(30 * MS), Sub::After(20 * MS), Sub::After(10 * MS)]).unwrap();
    assert_eq!(events, [Seen { index: 2, errno: 0, kind: CLOCK, nbytes: 0, flags: 0 }]);
    assert_eq!(probe.now(), ms(10));
}

#[test]
fn equal_deadlines_are_reported_together() {
    let mut probe = Probe::new(&Host::new());
    assert_eq!(
        probe.poll_order(&[Sub::After(10 * MS), Sub::After(10 * MS), Sub::After(11 * MS)]),
        [0, 1]
    );
}

#[test]
fn absolute_deadlines_are_on_their_own_clock() {
    let host = Host::new().realtime(Duration::from_secs(1000));
    let mut probe = Probe::new(&host);
    assert_eq!(
        probe.poll_order(&[Sub::At(MONOTONIC, 7 * MS), Sub::At(REALTIME, 1_000_000 * MS + 5 * MS)]),
        [1]
    );
    assert_eq!(probe.now(), ms(5));
    assert_eq!(probe.poll_order(&[Sub::At(MONOTONIC, 7 * MS)]), [0]);
    assert_eq!(probe.now(), ms(7));
    assert_eq!(probe.poll_order(&[Sub::At(MONOTONIC, 1)]), [0], "long past is due at once");
    assert_eq!(probe.now(), ms(7));
}

#[test]
fn a_realtime_step_brings_a_realtime_deadline_nearer_but_not_a_relative_one() {
    let step = ClockStep::SetRealtime(Duration::from_secs(2000));
    let host = Host::new().realtime(Duration::from_secs(1000)).clock_step(ms(3), step);
    let mut probe = Probe::new(&host);
    assert_eq!(
        probe.poll_order(&[Sub::Clock(REALTIME, 50 * MS), Sub::At(REALTIME, 1_500_000 * MS)]),
        [1]
    );
    assert_eq!(probe.now(), ms(3));
}

#[test]
fn the_longest_timeout_does_not_overflow() {
    let mut probe = Probe::new(&Host::new());
    assert_eq!(
        probe.poll_order(&[Sub::After(u64::MAX), Sub::At(MONOTONIC, u64::MAX), Sub::After(5 * MS)]),
        [2]
    );
    assert_eq!(probe.now(), ms(5));
}

#[test]
fn bytes_on_stdin_come_when_the_script_says() {
    let host =
        Host::new().stdin(Input::silent().bytes(ms(4), "hello").bytes(ms(9), "!").eof(ms(9)));
    let mut probe = Probe::new(&host);
    assert_eq!(probe.poll_order(&[Sub::After(2 * MS), Sub::Read(0)]), [0], "the clock wins");
    let events = probe.poll(&[Sub::After(50 * MS), Sub::Read(0)]).unwrap();
    assert_eq!(events, [Seen { index: 1, errno: 0, kind: READ, nbytes: 5, flags: 0 }]);
    assert_eq!(probe.now(), ms(4));
    assert_eq!(probe.read(0, 3).unwrap(), "hel");
    assert_eq!(probe.read(0, 100).unwrap(), "lo");
    assert_eq!(probe.read(0, 100).unwrap(), "!", "reading stdin blocks");
    assert_eq!(probe.now(), ms(9));
    let events = probe.poll(&[Sub::Read(0)]).unwrap();
    assert_eq!(
        events,
        [Seen { index: 0, errno: 0, kind: READ, nbytes: 1, flags: 0 }],
        "the end is a ready byte"
    );
    assert_eq!(probe.read(0, 100).unwrap(), "");
    let outcome = probe.outcome();
    let blocked: Vec<&str> =
        outcome.calls.blocked(Duration::ZERO).iter().map(|call| call.call.name()).collect();
    assert_eq!(blocked, ["fd_read"]);
}

#[test]
fn dev_null_is_ready_at_once() {
    let mut probe = Probe::new(&Host::new().stdin(Input::null()));
    assert_eq!(probe.poll_order(&[Sub::Read(0), Sub::After(MS)]), [0]);
    assert_eq!(probe.read(0, 8).unwrap(), "");
    assert_eq!(probe.now(), Duration::ZERO);
}

#[test]
fn output_is_recorded_with_its_time() {
    let mut probe = Probe::new(&Host::new());
    assert_eq!(probe.poll_order(&[Sub::Write(1), Sub::Write(2)]), [0, 1]);
    assert_eq!(probe.write(1, "one").unwrap(), 3);
    probe.poll(&[Sub::After(6 * MS)]).unwrap();
    assert_eq!(probe.write(1, "two").unwrap(), 3);
    assert_eq!(probe.write(2, "").unwrap(), 0);
    let outcome = probe.outcome();
    assert_eq!(outcome.stdout.text(), "onetwo");
    assert_eq!(outcome.stdout.deliveries()[1].at, ms(6));
    assert!(outcome.stderr.is_empty());
}

#[test]
fn a_full_pipe_takes_no_more_until_it_is_drained() {
    let host =
        Host::new().stdout(Output::open().window(4).drain(ms(8), 3).breaks(ms(20), Errno::Pipe));
    let mut probe = Probe::new(&host);
    assert_eq!(probe.write(1, "abcdef").unwrap(), 4);
    assert_eq!(probe.poll_order(&[Sub::Write(1), Sub::After(5 * MS)]), [1]);
    let events = probe.poll(&[Sub::Write(1)]).unwrap();
    assert_eq!(events, [Seen { index: 0, errno: 0, kind: WRITE, nbytes: 3, flags: 0 }]);
    assert_eq!(probe.now(), ms(8));
    assert_eq!(probe.write(1, "efgh").unwrap(), 3);
    assert_eq!(probe.poll_order(&[Sub::Write(1)]), [0], "a broken pipe is writable");
    assert_eq!(probe.now(), ms(20));
    assert_eq!(probe.write(1, "x"), Err(Errno::Pipe));
    assert_eq!(probe.outcome().stdout.text(), "abcdefg");
}

#[test]
fn bad_descriptors_are_errors_of_their_own_events() {
    let host = Host::new().directory("/data");
    let mut probe = Probe::new(&host);
    let events = probe
        .poll(&[Sub::Read(77), Sub::Read(3), Sub::Read(1), Sub::Write(0), Sub::Write(1)])
        .unwrap();
    let errors: Vec<(u64, u16)> = events.iter().map(|seen| (seen.index, seen.errno)).collect();
    assert_eq!(errors, [(0, 8), (1, 8), (2, 8), (3, 8), (4, 0)]);
}

#[test]
fn an_empty_list_and_a_cpu_clock_are_invalid() {
    let mut probe = Probe::new(&Host::new());
    assert_eq!(probe.poll(&[]), Err(Errno::Inval));
    assert_eq!(probe.poll(&[Sub::After(MS), Sub::Clock(2, MS)]), Err(Errno::Inval));
    assert_eq!(probe.poll(&[Sub::Clock(9, MS)]), Err(Errno::Inval));
    assert_eq!(probe.now(), Duration::ZERO);
}

#[test]
fn waiting_for_nothing_ends_the_run() {
    let mut probe = Probe::new(&Host::new());
    let ended = probe.try_poll(&[Sub::Read(0)]).unwrap_err();
    assert!(ended.to_string().contains("poll_oneoff waits for ever"), "{ended}");
    assert_eq!(probe.try_raw("yield", &[]).unwrap_err(), ended, "it stays ended");
    let outcome = probe.outcome();
    assert!(matches!(outcome.ending, Ending::Hung(_)));
    assert_eq!(outcome.calls.last().unwrap().errno, None);
}

#[test]
fn clocks_and_their_cost() {
    let host = Host::new().realtime(Duration::from_secs(5)).call_cost(Duration::from_nanos(70));
    let mut probe = Probe::new(&host);
    assert_eq!(probe.raw("time", &[1]), Errno::Success);
    assert_eq!(le(&probe.scalar(8)), 70);
    assert_eq!(probe.raw("time", &[0]), Errno::Success);
    assert_eq!(le(&probe.scalar(8)), 5_000_000_140);
    assert_eq!(probe.raw("time", &[2]), Errno::Inval);
    assert_eq!(probe.raw("resolution", &[1]), Errno::Success);
    assert_eq!(le(&probe.scalar(8)), 1);
    assert!(probe.outcome().calls.blocked(Duration::from_nanos(70)).is_empty());
}

#[test]
fn a_leap_of_the_clock_makes_a_wait_late() {
    let host = Host::new().clock_step(ms(2), ClockStep::Leap(Duration::from_secs(3600)));
    let mut probe = Probe::new(&host);
    assert_eq!(probe.poll_order(&[Sub::After(5 * MS), Sub::After(1000 * MS)]), [0, 1]);
    assert_eq!(probe.now(), Duration::from_secs(3600) + ms(2));
}

#[test]
fn descriptors_describe_themselves() {
    let host = Host::new().connection(Peer::named("peer")).directory("/data").file("contents");
    let mut probe = Probe::new(&host);
    for (fd, filetype) in [(0, 2), (1, 2), (2, 2), (3, 6), (4, 3), (5, 4)] {
        assert_eq!(probe.raw("fdstat", &[fd]), Errno::Success);
        assert_eq!(probe.scalar(24)[0], filetype, "filetype of {fd}");
    }
    assert_eq!(probe.raw("fdstat", &[6]), Errno::Badf, "the scan ends behind the last one");

    assert_eq!(probe.raw("fdstat", &[3]), Errno::Success);
    assert_eq!(
        le(&probe.scalar(24)[8..16]),
        1 << 1 | 1 << 6 | 1 << 27 | 1 << 28,
        "a socket's rights"
    );
    assert_eq!(probe.raw("set_flags", &[3, 4]), Errno::Success);
    assert_eq!(probe.raw("fdstat", &[3]), Errno::Success);
    assert_eq!(le(&probe.scalar(24)[2..4]), 4, "NONBLOCK is remembered");
    assert_eq!(probe.raw("set_flags", &[3, 1]), Errno::Inval, "only NONBLOCK exists for sockets");
    for stdio in [0, 1, 2, 4] {
        assert_eq!(probe.raw("set_flags", &[stdio, 4]), Errno::Badf);
    }

    assert_eq!(probe.raw("prestat", &[3]), Errno::Badf, "a socket ends libc's scan");
    assert_eq!(probe.raw("prestat", &[4]), Errno::Success);
    assert_eq!(probe.scalar(8), [0, 0, 0, 0, 5, 0, 0, 0]);
    assert_eq!(probe.raw("dir_name", &[4, 4]), Errno::Nametoolong);
    assert_eq!(probe.raw("dir_name", &[4, 5]), Errno::Success);
    assert_eq!(probe.buffer(5), b"/data");

    assert_eq!(probe.raw("close", &[4]), Errno::Success);
    assert_eq!(probe.raw("close", &[4]), Errno::Badf);
    assert_eq!(probe.outcome().open, [0, 1, 2, 3, 5]);
}

#[test]
fn a_regular_file_is_always_ready() {
    let mut probe = Probe::new(&Host::new().file("abcdef"));
    let events = probe.poll(&[Sub::Read(3), Sub::Write(3), Sub::After(MS)]).unwrap();
    assert_eq!(
        events.iter().map(|seen| (seen.index, seen.nbytes)).collect::<Vec<_>>(),
        [(0, 6), (1, 1)]
    );
    assert_eq!(probe.read(3, 4).unwrap(), "abcd");
    assert_eq!(probe.write(3, "XYZ").unwrap(), 3, "over the end");
    assert_eq!(probe.read(3, 4).unwrap(), "");
    assert_eq!(probe.poll_order(&[Sub::Read(3)]), [0]);
}

#[test]
fn arguments_and_environment() {
    let host = Host::new()
        .argument("prog")
        .argument("")
        .argument("-v")
        .variable("HOME", "/")
        .variable("É", "ü");
    let mut probe = Probe::new(&host);
    assert_eq!(probe.raw("args_sizes", &[]), Errno::Success);
    assert_eq!((le(&probe.scalar(4)), probe.second_scalar()), (3, 9));
    assert_eq!(probe.raw("args", &[]), Errno::Success);
    assert_eq!(probe.buffer(9), b"prog\0\0-v\0");
    let pointers: Vec<u64> = probe.scalar(12).chunks(4).map(le).collect();
    assert_eq!(pointers, [0x8000, 0x8005, 0x8006]);
    assert_eq!(probe.raw("environ_sizes", &[]), Errno::Success);
    assert_eq!((le(&probe.scalar(4)), probe.second_scalar()), (2, 13));
    assert_eq!(probe.raw("environ", &[]), Errno::Success);
    assert_eq!(probe.buffer(13), "HOME=/\0É=ü\0".as_bytes());
}

#[test]
fn random_bytes_are_the_seed_s() {
    let mut bytes = [1, 1, 2].map(|seed| {
        let mut probe = Probe::new(&Host::new().random_seed(seed));
        assert_eq!(probe.raw("random", &[13]), Errno::Success);
        probe.buffer(14)
    });
    assert_eq!(bytes[0], bytes[1]);
    assert_ne!(bytes[0], bytes[2]);
    assert_eq!(bytes[0].pop(), Some(0), "not a byte more than asked for");
}

#[test]
fn what_the_host_lacks_is_enosys() {
    let mut probe = Probe::new(&Host::new());
    assert_eq!(probe.raw("seek", &[]), Errno::Nosys);
    assert_eq!(probe.raw("yield", &[]), Errno::Success);
    let outcome = probe.outcome();
    let names: Vec<&str> = outcome.calls.iter().map(|call| call.call.name()).collect();
    assert_eq!(names, ["fd_seek", "sched_yield"]);
}

#[test]
fn the_log_says_what_was_asked_and_answered() {
    let mut probe = Probe::new(&Host::new());
    probe.poll(&[Sub::Write(1), Sub::After(3 * MS)]).unwrap();
    let outcome = probe.outcome();
    assert_eq!(outcome.polls, 1);
    let poll = outcome.calls.polls().next().unwrap();
    assert_eq!((poll.n, poll.clocks().count(), poll.descriptors().count()), (2, 1, 1));
    let interest = Interest::Clock { id: 1, timeout: Timeout::Relative(3 * MS), precision: 1 };
    assert_eq!(poll.subscriptions[1], Subscription { userdata: 101, interest });
    assert_eq!(poll.events[0].userdata, 100);
    assert!(matches!(outcome.calls[0].call, Call::PollOneoff { n: 2, .. }));
}
