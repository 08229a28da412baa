//! What the programs in `benches/` use of a machine: libuv, a column there, and strace, which counts
//! system calls.
//!
//! libuv is loaded when its column runs, so nothing is compiled or linked against it.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, anyhow};

use super::{Need, debian, step};
use crate::process;
use crate::workspace::QUESTION_LIMIT;

/// The name under which libuv 1 is loaded everywhere but on Windows and macOS.
const LIBUV: &str = "libuv.so.1";

/// Debian's package of it: the development one, as the other's name changes from release to release.
const LIBUV_PACKAGE: &str = "libuv1-dev";

/// Where it is, if it is there.
pub fn find(need: Need) -> Option<PathBuf> {
    match need {
        Need::Libuv => ["ldconfig", "/sbin/ldconfig"].iter().find_map(|program| {
            let said = process::capture(Command::new(program).arg("-p"), QUESTION_LIMIT).ok()?;
            known_to_the_loader(&said.require_success().ok()?, LIBUV)
        }),
        Need::Strace => {
            let said = process::capture(Command::new("strace").arg("-V"), QUESTION_LIMIT).ok()?;
            said.require_success().ok().map(|_version| PathBuf::from("strace"))
        }
        _ => None,
    }
}

/// `libuv.so.1 (libc6,x86-64) => /lib/x86_64-linux-gnu/libuv.so.1` → the path.
fn known_to_the_loader(listed: &str, name: &str) -> Option<PathBuf> {
    listed.lines().find_map(|line| {
        let (library, path) = line.trim().split_once(" => ")?;
        (library.split_whitespace().next() == Some(name)).then(|| PathBuf::from(path))
    })
}

/// Gets those of `absent` that are for the benches.
pub fn get(absent: &[Need]) -> Vec<(Need, Result<PathBuf>)> {
    let package = |need: Need| match need {
        Need::Libuv => Some(LIBUV_PACKAGE),
        Need::Strace => Some("strace"),
        _ => None,
    };
    absent.iter().filter_map(|&need| Some((need, install(need, package(need)?)))).collect()
}

fn install(need: Need, package: &str) -> Result<PathBuf> {
    step(&format!("installing {need}, for the programs in benches/"));
    debian::install(&[package])
        .and_then(|()| {
            find(need).ok_or_else(|| anyhow!("it is not found after the package was installed"))
        })
        .with_context(|| {
            format!("get {need}; by hand: `apt-get install {package}` on Debian and its kin")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_is_found_in_what_the_loader_knows() {
        let listed = "2 libs found in cache\n\
            \tlibuvc.so.1 (libc6,x86-64) => /lib/x86_64-linux-gnu/libuvc.so.1\n\
            \tlibuv.so.1 (libc6,x86-64) => /lib/x86_64-linux-gnu/libuv.so.1\n";
        let found = known_to_the_loader(listed, LIBUV);
        assert_eq!(found, Some(PathBuf::from("/lib/x86_64-linux-gnu/libuv.so.1")));
        assert_eq!(known_to_the_loader(listed, "libuv.so.2"), None);
    }
}
