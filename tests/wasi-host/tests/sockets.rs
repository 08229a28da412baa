//! Listening and connected sockets, honest and otherwise.

mod probe;

use std::num::NonZeroU32;
use std::time::Duration;

use molen_wasi_host::{Ending, Errno, Host, Lie, Listener, Output, Peer};
use probe::{MS, NONBLOCK, Probe, Sub, le, ms};

const TWO: NonZeroU32 = NonZeroU32::new(2).unwrap();

/// Descriptor 3 is a connection with "hello" in it, switched to NONBLOCK.
fn connected(host: Host, peer: Peer) -> Probe {
    let mut probe = Probe::new(&host.connection(peer));
    assert_eq!(probe.raw("set_flags", &[3, 4]), Errno::Success);
    probe
}

fn hello() -> Peer {
    Peer::named("hello").sends(Duration::ZERO, "hello")
}

#[test]
fn a_connection_from_accept_to_close() {
    let alice = Peer::named("alice")
        .sends(ms(5), "ping")
        .sends_after(4, ms(2), "more")
        .closes_after(4, ms(3));
    let mut probe = Probe::new(&Host::new().listener(Listener::new().connects(ms(4), alice)));
    assert_eq!(probe.accept(3, NONBLOCK), Err(Errno::Again));
    assert_eq!(probe.poll_order(&[Sub::Read(3), Sub::After(50 * MS)]), [0]);
    assert_eq!(probe.now(), ms(4));
    assert_eq!(probe.accept(3, NONBLOCK), Ok(4));
    assert_eq!(probe.accept(3, NONBLOCK), Err(Errno::Again));
    assert_eq!(probe.recv(4, 10, 0), Err(Errno::Again));
    assert_eq!(probe.poll_order(&[Sub::Read(3), Sub::Read(4)]), [1]);
    assert_eq!(probe.recv(4, 3, 1).unwrap(), "pin", "a peek leaves it");
    assert_eq!(probe.read(4, 10).unwrap(), "ping", "fd_read works on sockets");
    assert_eq!(probe.send(4, "pong"), Ok(4));
    assert_eq!(probe.poll_order(&[Sub::Read(4)]), [0]);
    assert_eq!(probe.now(), ms(7));
    assert_eq!(probe.recv(4, 10, 0).unwrap(), "more");
    probe.poll(&[Sub::Read(4)]).unwrap();
    assert_eq!((probe.recv(4, 10, 0).unwrap(), probe.now()), (String::new(), ms(8)));
    assert_eq!(probe.raw("shutdown", &[4, 2]), Errno::Success);
    assert_eq!(probe.send(4, "late"), Err(Errno::Pipe));
    probe.reactor.advance(ms(1));
    assert_eq!(probe.raw("close", &[4]), Errno::Success);

    let outcome = probe.outcome();
    let alice = outcome.peer("alice").unwrap();
    assert_eq!((alice.fd, alice.accepted_at), (Some(4), Some(ms(4))));
    assert_eq!(alice.received.text(), "pong");
    assert_eq!((alice.write_shut_at, alice.closed_at), (Some(ms(8)), Some(ms(9))));
    assert_eq!(outcome.open, [0, 1, 2, 3]);
    assert!(outcome.calls.blocked(Duration::ZERO).is_empty());
    let unprobed: Vec<&str> =
        outcome.calls.unprobed_socket_calls().iter().map(|call| call.call.name()).collect();
    assert_eq!(
        unprobed, ["sock_accept"; 3],
        "the listener was never asked about; 4 came from accept"
    );
}

#[test]
fn without_nonblock_reading_waits_and_the_log_tells() {
    let peer = Peer::named("slow").sends(ms(5), "ab").sends(ms(9), "cd");
    let mut probe =
        Probe::new(&Host::new().listener(Listener::new().connects(Duration::ZERO, peer)));
    assert_eq!(probe.accept(3, 0), Ok(4));
    assert_eq!(probe.recv(4, 4, 2).unwrap(), "abcd", "wait for all");
    assert_eq!(probe.now(), ms(9));
    assert!(probe.try_raw("recv", &[4, 4, 0]).unwrap_err().to_string().contains("blocks for ever"));
    let outcome = probe.outcome();
    assert_eq!(outcome.calls.blocked(Duration::ZERO).len(), 2);
}

#[test]
fn a_blocking_listener_waits_for_a_connection() {
    let mut probe =
        Probe::new(&Host::new().listener(Listener::blocking().connects(ms(6), hello())));
    assert_eq!(probe.accept(3, NONBLOCK), Ok(4));
    assert_eq!(probe.now(), ms(6));
}

#[test]
fn failing_accepts_keep_their_place_in_the_queue() {
    let listener = Listener::new()
        .connects(ms(0), Peer::named("first"))
        .fails(ms(0), Errno::Connaborted)
        .connects(ms(0), Peer::named("second"));
    let mut probe = Probe::new(&Host::new().listener(listener));
    assert_eq!(probe.accept(3, NONBLOCK), Ok(4));
    assert_eq!(probe.accept(3, NONBLOCK), Err(Errno::Connaborted));
    assert_eq!(probe.accept(3, NONBLOCK), Ok(5));
}

