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
