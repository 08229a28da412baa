//! `cargo xtask test`: the whole test suite on every platform, and one table.

mod half_open;
mod hosts;
mod house;
mod protocol;
mod report;

use std::process::ExitCode;

use anyhow::Result;
use clap::builder::PossibleValuesParser;

use self::protocol::{CaseNumber, Run, Verdict};
use self::report::{PlatformRun, Report};
use crate::platforms::{PLATFORMS, Platform};
use crate::process::{self, Captured};
use crate::setup::{self, LibraryOrigin, Need, Outcome};

/// How much of a failed run's output is shown.
const TAIL: usize = 30;

/// Runs the test suite on every platform and prints a table of cases and platforms.
///
/// Sets up first what the chosen platforms need. `native` includes `cargo fmt --check`,
/// `cargo clippy` and `cargo test --workspace`, `windows` the tests of what has code of its own for
/// Windows; a run of everything includes lints for other desktops and the size ceilings.
/// With a FILTER only cases (and unit tests) whose name contains it, or whose number it is, are
/// run, and formatting and lints are left out.
#[derive(clap::Args)]
pub struct Arguments {
    /// Run on this platform only; may be repeated.
    #[arg(long = "platform", value_name = "PLATFORM", value_parser = names())]
    platforms: Vec<String>,
    /// Run only what this names.
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,
}

fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(PLATFORMS.iter().map(|platform| platform.name))
}

