//! Molen's own preview-1 modules, under an honest host and under every lie.

mod modules;

use std::sync::OnceLock;
use std::time::Duration;

use molen_wasi_host::{
    Ending, Errno, Host, Input, Interest, Lie, Listener, Outcome, Peer, Timeout, Value,
};

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// The bytes of a module, built once.
macro_rules! module {
    ($function:ident, $package:literal) => {
        fn $function() -> &'static [u8] {
            static MODULE: OnceLock<Vec<u8>> = OnceLock::new();
            MODULE.get_or_init(|| {
                let path = modules::build($package, "wasm32-wasip1");
                std::fs::read(path).expect("cargo said that it made the module")
            })
        }
    };
}
module!(hello_timer, "hello-timer");
module!(many_timers, "many-timers");
module!(stdio_echo, "stdio-echo");
module!(echo, "echo");
module!(client, "client");
module!(reactor, "reactor");
module!(tea, "tea");

/// What holds of every poll of every module.
fn assert_polls_are_careful(outcome: &Outcome, about: &dyn std::fmt::Debug) {
    for poll in outcome.calls.polls() {
        assert!(poll.n > 0, "{about:?}: a poll of nothing: {outcome}");
        assert!(poll.clocks().count() <= 1, "{about:?}: more than one clock: {outcome}");
        for clock in poll.clocks() {
            assert!(
                matches!(
                    clock.interest,
                    Interest::Clock { id: 1, timeout: Timeout::Relative(_), .. }
                ),
                "{about:?}: not relative and monotonic: {outcome}"
            );
        }
    }
    let unprobed = outcome.calls.unprobed_socket_calls();
    assert!(unprobed.is_empty(), "{about:?}: {unprobed:?}: {outcome}");
}

#[test]
fn a_timer_is_one_poll_with_one_clock_and_nothing_else() {
    let outcome = Host::new().run(hello_timer()).unwrap();
    assert_eq!(outcome.ending, Ending::Exited(0), "{outcome}");
    assert_eq!(outcome.stdout.text(), "hello\n");
    assert_eq!((outcome.polls, outcome.clock), (1, ms(10)), "{outcome}");
    assert!(outcome.calls.polls().all(|poll| poll.n == 1 && poll.clocks().count() == 1));
    assert_polls_are_careful(&outcome, &"honest");
}

#[test]
fn an_async_main_ends_when_what_it_left_has_cleaned_up() {
    let outcome = Host::new().run(tea()).unwrap();
    assert_eq!(outcome.ending, Ending::Exited(0), "{outcome}");
    assert_eq!(outcome.stdout.text(), "the kettle is on\ntea is ready\nthe pot is cleaned\n");
    assert_eq!(outcome.clock, ms(11), "{outcome}");
}

#[test]
fn a_timer_survives_every_lie_and_is_never_early() {
    for cost in [Duration::ZERO, Duration::from_micros(70)] {
        for lie in Lie::one_of_each() {
            let outcome = Host::new().call_cost(cost).lie(lie).run(hello_timer()).unwrap();
            assert_eq!(outcome.ending, Ending::Exited(0), "{lie:?}: {outcome}");
            assert_eq!(outcome.stdout.text(), "hello\n", "{lie:?}: {outcome}");
            assert!(outcome.stdout.deliveries()[0].at >= ms(10), "{lie:?}: early: {outcome}");
            assert!(outcome.clock < ms(13), "{lie:?}: late: {outcome}");
            assert!(outcome.polls <= 10, "{lie:?}: spins: {outcome}");
            assert_polls_are_careful(&outcome, &lie);
        }
    }
}

#[test]
fn a_thousand_timers_are_a_poll_for_each_deadline() {
    let outcome = Host::new().run(many_timers()).unwrap();
    assert_eq!(outcome.ending, Ending::Exited(0), "{outcome}");
    assert_eq!(outcome.stdout.text(), "00010000 us\n");
    // Ten deadlines; the wheel may wake up once more for a crowded slot.
    assert!((10..=20).contains(&outcome.polls), "{} polls", outcome.polls);
    for lie in Lie::one_of_each() {
        let outcome = Host::new().lie(lie).run(many_timers()).unwrap();
        assert_eq!(outcome.ending, Ending::Exited(0), "{lie:?}: {outcome}");
        assert!(outcome.clock <= ms(12), "{lie:?}: {:?}", outcome.clock);
        assert!(outcome.polls <= 40, "{lie:?}: spins: {} polls", outcome.polls);
    }
}

fn typist() -> Host {
    Host::new().stdin(Input::silent().bytes(ms(5), "hi ").bytes(ms(25), "there ").eof(ms(35)))
}

/// What was written without the dots of the timer.
fn without_dots(outcome: &Outcome) -> String {
    outcome.stdout.text().replace('.', "")
}

