//! Each lie about which events there are, what they say and in what order, and each error of the whole call.

mod probe;

use std::num::NonZeroU32;
use std::time::Duration;

use molen_wasi_host::{Ending, Errno, Host, Input, Lie, Listener, Peer, When};
use probe::{MS, Probe, Seen, Sub, ms};

const ONE: NonZeroU32 = NonZeroU32::MIN;
const TWO: NonZeroU32 = NonZeroU32::new(2).unwrap();

/// Stdin has three bytes at 10 ms; a quiet connection is descriptor 3.
fn host() -> Host {
    Host::new().stdin(Input::silent().bytes(ms(10), "abc")).connection(Peer::named("quiet"))
}

/// The events at 10 ms for: a clock due then, stdin, the quiet connection, a clock due later, stdout.
fn order_with(lies: &[Lie]) -> Vec<u64> {
    let mut probe = Probe::new(&host().lies(lies.iter().copied()));
    let order =
        probe.poll_order(&[Sub::After(10 * MS), Sub::Read(0), Sub::Read(3), Sub::After(99 * MS)]);
    assert_eq!(probe.now(), ms(10));
    order
}

#[test]
fn the_truth() {
    assert_eq!(order_with(&[]), [0, 1]);
}

#[test]
fn every_descriptor_is_said_to_be_ready_when_one_is() {
    assert_eq!(order_with(&[Lie::SpuriousReadiness]), [0, 1, 2]);
    let mut probe = Probe::new(&host().lie(Lie::SpuriousReadiness));
    assert_eq!(
        probe.poll_order(&[Sub::Read(0), Sub::Read(3), Sub::After(MS)]),
        [2],
        "not when only a clock is"
    );
}

#[test]
fn expired_clocks_are_withheld_when_descriptors_are_ready() {
    assert_eq!(order_with(&[Lie::ExpiredClocksWithheld]), [1]);
    let mut probe = Probe::new(&host().lie(Lie::ExpiredClocksWithheld));
    assert_eq!(probe.poll_order(&[Sub::Read(0), Sub::After(MS)]), [1], "alone they are not");
}

#[test]
fn unexpired_clocks_are_reported() {
    assert_eq!(order_with(&[Lie::UnexpiredClocksReported]), [0, 1, 3]);
}

#[test]
fn only_one_clock_is_reported() {
    let mut probe = Probe::new(&Host::new().lie(Lie::OneClockEvent));
    assert_eq!(probe.poll_order(&[Sub::After(MS), Sub::After(MS), Sub::After(MS)]), [0]);
    let step = molen_wasi_host::ClockStep::Leap(ms(50));
    let mut probe =
        Probe::new(&Host::new().lie(Lie::OneClockEvent).clock_step(Duration::ZERO, step));
    assert_eq!(
        probe.poll_order(&[Sub::After(3 * MS), Sub::After(MS), Sub::After(2 * MS)]),
        [1],
        "the earliest"
    );
}

#[test]
fn orders() {
    let leading_fd = [Sub::Write(1), Sub::After(0), Sub::Write(2), Sub::After(0)];
    let order = |lie| Probe::new(&Host::new().lie(lie)).poll_order(&leading_fd);
    assert_eq!(order(Lie::ReversedEvents), [3, 2, 1, 0]);
    assert_eq!(order(Lie::DescriptorsFirst), [0, 2, 1, 3]);
    assert_eq!(order(Lie::ClocksFirst), [1, 3, 0, 2]);
}

#[test]
fn a_partial_list() {
    assert_eq!(order_with(&[Lie::PartialEvents { max: ONE }]), [0]);
    assert_eq!(
        order_with(&[Lie::ReversedEvents, Lie::PartialEvents { max: ONE }]),
        [1],
        "cut after ordering"
    );
}

#[test]
fn nothing_is_reported_on_each_second_call() {
    let mut probe = Probe::new(&host().lie(Lie::NothingReported { every: TWO }));
    assert_eq!(probe.poll_order(&[Sub::Read(0)]), [0]);
    assert_eq!(probe.poll_order(&[Sub::Read(0)]), []);
    assert_eq!(probe.poll_order(&[Sub::Read(0)]), [0]);
}

#[test]
fn short_records() {
    let mut probe = Probe::new(&host().lie(Lie::ShortEventRecords));
    probe.poll(&[Sub::After(10 * MS), Sub::Read(0)]).unwrap();
    let bytes = probe.reactor.memory(0x4000, 40).unwrap();
    assert_eq!((bytes[0], bytes[10]), (100, 0), "a clock event");
    assert_eq!((bytes[16], bytes[26]), (101, 1), "a read event 16 bytes on");
    assert_eq!(bytes[32..40], [0xee; 8], "nothing where a full record would end");
}

