//! How many at once, how long, and on how many connections.

use crate::running::{Server, fetch};
use std::time::{Duration, Instant};

#[test]
fn no_more_are_under_way_than_is_allowed_and_connections_are_used_again() {
    let server = Server::misbehaving();
    let urls: Vec<String> = (0..60).map(|number| server.url(&format!("/size/{number}"))).collect();
    for (option, count, most) in [("--per-host", "3", 3), ("--concurrency", "2", 3)] {
        let mut arguments = vec![option, count];
        arguments.extend(urls.iter().map(|url| &**url));
        assert_eq!(fetch(&arguments).code, Some(0));
        assert!(server.count("most%20at%20once") <= most, "{option}");
    }
    // Three, two, and one for each question.
    assert!(server.count("connections") <= 3 + 2 + 3, "{}", server.count("connections"));
}

#[test]
fn waiting_is_done_at_once() {
    let server = Server::misbehaving();
    let url = server.url("/slowly/0.5");
    let mut arguments = vec!["--concurrency", "40", "--per-host", "40"];
    arguments.extend(vec![&*url; 40]);
    let began = Instant::now();
    let said = fetch(&arguments);
    assert_eq!(said.code, Some(0), "{said:?}");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert!(said.out.contains("40 of 40 URLs, 280 B"), "{}", said.out);
}

#[test]
fn a_connection_that_is_closed_behind_our_back_is_made_anew() {
    let server = Server::misbehaving();
    let urls: Vec<String> = (0..30).map(|number| server.url(&format!("/once/{number}"))).collect();
    let mut arguments = vec!["--per-host", "2"];
    arguments.extend(urls.iter().map(|url| &**url));
    let said = fetch(&arguments);
    assert_eq!(said.code, Some(0), "{said:?}");
}

#[test]
fn one_url_has_so_much_time_and_no_more() {
    let server = Server::misbehaving();
    let (drip, fast) = (server.url("/drip"), server.url("/size/5"));
    let began = Instant::now();
    let said = fetch(&["--timeout", "2", "--retries", "9", &drip, &fast]);
    assert!(began.elapsed() < Duration::from_secs(12), "{:?}", began.elapsed());
    assert_eq!(said.code, Some(1));
    assert_eq!(said.reason(&drip), "gave up after 2 s");
    assert_eq!(said.row(&fast)[0], "200");
}

#[test]
fn a_connection_that_is_never_made_is_given_up() {
    // A queue that is full: the system answers nobody more.
    let listener = socket_with_a_full_queue();
    let url = format!("http://{}/", listener.0.local_addr().expect("an address"));
    let said = fetch(&["--connect-timeout", "0.5", &url]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.reason(&url).contains("took longer than 500ms"), "{said:?}");
}

/// A listener that never accepts, and enough connections to fill its queue.
fn socket_with_a_full_queue() -> (std::net::TcpListener, Vec<std::net::TcpStream>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let limit = Duration::from_millis(300);
    let connect = || std::net::TcpStream::connect_timeout(&address, limit).ok();
    let filling = std::iter::from_fn(connect).take(20_000).collect();
    (listener, filling)
}
