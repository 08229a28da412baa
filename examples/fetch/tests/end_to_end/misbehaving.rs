//! A server that misbehaves: every URL has an outcome, and the right one.

use crate::running::{Server, fetch};

#[test]
fn bodies_end_wherever_their_heads_say() {
    let server = Server::misbehaving();
    for (path, length) in [
        ("/size/0", "0"),
        ("/size/1", "1"),
        ("/size/3000000", "3000000"),
        ("/chunked", "100008"),
        ("/until-end", "70000"),
        ("/old", "3"),
        ("/interim", "7"),
        ("/nothing", "0"),
    ] {
        let url = server.url(path);
        let said = fetch(&[&url]);
        assert_eq!(said.code, Some(0), "{said:?}");
        assert_eq!(said.row(&url)[1], length, "{said:?}");
    }
}

#[test]
fn what_is_wrong_is_said_and_keeps_nobody_from_being_fetched() {
    let server = Server::misbehaving();
    let wrong = [
        ("/silence", "nothing came for 1.5 s"),
        ("/stall", "nothing came for 1.5 s"),
        ("/drip-head", "nothing came for 1.5 s"),
        ("/close", "closed the connection without an answer"),
        ("/half-head", "ended before the body did"),
        ("/reset", "the connection was lost: "),
        ("/short", "ended before the body did"),
        ("/short-chunk", "ended before the body did"),
        ("/no-last-chunk", "ended before the body did"),
        ("/garbage", "the answer is not HTTP"),
        ("/huge-header", "the head of the answer is too long"),
        ("/many-headers", "the head of the answer is too long"),
        ("/two-lengths", "the answer is not HTTP: a wrong length"),
        ("/interim-for-ever", "nothing but interim answers"),
        ("/status/404", "the server answered 404"),
        ("/status/503", "the server answered 503"),
    ];
    let mut urls: Vec<String> = wrong.iter().map(|(path, _reason)| server.url(path)).collect();
    urls.extend((0..20).map(|number| server.url(&format!("/size/{}", number * 1_000))));
    let mut arguments = vec!["--idle-timeout", "1.5", "--per-host", "5"];
    arguments.extend(urls.iter().map(|url| &**url));
    let said = fetch(&arguments);
    assert_eq!(said.code, Some(1), "{said:?}");
    for ((_path, reason), url) in wrong.iter().zip(&urls) {
        assert!(said.reason(url).contains(reason), "{}", said.reason(url));
    }
    for (number, url) in urls[wrong.len()..].iter().enumerate() {
        assert_eq!(said.row(url)[..2], ["200", &(number * 1_000).to_string()], "{said:?}");
    }
    assert!(said.out.contains("\n20 of 36 URLs, "), "{}", said.out);
    assert_eq!(said.row(&urls[14])[0], "404");
}

#[test]
fn places_that_cannot_be_reached_are_said_with_the_reason() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    drop(taken);
    let refused = format!("http://127.0.0.1:{port}/");
    let urls = [
        (&*refused, "the connection was refused"),
        ("http://does-not-exist.invalid/", "cannot connect to does-not-exist.invalid:80"),
        ("ftp://127.0.0.1/", "cannot fetch by ftp"),
        ("http://user:secret@127.0.0.1/", "cannot send the user's name"),
        ("nonsense", "not a URL"),
        ("http://", "not a URL"),
    ];
    let said = fetch(&urls.map(|(url, _reason)| url));
    assert_eq!(said.code, Some(1), "{said:?}");
    for (url, reason) in urls {
        assert!(said.reason(url).contains(reason), "{said:?}");
    }
}

#[test]
fn what_may_pass_is_tried_again_as_often_as_is_allowed() {
    let server = Server::misbehaving();
    let (patient, hasty) = (server.url("/flaky/patient"), server.url("/flaky/hasty"));
    let said = fetch(&["--retries", "3", &patient]);
    assert_eq!((said.code, said.row(&patient)[1]), (Some(0), "5"), "{said:?}");
    let said = fetch(&["--retries", "2", &hasty]);
    assert_eq!(said.code, Some(1));
    assert_eq!(said.reason(&hasty), "the server answered 503");
    // What is missing will be missing.
    let missing = server.url("/status/404");
    let began = std::time::Instant::now();
    assert_eq!(fetch(&["--retries", "5", &missing]).code, Some(1));
    assert!(began.elapsed().as_millis() < 5_000, "{:?}", began.elapsed());
}
