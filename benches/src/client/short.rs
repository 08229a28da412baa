//! Short connections: connect, one message, its answer, close.
//!
//! The client closes first, in order, and so keeps the winding down.

use super::{Done, STALLED, Stop, Tally, Target, connect};
use anyhow::{Context, Result, ensure};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::io::{ErrorKind, Read, Write};

/// Bytes of the one message.
const SIZE: usize = 64;

pub fn run(target: Target, at_once: usize, stop: Stop) -> Result<Done> {
    let mut poll = Poll::new().context("make a poll")?;
    let mut events = Events::with_capacity(at_once);
    let mut count = 0;
    let mut open = |poll: &Poll, at: usize| -> Result<TcpStream> {
        count += 1;
        let mut stream = TcpStream::from_std(connect(target.port, count)?);
        poll.registry()
            .register(&mut stream, Token(at), Interest::READABLE)
            .context("register a connection")?;
        let sent = stream.write(&[7; SIZE]).context("send a request")?;
        ensure!(sent == SIZE, "64 bytes did not fit a socket's buffer");
        Ok(stream)
    };
    let mut all = Vec::with_capacity(at_once);
    for at in 0..at_once {
        all.push(open(&poll, at)?);
    }
    let mut tally = Tally::new(target, stop);
    loop {
        poll.poll(&mut events, Some(STALLED)).context("wait")?;
        ensure!(!events.is_empty(), "the server stalled");
        for event in &events {
            let at = event.token().0;
            let mut answer = [0; SIZE];
            match all[at].read(&mut answer) {
                Ok(length) => ensure!(length == SIZE, "only {length} bytes were answered"),
                // An event of the connection that was here before.
                Err(e) if e.kind() == ErrorKind::WouldBlock => continue,
                Err(e) => return Err(e).context("read an answer"),
            }
            // The one before is closed by this.
            all[at] = open(&poll, at)?;
            tally.add(1);
        }
        if let Some(done) = tally.over()? {
            return Ok(done);
        }
    }
}
