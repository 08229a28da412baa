//! Programs that others wrote, at the other end of what the examples' end-to-end tests say.
//!
//! A test that does not find its program fails and says how to get it: nothing is skipped in
//! silence. To add one, add a row to [`PROGRAMS`].

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow};

use super::{debian, step};
use crate::process;
use crate::workspace::QUESTION_LIMIT;

/// A program, and where it comes from.
struct Program {
    name: &'static str,
    /// Debian's package.
    package: &'static str,
    /// A service that the package would start, and that nobody asked for.
    service: Option<&'static str>,
}

/// Every program that a test of the workspace talks to.
const PROGRAMS: &[Program] = &[
    Program { name: "python3", package: "python3", service: None },
    Program { name: "curl", package: "curl", service: None },
    Program { name: "openssl", package: "openssl", service: None },
    Program { name: "nginx", package: "nginx-light", service: Some("nginx.service") },
    Program { name: "nc", package: "netcat-openbsd", service: None },
    Program { name: "socat", package: "socat", service: None },
    Program { name: "dig", package: "bind9-dnsutils", service: None },
    Program { name: "ngircd", package: "ngircd", service: Some("ngircd.service") },
];

/// Where servers are that are not in everybody's `PATH`.
const MORE_PLACES: [&str; 3] = ["/usr/sbin", "/usr/local/sbin", "/sbin"];

/// The names of all programs.
pub fn names() -> impl Iterator<Item = &'static str> {
    PROGRAMS.iter().map(|program| program.name)
}

/// Where the program is, if it is there.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(MORE_PLACES.iter().map(PathBuf::from))
        .map(|place| place.join(name))
        .find(|file| file.is_file())
}

/// Installs those of `names` that are in Debian's packages, and looks where they are.
pub fn get(names: &[&'static str]) -> Vec<(&'static str, Result<PathBuf>)> {
    if names.is_empty() {
        return Vec::new();
    }
    let wanted: Vec<&Program> =
        PROGRAMS.iter().filter(|program| names.contains(&program.name)).collect();
    let packages: Vec<&str> = wanted.iter().map(|program| program.package).collect();
    step(&format!("installing {}: the examples are tested beside them", packages.join(", ")));
    let installed = keep_from_starting(&wanted)
        .and_then(|()| debian::install(&packages))
        .map_err(|error| format!("{error:#}"));
    let outcome = |program: &Program| {
        installed.clone().map_err(|error| anyhow!(error)).and_then(|()| {
            find(program.name).with_context(|| {
                format!("{} is not there after the package was installed", program.name)
            })
        })
    };
    wanted
        .iter()
        .map(|program| {
            let by_hand = || {
                format!(
                    "get {}; by hand: `apt-get install {}` on Debian and its kin, or `brew install` \
                     what has it on macOS",
                    program.name, program.package
                )
            };
            (program.name, outcome(program).with_context(by_hand))
        })
        .collect()
}

/// Where systemd runs, a package's service starts when it is installed. A masked one does not.
fn keep_from_starting(programs: &[&Program]) -> Result<()> {
    if !Path::new("/run/systemd/system").exists() {
        return Ok(());
    }
    for service in programs.iter().filter_map(|program| program.service) {
        step(&format!("masking {service}, which would start otherwise"));
        process::capture(Command::new("systemctl").args(["mask", service]), QUESTION_LIMIT)?
            .require_success()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_found_and_what_is_not_is_not() {
        assert!(find("sh").is_some());
        assert_eq!(find("no program has this name"), None);
    }
}
