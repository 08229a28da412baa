//! Runs one preview-1 command on the honest host and then once under each lie.
//!
//! `every-lie MODULE [ARGUMENT...]` prints for each run a line `host: <name of the host>`, what the module wrote to
//! standard output, and a line `host ended: <how>`. What a run means is for the reader of the output to judge, so the
//! exit status only says whether the module could be run at all. Time is virtual: timers cost nothing.

use std::error::Error;
use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use molen_wasi_host::{Ending, Host, Input, Lie};

/// What a host call costs, so that time also passes for a program that spins until it does.
const CALL_COST: Duration = Duration::from_micros(1);

/// A whole test suite computes more than one scripted test.
const FUEL: u64 = 100_000_000_000;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("every-lie: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args();
    let program = arguments.next().unwrap_or_default();
    let module = arguments.next().ok_or("usage: every-lie MODULE [ARGUMENT...]")?;
    let wasm =
        std::fs::read(&module).map_err(|error| format!("read the module {module}: {error}"))?;
    let honest = arguments.fold(
        Host::new().stdin(Input::silent()).call_cost(CALL_COST).fuel(FUEL).argument(program),
        |host, argument| host.argument(argument),
    );
    show(&"honest", &honest, &wasm)?;
    for lie in Lie::one_of_each() {
        show(&format_args!("{lie:?}"), &honest.clone().lie(lie), &wasm)?;
    }
    Ok(())
}

fn show(name: &dyn Display, host: &Host, wasm: &[u8]) -> Result<(), Box<dyn Error>> {
    let outcome = host.run(wasm)?;
    let mut out = io::stdout().lock();
    writeln!(out, "host: {name}")?;
    out.write_all(&outcome.stdout.bytes())?;
    if !matches!(outcome.ending, Ending::Exited(_)) {
        out.write_all(outcome.stderr.text().as_bytes())?;
    }
    writeln!(out, "\nhost ended: {}", outcome.ending)?;
    out.flush()?;
    Ok(())
}