/// `cargo xtask test`.
///
/// # Errors
/// When not even the set-up could be tried. What fails in the tests is in the exit code.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let chosen: Vec<&Platform> = PLATFORMS
        .iter()
        .filter(|platform| {
            arguments.platforms.is_empty()
                || arguments.platforms.iter().any(|name| name == platform.name)
        })
        .collect();
    let everything = arguments.platforms.is_empty() && arguments.filters.is_empty();
    let mut needs: Vec<Need> = chosen.iter().flat_map(|platform| platform.needs()).collect();
    if everything {
        needs.extend(house::needs_of_other_desktops());
    }
    needs.sort_unstable();
    needs.dedup();
    if chosen.iter().any(|platform| platform.name == "native") {
        // One of the unit tests builds core for the smallest target.
        needs.push(Need::Target("thumbv6m-none-eabi"));
        // Others talk to the examples.
        needs.extend(setup::foreign::names().map(Need::Foreign));
    }
    let machine = setup::ensure(&needs, LibraryOrigin::RustupOrSources)?;
    let mut report = Report::default();
    if chosen.iter().any(|platform| platform.name == "native") {
        if arguments.filters.is_empty() {
            report.house.push(house::format());
            report.house.push(house::lints());
        }
        report.house.push(house::unit_tests(&arguments.filters));
        if arguments.filters.is_empty() {
            report.house.push(house::interleavings());
            report.house.extend(half_open::row());
        }
    }
    for platform in &chosen {
        report.house.extend(house::tests_on(platform, &machine, &arguments.filters));
    }
    if everything {
        report.house.extend(house::other_desktops(&machine));
        report.house.push(house::documentation());
        report.house.extend(house::examples());
        report.house.extend(house::optional_parts());
        report.house.push(house::defmt(&machine));
        report.house.push(house::fuzz());
        report.house.push(house::soak());
        report.house.push(house::sizes());
    }
    for platform in chosen {
        eprintln!("test: {}", platform.name);
        let run = run_platform(platform, &machine, &arguments.filters);
        report.platforms.push(PlatformRun { name: platform.name, suite: platform.suite, run });
    }
    report.require_same_cases();
    let totals = report.totals();
    if totals.passed + totals.failed == 0 {
        eprintln!("test: nothing was run: no case and no unit test fits the filters");
    }
    print!("{}", report.render());
    Ok(if totals.failed == 0 && totals.passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Builds and runs one platform's runner. Whatever goes wrong is a fault of the run.
fn run_platform(platform: &Platform, machine: &Outcome, filters: &[String]) -> Run {
    let name = platform.name;
    let ran = platform.prepare(machine, filters).and_then(|mut command| {
        eprintln!("test: {name}: {}", process::show(&command));
        process::capture_lines(&mut command, platform.limit, move |line| {
            if let Some((number, case)) = protocol::parse_case(line)
                && let Verdict::Failed(why) = case.verdict
            {
                show_failure(name, number, &case.name, &why);
            }
        })
    });
    match ran {
        Ok(captured) => {
            if captured.status.is_none() {
                platform.end_leftovers(machine);
            }
            judge(platform, &captured, filters)
        }
        Err(error) => {
            Run { faults: vec![format!("could not be run: {error:#}")], ..Run::default() }
        }
    }
}

fn show_failure(platform: &str, number: CaseNumber, name: &str, why: &str) {
    eprintln!("test: {platform}: case {number} ({name}) FAILED: {why}");
}

/// Reads what the runner said and holds it against how it ended.
fn judge(platform: &Platform, captured: &Captured, filters: &[String]) -> Run {
    let parse = if platform.has_many_hosts() { hosts::parse_hosts } else { protocol::parse_run };
    let mut run = parse(&captured.stdout);
    let failed = run.cases.values().any(|case| matches!(case.verdict, Verdict::Failed(_)));
    match captured.status {
        None => run
            .faults
            .push(format!("it did not end within {} s and was ended", platform.limit.as_secs())),
        Some(status) if !status.success() && !failed => {
            run.faults.push(format!("it ended with {status}, though no case failed"));
        }
        Some(_) => {}
    }
    if run.cases.is_empty() && filters.is_empty() {
        run.faults.push("it ran no case at all".to_owned());
    }
    if !run.faults.is_empty() {
        eprintln!(
            "test: {}: the end of what it said:{}",
            platform.name,
            process::tail(&captured.stdout, TAIL)
        );
        eprintln!(
            "test: {}: and on standard error:{}",
            platform.name,
            process::tail(&captured.stderr, TAIL)
        );
    }
    run
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::Duration;

    use anyhow::Context;

    use super::*;

    /// Runs a shell script as if it were the native runner.
    fn judged(script: &str, limit: Duration) -> Result<Run> {
        let platform = PLATFORMS.first().context("there is no platform")?;
        let captured = process::capture(Command::new("sh").args(["-c", script]), limit)?;
        Ok(judge(platform, &captured, &[]))
    }

    #[test]
    fn a_good_run_has_no_fault() -> Result<()> {
        let run = judged(
            "echo 'case 1 a ... ok'; echo 'cases: 1 passed, 0 failed, 0 unsupported'",
            Duration::from_secs(9),
        )?;
        assert_eq!(run.faults, Vec::<String>::new());
        Ok(())
    }

    #[test]
    fn a_crash_a_hang_and_an_empty_run_are_faults() -> Result<()> {
        let crash = judged("echo 'case 1 a ... ok'; kill -9 $$", Duration::from_secs(9))?;
        assert_eq!(crash.faults.len(), 2, "{:?}", crash.faults);
        let hang = judged("echo 'case 1 a ... ok'; sleep 30", Duration::from_millis(300))?;
        assert!(hang.faults.iter().any(|fault| fault.contains("did not end")), "{:?}", hang.faults);
        let late = judged(
            "echo 'case 1 a ... ok'; echo 'cases: 1 passed, 0 failed, 0 unsupported'; exit 3",
            Duration::from_secs(9),
        )?;
        assert_eq!(late.faults.len(), 1, "{:?}", late.faults);
        let empty =
            judged("echo 'cases: 0 passed, 0 failed, 0 unsupported'", Duration::from_secs(9))?;
        assert_eq!(empty.faults, ["it ran no case at all"]);
        Ok(())
    }
}
