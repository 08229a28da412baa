//! Instruction counts under QEMU.
//!
//! With `-icount shift=0` one instruction is one nanosecond of the guest's time, so a program that
//! reads its board's timer counts its own instructions, the same on every machine. It prints
//! `count <name> <number>` for each thing it has measured.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::ceilings::Measured;
use crate::platforms::PLATFORMS;
use crate::process;
use crate::setup::Outcome;

/// A count that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(120);

/// Runs `program` and holds its counts against `ceilings`.
///
/// # Errors
/// When it cannot be run, does not end well, or lacks a count that has a ceiling.
pub fn run(
    program: &Path,
    target: &str,
    ceilings: &BTreeMap<String, u64>,
    machine: &Outcome,
) -> Result<Vec<Measured>> {
    let platform = PLATFORMS
        .iter()
        .find(|platform| platform.runs_target(target))
        .with_context(|| format!("count instructions on {target}: no platform runs it"))?;
    let mut command = platform.command(machine, program, &[])?;
    if command.get_args().all(|word| word != "-icount") {
        command.args(["-icount", "shift=0"]);
    }
    let captured = process::capture(&mut command, LIMIT)?;
    let said = captured.stdout.clone();
    captured.require_success().with_context(|| format!("it said:{}", process::tail(&said, 12)))?;
    read(&said, ceilings)
}

fn read(said: &str, ceilings: &BTreeMap<String, u64>) -> Result<Vec<Measured>> {
    let mut measured = Vec::new();
    for line in said.lines() {
        let Some((what, number)) =
            line.trim().strip_prefix("count ").and_then(|rest| rest.rsplit_once(' '))
        else {
            continue;
        };
        let now = number.parse().with_context(|| format!("read the count in the line {line:?}"))?;
        measured.push(Measured {
            what: what.to_owned(),
            now,
            ceiling: ceilings.get(what).copied(),
        });
    }
    let missing: Vec<&str> = ceilings
        .keys()
        .map(String::as_str)
        .filter(|what| measured.iter().all(|found| found.what != *what))
        .collect();
    if !missing.is_empty() {
        bail!(
            "the program printed no count for {}; it said:{}",
            missing.join(", "),
            process::tail(said, 12)
        );
    }
    Ok(measured)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_read_and_a_missing_one_is_an_error() -> Result<()> {
        let ceilings = BTreeMap::from([("wake to poll".to_owned(), 80)]);
        let measured = read("hello\ncount wake to poll 61\ncount arm 250\n", &ceilings)?;
        assert_eq!(
            measured,
            [
                Measured { what: "wake to poll".into(), now: 61, ceiling: Some(80) },
                Measured { what: "arm".into(), now: 250, ceiling: None },
            ]
        );
        assert!(read("count arm 250\n", &ceilings).is_err());
        assert!(read("count arm many\n", &BTreeMap::new()).is_err());
        Ok(())
    }
}