#[test]
fn out_of_descriptors_the_connection_waits() {
    let listener =
        Listener::new().connects(ms(0), Peer::named("a")).connects(ms(0), Peer::named("b"));
    let mut probe = Probe::new(&Host::new().listener(listener).descriptor_limit(5));
    assert_eq!(probe.accept(3, NONBLOCK), Ok(4));
    assert_eq!(probe.accept(3, NONBLOCK), Err(Errno::Mfile));
    assert_eq!(probe.poll_order(&[Sub::Read(3)]), [0], "still ready: a loop must back off");
    assert_eq!(probe.raw("close", &[4]), Errno::Success);
    assert_eq!(probe.accept(3, NONBLOCK), Ok(4));
    assert_eq!(probe.outcome().peer("b").unwrap().fd, Some(4));
}

#[test]
fn a_reset() {
    let mut probe = connected(Host::new(), hello().resets(ms(3)));
    assert_eq!(probe.send(3, "x"), Ok(1));
    probe.reactor.advance(ms(3));
    assert_eq!(probe.poll_order(&[Sub::Read(3), Sub::Write(3)]), [0, 1]);
    assert_eq!(probe.recv(3, 9, 0), Err(Errno::Connreset), "what was unread is lost");
    assert_eq!(probe.recv(3, 9, 0).unwrap(), "", "told once");
    assert_eq!(probe.send(3, "y"), Err(Errno::Pipe));
}

#[test]
fn back_pressure() {
    let peer = Peer::named("slow").reads(Output::open().window(5).drain(ms(4), 2));
    let mut probe = connected(Host::new(), peer);
    assert_eq!(probe.send(3, "abcdefgh"), Ok(5));
    assert_eq!(probe.send(3, "fgh"), Err(Errno::Again));
    assert_eq!(probe.poll_order(&[Sub::Write(3)]), [0]);
    assert_eq!(probe.now(), ms(4));
    assert_eq!(probe.send(3, "fgh"), Ok(2));
    assert_eq!(probe.outcome().peer("slow").unwrap().received.text(), "abcdefg");
}

#[test]
fn bad_arguments() {
    let mut probe = Probe::new(&Host::new().listener(Listener::new()).connection(hello()));
    // The listener was added first, so it is 3 and the connection 4.
    assert_eq!(probe.accept(4, NONBLOCK), Err(Errno::Inval));
    assert_eq!(probe.recv(3, 4, 0), Err(Errno::Notconn));
    assert_eq!(probe.send(3, "x"), Err(Errno::Notconn));
    assert_eq!(probe.raw("shutdown", &[3, 1]), Errno::Notconn);
    for how in [0, 4, 256] {
        assert_eq!(probe.raw("shutdown", &[4, how]), Errno::Inval);
    }
    assert_eq!(probe.raw("accept", &[3, 1]), Errno::Inval);
    assert_eq!(probe.raw("accept", &[99, 4]), Errno::Badf);
}

#[test]
fn socket_calls_on_what_is_not_a_socket() {
    let answer = |lies: &[Lie]| {
        let mut probe = Probe::new(&Host::new().lies(lies.iter().copied()));
        let answers = [
            probe.try_raw("accept", &[0, 4]),
            probe.try_raw("recv", &[1, 4, 0]),
            probe.try_raw("send", &[1, 4]),
            probe.try_raw("shutdown", &[2, 3]),
        ];
        (answers, probe.outcome().ending)
    };
    assert_eq!(answer(&[]), ([const { Ok(Errno::Notsock) }; 4], Ending::Running));
    assert_eq!(answer(&[Lie::NonSocketIsBadf]), ([const { Ok(Errno::Badf) }; 4], Ending::Running));
    let (answers, ending) = answer(&[Lie::NonSocketTraps]);
    assert!(answers.iter().all(Result::is_err));
    assert!(matches!(ending, Ending::Trapped(why) if why.contains("sock_accept on descriptor 0")));
}

#[test]
fn no_sockets_at_all() {
    for errno in [Errno::Notsock, Errno::Nosys] {
        let mut probe = connected(Host::new().lie(Lie::SocketsMissing { errno }), hello());
        assert_eq!(probe.recv(3, 5, 0), Err(errno));
        assert_eq!(probe.send(3, "x"), Err(errno));
        assert_eq!(probe.accept(3, NONBLOCK), Err(errno));
        assert_eq!(
            probe.accept(9, NONBLOCK),
            Err(Errno::Badf),
            "a closed descriptor is that first"
        );
    }
}

#[test]
fn accept_says_again_after_readiness() {
    let listener =
        Listener::new().connects(ms(0), Peer::named("a")).connects(ms(0), Peer::named("b"));
    let mut probe =
        Probe::new(&Host::new().listener(listener).lie(Lie::AcceptAgainAfterReady { times: 2 }));
    let mut answers = Vec::new();
    for _ in 0..7 {
        answers.push(probe.accept(3, NONBLOCK));
    }
    let again = Err(Errno::Again);
    assert_eq!(answers, [again, again, Ok(4), again, again, Ok(5), again]);
}

