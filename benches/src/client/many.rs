//! Many connections with one message in flight each.

use super::{Done, STALLED, Stop, Tally, Target, close_with_reset, connect};
use anyhow::{Context, Result, bail, ensure};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::io::{ErrorKind, Read, Write};
use std::time::Duration;

/// How long a traced server needs from its answer to its next wait.
const TRACED_PAUSE: Duration = Duration::from_micros(500);

struct Conn {
    stream: TcpStream,
    /// Bytes of the request that were sent, and of the answer that came.
    sent: usize,
    got: usize,
}

pub fn run(target: Target, conns: usize, size: usize, stop: Stop) -> Result<Done> {
    let mut poll = Poll::new().context("make a poll")?;
    let mut events = Events::with_capacity(conns);
    let mut all = Vec::with_capacity(conns);
    let request = vec![7u8; size];
    let mut buffer = vec![0u8; size];
    for at in 0..conns {
        let stream = connect(target.port, at)?;
        close_with_reset(&stream)?;
        let mut stream = TcpStream::from_std(stream);
        let both = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(&mut stream, Token(at), both).context("register a connection")?;
        let mut conn = Conn { stream, sent: 0, got: 0 };
        conn.send(&request)?;
        all.push(conn);
    }
    let traced = matches!(stop, Stop::Answered(_));
    let mut tally = Tally::new(target, stop);
    loop {
        poll.poll(&mut events, Some(STALLED)).context("wait")?;
        ensure!(!events.is_empty(), "the server stalled");
        if traced {
            std::thread::sleep(TRACED_PAUSE);
        }
        for event in &events {
            let conn = &mut all[event.token().0];
            if event.is_writable() && conn.sent < size {
                conn.send(&request)?;
            }
            if event.is_readable() {
                tally.add(conn.receive(&request, &mut buffer)?);
            }
        }
        if let Some(done) = tally.over()? {
            return Ok(done);
        }
    }
}

impl Conn {
    /// Sends what is left of the request, as far as it goes.
    fn send(&mut self, request: &[u8]) -> Result<()> {
        while self.sent < request.len() {
            match self.stream.write(&request[self.sent..]) {
                Ok(count) => self.sent += count,
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) => return Err(e).context("send a request"),
            }
        }
        Ok(())
    }

    /// Reads what came and, once a whole answer is there, sends the next request.
    fn receive(&mut self, request: &[u8], buffer: &mut [u8]) -> Result<u64> {
        loop {
            match self.stream.read(&mut buffer[self.got..]) {
                Ok(0) => bail!("the server closed a connection"),
                Ok(count) => self.got += count,
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(0),
                Err(e) => return Err(e).context("read an answer"),
            }
            if self.got == request.len() {
                (self.got, self.sent) = (0, 0);
                self.send(request)?;
                // One message in flight: nothing more can be here, and the next
                // one comes with an edge of its own.
                return Ok(1);
            }
        }
    }
}
