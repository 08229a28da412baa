//! QEMU, on whose emulated boards the microcontroller programs run.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, anyhow};

use super::{Need, debian, step};
use crate::process;
use crate::workspace::QUESTION_LIMIT;

/// The oldest major version whose boards are known to do what the tests need.
const OLDEST: u32 = 7;

/// Debian's packages with both emulators.
const PACKAGES: [&str; 2] = ["qemu-system-arm", "qemu-system-misc"];

/// The program that answers `need`, if it is in `PATH` and new enough.
pub fn find(need: Need) -> Option<PathBuf> {
    let program = PathBuf::from(program(need)?);
    let said = process::capture(Command::new(&program).arg("--version"), QUESTION_LIMIT)
        .ok()?
        .require_success()
        .ok()?;
    (major_version(&said)? >= OLDEST).then_some(program)
}

fn program(need: Need) -> Option<&'static str> {
    match need {
        Need::QemuArm => Some("qemu-system-arm"),
        Need::QemuRiscv32 => Some("qemu-system-riscv32"),
        _ => None,
    }
}

/// `QEMU emulator version 10.0.2 (…)` → 10.
fn major_version(said: &str) -> Option<u32> {
    said.strip_prefix("QEMU emulator version ")?.split('.').next()?.parse().ok()
}

/// Gets those of `absent` that are emulators.
pub fn get(absent: &[Need]) -> Vec<(Need, Result<PathBuf>)> {
    let wanted: Vec<Need> =
        absent.iter().copied().filter(|need| program(*need).is_some()).collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    step("installing QEMU: the microcontroller programs run on its emulated boards");
    let installed = debian::install(&PACKAGES).map_err(|error| format!("{error:#}"));
    let outcome = |need: Need| {
        installed.clone().map_err(|error| anyhow!(error)).and_then(|()| {
            find(need).with_context(|| format!("{need} is not in PATH, or older than {OLDEST}, after the packages were installed"))
        })
    };
    let by_hand = || {
        format!(
            "get QEMU {OLDEST} or newer; by hand: `apt-get install {}` on Debian and its kin \
             (with `-t <release>-backports` if other QEMU packages come from there), `brew install qemu` on \
             macOS, else from qemu.org, so that qemu-system-arm and qemu-system-riscv32 are in PATH",
            PACKAGES.join(" ")
        )
    };
    wanted.iter().map(|&need| (need, outcome(need).with_context(by_hand))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(
            major_version("QEMU emulator version 10.0.2 (Debian 1:10.0.2)\nCopyright"),
            Some(10)
        );
        assert_eq!(major_version("qemu: not found"), None);
    }
}
