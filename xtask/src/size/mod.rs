//! `cargo xtask size`: bytes and instructions against checked-in ceilings.
//!
//! These numbers are the same on every machine with the same compiler, so they can be held to a
//! limit in the CI, which times cannot. What is measured and how much it may be stands in
//! `sizes.toml`; raising a ceiling there is a change that a reviewer sees.

mod ceilings;
mod counts;
mod sections;

use std::fs;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use self::ceilings::{Ceilings, Measured};
use crate::setup::{self, LibraryOrigin, Need, Outcome};
use crate::table::Table;
use crate::workspace;

/// The file with the ceilings, in the checkout's root.
const FILE: &str = "sizes.toml";

/// Measures bytes of programs and modules and counts of instructions, against sizes.toml.
///
/// Prints a table; exits non-zero when something is over its ceiling or cannot be measured.
#[derive(clap::Args)]
pub struct Arguments {
    /// Measure only what has this in its name; may be repeated.
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,
    /// Also print what to write into sizes.toml so that each ceiling is what is measured now.
    #[arg(long)]
    update: bool,
}

/// `cargo xtask size`.
///
/// # Errors
/// When sizes.toml cannot be read or the set-up not be tried.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let rows = measure(&arguments.filters)?;
    println!("{}", render(&rows));
    if arguments.update {
        println!("what {FILE} would say if each ceiling were what is measured now:\n");
        for row in &rows {
            if let Ok(numbers) = &row.numbers {
                println!("# {} on {}", row.name, row.target);
                for number in numbers.iter().filter(|number| number.ceiling.is_some()) {
                    println!("{} = {}", toml_key(&number.what), number.now);
                }
                println!();
            }
        }
    }
    Ok(if within(&rows) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Measures everything, shows the table on standard error, and says whether all is within its
/// ceiling.
///
/// # Errors
/// As [`run`].
pub fn check() -> Result<bool> {
    let rows = measure(&[])?;
    eprintln!("{}", render(&rows));
    Ok(within(&rows))
}

/// One program's numbers, or why it could not be measured.
#[derive(Debug)]
struct Row {
    name: String,
    target: String,
    numbers: Result<Vec<Measured>, String>,
}

fn measure(filters: &[String]) -> Result<Vec<Row>> {
    let path = workspace::root().join(FILE);
    let text = fs::read_to_string(&path)
        .with_context(|| format!("read the ceilings in {}", path.display()))?;
    let mut ceilings: Ceilings = toml::from_str(&text)
        .with_context(|| format!("read the ceilings in {}", path.display()))?;
    ceilings.retain(|name| {
        filters.is_empty() || filters.iter().any(|filter| name.contains(filter.as_str()))
    });
    if ceilings.is_empty() {
        bail!(
            "measure sizes: {FILE} has no entry{}",
            if filters.is_empty() { "" } else { " that fits the filters" }
        );
    }
    let machine = setup::ensure(&ceilings.needs(), LibraryOrigin::RustupOrSources)?;
    let mut rows = Vec::new();
    for program in &ceilings.program {
        rows.push(row(&program.source, &machine, || program.measure()));
    }
    for module in &ceilings.module {
        rows.push(row(&module.source, &machine, || module.measure()));
    }
    for count in &ceilings.count {
        rows.push(row(&count.source, &machine, || count.measure(&machine)));
    }
    Ok(rows)
}

fn row(
    source: &ceilings::Source,
    machine: &Outcome,
    measure: impl FnOnce() -> Result<Vec<Measured>>,
) -> Row {
    eprintln!("size: {} on {}", source.name, source.target);
    let ready = source.need().map_or(Ok(()), |need: Need| machine.path(need).map(drop));
    Row {
        name: source.name.clone(),
        target: source.target.clone(),
        numbers: ready.and_then(|()| measure()).map_err(|error| format!("{error:#}")),
    }
}

fn within(rows: &[Row]) -> bool {
    rows.iter().all(|row| {
        row.numbers.as_ref().is_ok_and(|numbers| numbers.iter().all(Measured::is_within))
    })
}

fn render(rows: &[Row]) -> String {
    let mut table = Table::new(["program", "target", "what", "now", "ceiling", "verdict"], 3);
    let mut failures = String::new();
    for row in rows {
        match &row.numbers {
            Ok(numbers) => {
                for number in numbers {
                    let ceiling =
                        number.ceiling.map_or(String::new(), |ceiling| ceiling.to_string());
                    let verdict = match number.ceiling {
                        None => "",
                        Some(_) if number.is_within() => "ok",
                        Some(_) => "OVER",
                    };
                    table.row([
                        row.name.clone(),
                        row.target.clone(),
                        number.what.clone(),
                        number.now.to_string(),
                        ceiling,
                        verdict.to_owned(),
                    ]);
                }
            }
            Err(why) => {
                let cells =
                    [row.name.as_str(), row.target.as_str(), "not measured", "", "", "FAILED"];
                table.row(cells);
                failures
                    .push_str(&format!("\n{} on {} was not measured: {why}", row.name, row.target));
            }
        }
    }
    for row in rows {
        for number in row.numbers.iter().flatten().filter(|number| !number.is_within()) {
            failures.push_str(&format!(
                "\n{} on {}: {} is {} and its ceiling {}: make it smaller, or raise `{}` in {FILE} and say why",
                row.name,
                row.target,
                number.what,
                number.now,
                number.ceiling.unwrap_or_default(),
                toml_key(&number.what)
            ));
        }
    }
    format!("{}{failures}", table.render())
}

/// A name as TOML wants it on the left of `=`.
fn toml_key(name: &str) -> String {
    let bare =
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if bare { name.to_owned() } else { format!("\"{name}\"") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_over_its_ceiling_fails_the_whole() {
        let number = |now, ceiling| Measured { what: "text".into(), now, ceiling };
        let row = |numbers| Row { name: "a".into(), target: "t".into(), numbers };
        assert!(within(&[row(Ok(vec![number(10, Some(10)), number(99, None)]))]));
        let over = [row(Ok(vec![number(11, Some(10))]))];
        assert!(!within(&over));
        assert!(render(&over).contains("raise `text` in sizes.toml"), "{}", render(&over));
        assert!(!within(&[row(Err("no such package".into()))]));
    }
}
