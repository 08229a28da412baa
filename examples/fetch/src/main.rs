//! Many URLs at once.
//!
//! ```sh
//! cargo run --release -p molen-example-fetch -- http://example.org/ http://example.net/
//! cargo run --release -p molen-example-fetch -- --from urls.txt --concurrency 50 --output pages
//! ```
//!
//! What it shows: connections by name, tasks in a group, semaphores that limit
//! how many work at once, a time limit on everything, connections that are used
//! again, files written on other threads, and a Ctrl-C that says how far it came
//! and leaves nothing half-written.
//!
//! ```text
//!  URLs ─▶ a task each ─▶ download ──────────────▶ exchange ──▶ connections
//!                           │ redirects, retries      │ one request, one response
//!                           ▼                         ▼
//!                         report ◀─────────────────  sink: file, standard output, none
//! ```
//!
//! What it costs, beside `curl --parallel`, a client by hand of asyncio's streams,
//! and aiohttp, from one nginx (`beside_others.py`, two busy cores of an AMD EPYC
//! VM, 2026-11-21); CPU time of the program, and time of the whole:
//!
//! | | here | curl 7.88 | asyncio | aiohttp 3.14 |
//! |---|---:|---:|---:|---:|
//! | 5 000 × 1 kB, 50 at once | 0.07 s, 0.25 s | 0.18 s, 0.92 s | 0.25 s, 1.4 s | 0.76 s, 3.7 s |
//! | 40 × 10 MB, 4 at once | 0.18 s, 0.77 s | 0.21 s, 1.1 s | 0.50 s, 1.9 s | 0.65 s, 2.4 s |
//!
//! | file | what it is |
//! |---|---|
//! | `options` | the command line |
//! | `fetcher` | all of it: tasks and their limits |
//! | `download` | one URL: redirects, retries |
//! | `exchange` | one request and its response |
//! | `head`, `body` | what a response looks like |
//! | `connections` | connections that are kept for the next request |
//! | `sink` | where bodies go |
//! | `report`, `progress` | what is said at the end, and meanwhile |
//! | `failure` | why there is no body |

mod body;
mod connections;
mod download;
mod exchange;
mod failure;
mod fetcher;
mod head;
mod options;
mod progress;
mod report;
mod sink;

use clap::Parser;
use std::process::ExitCode;

#[molen::main]
async fn main() -> ExitCode {
    match fetcher::fetch(options::Options::parse()).await {
        Ok(report::Result::AllFetched) => ExitCode::SUCCESS,
        Ok(report::Result::SomeFailed) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("fetch: {error}");
            ExitCode::from(2)
        }
    }
}
