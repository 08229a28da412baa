//! The echo server's process: one column, one free port of 127.0.0.1.
//!
//! It prints `PORT PID` once it listens and ends when its standard input
//! does, so it can outlive neither the run nor a killed parent, and a tracer
//! around it still gets to write its summary.

use crate::measure::{LOOP_CPU, pin};
use crate::peer::Column;
use anyhow::{Context, Result, bail};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};

/// Receive buffer of every server, in bytes.
const BUFFER: usize = 65536;

/// Serves echo with `column`'s loop until standard input ends.
pub fn serve(column: &Column) -> Result<()> {
    let Some(serve) = column.serve else {
        bail!("{} has no echo server", column.name);
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("listen on 127.0.0.1")?;
    listener.set_nonblocking(true).context("make the listener non-blocking")?;
    let port = listener.local_addr().context("ask for the port")?.port();
    std::thread::spawn(|| {
        let mut rest = Vec::new();
        let _ = std::io::stdin().read_to_end(&mut rest);
        std::process::exit(0);
    });
    let mut out = std::io::stdout();
    writeln!(out, "{port} {}", std::process::id())
        .and_then(|()| out.flush())
        .context("tell the port")?;
    pin(LOOP_CPU);
    serve(listener, BUFFER);
    bail!("{}: the server stopped accepting", column.name)
}
