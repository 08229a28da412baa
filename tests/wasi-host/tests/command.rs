//! A whole command under every lie, and a reactor turned by its host: the two shapes in which modules are tested.

use std::time::Duration;

use molen_wasi_host::{Ending, Host, Input, Lie};

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn host() -> Host {
    Host::new().stdin(Input::silent().bytes(ms(35), "typed\n").eof(ms(40)))
}

#[test]
fn a_command_in_virtual_time() {
    let wasm = wat::parse_str(include_str!("command.wat")).unwrap();
    let outcome = host().run(&wasm).unwrap();
    assert_eq!(outcome.ending, Ending::Exited(0), "{outcome}");
    assert_eq!(outcome.stdout.text(), "...typed\n");
    let times: Vec<Duration> =
        outcome.stdout.deliveries().iter().map(|delivery| delivery.at).collect();
    assert_eq!(times, [ms(10), ms(20), ms(30), ms(35)]);
    assert_eq!((outcome.polls, outcome.clock), (3, ms(40)));
    assert!(outcome.calls.polls().all(|poll| poll.n == 1 && poll.clocks().count() == 1));
    assert!(outcome.fuel_used > 100);
    let again = host().run(&wasm).unwrap();
    assert_eq!(again, outcome, "a run is a function of its scenario");
}

#[test]
fn a_careful_command_survives_every_lie() {
    let wasm = wat::parse_str(include_str!("command.wat")).unwrap();
    // A call cost leaves fractions of a millisecond, on which timers with a grid go wrong.
    for cost in [Duration::ZERO, Duration::from_micros(70)] {
        for lie in Lie::one_of_each() {
            let outcome = host().call_cost(cost).lie(lie).run(&wasm).unwrap();
            assert_eq!(outcome.ending, Ending::Exited(0), "{lie:?}: {outcome}");
            assert_eq!(outcome.stdout.text(), "...typed\n", "{lie:?}: {outcome}");
            assert!(
                outcome.stdout.deliveries()[2].at >= ms(30),
                "{lie:?}: a dot came early: {outcome}"
            );
        }
    }
    for (host_name, lies) in [
        ("wasmtime", Lie::wasmtime_48()),
        ("wasi-common", Lie::wasi_common_46()),
        ("node", Lie::node_20()),
    ] {
        let outcome = host().lies(lies).run(&wasm).unwrap();
        assert_eq!(outcome.stdout.text(), "...typed\n", "{host_name}: {outcome}");
    }
}

/// A loop as a reactor: `turn` takes the time itself, counts what is due of a timer each 10 ms, and returns the
/// nanoseconds to the next one, or -1 after the third.
const REACTOR: &str = r#"(module
  (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
  (memory (export "memory") 1)
  (global $next (mut i64) (i64.const 10000000))
  (global $fired (mut i32) (i32.const 0))
  (func (export "fired") (result i32) (global.get $fired))
  (func (export "turn") (result i64)
    (drop (call $time (i32.const 1) (i64.const 0) (i32.const 0)))
    (if (i64.ge_u (i64.load (i32.const 0)) (global.get $next)) (then
      (global.set $fired (i32.add (global.get $fired) (i32.const 1)))
      (global.set $next (i64.add (global.get $next) (i64.const 10000000)))))
    (if (i32.eq (global.get $fired) (i32.const 3)) (then (return (i64.const -1))))
    (i64.sub (global.get $next) (i64.load (i32.const 0)))))"#;

#[test]
fn a_reactor_is_turned_by_its_host() {
    let mut reactor = host().instantiate(&wat::parse_str(REACTOR).unwrap()).unwrap();
    let mut turns = 0;
    loop {
        turns += 1;
        let delta = reactor.call_i64("turn", &[]).unwrap();
        let Ok(delta) = u64::try_from(delta) else {
            break;
        };
        reactor.advance(Duration::from_nanos(delta));
    }
    assert_eq!((turns, reactor.call_i32("fired", &[])), (4, Ok(3)));
    assert_eq!(reactor.now(), ms(30));
    let outcome = reactor.into_outcome();
    assert_eq!((outcome.ending, outcome.polls), (Ending::Running, 0));
}