#[test]
fn accept_with_other_flags_loses_the_connection() {
    let listener =
        Listener::new().connects(ms(0), Peer::named("a")).connects(ms(0), Peer::named("b"));
    let honest = Host::new().listener(listener);
    let mut probe = Probe::new(&honest);
    assert_eq!(probe.accept(3, 1), Err(Errno::Inval));
    assert_eq!(probe.accept(3, NONBLOCK), Ok(4));
    assert_eq!(probe.outcome().peer("a").unwrap().fd, Some(4));

    let mut probe = Probe::new(&honest.lie(Lie::AcceptFlagsLoseConnection));
    assert_eq!(probe.accept(3, 1), Err(Errno::Inval));
    assert_eq!(probe.accept(3, NONBLOCK), Ok(4));
    let outcome = probe.outcome();
    assert_eq!(outcome.peer("a").unwrap().lost_at, Some(Duration::ZERO));
    assert_eq!(outcome.peer("b").unwrap().fd, Some(4));
}

#[test]
fn recv_and_send_say_again_after_readiness() {
    let host = Host::new()
        .lie(Lie::RecvAgainAfterReady { times: 1 })
        .lie(Lie::SendAgainAfterReady { times: 2 });
    let mut probe = connected(host, hello());
    assert_eq!(probe.poll_order(&[Sub::Read(3), Sub::Write(3)]), [0, 1]);
    assert_eq!(probe.recv(3, 3, 0), Err(Errno::Again));
    assert_eq!(probe.recv(3, 3, 0).unwrap(), "hel");
    assert_eq!(probe.recv(3, 3, 0), Err(Errno::Again));
    assert_eq!(probe.recv(3, 3, 0).unwrap(), "lo");
    assert_eq!(probe.recv(3, 3, 0), Err(Errno::Again), "the truth again: it is empty");
    let sends: Vec<_> = (0..4).map(|_| probe.send(3, "x")).collect();
    assert_eq!(sends, [Err(Errno::Again), Err(Errno::Again), Ok(1), Err(Errno::Again)]);
}

#[test]
fn short_reads_and_writes() {
    let host = Host::new().lie(Lie::ShortReads { max: TWO }).lie(Lie::ShortWrites { max: TWO });
    let mut probe = connected(host, hello());
    assert_eq!(probe.recv(3, 10, 0).unwrap(), "he");
    assert_eq!(probe.send(3, "abcde"), Ok(2));
    assert_eq!(probe.write(1, "abcde"), Ok(2), "stdout too");
    let outcome = probe.outcome();
    assert_eq!(outcome.stdout.text(), "ab");
    assert_eq!(outcome.peers[0].received.text(), "ab");
}

#[test]
fn recv_fills_only_the_first_buffer() {
    let mut probe = connected(Host::new().lie(Lie::RecvFillsFirstBufferOnly), hello());
    assert_eq!(probe.recv(3, 4, 0).unwrap(), "he", "of two buffers of two bytes");
    assert_eq!(probe.recv(3, 1, 0).unwrap(), "l", "an empty first buffer is skipped");
}

#[test]
fn stdio_accepts_nonblock_without_effect() {
    let input = molen_wasi_host::Input::silent().bytes(ms(5), "x");
    let mut probe = Probe::new(&Host::new().stdin(input).lie(Lie::StdioAcceptsNonblock));
    assert_eq!(probe.raw("set_flags", &[0, 4]), Errno::Success);
    assert_eq!(probe.read(0, 1).unwrap(), "x");
    assert_eq!(probe.now(), ms(5));
}

#[test]
fn understated_rights() {
    let mut probe = connected(Host::new().lie(Lie::SocketRightsUnderstated), hello());
    assert_eq!(probe.raw("fdstat", &[3]), Errno::Success);
    assert_eq!(le(&probe.scalar(24)[8..16]), 0x42);
    assert_eq!(probe.raw("shutdown", &[3, 3]), Errno::Success);
    assert_eq!(probe.recv(3, 9, 0).unwrap(), "", "after shutting the reading half down");
}

#[test]
fn a_reactor_s_host_can_bring_connections_and_bytes() {
    let mut probe = Probe::new(&Host::new().listener(Listener::new()));
    probe.reactor.connect(3, Peer::named("late")).unwrap();
    assert_eq!(probe.poll_order(&[Sub::Read(3)]), [0]);
    assert_eq!(probe.accept(3, NONBLOCK), Ok(4));
    probe.reactor.feed(4, "data").unwrap();
    probe.reactor.end_input(4).unwrap();
    assert_eq!(probe.recv(4, 9, 0).unwrap(), "data");
    assert_eq!(probe.recv(4, 9, 0).unwrap(), "");
    assert_eq!(probe.reactor.feed(1, "x"), Err(Errno::Badf));
    assert_eq!(probe.reactor.connect(4, Peer::named("x")), Err(Errno::Badf));
}
