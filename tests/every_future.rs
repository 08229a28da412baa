//! Every future of the core, and those of threads on desktops, are dropped at
//! every poll: the table in `tests/conformance/src/dropping_all.rs` names each,
//! and the case that does it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The futures of a folder, by the names that the table has: types that
/// implement `Future`, and public async functions. Those that need an engine of
/// TLS, a child or a file are not asked for.
fn futures_of(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder of sources").flatten() {
        let path = entry.path();
        if path.is_dir() {
            if !["model", "tls", "subprocess"].iter().any(|name| path.ends_with(name)) {
                futures_of(&path, found);
            }
            continue;
        }
        if path.ends_with("net/hold.rs") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a source file");
        for line in text.lines().map(str::trim).filter(|line| !line.starts_with("//")) {
            let after = |pattern: &str| line.split_once(pattern).map(|(_, rest)| rest);
            let implemented = after(" Future for ").filter(|_| line.starts_with("impl"));
            if let Some(rest) = implemented.or_else(|| after("pub async fn ")) {
                let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
                found.insert(rest[..end.unwrap_or(rest.len())].to_owned());
            }
        }
    }
}

#[test]
fn every_future_is_dropped_at_every_poll() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut futures = BTreeSet::new();
    futures_of(&root.join("core/src"), &mut futures);
    futures_of(&root.join("std-backend/src/concurrent"), &mut futures);
    assert!(futures.len() > 30, "the sources are written otherwise: {futures:?}");

    let cases = root.join("tests/conformance/src");
    let table = fs::read_to_string(cases.join("dropping_all.rs")).expect("the table");
    let rows: Vec<&str> = table.lines().filter(|line| line.starts_with("//! | `")).collect();
    let missing: Vec<_> = futures
        .iter()
        .filter(|name| !rows.iter().any(|row| row.contains(&format!("`{name}`"))))
        .collect();
    assert!(missing.is_empty(), "not in the table of dropping_all.rs: {missing:?}");

    let mut all = String::new();
    for entry in fs::read_dir(cases).expect("the cases").flatten() {
        all += &fs::read_to_string(entry.path()).unwrap_or_default();
    }
    for row in rows {
        let numbers = row.rsplit('|').nth(1).unwrap_or_default();
        for number in numbers.split(',').map(str::trim) {
            let known =
                all.contains(&format!("case!({number}, ")) || all.contains(&format!(" {number} "));
            assert!(known, "there is no case {number}: {row}");
        }
    }
}
