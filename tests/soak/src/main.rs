//! One loop under everything at once, for as long as it is told: TCP with
//! peers that misbehave, TLS, datagrams, pipes, processes, timers, cancellations,
//! threads. At the end descriptors, memory, tasks, timers and children are back
//! where they were.
//!
//! ```text
//!  warm-up ──▶ the state ──▶ soak: users, each one thing after the other ──▶ the same state
//!   what is kept for ever                 by a seed of its own
//!   is there now
//! ```
//!
//! `cargo run --release -p molen-soak -- --minutes 60`; `cargo xtask test` runs
//! it for a minute and a half.
//!
//! | file | what it holds |
//! |---|---|
//! | `activities` | the list of what a user may do |
//! | `tcp`, `secure`, `datagrams`, `pipes`, `processes`, `timers`, `tasks`, `threads`, `wires` | those things |
//! | `state` | what is counted before and after |
//! | `allocations` | the allocator that counts |

#[cfg(unix)]
mod activities;
#[cfg(unix)]
mod allocations;
#[cfg(unix)]
mod datagrams;
#[cfg(unix)]
mod pipes;
#[cfg(unix)]
mod processes;
#[cfg(unix)]
mod secure;
#[cfg(unix)]
mod soak;
#[cfg(unix)]
mod state;
#[cfg(unix)]
mod tasks;
#[cfg(unix)]
mod tcp;
#[cfg(unix)]
mod threads;
#[cfg(unix)]
mod timers;
#[cfg(unix)]
mod wires;

use clap::Parser;
use std::process::ExitCode;

/// One loop under everything at once; at the end nothing is left.
///
/// Fails, with the seed, when an activity sees something wrong or does not end,
/// or when descriptors, memory, tasks, timers or children are not back at the start.
#[derive(Parser)]
struct Options {
    /// How long, in minutes, the warm-up of a tenth of it (10 seconds at most) included.
    #[arg(long, default_value_t = 60.0, env = "MOLEN_SOAK_MINUTES")]
    minutes: f64,
    /// How many users do things at once.
    #[arg(long, default_value_t = 12)]
    users: u64,
    /// What decides what they do.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only this activity (`tcp`, `timers`, …).
    #[arg(long)]
    only: Option<String>,
}

#[cfg(unix)]
fn main() -> ExitCode {
    let options = Options::parse();
    match soak::run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("soak: FAILED, seed {}: {why}", options.seed);
            ExitCode::FAILURE
        }
    }
}

#[cfg(not(unix))]
fn main() -> ExitCode {
    let _options = Options::parse();
    eprintln!("soak: it counts descriptors and children in the way of Unix, and there alone");
    ExitCode::FAILURE
}