#[test]
fn standard_input_is_read_when_it_is_ready_and_the_timer_goes_on() {
    let outcome = typist().run(stdio_echo()).unwrap();
    assert_eq!(outcome.ending, Ending::Exited(0), "{outcome}");
    assert_eq!(outcome.stdout.text(), "hi ..there .end\n", "{outcome}");
    assert!(outcome.calls.blocked(Duration::ZERO).is_empty(), "{outcome}");
    assert_eq!(outcome.calls.named("fd_read").count(), 3, "one read an event: {outcome}");
    // One poll a turn: three for the timer, three for the input.
    assert_eq!(outcome.polls, 6, "{outcome}");
    for poll in outcome.calls.polls() {
        assert_eq!((poll.clocks().count(), poll.descriptors().count()), (1, 1), "{outcome}");
    }
    assert_polls_are_careful(&outcome, &"honest");
}

#[test]
fn standard_input_survives_every_lie() {
    for cost in [Duration::ZERO, Duration::from_micros(70)] {
        for lie in Lie::one_of_each() {
            let outcome = typist().call_cost(cost).lie(lie).run(stdio_echo()).unwrap();
            if lie == Lie::StdinEofPollTraps {
                // Such a host ends the module; nothing in it can prevent that.
                assert!(matches!(outcome.ending, Ending::Trapped(_)), "{outcome}");
                continue;
            }
            assert_eq!(outcome.ending, Ending::Exited(0), "{lie:?}: {outcome}");
            assert_eq!(without_dots(&outcome), "hi there end\n", "{lie:?}: {outcome}");
            assert_polls_are_careful(&outcome, &lie);
            // A host that will not poll it is read from as it can be.
            let unpollable = matches!(lie, Lie::PollDenied { .. } | Lie::EventError { .. });
            let blocked = outcome.calls.blocked(cost);
            assert!(unpollable || blocked.is_empty(), "{lie:?}: {blocked:?}: {outcome}");
            assert!(outcome.polls <= 60, "{lie:?}: spins: {outcome}");
        }
    }
    for lies in [Lie::wasmtime_48(), Lie::node_20()] {
        let outcome = typist().lies(lies.clone()).run(stdio_echo()).unwrap();
        assert_eq!(without_dots(&outcome), "hi there end\n", "{lies:?}: {outcome}");
    }
}

#[test]
fn input_that_is_at_its_end_or_a_whole_file_ends_the_program() {
    for (input, expected) in
        [(Input::null(), "end\n"), (Input::complete("all of it "), "all of it end\n")]
    {
        let outcome = Host::new().stdin(input).run(stdio_echo()).unwrap();
        assert_eq!(outcome.ending, Ending::Exited(0), "{outcome}");
        assert_eq!(without_dots(&outcome), expected, "{outcome}");
    }
}

/// Two clients at a time, one of which is cut off.
fn clients() -> Host {
    let steady = Peer::named("steady")
        .sends(ms(6), "one ")
        .sends_after(4, ms(2), "two")
        .closes_after(7, ms(1));
    let brisk = Peer::named("brisk").sends(ms(6), "now").closes_after(3, ms(1));
    let cut = Peer::named("cut").sends(ms(7), "nev").resets(ms(8));
    let late = Peer::named("late").sends(ms(40), "still here?").closes_after(11, ms(1));
    Host::new().listener(
        Listener::new()
            .connects(ms(5), steady)
            .connects(ms(5), brisk)
            .connects(ms(6), cut)
            .connects(ms(30), late),
    )
}

fn assert_served(outcome: &Outcome, about: &dyn std::fmt::Debug) {
    assert!(matches!(outcome.ending, Ending::Hung(_)), "{about:?}: a server waits: {outcome}");
    for (peer, expected) in [("steady", "one two"), ("brisk", "now"), ("late", "still here?")] {
        let record = outcome.peer(peer).expect("it is in the script");
        assert_eq!(record.received.text(), expected, "{about:?}: {peer}: {outcome}");
        assert!(record.closed_at.is_some(), "{about:?}: {peer} was not closed: {outcome}");
    }
    assert_eq!(outcome.open, [0, 1, 2, 3], "{about:?}: descriptors were left open: {outcome}");
    assert_polls_are_careful(outcome, about);
    assert!(outcome.calls.blocked(Duration::ZERO).is_empty(), "{about:?}: {outcome}");
}

#[test]
fn a_listener_from_the_host_is_served() {
    let outcome = clients().run(echo()).unwrap();
    assert_served(&outcome, &"honest");
    assert!(outcome.stdout.text().contains("not supported on WASI preview 1"), "{outcome}");
    assert!(outcome.calls.polls().all(|poll| poll.clocks().count() == 0), "no timer: {outcome}");
    let accepts = outcome.calls.named("sock_accept");
    assert!(
        accepts.into_iter().all(|call| format!("{:?}", call.call).contains("flags: 4")),
        "{outcome}"
    );
}

