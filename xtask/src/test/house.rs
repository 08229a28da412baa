//! The house rows: formatting, lints, unit tests and size ceilings, which have no platform.

use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::platforms::Platform;
use crate::setup::{Need, Outcome};
use crate::{process, size, workspace};

/// Compiling and testing the workspace must not take longer than this.
const LIMIT: Duration = Duration::from_secs(3600);

/// Compiling and testing a few packages for another platform must not take longer than this.
const LIMIT_ELSEWHERE: Duration = Duration::from_secs(900);

/// Folders of examples with a workspace of their own, and the targets they are built for.
const EXAMPLES: &[(&str, &[&str])] = &[(
    "examples/bare",
    &["thumbv7em-none-eabihf", "thumbv6m-none-eabi", "riscv32imac-unknown-none-elf"],
)];

/// What is built for desktops, and linted for each of [`DESKTOPS`].
const FOR_DESKTOPS: &[&str] = &[
    "molen",
    "molen-std",
    "molen-conformance",
    "molen-example-kv",
    "molen-example-chat",
    "molen-example-dns-relay",
    "molen-example-fetch",
    "molen-example-http-file-server",
    "molen-example-irc-client",
];

/// What is built for desktops but Windows.
const FOR_UNIX: &[&str] = &["molen-example-supervisor"];

/// Desktops besides this machine. What is for Windows also runs, under Wine; the others are only
/// checked, because nothing here could run their programs.
const DESKTOPS: &[&str] = &[
    "x86_64-pc-windows-gnu",
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
    "x86_64-unknown-freebsd",
];

/// What came of one house row.
#[derive(Debug)]
pub struct HouseRow {
    /// The command.
    pub name: String,
    /// Checks that passed.
    pub passed: usize,
    /// Checks that failed.
    pub failed: usize,
    /// Tests marked as ignored, and what this machine cannot run.
    pub skipped: usize,
    /// Why this machine cannot run it.
    pub lacking: Option<String>,
    /// Why it failed.
    pub why: Vec<String>,
}

impl HouseRow {
    fn one(name: &str, outcome: Result<(), String>) -> Self {
        let failed = usize::from(outcome.is_err());
        Self {
            name: name.to_owned(),
            passed: 1 - failed,
            failed,
            skipped: 0,
            lacking: None,
            why: outcome.err().into_iter().collect(),
        }
    }

    /// Nothing came of anything yet.
    pub(super) fn none(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            passed: 0,
            failed: 0,
            skipped: 0,
            lacking: None,
            why: Vec::new(),
        }
    }

    /// This machine cannot run it, for this reason: skipped, and told.
    pub(super) fn lacking(name: &str, reason: String) -> Self {
        Self { skipped: 1, lacking: Some(reason), ..Self::none(name) }
    }
}

/// `cargo fmt --all --check`.
pub fn format() -> HouseRow {
    one_command(&["fmt", "--all", "--check"])
}

/// `cargo clippy` over everything, with warnings as errors.
pub fn lints() -> HouseRow {
    one_command(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])
}

/// `cargo test --workspace`, with `filters`.
pub fn unit_tests(filters: &[String]) -> HouseRow {
    let mut cargo = workspace::cargo();
    cargo.current_dir(workspace::root()).args(["test", "--workspace", "--no-fail-fast"]);
    libtest("cargo test --workspace", Ok(cargo), filters, LIMIT)
}

/// The tests of the packages that `platform` tests, there; none if it tests none.
pub fn tests_on(platform: &Platform, machine: &Outcome, filters: &[String]) -> Option<HouseRow> {
    let name = format!("cargo test on {}: {}", platform.name, platform.tested.join(" "));
    if platform.tested.is_empty() {
        return None;
    }
    let row = libtest(&name, platform.cargo_test(machine), filters, LIMIT_ELSEWHERE);
    if row.failed > 0 {
        // It may have been ended in the middle.
        platform.end_leftovers(machine);
    }
    Some(row)
}

