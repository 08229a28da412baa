//! What comes from a client: one head after the other, in time and within limits.
//!
//! ```text
//!           a byte                  \n\r\n
//!  waiting ────────▶ in a head ────────────────▶ Head ─┐ what follows may be
//!   │ │ ▲              │ │ │                           │ the next head already
//!   │ │ └──────────────┼─┼─┼───────────────────────────┘
//!   │ └▶ Idle, Closing │ │ └▶ TooSlow: header timeout
//!   └──▶ End ◀─────────┘ └──▶ LineTooLong, HeadTooLong
//! ```

use molen::combine::{Either, select};
use molen::net::{ConnectionError, StreamReader};
use molen::timeouts::timeout;
use molen::{Duration, Event, current_time, timeout_at};
use std::future::poll_fn;
use std::task::ready;

/// How long the first line of a request may be.
const LINE: usize = 8 * 1024;

/// How much is taken from the connection at once.
const PIECE: usize = 8 * 1024;

/// What a client may not exceed.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The bytes of a head.
    pub head: usize,
    /// From its first byte to its last.
    pub header_timeout: Duration,
    /// Without a byte between requests.
    pub idle_timeout: Duration,
}

/// What came next.
#[derive(PartialEq, Eq, Debug)]
pub enum Next {
    /// The head of a request, with the empty line at its end.
    Head(Vec<u8>),
    /// The client sends nothing more, or is gone.
    End,
    /// It said nothing for too long.
    Idle,
    /// The server is about to end, and no head had begun.
    Closing,
    /// A head that began did not end in time.
    TooSlow,
    /// The first line is too long.
    LineTooLong,
    /// The head is too long.
    HeadTooLong,
}

/// The direction from the client.
pub struct Input {
    reader: StreamReader,
    limits: Limits,
    /// What came, from the beginning of the next head.
    bytes: Vec<u8>,
    /// No head ends before this.
    scanned: usize,
}

impl Input {
    /// What `reader` brings.
    pub fn new(reader: StreamReader, limits: Limits) -> Input {
        Input { reader, limits, bytes: Vec::new(), scanned: 0 }
    }

    /// Waits for the next head.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost.
    pub async fn next(&mut self, closing: &Event) -> Next {
        if let Err(why_not) = self.begin(closing).await {
            return why_not;
        }
        let deadline = current_time() + self.limits.header_timeout;
        match timeout_at(deadline, self.head()).await {
            Ok(next) => next,
            Err(_elapsed) => Next::TooSlow,
        }
    }

    /// Waits for a head's first byte.
    async fn begin(&mut self, closing: &Event) -> Result<(), Next> {
        loop {
            // Empty lines between requests are nothing (RFC 9112, 2.2).
            let empty = self.bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
            self.bytes.drain(..empty);
            if !self.bytes.is_empty() {
                return Ok(());
            }
            let limit = self.limits.idle_timeout;
            let more = timeout(limit, select((self.more(), closing.wait()))).await;
            match more {
                Ok(Either::First(Ok(count))) if count > 0 => {}
                Ok(Either::First(_end)) => return Err(Next::End),
                Ok(Either::Second(_closing)) => return Err(Next::Closing),
                Err(_elapsed) => return Err(Next::Idle),
            }
        }
    }

    /// The rest of the head that has begun.
    async fn head(&mut self) -> Next {
        loop {
            let end = end_of_head(&self.bytes, self.scanned);
            let length = end.unwrap_or(self.bytes.len());
            if first_line(&self.bytes) > LINE.min(self.limits.head) {
                return Next::LineTooLong;
            }
            if length > self.limits.head {
                return Next::HeadTooLong;
            }
            if let Some(end) = end {
                self.scanned = 0;
                return Next::Head(self.bytes.drain(..end).collect());
            }
            // The end may have begun already.
            self.scanned = length.saturating_sub(2);
            match self.more().await {
                Ok(count) if count > 0 => {}
                Ok(_end) => return Next::End,
                Err(_lost) => return Next::End,
            }
        }
    }

