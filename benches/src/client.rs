//! The one client that every echo server meets, on a CPU of its own.

use crate::measure::{OTHER_CPU, cpu_ns_of, pin, quantile};
use crate::row::{Row, Until};
use crate::sample::Reading;
use anyhow::{Context, Result, bail, ensure};
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::io::{ErrorKind, Read, Write};
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

/// Bytes of one message.
const SIZE: usize = 64;
/// A server that says nothing for so long has failed.
const STALLED: Duration = Duration::from_secs(5);
/// Load before counting begins.
const WARM_UP: Duration = Duration::from_millis(150);
/// How long a traced server needs from its answer to its next wait.
const TRACED_PAUSE: Duration = Duration::from_micros(500);

/// The server under load.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its port on 127.0.0.1.
    pub port: u16,
    /// Its process, whose CPU clock is read.
    pub pid: i32,
}

/// Puts the load of `row` on `target` and prints the figures.
///
/// `share` scales the number of requests of a row that counts them.
pub fn run(row: Row, target: Target, share: f64) -> Result<()> {
    let Some(load) = row.load() else {
        bail!("{} is not an echo row", row.name());
    };
    pin(OTHER_CPU);
    match load.until {
        Until::Millis(ms) if load.conns == 1 => ping_pong(row, target, Duration::from_millis(ms)),
        Until::Millis(ms) => {
            let done = many(target, load.conns, Stop::After(Duration::from_millis(ms)))?;
            let name = row.name();
            Reading::new(format!("{name}_cpu"), done.cpu_ns / done.answered).print();
            Reading::new(format!("{name}_rate"), done.answered / done.seconds).print();
            Ok(())
        }
        Until::Requests(total) => {
            let total = (total as f64 * share) as u64;
            let done = many(target, load.conns, Stop::Answered(total))?;
            Reading::new(ANSWERED, done.ever).print();
            Ok(())
        }
    }
}

/// Name of the reading that says how many requests were answered in all.
pub const ANSWERED: &str = "answered";

fn connect(port: u16) -> Result<std::net::TcpStream> {
    let stream = std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port))
        .with_context(|| format!("connect to 127.0.0.1:{port}"))?;
    stream.set_nodelay(true).context("set nodelay")?;
    // Close with a reset: many short runs must not pile up TIME_WAIT.
    socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).context("set linger")?;
    stream.set_nonblocking(true).context("set non-blocking")?;
    Ok(stream)
}

fn server_cpu(target: Target) -> Result<f64> {
    let ns = cpu_ns_of(target.pid).context("the server is gone")?;
    Ok(ns as f64)
}

/// One connection; the client spins, so that only the server ever sleeps.
fn ping_pong(row: Row, target: Target, length: Duration) -> Result<()> {
    let mut stream = connect(target.port)?;
    let (out, mut back) = ([7u8; SIZE], [0u8; SIZE]);
    let mut round_trip = || -> Result<()> {
        let start = Instant::now();
        stream.write_all(&out).context("send a request")?;
        let mut got = 0;
        while got < SIZE {
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

enum Stop {
    After(Duration),
    Answered(u64),
}

struct Done {
    /// Requests answered while it was measured.
    answered: f64,
    /// Requests answered since the first connection.
    ever: f64,
    seconds: f64,
    cpu_ns: f64,
}

struct Conn {
    stream: TcpStream,
    got: usize,
}

/// Many connections with one message in flight each.
fn many(target: Target, conns: usize, stop: Stop) -> Result<Done> {
    let mut poll = Poll::new().context("make a poll")?;
    let mut events = Events::with_capacity(conns);
    let mut all = Vec::with_capacity(conns);
    for at in 0..conns {
        let mut stream = TcpStream::from_std(connect(target.port)?);
        poll.registry()
            .register(&mut stream, Token(at), Interest::READABLE)
            .context("register a connection")?;
        send(&mut stream)?;
        all.push(Conn { stream, got: 0 });
    }
    let mut ever = 0u64;
    let began = Instant::now();
    let mut counting: Option<(Instant, u64, f64)> = None;
    loop {
        poll.poll(&mut events, Some(STALLED)).context("wait")?;
        ensure!(!events.is_empty(), "the server stalled");
        if matches!(stop, Stop::Answered(_)) {
            std::thread::sleep(TRACED_PAUSE);
        }
        for event in &events {
            ever += serve_answer(&mut all[event.token().0])?;
        }
        let Some((from, before, cpu)) = counting else {
            if began.elapsed() >= WARM_UP || matches!(stop, Stop::Answered(_)) {
                counting = Some((Instant::now(), ever, server_cpu(target)?));
            }
            continue;
        };
        let over = match stop {
            Stop::After(length) => from.elapsed() >= length,
            Stop::Answered(total) => ever >= total,
        };
        if over {
            return Ok(Done {
                answered: (ever - before) as f64,
                ever: ever as f64,
                seconds: from.elapsed().as_secs_f64(),
                cpu_ns: server_cpu(target)? - cpu,
            });
        }
    }
}

/// Reads what came and, once a whole answer is there, sends the next request.
fn serve_answer(conn: &mut Conn) -> Result<u64> {
    let mut answered = 0;
    let mut buf = [0u8; SIZE];
    loop {
        match conn.stream.read(&mut buf[conn.got..]) {
            Ok(0) => bail!("the server closed a connection"),
            Ok(n) => conn.got += n,
            Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(answered),
            Err(e) => return Err(e).context("read an answer"),
        }
        if conn.got == SIZE {
            conn.got = 0;
            answered += 1;
            send(&mut conn.stream)?;
            // One message in flight: nothing more can be here, and the next
            // one comes with an edge of its own.
            return Ok(answered);
        }
    }
}

fn send(stream: &mut TcpStream) -> Result<()> {
    let sent = stream.write(&[7u8; SIZE]).context("send a request")?;
    ensure!(sent == SIZE, "64 bytes did not fit a socket's buffer");
    Ok(())
}

/// Where a server printed that it listens.
pub fn parse_target(line: &str) -> Result<Target> {
    let mut fields = line.split_whitespace();
    let port = fields.next().and_then(|f| f.parse().ok());
    let pid = fields.next().and_then(|f| f.parse().ok());
    match (port, pid) {
        (Some(port), Some(pid)) => Ok(Target { port, pid }),
        _ => bail!("the server did not start: it said {line:?}"),
    }
}
