//! Guests that are wrong: bad pointers, bad modules, and programs without end. Each is an errno, an ending or an error;
//! none is a panic of the host.

mod probe;

use molen_wasi_host::{
    CallError, Ending, Errno, Host, Input, Lie, Listener, LoadError, Peer, Reactor, Value,
};
use probe::{Probe, ms};

const END: i64 = 0x2_0000; // the probe has two pages
const FAR: i64 = -4; // 0xffff_fffc

fn module(wat: &str) -> Vec<u8> {
    wat::parse_str(wat).unwrap()
}

#[test]
fn pointers_outside_memory_are_efault() {
    let host = Host::new()
        .stdin(Input::complete("kept"))
        .listener(Listener::new().connects(ms(0), Peer::named("kept")));
    let mut probe = Probe::new(&host.argument("program"));
    probe.subscribe(&[probe::Sub::After(0)]);
    let calls: &[(&str, &[i64])] = &[
        ("poll_raw", &[FAR & !7, 0x4000, 1, 0x100]),
        ("poll_raw", &[END - 40, 0x4000, 1, 0x100]),
        ("poll_raw", &[0x1000, END - 24, 1, 0x100]),
        ("poll_raw", &[0x1000, 0x4000, 1, END]),
        ("poll_raw", &[0x1000, 0x4000, -1, 0x100]),
        ("read_raw", &[0, FAR, 1, 0x100]),
        ("read_raw", &[0, 0x200, -1, 0x100]),
        ("read_raw", &[0, 0x200, 1, FAR]),
        ("write_raw", &[1, END - 4, 1, 0x100]),
        ("accept_raw", &[3, 4, FAR]),
        ("fdstat_raw", &[0, END - 16]),
        ("time_raw", &[1, END]),
        ("args_raw", &[END, 0]),
        ("args_raw", &[0x100, END - 3]),
        ("random_raw", &[END - 3, 4]),
        ("random_raw", &[1, -1]),
    ];
    for (name, arguments) in calls {
        assert_eq!(probe.raw(name, arguments), Errno::Fault, "{name} {arguments:?}");
    }
    // An iovec that is itself in memory and points out of it.
    for (pointer, len) in [(END, 1), (0, END + 1), (-1, -1)] {
        for (at, value) in [(0x200, pointer), (0x204, len)] {
            probe.reactor.call("store", &[Value::I32(at), Value::I32(value as i32)]).unwrap();
        }
        assert_eq!(probe.raw("read_raw", &[0, 0x200, 1, 0x100]), Errno::Fault);
        assert_eq!(probe.raw("write_raw", &[1, 0x200, 1, 0x100]), Errno::Fault);
    }
    assert_eq!(probe.read(0, 10).unwrap(), "kept", "a failed call consumes nothing");
    assert_eq!(probe.accept(3, 4), Ok(4));
}

#[test]
fn misaligned_records_are_einval() {
    let mut probe = Probe::new(&Host::new());
    let calls: &[(&str, &[i64])] = &[
        ("poll_raw", &[0x1004, 0x4000, 1, 0x100]),
        ("poll_raw", &[0x1000, 0x4001, 1, 0x100]),
        ("poll_raw", &[0x1000, 0x4000, 1, 0x102]),
        ("read_raw", &[0, 0x201, 1, 0x100]),
        ("time_raw", &[1, 0x104]),
    ];
    for (name, arguments) in calls {
        assert_eq!(probe.raw(name, arguments), Errno::Inval, "{name} {arguments:?}");
    }
}

/// Every call with arguments picked from the awkward ones, under no lie and under each: it answers or ends, and the
/// descriptor table survives.
#[test]
fn awkward_arguments_never_panic() {
    let awkward =
        [0, 1, 2, 3, 4, 5, 7, 8, 0x100, 0x1000, 0x4000, 0x1_fff8, END, i64::from(i32::MIN), -8, -1];
    let calls = [
        ("poll_raw", 4),
        ("read_raw", 4),
        ("write_raw", 4),
        ("recv", 3),
        ("send", 2),
        ("accept_raw", 3),
        ("shutdown", 2),
        ("set_flags", 2),
        ("fdstat_raw", 2),
        ("prestat", 1),
        ("dir_name", 2),
        ("time_raw", 2),
        ("args_raw", 2),
        ("random_raw", 2),
        ("close", 1),
    ];
    let honest = Host::new()
        .stdin(Input::complete("input"))
        .listener(
            Listener::new().connects(ms(0), Peer::named("peer")).fails(ms(0), Errno::Connaborted),
        )
        .connection(Peer::named("other").sends(ms(0), "data"))
        .directory("/")
        .file("contents")
        .argument("program");
    let mut state: usize = 1;
    for lie in Lie::one_of_each().into_iter().map(Some).chain([None]) {
        let host = honest.clone().lies(lie);
        let mut probe = Probe::new(&host);
        for round in 0..300 {
            let (name, count) = calls[round % calls.len()];
            let arguments: Vec<i64> = (0..count)
                .map(|_| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1_442_695_040_888_963_407);
                    awkward[(state >> 33) % awkward.len()]
                })
                .collect();
            if let Err(error) = probe.try_raw(name, &arguments) {
                assert!(
                    matches!(error, CallError::Ended(Ending::Hung(_) | Ending::Trapped(_))),
                    "{lie:?}: {error}"
                );
                probe = Probe::new(&host);
            }
        }
    }
}

