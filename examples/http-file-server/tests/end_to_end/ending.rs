//! How it ends: those who are being served may finish.

use crate::running::{Running, read_all};
use molen_foreign::program;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

const LIMIT: Duration = Duration::from_secs(20);

/// A client that has begun to read 50 MB, and one that is idle.
fn busy_and_idle(server: &Running) -> (TcpStream, TcpStream) {
    let file = std::fs::File::create(server.path("huge.bin")).expect("a file");
    file.set_len(50_000_000).expect("a file");
    let mut busy = server.connect();
    busy.write_all(b"GET /huge.bin HTTP/1.1\r\nHost: a\r\n\r\n").expect("it takes the request");
    busy.read_exact(&mut [0; 64]).expect("the answer begins");
    let mut idle = server.connect();
    idle.write_all(b"GET /hello.txt HTTP/1.1\r\nHost: a\r\n\r\n").expect("it takes the request");
    let mut answer = Vec::new();
    while !answer.ends_with(b"hello\n") {
        let mut byte = [0];
        idle.read_exact(&mut byte).expect("an answer");
        answer.push(byte[0]);
    }
    (busy, idle)
}

fn finishes(signal: &str) {
    let server = Running::start(&["--shutdown-timeout", "15"]);
    let (mut busy, mut idle) = busy_and_idle(&server);
    server.signal(signal);
    assert_eq!(read_all(&mut idle), "", "an idle client is left at once");
    assert!(TcpStream::connect(server.address).is_err(), "nobody new comes in");
    let mut rest = Vec::new();
    busy.read_to_end(&mut rest).expect("the answer's end");
    assert!(rest.len() > 50_000_000 - 64, "{} bytes", rest.len());
    drop(busy);
    let (status, log, errors) = server.end(LIMIT);
    assert!(status.success(), "{status}: {errors}");
    assert!(log.contains("\"GET /huge.bin HTTP/1.1\" 200 50000000"), "{log}");
    assert!(errors.contains("may finish within 15 s"), "{errors}");
    assert!(!errors.contains("broken off"), "{errors}");
}

#[test]
fn after_sigterm_those_who_are_served_may_finish() {
    finishes("-TERM");
}

#[test]
fn after_ctrl_c_those_who_are_served_may_finish() {
    finishes("-INT");
}

#[test]
fn who_does_not_finish_in_time_is_broken_off() {
    let server = Running::start(&["--shutdown-timeout", "0.5"]);
    let (busy, _idle) = busy_and_idle(&server);
    let began = Instant::now();
    server.signal("-TERM");
    let (status, _log, errors) = server.end(LIMIT);
    assert!(status.success(), "{status}: {errors}");
    assert!(errors.contains("1 connections are broken off"), "{errors}");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    drop(busy);
}

#[test]
fn a_second_ctrl_c_does_not_wait() {
    let server = Running::start(&["--shutdown-timeout", "60"]);
    let (_busy, mut idle) = busy_and_idle(&server);
    server.signal("-INT");
    // It is ending now.
    assert_eq!(read_all(&mut idle), "");
    server.signal("-INT");
    let (status, _log, _errors) = server.end(LIMIT);
    assert!(!status.success(), "{status}");
}

#[test]
fn what_cannot_be_served_is_said_with_its_reason() {
    let said = |arguments: &[&str]| {
        // It does not start; if it did, this would end it.
        let output = program("timeout")
            .args(["20", env!("CARGO_BIN_EXE_http-file-server")])
            .args(arguments)
            .output()
            .expect("it starts");
        assert!(matches!(output.status.code(), Some(1 | 2)), "{output:?}");
        String::from_utf8(output.stderr).expect("text")
    };
    let missing = said(&["/does/not/exist"]);
    assert!(missing.contains("cannot open the folder /does/not/exist: No such file"), "{missing}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let found = said(&["--listen", &address]);
    assert!(
        found.contains(&format!("cannot listen on {address}: the address is in use")),
        "{found}"
    );
    assert!(said(&["--idle-timeout=-1"]).contains("--idle-timeout"));
}
