//! A folder over HTTP/1.1, in plain text and through TLS.
//!
//! ```sh
//! cargo run --release -p molen-example-http-file-server -- --list .
//! curl -C - -O http://localhost:8080/README.md
//! cargo run --release -p molen-example-http-file-server -- --tls-cert cert.pem --tls-key key.pem .
//! ```
//!
//! What it shows: a server of streams, one task for a connection, time limits
//! on everything that a client can drag out, work that blocks on other threads,
//! and an end that lets those who are being served finish.
//!
//! ```text
//!              start_server                      to_thread
//!  listeners ───────────────▶ connection ──────────────────────▶ answer
//!                               │    ▲  a request's head           │ open, conditions,
//!                        output │    │ input                       │ range, small files
//!                               ▼    │                             ▼
//!                               client ◀──── head, then body ── response
//! ```
//!
//! What it costs, in CPU time of the server for a request, beside nginx (one
//! process) and Python's `http.server` (`beside_others.py`, two busy cores of an
//! AMD EPYC VM, 2026-11-21):
//!
//! | | here | nginx | ratio | `http.server` |
//! |---|---:|---:|---:|---:|
//! | 1 kB, 1 connection | 14 µs | 7.8 µs | 1.85 | 435 µs |
//! | 1 kB, 50 connections | 10 µs | 7.3 µs | 1.37 | 142 µs |
//! | 60 kB, 50 connections | 13 µs | 8.2 µs | 1.62 | 169 µs |
//! | 10 MB, 4 connections | 0.65 ms | 0.69 ms | 0.94 | 3.0 ms |
//! | 1 kB, 50 connections, TLS | 12 µs | 9.9 µs | 1.25 | – |
//! | 10 MB, 4 connections, TLS | 7.2 ms | 5.7 ms | 1.28 | – |
//!
//! The difference of small files is the way to another thread and back: nginx
//! opens and reads them in its loop, which waits if the disk does.
//!
//! | file | what it is |
//! |---|---|
//! | `options` | the command line |
//! | `site` | what all connections share; starting and ending |
//! | `connection` | one client: request after request |
//! | `input`, `output` | its two directions, with their time limits |
//! | `request` | a head, read |
//! | `target` | from a request's target to a path below the folder |
//! | `answer` | from a request to a response; blocks |
//! | `conditions`, `range` | `If-…` and `Range` |
//! | `listing` | a folder as a page |
//! | `response` | status, fields, body |
//! | `access_log` | a line for each request |

mod access_log;
mod answer;
mod conditions;
mod connection;
mod input;
mod listing;
mod options;
mod output;
mod range;
mod request;
mod response;
mod site;
mod target;

use clap::Parser;
use std::process::ExitCode;

#[molen::main]
async fn main() -> ExitCode {
    match site::serve(options::Options::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("http-file-server: {error}");
            ExitCode::FAILURE
        }
    }
}
