//! One connection; the client spins, so that only the server ever sleeps.

use super::{STALLED, Target, close_with_reset, connect, server_cpu};
use crate::measure::quantile;
use crate::row::Row;
use crate::sample::Reading;
use anyhow::{Context, Result, bail, ensure};
use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

pub fn run(row: Row, target: Target, size: usize, length: Duration) -> Result<()> {
    let mut stream = connect(target.port, 0)?;
    close_with_reset(&stream)?;
    let (out, mut back) = (vec![7u8; size], vec![0u8; size]);
    let mut round_trip = || -> Result<()> {
        let start = Instant::now();
        stream.write_all(&out).context("send a request")?;
        let mut got = 0;
        while got < size {
            match stream.read(&mut back[got..]) {
                Ok(0) => bail!("the server closed the connection"),
                Ok(n) => got += n,
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    ensure!(start.elapsed() < STALLED, "the server stalled");
                    std::hint::spin_loop();
                }
                Err(e) => return Err(e).context("read an answer"),
            }
        }
        ensure!(out == back, "the answer differs from the request");
        Ok(())
    };
    for _ in 0..200 {
        round_trip()?;
    }
    let mut times = Vec::with_capacity(1 << 18);
    let cpu = server_cpu(target)?;
    let end = Instant::now() + length;
    while Instant::now() < end {
        let start = Instant::now();
        round_trip()?;
        times.push(start.elapsed().as_nanos() as u64);
    }
    let cpu = server_cpu(target)? - cpu;
    let name = row.name();
    Reading::new(format!("{name}_cpu"), cpu / times.len() as f64).print();
    Reading::new(format!("{name}_rtt_p50"), quantile(&mut times, 0.5)).print();
    Ok(())
}