#[test]
fn what_a_read_event_says() {
    let input = Input::silent().bytes(ms(1), "abc").eof(ms(2));
    let says = |lie: Option<Lie>| {
        let mut probe = Probe::new(&Host::new().stdin(input.clone()).lies(lie));
        let mut said = Vec::new();
        for wait in [1, 1] {
            probe.poll(&[Sub::After(wait * MS)]).unwrap();
            let Seen { nbytes, flags, .. } = probe.poll(&[Sub::Read(0)]).unwrap()[0];
            said.push((nbytes, flags));
        }
        probe.read(0, 10).unwrap();
        let Seen { nbytes, flags, .. } = probe.poll(&[Sub::Read(0)]).unwrap()[0];
        said.push((nbytes, flags));
        said
    };
    assert_eq!(says(None), [(3, 0), (3, 0), (1, 0)]);
    assert_eq!(says(Some(Lie::NbytesZero)), [(0, 0), (0, 0), (0, 0)]);
    assert_eq!(says(Some(Lie::HangupAtEof)), [(3, 0), (3, 0), (0, 1)]);
    assert_eq!(says(Some(Lie::HangupBeforeEof)), [(3, 0), (3, 1), (1, 1)]);
}

#[test]
fn an_event_with_an_error() {
    let mut probe = Probe::new(&host().lie(Lie::EventError { fd: 3, errno: Errno::Io }));
    let events = probe.poll(&[Sub::Read(0), Sub::Read(3), Sub::After(MS)]).unwrap();
    assert_eq!(events, [Seen { index: 1, errno: 29, kind: 1, nbytes: 0, flags: 0 }]);
}

#[test]
fn one_bad_descriptor_fails_the_whole_call() {
    for errno in [Errno::Badf, Errno::Perm, Errno::Inval] {
        let host = host().directory("/").lie(Lie::BadDescriptorFailsCall { errno });
        let mut probe = Probe::new(&host);
        for bad in [Sub::Read(77), Sub::Read(4), Sub::Read(1), Sub::Write(0)] {
            assert_eq!(probe.poll(&[Sub::After(0), bad, Sub::Write(1)]), Err(errno));
        }
        assert_eq!(
            probe.poll_order(&[Sub::After(0), Sub::Write(1)]),
            [0, 1],
            "without it the call works"
        );
    }
}

#[test]
fn a_bad_descriptor_wakes_the_clocks() {
    let mut probe = Probe::new(&host().lie(Lie::BadDescriptorWakesClocks));
    assert_eq!(probe.poll_order(&[Sub::Read(77), Sub::After(5 * MS), Sub::Read(0)]), [1]);
    assert_eq!(probe.now(), Duration::ZERO);
    assert_eq!(probe.poll_order(&[Sub::After(5 * MS), Sub::Read(0)]), [0]);
    assert_eq!(probe.now(), ms(5));
}

#[test]
fn polling_one_descriptor_is_denied() {
    let mut probe = Probe::new(&host().lie(Lie::PollDenied { fd: 0, errno: Errno::Perm }));
    assert_eq!(probe.poll(&[Sub::After(MS), Sub::Read(0)]), Err(Errno::Perm));
    assert_eq!(probe.poll_order(&[Sub::After(MS), Sub::Read(3)]), [0]);
    assert_eq!(probe.read(0, 3).unwrap(), "abc", "reading it works, and blocks");
}

#[test]
fn polling_stdin_at_its_end_traps() {
    let input = Input::silent().bytes(ms(1), "x").eof(ms(1));
    let mut probe = Probe::new(&Host::new().stdin(input).lie(Lie::StdinEofPollTraps));
    assert_eq!(probe.poll_order(&[Sub::Read(0)]), [0]);
    assert_eq!(probe.read(0, 1).unwrap(), "x");
    probe.try_poll(&[Sub::Read(0)]).unwrap_err();
    let outcome = probe.outcome();
    assert!(
        matches!(&outcome.ending, Ending::Trapped(why) if why.contains("StdinEofPollTraps")),
        "{outcome}"
    );
}

#[test]
fn the_wrong_direction_waits() {
    let mut probe =
        Probe::new(&Host::new().listener(Listener::new()).lie(Lie::WrongDirectionWaits));
    assert_eq!(
        probe.poll_order(&[Sub::Read(1), Sub::Write(0), Sub::Write(3), Sub::After(7 * MS)]),
        [3]
    );
    assert_eq!(probe.now(), ms(7));
}

#[test]
fn interrupted() {
    let mut probe = Probe::new(&Host::new().lie(Lie::Interrupted { every: TWO }));
    assert_eq!(probe.poll_order(&[Sub::After(MS)]), [0]);
    assert_eq!(probe.poll(&[Sub::After(MS)]), Err(Errno::Intr));
    assert_eq!(probe.poll_order(&[Sub::After(MS)]), [0]);
    assert_eq!(probe.now(), ms(2));
}

#[test]
fn a_lie_for_a_while() {
    let host = Host::new()
        .lie_when(When::FirstPolls(2), Lie::PartialEvents { max: ONE })
        .lie_when(When::Between { from: ms(5), until: ms(10) }, Lie::ReversedEvents);
    let mut probe = Probe::new(&host);
    let both = [Sub::Write(1), Sub::Write(2)];
    let mut orders = Vec::new();
    for wait in [0, 0, 0, 5, 5] {
        probe.reactor.advance(ms(wait));
        orders.push(probe.poll_order(&both));
    }
    assert_eq!(orders, [vec![0], vec![0], vec![0, 1], vec![1, 0], vec![0, 1]]);
}
