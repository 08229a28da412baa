//! Clients that behave badly, or well in ways that programs seldom do.

use crate::running::{Running, read_all};
use std::io::{Read, Write};
use std::time::{Duration, Instant};

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("none")
}

#[test]
fn requests_that_come_together_are_answered_in_their_order() {
    let server = Running::start(&[]);
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
    let all = format!(
        "{}{}HEAD /small.bin HTTP/1.1\r\nHost: a\r\n\r\n{}GET /hello.txt HTTP/1.0\r\n\r\n{}",
        get("/hello.txt"),
        get("/missing"),
        get("/sub/"),
        get("/empty"),
    );
    let answer = server.raw(all.as_bytes());
    let statuses: Vec<&str> =
        answer.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect();
    // The request of HTTP/1.0 is the last that is answered.
    assert_eq!(statuses, ["200", "404", "200", "200", "200"], "{answer}");
    assert!(answer.ends_with("\r\n\r\nhello\n"), "{answer}");
}

#[test]
fn a_request_may_come_byte_by_byte_and_its_sender_stop_sending() {
    let server = Running::start(&[]);
    let mut stream = server.connect();
    stream.set_nodelay(true).expect("an option");
    for byte in b"GET /hello.txt HTTP/1.1\r\nHost: a\r\n\r\n" {
        stream.write_all(&[*byte]).expect("it takes a byte");
        std::thread::sleep(Duration::from_millis(1));
    }
    stream.shutdown(std::net::Shutdown::Write).expect("half of it is closed");
    let answer = read_all(&mut stream);
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("hello\n"), "{answer}");
}

#[test]
fn what_is_too_long_or_no_request_is_refused_and_the_answer_arrives() {
    let server = Running::start(&["--max-header", "16384"]);
    let fields = "A: b\r\n".repeat(4_000);
    for (request, expected) in [
        (format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(9_000)), "414"),
        (format!("GET /{}", "a".repeat(500_000)), "414"),
        (format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n"), "431"),
        (format!("GET / HTTP/1.1\r\nHost: a\r\nA: {}", "b".repeat(500_000)), "431"),
        ("hello\r\n\r\n".to_owned(), "400"),
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), "400"),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(), "505"),
        ("\u{16}\u{3}\u{1}\u{2}\u{0}\n\n".to_owned(), "400"),
        (
            format!(
                "PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n{}",
                "x".repeat(500_000)
            ),
            "405",
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /hello.txt HTTP/1.1\r\nHost: a\r\n\r\n"
                .to_owned(),
            "400",
        ),
    ] {
        let mut stream = server.connect();
        // A server that has enough may close while we still talk.
        let _ = stream.write_all(request.as_bytes());
        let answer = read_all(&mut stream);
        let shown = &request[..request.len().min(60)];
        assert_eq!(status(&answer), expected, "{shown:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{shown:?}: {answer}");
        assert!(answer.contains("Connection: close\r\n"), "{shown:?}: {answer}");
    }
}