/// One `cargo test`, with `filters`: the counts of all its test programs.
pub(super) fn libtest(
    name: &str,
    cargo: Result<Command>,
    filters: &[String],
    limit: Duration,
) -> HouseRow {
    let mut row = HouseRow::none(name);
    let ran = cargo.and_then(|mut cargo| {
        if !filters.is_empty() {
            cargo.arg("--").args(filters);
        }
        process::show_and_capture(&mut cargo, limit)
    });
    match ran {
        Err(error) => row.why.push(format!("{error:#}")),
        Ok(captured) => {
            for line in captured.stdout.lines() {
                count(line, &mut row);
            }
            match captured.status {
                None => row.why.push("it did not end in time and was ended".to_owned()),
                Some(status) if !status.success() && row.failed == 0 => {
                    row.why.push(format!("cargo ended with {status}: see its output above"));
                }
                Some(_) => {}
            }
        }
    }
    if row.failed == 0 && !row.why.is_empty() {
        row.failed = 1;
    }
    row
}

/// `test result: ok. 12 passed; 0 failed; 1 ignored; …` and `test name ... FAILED`, as libtest
/// prints them.
fn count(line: &str, row: &mut HouseRow) {
    if let Some(name) = line.strip_prefix("test ").and_then(|line| line.strip_suffix(" ... FAILED"))
    {
        row.why.push(format!("test {name}"));
    }
    let Some((_, counts)) =
        line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". "))
    else {
        return;
    };
    for part in counts.split("; ") {
        let Some((number, what)) = part.split_once(' ') else {
            continue;
        };
        let Ok(number) = number.parse::<usize>() else {
            continue;
        };
        match what {
            "passed" => row.passed += number,
            "failed" => row.failed += number,
            "ignored" => row.skipped += number,
            _ => {}
        }
    }
}

/// What must be on the machine for [`other_desktops`].
pub fn needs_of_other_desktops() -> impl Iterator<Item = Need> {
    // Import libraries of Windows' DLLs are made when a crate is only checked, too.
    DESKTOPS.iter().map(|target| Need::Target(target)).chain([Need::Mingw])
}

/// `cargo clippy`, which is `cargo check` and more, for other systems than this one.
pub fn other_desktops(machine: &Outcome) -> Vec<HouseRow> {
    DESKTOPS
        .iter()
        .map(|target| {
            let name = format!("cargo clippy --target {target}");
            if let Err(error) = machine.path(Need::Target(target)) {
                return HouseRow::one(&name, Err(format!("{error:#}")));
            }
            let mut cargo = workspace::cargo();
            // Without the crate ring, which wants a C compiler for the target.
            cargo.args(["clippy", "--all-targets", "--no-default-features", "--target", target]);
            let more = if target.contains("windows") { &[] } else { FOR_UNIX };
            for package in FOR_DESKTOPS.iter().chain(more) {
                cargo.args(["--package", package]);
            }
            // The lint calls initialisers not const that are, where `std` has no thread locals of
            // the linker's; the native row has it.
            let blind = "clippy::missing_const_for_thread_local";
            command(&name, cargo.args(["--", "-D", "warnings", "-A", blind]))
        })
        .collect()
}

/// The documentation of everything, with broken links as errors.
pub fn documentation() -> HouseRow {
    let mut cargo = workspace::cargo();
    cargo.env("RUSTDOCFLAGS", "-D warnings").args(["doc", "--workspace", "--no-deps"]);
    command("cargo doc --workspace --no-deps", &mut cargo)
}

/// Every interleaving of the paths between threads. In a folder of its own, because the flag would
/// have everything else built anew.
pub fn interleavings() -> HouseRow {
    const NAME: &str = "cargo test --test loom, with --cfg loom";
    let target = match workspace::target_directory() {
        Ok(directory) => directory.join("loom"),
        Err(error) => return HouseRow::one(NAME, Err(format!("{error:#}"))),
    };
    let mut cargo = workspace::cargo();
    cargo
        .env("RUSTFLAGS", "--cfg loom")
        .args(["test", "--release", "-p", "molen-core", "--features", "threads"])
        .args(["--test", "loom", "--target-dir"])
        .arg(target);
    command(NAME, &mut cargo)
}

