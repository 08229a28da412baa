//! A line for each request, in the format that web servers share, and how long it took.
//!
//! Standard output may be a pipe that nobody reads, so lines are written on
//! another thread, many at once; when a mebibyte of them waits, more are dropped
//! and counted.
//!
//! ```text
//!  line() ──▶ waiting ──▶ writing, on a thread ──▶ standard output
//!                ▲               │
//!                └── more came ──┘
//! ```

use crate::request::Request;
use crate::response::Status;
use molen::{Duration, Event, to_thread};
use std::cell::{Cell, RefCell};
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::time::SystemTime;

/// How much may wait to be written.
const WAITING: usize = 1 << 20;

/// What a line says.
pub struct Entry<'a> {
    /// The client; nobody knows of one that is gone.
    pub peer: Option<SocketAddr>,
    /// The request, if it could be read.
    pub request: Option<&'a Request>,
    /// How it was answered.
    pub status: Status,
    /// How long the body was.
    pub length: u64,
    /// Whether all of it was sent.
    pub complete: bool,
    /// How long that took.
    pub took: Duration,
}

/// Where the lines go.
pub struct AccessLog {
    kept: bool,
    waiting: RefCell<String>,
    dropped: Cell<u64>,
    some: Event,
    closed: Cell<bool>,
}

impl AccessLog {
    /// A log that is kept, or one that is not.
    pub fn new(kept: bool) -> AccessLog {
        AccessLog {
            kept,
            waiting: RefCell::default(),
            dropped: Cell::new(0),
            some: Event::new(),
            closed: Cell::new(false),
        }
    }

    /// Notes a request.
    pub fn line(&self, entry: &Entry<'_>) {
        if !self.kept {
            return;
        }
        let mut waiting = self.waiting.borrow_mut();
        if waiting.len() > WAITING {
            self.dropped.set(self.dropped.get() + 1);
            return;
        }
        write_line(&mut waiting, entry, SystemTime::now());
        self.some.set();
    }

    /// No more lines will come: [`write`](Self::write) ends with the last.
    pub fn close(&self) {
        self.closed.set(true);
        self.some.set();
    }

    /// Writes lines until the log is closed.
    ///
    /// # Cancellation
    ///
    /// Lines that wait are lost.
    pub async fn write(&self) {
        loop {
            let _ = self.some.wait().await;
            self.some.clear();
            let mut lines = self.waiting.take();
            let dropped = self.dropped.take();
            if dropped > 0 {
                // Writing to a String does not fail.
                let _ = writeln!(lines, "# {dropped} lines were dropped: nobody read them in time");
            }
            if !lines.is_empty() {
                let write = move || io::stdout().write_all(lines.as_bytes());
                if !matches!(to_thread(write).await, Ok(Ok(()))) {
                    // Nobody reads any more.
                    return;
                }
            }
            if self.closed.get() && self.waiting.borrow().is_empty() {
                return;
            }
        }
    }
}

/// `1.2.3.4 - - [06/Nov/1994:08:49:37 +0000] "GET / HTTP/1.1" 200 5 "-" "curl/7" 0.000123`
fn write_line(line: &mut String, entry: &Entry<'_>, now: SystemTime) {
    match entry.peer {
        Some(peer) => drop(write!(line, "{}", peer.ip())),
        None => line.push('-'),
    }
    // `Sun, 06 Nov 1994 08:49:37 GMT`
    let date = httpdate::fmt_http_date(now);
    let mut words = date.split(' ').skip(1);
    let mut word = || words.next().unwrap_or("-");
    let (day, month, year, time) = (word(), word(), word(), word());
    let _ = write!(line, " - - [{day}/{month}/{year}:{time} +0000] ");
    let request = entry.request;
    quoted(line, request.map(|request| &*request.line));
    let _ = write!(line, " {} {} ", entry.status.code(), entry.length);
    quoted(line, request.and_then(|request| request.referer.as_deref()));
    line.push(' ');
    quoted(line, request.and_then(|request| request.user_agent.as_deref()));
    let _ = write!(line, " {:.6}", entry.took.as_secs_f64());
    line.push_str(if entry.complete { "\n" } else { " incomplete\n" });
}

/// Text that a client chose: it cannot end the line, or look like the next field.
fn quoted(line: &mut String, text: Option<&str>) {
    line.push('"');
    for c in text.unwrap_or("-").chars() {
        match c {
            '"' | '\\' => line.extend(['\\', c]),
            c if c.is_control() => drop(write!(line, "{}", c.escape_default())),
            c => line.push(c),
        }
    }
    line.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_chose_stays_within_its_quotes() {
        let head = b"GET / HTTP/1.1\r\nHost: a\r\nUser-Agent: a\"b\tc\\\r\n\r\n";
        let request = Request::parse(head).expect("a request");
        let entry = Entry {
            peer: Some("192.0.2.1:80".parse().expect("an address")),
            request: Some(&request),
            status: Status::Ok,
            length: 5,
            complete: true,
            took: Duration::from_micros(123),
        };
        let mut line = String::new();
        let then = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        write_line(&mut line, &entry, then);
        assert_eq!(
            line,
            "192.0.2.1 - - [06/Nov/1994:08:49:37 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \
             \"a\\\"b\\tc\\\\\" 0.000123\n"
        );
    }
}