    /// Waits for more bytes and keeps them; how many, 0 at the end.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost.
    async fn more(&mut self) -> Result<usize, ConnectionError> {
        poll_fn(|cx| {
            // Here and not in the future: while nothing comes, no room is held for it.
            let mut room = [0; PIECE];
            let read = ready!(self.reader.poll_read(cx, &mut room));
            read.inspect(|count| self.bytes.extend_from_slice(&room[..*count])).into()
        })
        .await
    }

    /// Reads until the end and drops what comes.
    ///
    /// # Cancellation
    ///
    /// Nothing is lost that was wanted.
    pub async fn discard(&mut self) {
        self.bytes = Vec::new();
        let mut room = [0; PIECE];
        while self.reader.read(&mut room).await.is_ok_and(|count| count > 0) {}
    }
}

/// How long the first line is, as far as it is there.
fn first_line(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len())
}

/// Where a head ends that does not end before `from`: with an empty line.
fn end_of_head(bytes: &[u8], from: usize) -> Option<usize> {
    let mut rest = from;
    loop {
        let at = rest + bytes.get(rest..)?.iter().position(|byte| *byte == b'\n')?;
        match bytes.get(at + 1..)? {
            [b'\n', ..] => return Some(at + 2),
            [b'\r', b'\n', ..] => return Some(at + 3),
            _ => rest = at + 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_end_with_an_empty_line_however_they_come() {
        for (text, end) in [
            ("GET / HTTP/1.1\r\nA: b\r\n\r\nGET", Some(24)),
            ("GET / HTTP/1.0\n\nGET", Some(16)),
            ("GET / HTTP/1.0\n\r\n", Some(17)),
            ("GET / HTTP/1.1\r\nA: b\r\n\r", None),
            ("GET / HTTP/1.1\r\n", None),
            ("", None),
        ] {
            assert_eq!(end_of_head(text.as_bytes(), 0), end, "{text:?}");
            // The same, byte by byte.
            let (mut scanned, mut found) = (0, None);
            for length in 0..=text.len() {
                found = end_of_head(&text.as_bytes()[..length], scanned);
                if found.is_some() {
                    break;
                }
                scanned = length.saturating_sub(2);
            }
            assert_eq!(found, end, "{text:?} byte by byte");
        }
    }

    #[molen::test]
    async fn heads_that_came_together_come_one_by_one() {
        let reader = StreamReader::new();
        reader.feed_data(b"\r\nGET /1 HTTP/1.0\r\n\r\n\r\nGET /2 HTTP/1.0\n\nGET");
        reader.feed_eof();
        let limits = Limits {
            head: 100,
            header_timeout: Duration::from_secs(1),
            idle_timeout: Duration::from_secs(1),
        };
        let mut input = Input::new(reader, limits);
        let closing = Event::new();
        let next = [
            Next::Head(b"GET /1 HTTP/1.0\r\n\r\n".into()),
            Next::Head(b"GET /2 HTTP/1.0\n\n".into()),
            Next::End,
        ];
        for next in next {
            assert_eq!(input.next(&closing).await, next);
        }
    }

    #[molen::test(clock = "manual")]
    async fn who_is_slow_or_long_is_told() {
        let limits = Limits {
            head: 38,
            header_timeout: Duration::from_secs(3),
            idle_timeout: Duration::from_secs(5),
        };
        let long = "GET / HTTP/1.0\r\nA: b\r\nC: d\r\nE: f\r\nG: h\r\n\r\n";
        for (sent, next) in [
            ("", Next::Idle),
            ("\r\n\r\n", Next::Idle),
            ("GET / HTTP/1.0\r\n", Next::TooSlow),
            (long, Next::HeadTooLong),
            (&long[..long.len() - 2], Next::HeadTooLong),
            ("GET /23456789012345678901234567890123456789", Next::LineTooLong),
        ] {
            let reader = StreamReader::new();
            reader.feed_data(sent.as_bytes());
            assert_eq!(Input::new(reader, limits).next(&Event::new()).await, next, "{sent:?}");
        }
        let closing = Event::new();
        closing.set();
        assert_eq!(Input::new(StreamReader::new(), limits).next(&closing).await, Next::Closing);
        let reader = StreamReader::new();
        reader.feed_data(b"GET / HTTP/1.0\n\n");
        let next = Input::new(reader, limits).next(&closing).await;
        assert_eq!(next, Next::Head(b"GET / HTTP/1.0\n\n".into()));
    }
}