/// The examples that are no members of the workspace, each for each of its targets.
pub fn examples() -> Vec<HouseRow> {
    EXAMPLES
        .iter()
        .flat_map(|(directory, targets)| targets.iter().map(move |target| (directory, target)))
        .map(|(directory, target)| {
            let mut cargo = workspace::cargo();
            cargo.args(["build", "--release", "--bins", "--target", target]);
            cargo.current_dir(workspace::root().join(directory));
            one(&format!("cargo build --release in {directory} for {target}"), &mut cargo)
        })
        .collect()
}

/// What cargo's features of the standard backend add, which no other program of the workspace uses.
pub fn optional_parts() -> Vec<HouseRow> {
    const FEATURES: &str =
        "molen-std/tracing,molen-std/ps,molen-std/hickory,molen-conformance/trace";
    vec![
        one_command(&["test", "-p", "molen-std", "--features", "tracing,ps,hickory"]),
        one_command(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--features",
            FEATURES,
            "--",
            "-D",
            "warnings",
        ]),
    ]
}

/// What a loop on an emulated microcontroller tells `defmt`.
pub fn defmt(machine: &Outcome) -> HouseRow {
    const NAME: &str = "cargo test -p xtask --test defmt -- --ignored";
    match machine.path(Need::QemuArm) {
        Err(error) => HouseRow::one(NAME, Err(format!("{error:#}"))),
        Ok(qemu) => {
            let mut cargo = workspace::cargo();
            cargo.env("QEMU_SYSTEM_ARM", qemu);
            cargo.args(["test", "-p", "xtask", "--test", "defmt", "--", "--ignored"]);
            command(NAME, &mut cargo)
        }
    }
}

/// How long the soak is here, in minutes; by hand it is an hour.
const SOAK: &str = "1.5";

/// One loop under everything at once, and what it leaves.
pub fn soak() -> HouseRow {
    let mut cargo = workspace::cargo();
    cargo.args(["run", "--release", "-p", "molen-soak", "--", "--minutes", SOAK]);
    command(&format!("molen-soak --minutes {SOAK}"), &mut cargo)
}

/// How long each fuzz target is run here, in seconds, after its corpus.
const FUZZ: &str = "4";

/// What is fuzzed, on stable and for a bounded time: `fuzz/` is a workspace of its own.
pub fn fuzz() -> HouseRow {
    let mut cargo = workspace::cargo();
    cargo.args(["run", "--release", "--", "--seconds", FUZZ]);
    cargo.current_dir(workspace::root().join("fuzz"));
    one(&format!("molen-fuzz --seconds {FUZZ}"), &mut cargo)
}

/// `cargo xtask size`: the deterministic numbers against their ceilings.
pub fn sizes() -> HouseRow {
    let outcome = match size::check() {
        Ok(true) => Ok(()),
        Ok(false) => Err("a number is over its ceiling: see the table above".to_owned()),
        Err(error) => Err(format!("{error:#}")),
    };
    HouseRow::one("cargo xtask size", outcome)
}

fn one_command(arguments: &[&str]) -> HouseRow {
    let mut cargo = workspace::cargo();
    cargo.args(arguments);
    command(&format!("cargo {}", arguments.join(" ")), &mut cargo)
}

/// One command in the checkout's root.
fn command(name: &str, command: &mut Command) -> HouseRow {
    one(name, command.current_dir(workspace::root()))
}

/// One command, which passes when it succeeds.
fn one(name: &str, command: &mut Command) -> HouseRow {
    let outcome = process::show_and_capture(command, LIMIT)
        .map_err(|error| format!("{error:#}"))
        .and_then(|captured| match captured.status {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(format!("it ended with {status}: see its output above")),
            None => Err("it did not end in time and was ended".to_owned()),
        });
    HouseRow::one(name, outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libtest_s_results_are_added_up() {
        let mut row = HouseRow::none("");
        for line in [
            "test wheel::fifo ... FAILED",
            "test wheel::order ... ok",
            "test result: FAILED. 1 passed; 1 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        ] {
            count(line, &mut row);
        }
        assert_eq!((row.passed, row.failed, row.skipped), (5, 1, 2));
        assert_eq!(row.why, ["test wheel::fifo"]);
    }
}
