//! The echo server's process: one column, one free port of 127.0.0.1.
//!
//! It prints `PORT PID` once it listens and ends when its standard input
//! does, so it can outlive neither the run nor a killed parent, and a tracer
//! around it still gets to write its summary. Before it ends, it prints what
//! only it can know.

use crate::load::{Load, Traffic};
use crate::measure::{LOOP_CPU, pin, raise_descriptor_limit};
use crate::peer::{Column, Peer};
use crate::row::Row;
use crate::sample::Reading;
use anyhow::{Context, Result, bail};
use fastrand::Rng;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Serves `row` with `column`'s loop until standard input ends.
pub fn serve(column: &Column, row: Row) -> Result<()> {
    let Some(load) = row.load() else {
        bail!("{} needs no server", row.name());
    };
    SLEEPERS.store(load.sleepers, Relaxed);
    std::thread::spawn(move || {
        let mut rest = Vec::new();
        let _ = std::io::stdin().read_to_end(&mut rest);
        LATE.print(row);
        std::process::exit(0);
    });
    raise_descriptor_limit();
    match load.traffic {
        Traffic::Datagrams { .. } => serve_datagrams(column),
        _ => serve_connections(column, load),
    }
}

fn serve_connections(column: &Column, load: Load) -> Result<()> {
    let Some(serve) = column.serve else {
        bail!("{} has no echo server", column.name);
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("listen on 127.0.0.1")?;
    listener.set_nonblocking(true).context("make the listener non-blocking")?;
    tell(listener.local_addr().context("ask for the port")?.port())?;
    serve(listener, load.buffer());
    bail!("{}: the server stopped accepting", column.name)
}

fn serve_datagrams(column: &Column) -> Result<()> {
    let Some(serve) = column.serve_datagrams else {
        bail!("{} has no echo server for datagrams", column.name);
    };
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).context("bind to 127.0.0.1")?;
    socket.set_nonblocking(true).context("make the socket non-blocking")?;
    tell(socket.local_addr().context("ask for the port")?.port())?;
    serve(socket);
    bail!("{}: the server stopped receiving", column.name)
}

fn tell(port: u16) -> Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{port} {}", std::process::id())
        .and_then(|()| out.flush())
        .context("tell the port")?;
    pin(LOOP_CPU);
    Ok(())
}

/// How many tasks are to sleep beside the server.
static SLEEPERS: AtomicUsize = AtomicUsize::new(0);

/// How late they woke.
static LATE: Late =
    Late { sum: AtomicU64::new(0), count: AtomicU64::new(0), worst: AtomicU64::new(0) };

struct Late {
    sum: AtomicU64,
    count: AtomicU64,
    worst: AtomicU64,
}

impl Late {
    fn note(&self, due: Instant) {
        let late = Instant::now().saturating_duration_since(due).as_nanos() as u64;
        self.sum.fetch_add(late, Relaxed);
        self.count.fetch_add(1, Relaxed);
        self.worst.fetch_max(late, Relaxed);
    }

    fn print(&self, row: Row) {
        let count = self.count.load(Relaxed);
        if count > 0 {
            let mean = self.sum.load(Relaxed) as f64 / count as f64;
            let name = row.name();
            Reading::new(format!("{name}_late_mean"), mean).print();
            Reading::new(format!("{name}_late_worst"), self.worst.load(Relaxed) as f64).print();
        }
    }
}

/// How long the next sleep of a sleeper is.
pub fn nap(rng: &mut Rng) -> Duration {
    Duration::from_micros(rng.u64(500_000..1_500_000))
}

/// Notes that a sleeper has woken, that was due then.
pub fn woken(due: Instant) {
    LATE.note(due);
}

/// How many sleepers the row wants.
pub fn sleepers() -> usize {
    SLEEPERS.load(Relaxed)
}

/// Has tasks sleep beside the server, if the row wants that. Every server
/// calls it when its loop runs.
pub fn start_sleepers<P: Peer>() {
    for sleeper in 0..sleepers() {
        P::spawn(async move {
            let mut rng = Rng::with_seed(300 + sleeper as u64);
            loop {
                let delay = nap(&mut rng);
                let due = Instant::now() + delay;
                P::sleep(delay).await;
                woken(due);
            }
        });
    }
}