#[test]
fn slow_clients_are_left() {
    let server = Running::start(&["--header-timeout", "1.5", "--idle-timeout", "1", "--quiet"]);
    let began = Instant::now();
    // Nothing at all: closed without a word.
    assert_eq!(server.raw(b""), "");
    assert!(began.elapsed() >= Duration::from_millis(990), "{:?}", began.elapsed());
    // A byte now and then: each in time for the idle limit, but not the whole.
    let mut stream = server.connect();
    let mut answer = String::new();
    let began = Instant::now();
    for byte in b"GET / HTTP/1.1\r\nHost: a\r\nX: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".iter() {
        if stream.write_all(&[*byte]).is_err() || began.elapsed() > Duration::from_secs(4) {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let _ = stream.read_to_string(&mut answer);
    assert_eq!(status(&answer), "408", "{answer}");
    // After an answer it may be idle, but no longer than that.
    let mut stream = server.connect();
    stream.write_all(b"GET /empty HTTP/1.1\r\nHost: a\r\n\r\n").expect("it takes the request");
    let began = Instant::now();
    assert_eq!(status(&read_all(&mut stream)), "200");
    assert!(began.elapsed() < Duration::from_secs(9), "{:?}", began.elapsed());
}

#[test]
fn who_reads_nothing_is_left_and_the_log_says_so() {
    let mut server = Running::start(&["--write-timeout", "0.3"]);
    // More than the system keeps for both sides.
    std::fs::write(server.path("huge.bin"), vec![7; 30_000_000]).expect("a file");
    let mut stream = server.connect();
    stream.write_all(b"GET /huge.bin HTTP/1.1\r\nHost: a\r\n\r\n").expect("it takes the request");
    let line = server.line();
    assert!(line.ends_with(" incomplete\n") && line.contains("\" 200 30000000 "), "{line}");
    // What came before the end is there; then the connection is reset, or ends short.
    let mut bytes = Vec::new();
    let read = stream.read_to_end(&mut bytes);
    assert!(read.is_err() || bytes.len() < 30_000_000, "{} bytes", bytes.len());
}

#[test]
fn a_file_that_is_cut_while_it_is_sent_ends_the_connection() {
    let mut server = Running::start(&[]);
    let file = std::fs::File::create(server.path("cut.bin")).expect("a file");
    file.set_len(50_000_000).expect("a file");
    let mut stream = server.connect();
    stream.write_all(b"GET /cut.bin HTTP/1.1\r\nHost: a\r\n\r\n").expect("it takes the request");
    let mut head = [0; 64];
    stream.read_exact(&mut head).expect("the answer begins");
    file.set_len(10).expect("a file");
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    assert!(bytes.len() < 50_000_000, "{} bytes", bytes.len());
    assert!(server.line().ends_with(" incomplete\n"));
}

#[test]
fn those_above_the_limit_are_told_so_and_the_others_are_served() {
    let server = Running::start(&["--max-connections", "5", "--quiet"]);
    let request = b"GET /hello.txt HTTP/1.1\r\nHost: a\r\n\r\n";
    let mut within: Vec<_> = (0..5).map(|_| server.connect()).collect();
    let ask = |stream: &mut std::net::TcpStream| {
        stream.write_all(request).expect("it takes the request");
        let mut answer = vec![0; 12];
        stream.read_exact(&mut answer).expect("an answer");
        String::from_utf8_lossy(&answer).into_owned()
    };
    for stream in &mut within {
        assert_eq!(ask(stream), "HTTP/1.1 200");
    }
    for _ in 0..20 {
        let answer = server.raw(request);
        assert_eq!(status(&answer), "503", "{answer}");
    }
    within.pop();
    let until = Instant::now() + Duration::from_secs(10);
    loop {
        let mut stream = server.connect();
        if ask(&mut stream) == "HTTP/1.1 200" {
            break;
        }
        assert!(Instant::now() < until, "a place that was left is never free");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_thousand_slow_clients_leave_nothing_behind() {
    let server = Running::start(&["--header-timeout", "0.5", "--quiet"]);
    let descriptors =
        || std::fs::read_dir(format!("/proc/{}/fd", server.pid())).expect("it lives").count();
    let _ = server.raw(b"GET /hello.txt HTTP/1.0\r\n\r\n");
    let before = descriptors();
    let slow: Vec<_> = (0..900)
        .map(|_| {
            let mut stream = server.connect();
            stream.write_all(b"GET / HT").expect("it takes a part");
            stream
        })
        .collect();
    // Those who behave are served meanwhile.
    assert_eq!(status(&server.raw(b"GET /hello.txt HTTP/1.0\r\n\r\n")), "200");
    for mut stream in slow {
        assert_eq!(status(&read_all(&mut stream)), "408");
    }
    let until = Instant::now() + Duration::from_secs(10);
    while descriptors() > before {
        assert!(Instant::now() < until, "{} descriptors, {before} before", descriptors());
        std::thread::sleep(Duration::from_millis(20));
    }
}