#[test]
fn a_server_survives_every_lie() {
    for lie in Lie::one_of_each() {
        let outcome = clients().lie(lie).run(echo()).unwrap();
        if let Lie::SocketsMissing { .. } = lie {
            // Current wasmtime: the failure is told and the module ends.
            assert_eq!(outcome.ending, Ending::Exited(1), "{lie:?}: {outcome}");
            continue;
        }
        assert_served(&outcome, &lie);
        assert!(outcome.polls <= 80, "{lie:?}: spins: {outcome}");
    }
    assert_served(&clients().lies(Lie::wasi_common_46()).run(echo()).unwrap(), &"wasi-common");
}

#[test]
fn one_bad_descriptor_is_closed_and_the_others_are_served() {
    for errno in [Errno::Badf, Errno::Perm, Errno::Notsup, Errno::Notcapable, Errno::Inval] {
        for lie in [Lie::PollDenied { fd: 4, errno }, Lie::EventError { fd: 4, errno }] {
            let outcome = clients().lie(lie).run(echo()).unwrap();
            assert!(matches!(outcome.ending, Ending::Hung(_)), "{lie:?}: {outcome}");
            // Descriptor 4 is used again by those that come later.
            let served = outcome.peers.iter().filter(|peer| !peer.received.is_empty()).count();
            assert!(served >= 1, "{lie:?}: nobody was served: {outcome}");
            assert_eq!(outcome.open, [0, 1, 2, 3], "{lie:?}: {outcome}");
            assert_polls_are_careful(&outcome, &lie);
        }
    }
}

#[test]
fn when_descriptors_run_out_the_server_backs_off_and_recovers() {
    let peer = |number: u64| {
        Peer::named(number.to_string()).sends(ms(6 + number), "x").closes_after(1, ms(60))
    };
    let crowd =
        (0..90).fold(Listener::new(), |listener, number| listener.connects(ms(5), peer(number)));
    let full_table = Host::new().listener(crowd.clone()).run(echo()).unwrap();
    let full_host = Host::new().listener(crowd).descriptor_limit(20).run(echo()).unwrap();
    for outcome in [full_table, full_host] {
        assert!(matches!(outcome.ending, Ending::Hung(_)), "{outcome}");
        let unserved = outcome.peers.iter().filter(|peer| peer.received.text() != "x").count();
        assert_eq!(unserved, 0, "{outcome}");
        assert!(outcome.polls < 1000, "{} polls: it spins", outcome.polls);
    }
}

#[test]
fn what_preview_1_lacks_is_said_without_asking_the_host() {
    let outcome = Host::new().stdin(Input::complete("80\n")).run(client()).unwrap();
    assert_eq!(outcome.ending, Ending::Exited(0), "{outcome}");
    let text = outcome.stdout.text();
    assert!(text.starts_with("cannot connect to 127.0.0.1:80: opening a connection is not supported on WASI preview 1: "), "{text}");
    assert!(outcome.calls.iter().all(|call| !call.call.name().starts_with("sock_")), "{outcome}");
    let outcome = Host::new().directory("/data").run(echo()).unwrap();
    assert_eq!(outcome.ending, Ending::Exited(1), "{outcome}");
    assert!(outcome.stdout.text().contains("the host gave this module none"), "{outcome}");
    assert!(outcome.calls.iter().all(|call| !call.call.name().starts_with("sock_")), "{outcome}");
}

#[test]
fn a_directory_among_the_sockets_does_not_hide_a_listener() {
    let listener = Listener::new()
        .connects(ms(1), Peer::named("client").sends(ms(2), "x").closes_after(1, ms(1)));
    let outcome = Host::new().directory("/data").listener(listener).run(echo()).unwrap();
    assert_eq!(outcome.peer("client").unwrap().received.text(), "x", "{outcome}");
}

#[test]
fn a_host_turns_the_wheel_of_a_reactor() {
    let mut reactor = Host::new().instantiate(reactor()).unwrap();
    assert_eq!(reactor.call_i64("loop_turn", &[]), Ok(-1), "idle");
    assert_eq!(reactor.call_i32("start_timers", &[Value::I32(5)]), Ok(5));
    let mut turns = 0;
    loop {
        match reactor.call_i64("loop_turn", &[]).unwrap() {
            -1 => break,
            delay => reactor.advance(Duration::from_nanos(u64::try_from(delay).unwrap())),
        }
        turns += 1;
    }
    assert_eq!((turns, reactor.call_i32("fired", &[]), reactor.now()), (5, Ok(5), ms(5)));
    assert_eq!(reactor.call_i32("start_timers", &[Value::I32(20)]), Ok(16), "the pool's size");
    assert_eq!(reactor.call_i32("wait_for_nothing", &[]), Ok(1), "after the timers");
    assert_eq!((reactor.call_i32("fired", &[]), reactor.now()), (Ok(21), ms(21)));
    let outcome = reactor.into_outcome();
    assert_eq!(outcome.ending, Ending::Running, "{outcome}");
}

#[test]
fn nothing_to_wait_for_is_an_error_and_no_host_call() {
    let mut reactor = Host::new().instantiate(reactor()).unwrap();
    assert_eq!(reactor.call_i32("wait_for_nothing", &[]), Ok(1));
    assert_eq!(reactor.into_outcome().polls, 0);
}
