//! The row of the test that takes its network down under a connection: it is run in a network of
//! its own, which Linux makes for root, and mostly for others too.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::Context;

use super::house::{self, HouseRow};
use crate::workspace;

/// Compiling and running the one test must not take longer than this.
const LIMIT: Duration = Duration::from_secs(900);

const TEST: &str =
    "half_open::a_peer_that_vanishes_without_a_word_is_noticed_in_the_time_that_was_set";

/// Ways to a network of one's own: as root, and as whoever may be root in a namespace.
const WAYS: &[&[&str]] = &[&["--net"], &["--user", "--map-root-user", "--net"]];

/// `std-backend/tests/hostile.rs`'s half-open peers; `None` on systems that have no such networks.
pub fn row() -> Option<HouseRow> {
    const NAME: &str = "half-open peers, in a network of their own";
    if !cfg!(target_os = "linux") {
        return None;
    }
    Some(match way() {
        Err(reason) => HouseRow::lacking(NAME, reason),
        Ok(way) => run(NAME, way),
    })
}

/// What of `unshare` works here; else what each way said.
fn way() -> Result<&'static [&'static str], String> {
    let mut refusals = Vec::new();
    for way in WAYS {
        match Command::new("unshare").args(*way).arg("true").output() {
            Ok(tried) if tried.status.success() => return Ok(way),
            Ok(tried) => refusals.push(String::from_utf8_lossy(&tried.stderr).trim().to_owned()),
            Err(error) => refusals.push(format!("unshare {}: {error}", way.join(" "))),
        }
    }
    Err(format!("a network of its own is not permitted here: {}", refusals.join("; ")))
}

fn run(name: &str, way: &[&str]) -> HouseRow {
    let runner: Vec<&str> = std::iter::once("unshare").chain(way.iter().copied()).collect();
    let cargo = spared_network().map(|spared| {
        let mut cargo = workspace::cargo();
        // With the whole workspace's features nothing is built that was not built before.
        cargo.current_dir(workspace::root());
        // Not cargo itself, which may have something to fetch.
        cargo.arg("--config").arg(format!("target.'cfg(unix)'.runner = {runner:?}"));
        cargo.args(["test", "--workspace", "--test", "hostile"]);
        cargo.args(["--", "--ignored", "--exact", TEST]);
        cargo.env("MOLEN_TEST_NETWORK_TO_SPARE", spared);
        cargo
    });
    let mut row = house::libtest(name, cargo, &[], LIMIT);
    if row.passed + row.failed == 0 {
        row.failed = 1;
        row.why.push(format!("there is no test {TEST}"));
    }
    row
}

/// The network of this process, which the test must not be in.
fn spared_network() -> anyhow::Result<std::ffi::OsString> {
    let network = Path::new("/proc/self/ns/net");
    let name = network.read_link().with_context(|| format!("read {}", network.display()))?;
    Ok(name.into_os_string())
}
