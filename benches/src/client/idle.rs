//! Connections that say something once and then nothing.

use super::{Target, close_with_reset, connect};
use crate::measure::own_memory_of;
use crate::row::Row;
use crate::sample::Reading;
use anyhow::{Context, Result, ensure};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Connections before the first look, with which whatever is needed once is there.
const BEFORE: usize = 64;
/// How long the server may take to come to rest.
const REST: Duration = Duration::from_millis(100);

/// What each of `conns` connections adds to the server's memory.
pub fn run(row: Row, target: Target, conns: usize) -> Result<()> {
    let mut all = Vec::with_capacity(BEFORE + conns);
    for at in 0..BEFORE {
        all.push(greeted(target, at)?);
    }
    let before = memory(target)?;
    for at in 0..conns {
        all.push(greeted(target, at)?);
    }
    let after = memory(target)?;
    Reading::new(row.name(), after.saturating_sub(before) as f64 / conns as f64).print();
    Ok(())
}

fn memory(target: Target) -> Result<u64> {
    std::thread::sleep(REST);
    own_memory_of(target.pid).context("ask for the server's memory")
}

fn greeted(target: Target, at: usize) -> Result<TcpStream> {
    let mut stream = connect(target.port, at)?;
    close_with_reset(&stream)?;
    stream.set_nonblocking(false).context("set blocking")?;
    stream.set_read_timeout(Some(super::STALLED)).context("set a time limit")?;
    let mut answer = [0; 64];
    stream.write_all(&[7; 64]).context("send a request")?;
    stream.read_exact(&mut answer).context("read an answer")?;
    ensure!(answer == [7; 64], "the answer differs from the request");
    Ok(stream)
}