#[test]
fn a_module_that_cannot_be_run() {
    let run = |wat: &str| Host::new().run(&module(wat)).unwrap_err();
    assert!(matches!(Host::new().run(b"not a module").unwrap_err(), LoadError::Invalid(_)));
    assert_eq!(run("(module)"), LoadError::NoStart);
    assert_eq!(run(r#"(module (func (export "_start") (param i32)))"#), LoadError::NoStart);
    let foreign = |module: &str, name: &str| LoadError::ForeignImport {
        module: module.into(),
        name: name.into(),
    };
    assert_eq!(
        run(r#"(module (import "env" "pthread_join" (func)))"#),
        foreign("env", "pthread_join")
    );
    assert_eq!(run(r#"(module (import "env" "memory" (memory 1)))"#), foreign("env", "memory"));
    let no_such = r#"(module (import "wasi_snapshot_preview1" "invented" (func (result i64))))"#;
    assert_eq!(run(no_such), foreign("wasi_snapshot_preview1", "invented"));
    let signature =
        r#"(module (import "wasi_snapshot_preview1" "fd_close" (func (param i64) (result i32))))"#;
    assert!(matches!(run(signature), LoadError::Link(_)));
    assert!(
        matches!(run("(module (memory 65536))"), LoadError::Link(_)),
        "4 GiB of memory are too much"
    );
}

fn ending(host: &Host, wat: &str) -> Ending {
    host.run(&module(wat)).unwrap().ending
}

#[test]
fn how_programs_end() {
    let host = Host::new().fuel(1_000_000).call_limit(1000);
    let exit = r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (func (export "_start") (call $exit (i32.const 7)) unreachable))"#;
    assert_eq!(ending(&host, exit), Ending::Exited(7), "also without a memory");
    assert_eq!(ending(&host, r#"(module (func (export "_start")))"#), Ending::Exited(0));
    let trap = r#"(module (func (export "_start") unreachable))"#;
    assert!(matches!(ending(&host, trap), Ending::Trapped(why) if why.contains("unreachable")));
    let spin = r#"(module (func (export "_start") (loop $again (br $again))))"#;
    assert_eq!(ending(&host, spin), Ending::OutOfFuel);
    let busy = r#"(module (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
        (func (export "_start") (loop $again (drop (call $yield)) (br $again))))"#;
    assert_eq!(ending(&host, busy), Ending::CallLimit(1000));
    let at_once = r#"(module (func $start unreachable) (start $start) (func (export "_start")))"#;
    assert!(matches!(ending(&host, at_once), Ending::Trapped(_)));
    let recursion = r#"(module (func $f (export "_start") (call $f)))"#;
    assert!(matches!(ending(&host, recursion), Ending::Trapped(_)));
    let no_memory = r#"(module (import "wasi_snapshot_preview1" "clock_time_get"
        (func $time (param i32 i64 i32) (result i32)))
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (func (export "_start") (call $exit (call $time (i32.const 1) (i64.const 0) (i32.const 0)))))"#;
    assert_eq!(
        ending(&host, no_memory),
        Ending::Exited(21),
        "any pointer is EFAULT without a memory"
    );
}

#[test]
fn calling_exports_wrongly() {
    let wat = r#"(module
        (global $ready (mut i32) (i32.const 0))
        (func (export "_initialize") (global.set $ready (i32.const 1)))
        (func (export "ready") (result i32) (global.get $ready))
        (func (export "add") (param i64 i64) (result i64) (i64.add (local.get 0) (local.get 1)))
        (func (export "half") (result f32) (f32.const 0.5))
        (func (export "spin") (loop $again (br $again))))"#;
    let mut reactor: Reactor = Host::new().fuel(10_000).instantiate(&module(wat)).unwrap();
    assert_eq!(reactor.call_i32("ready", &[]), Ok(1), "_initialize was called");
    assert_eq!(reactor.call_i64("add", &[40_i64.into(), 2_i64.into()]), Ok(42));
    assert!(matches!(
        reactor.call_i32("add", &[40_i64.into(), 2_i64.into()]),
        Err(CallError::Results { .. })
    ));
    assert!(matches!(
        reactor.call("add", &[1_i32.into(), 2_i64.into()]),
        Err(CallError::Arguments { .. })
    ));
    assert!(matches!(reactor.call("add", &[]), Err(CallError::Arguments { .. })));
    assert!(matches!(reactor.call("half", &[]), Err(CallError::Results { .. })));
    assert_eq!(reactor.call("turn", &[]), Err(CallError::NoSuchExport("turn".into())));
    assert_eq!(reactor.call("spin", &[]), Err(CallError::Ended(Ending::OutOfFuel)));
    assert_eq!(
        reactor.call("ready", &[]),
        Err(CallError::Ended(Ending::OutOfFuel)),
        "an ended guest stays ended"
    );
    assert_eq!(reactor.memory(0, 1), None);
    assert!(reactor.into_outcome().fuel_used >= 10_000);
}
