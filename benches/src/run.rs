//! The run: every column in turn, in an order shuffled each round.

use crate::child;
use crate::load::Until;
use crate::measure::{OTHER_CPU, pin};
use crate::peer::{Column, Kind};
use crate::quiet;
use crate::row::Row;
use crate::sample::Sample;
use anyhow::{Context, Result};
use std::fs::{File, OpenOptions};
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

/// What to run.
pub struct Plan {
    /// Turns of the whole table.
    pub rounds: u32,
    /// Rows of the table.
    pub rows: Vec<Row>,
    /// Columns of the table.
    pub columns: Vec<Column>,
    /// How long to wait for a quiet machine before each sample.
    pub wait: Duration,
}

/// What came out.
#[derive(Default)]
pub struct Outcome {
    /// Every figure of every sample.
    pub samples: Vec<Sample>,
    /// Why some cells are empty: column, rows, reason.
    pub missing: Vec<Missing>,
}

/// A cell that stays empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Missing {
    /// The column.
    pub peer: String,
    /// The row.
    pub row: String,
    /// The reason.
    pub why: String,
}

/// Runs the plan; appends each sample to `log` at once, so that an
/// interrupted run keeps what it has.
pub fn run(plan: &Plan, log: Option<&Path>) -> Result<Outcome> {
    let mut log = log
        .map(|path| {
            let file = OpenOptions::new().create(true).append(true).open(path);
            file.with_context(|| format!("open {} to append samples", path.display()))
        })
        .transpose()?;
    let mut outcome = Outcome::default();
    let mut cells = cells(plan, &mut outcome.missing);
    pin(OTHER_CPU);
    let terminal = std::io::stderr().is_terminal();
    for round in 1..=plan.rounds {
        fastrand::shuffle(&mut cells);
        if round == 2 {
            cells.retain(|(row, _)| !row.counts());
        }
        for (at, (row, column)) in cells.iter().enumerate() {
            let (name, peer) = (row.name(), column.name);
            if terminal {
                let (rounds, count) = (plan.rounds, cells.len());
                eprint!("\r\x1b[Kround {round}/{rounds}, {at}/{count}: {name} {peer}");
            }
            let quiet = quiet::wait(plan.wait);
            let watch = quiet::Watch::start();
            let said = child::sample(column, *row);
            let quiet = quiet && watch.was_quiet();
            match said {
                Ok(readings) => {
                    for reading in readings {
                        // A pinned, busy thread whose wall time equals its CPU
                        // time was alone, whatever the other CPU did.
                        let alone = reading.stretch.is_some_and(|s| s < 1.1);
                        let sample =
                            Sample { peer: peer.to_owned(), round, clean: quiet || alone, reading };
                        append(&mut log, &sample)?;
                        outcome.samples.push(sample);
                    }
                }
                Err(error) => {
                    eprintln!("{peer}, {name}: {error:#}");
                    let why = format!("failed: {error:#}");
                    note(&mut outcome.missing, peer, *row, why);
                }
            }
        }
        if terminal {
            eprint!("\r\x1b[K");
        }
        eprintln!("round {round}/{} done", plan.rounds);
    }
    Ok(outcome)
}

/// The cells that can be run; the others are explained in `missing`.
fn cells(plan: &Plan, missing: &mut Vec<Missing>) -> Vec<(Row, Column)> {
    let strace = child::has_strace();
    let mut cells = Vec::new();
    for row in &plan.rows {
        let traced = matches!(row.load().map(|l| l.until), Some(Until::Requests(_)));
        for column in &plan.columns {
            match column.missing(*row) {
                // That a floor is no whole loop goes without saying.
                Some(_) if column.kind == Kind::Floor => {}
                Some(why) => note(missing, column.name, *row, why.to_owned()),
                None if traced && !strace => {
                    let why = "strace cannot be run here".to_owned();
                    note(missing, column.name, *row, why);
                }
                None => cells.push((*row, *column)),
            }
        }
    }
    cells
}

fn note(missing: &mut Vec<Missing>, peer: &str, row: Row, why: String) {
    let entry = Missing { peer: peer.to_owned(), row: row.name(), why };
    if !missing.contains(&entry) {
        missing.push(entry);
    }
}

fn append(log: &mut Option<File>, sample: &Sample) -> Result<()> {
    let Some(file) = log else { return Ok(()) };
    let line = serde_json::to_string(sample).context("write a sample as JSON")?;
    writeln!(file, "{line}").context("append a sample")
}
