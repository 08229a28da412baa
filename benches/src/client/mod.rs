//! The one client that every server meets, on a CPU of its own.

mod datagrams;
mod idle;
mod many;
mod ping_pong;
mod short;

use crate::load::{Traffic, Until};
use crate::measure::{OTHER_CPU, cpu_ns_of, pin, raise_descriptor_limit};
use crate::row::Row;
use crate::sample::Reading;
use anyhow::{Context, Result, bail, ensure};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

/// A server that says nothing for so long has failed.
const STALLED: Duration = Duration::from_secs(5);
/// Load before counting begins.
const WARM_UP: Duration = Duration::from_millis(150);

/// The server under load.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its port on 127.0.0.1.
    pub port: u16,
    /// Its process, whose CPU clock is read.
    pub pid: i32,
}

/// Name of the reading that says how many requests were answered in all.
pub const ANSWERED: &str = "answered";

/// Puts the load of `row` on `target` and prints the figures.
///
/// `share` scales the number of requests of a row that counts them.
pub fn run(row: Row, target: Target, share: f64) -> Result<()> {
    let Some(load) = row.load() else {
        bail!("{} has no server", row.name());
    };
    pin(OTHER_CPU);
    raise_descriptor_limit();
    let stop = match load.until {
        Until::Millis(ms) => Stop::After(Duration::from_millis(ms)),
        Until::Requests(total) => Stop::Answered((total as f64 * share) as u64),
        Until::Done => Stop::Answered(0),
    };
    match (load.traffic, stop) {
        (Traffic::Messages { conns: 1, size }, Stop::After(length)) => {
            ping_pong::run(row, target, size, length)
        }
        (Traffic::Messages { conns, size }, stop) => {
            many::run(target, conns, size, stop)?.print(row)
        }
        (Traffic::Connections { at_once }, stop) => short::run(target, at_once, stop)?.print(row),
        (Traffic::Datagrams { in_flight, size }, stop) => {
            datagrams::run(target, in_flight, size, stop)?.print(row)
        }
        (Traffic::Idle { conns }, _) => idle::run(row, target, conns),
    }
}

/// A connection to `port`, from another address each time, so that ports that
/// are winding down leave enough others.
fn connect(port: u16, count: usize) -> Result<std::net::TcpStream> {
    let kind = socket2::Type::STREAM;
    let socket =
        socket2::Socket::new(socket2::Domain::IPV4, kind, None).context("make a socket")?;
    let from = Ipv4Addr::new(127, 0, 1, (count % 250 + 1) as u8);
    socket.set_tcp_nodelay(true).context("set nodelay")?;
    leave_port_to_connecting(&socket)?;
    let to = |address, port| SocketAddrV4::new(address, port).into();
    socket.bind(&to(from, 0)).with_context(|| format!("bind to {from}"))?;
    socket
        .connect(&to(Ipv4Addr::LOCALHOST, port))
        .with_context(|| format!("connect to 127.0.0.1:{port}"))?;
    socket.set_nonblocking(true).context("set non-blocking")?;
    Ok(socket.into())
}

/// Else binding would look for a port that is free towards everybody.
fn leave_port_to_connecting(socket: &socket2::Socket) -> Result<()> {
    let (fd, on) = (socket.as_raw_fd(), 1i32);
    let length = size_of::<i32>() as u32;
    // SAFETY: the socket is open, and `on` is as long as said and outlives the call.
    let failed = unsafe {
        libc::setsockopt(
            fd,
            libc::IPPROTO_IP,
            libc::IP_BIND_ADDRESS_NO_PORT,
            (&raw const on).cast(),
            length,
        )
    };
    ensure!(failed == 0, "leave the port to connecting: {}", std::io::Error::last_os_error());
    Ok(())
}

/// Has `stream` close with a reset: many short runs must not pile up TIME_WAIT.
fn close_with_reset(stream: &std::net::TcpStream) -> Result<()> {
    socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO)).context("set linger")
}

fn server_cpu(target: Target) -> Result<f64> {
    let ns = cpu_ns_of(target.pid).context("the server is gone")?;
    Ok(ns as f64)
}

/// When to stop.
#[derive(Clone, Copy)]
enum Stop {
    After(Duration),
    Answered(u64),
}

/// Counts what is answered, from the end of the warm-up to the end.
struct Tally {
    target: Target,
    stop: Stop,
    began: Instant,
    /// Requests answered since the first connection.
    ever: u64,
    counting: Option<Counting>,
}

/// Where counting began.
struct Counting {
    from: Instant,
    before: u64,
    cpu: f64,
}

impl Tally {
    fn new(target: Target, stop: Stop) -> Tally {
        Tally { target, stop, began: Instant::now(), ever: 0, counting: None }
    }

    fn add(&mut self, answered: u64) {
        self.ever += answered;
    }

    /// What there is to say, once it is over. Asked now and then.
    fn over(&mut self) -> Result<Option<Done>> {
        let Some(Counting { from, before, cpu }) = &self.counting else {
            if matches!(self.stop, Stop::Answered(_)) || self.began.elapsed() >= WARM_UP {
                let cpu = server_cpu(self.target)?;
                self.counting = Some(Counting { from: Instant::now(), before: self.ever, cpu });
            }
            return Ok(None);
        };
        let over = match self.stop {
            Stop::After(length) => from.elapsed() >= length,
            Stop::Answered(total) => self.ever >= total,
        };
        if !over {
            return Ok(None);
        }
        Ok(Some(Done {
            answered: (self.ever - before) as f64,
            ever: self.ever as f64,
            seconds: from.elapsed().as_secs_f64(),
            cpu_ns: server_cpu(self.target)? - cpu,
            timed: matches!(self.stop, Stop::After(_)),
        }))
    }
}

/// What came out.
struct Done {
    /// Requests answered while it was measured.
    answered: f64,
    /// Requests answered since the first connection.
    ever: f64,
    seconds: f64,
    cpu_ns: f64,
    timed: bool,
}

impl Done {
    fn print(&self, row: Row) -> Result<()> {
        if self.timed {
            let name = row.name();
            Reading::new(format!("{name}_cpu"), self.cpu_ns / self.answered).print();
            Reading::new(format!("{name}_rate"), self.answered / self.seconds).print();
        } else {
            Reading::new(ANSWERED, self.ever).print();
        }
        Ok(())
    }
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
