//! Datagrams, some in flight at any time; the client spins, so that only the
//! server ever sleeps.

use super::{Done, STALLED, Stop, Tally, Target};
use anyhow::{Context, Result, ensure};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};

/// After so long without an answer, what is in flight counts as lost.
const LOST: Duration = Duration::from_millis(1000);

pub fn run(target: Target, in_flight: usize, size: usize, stop: Stop) -> Result<Done> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).context("bind to 127.0.0.1")?;
    socket.connect((Ipv4Addr::LOCALHOST, target.port)).context("connect")?;
    socket.set_nonblocking(true).context("set non-blocking")?;
    let (message, mut answer) = (vec![7; size], vec![0; size + 1]);
    let send = |count: usize| -> Result<()> {
        for _ in 0..count {
            socket.send(&message).context("send a datagram")?;
        }
        Ok(())
    };
    let mut tally = Tally::new(target, stop);
    send(in_flight)?;
    let (mut heard, mut sent) = (Instant::now(), Instant::now());
    loop {
        match socket.recv(&mut answer) {
            Ok(length) => {
                ensure!(length == size, "{length} bytes of {size} came back");
                send(1)?;
                tally.add(1);
                // Looking at the clock each time would be part of what is measured.
                if tally.ever.is_multiple_of(64) {
                    (heard, sent) = (Instant::now(), Instant::now());
                    if let Some(done) = tally.over()? {
                        return Ok(done);
                    }
                }
            }
            Err(e) if e.kind() == ErrorKind::WouldBlock => {
                ensure!(heard.elapsed() < STALLED, "the server stalled");
                if sent.elapsed() >= LOST {
                    send(in_flight)?;
                    sent = Instant::now();
                }
                std::hint::spin_loop();
            }
            Err(e) => return Err(e).context("receive a datagram"),
        }
    }
}
