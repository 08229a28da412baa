//! Every future of the core and of the backends is dropped at every poll: the table
//! in `tests/conformance/src/dropping_all.rs` names each, and the case that does
//! it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Futures of their own runtime: what the resolver hickory is told to use.
const OF_OTHERS: &str = "dns/hickory";

/// The futures of a folder, by the names that the table has: types that
/// implement `Future` or `IntoFuture`, public async functions, and functions
/// that return a future.
fn futures_of(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).expect("a folder of sources").flatten() {
        let path = entry.path();
        if path.is_dir() {
            // A model is a program of its own, for Loom.
            if !path.ends_with("model") && !path.ends_with(OF_OTHERS) {
                futures_of(&path, found);
            }
            continue;
        }
        let text = fs::read_to_string(&path).expect("a source file");
        let mut function = String::new();
        for line in text.lines().map(str::trim).filter(|line| !line.starts_with("//")) {
            let after = |pattern: &str| line.split_once(pattern).map(|(_, rest)| name_in(rest));
            let implemented = after(" Future for ").or_else(|| after(" IntoFuture for "));
            found.extend(implemented.filter(|_| line.starts_with("impl")));
            found.extend(after("pub async fn "));
            function = after("fn ").unwrap_or(function);
            if line.contains("-> impl Future<") {
                found.insert(function.clone());
            }
        }
    }
}

/// The name that `text` begins with, behind what says how it is borrowed.
fn name_in(text: &str) -> String {
    let text = text.trim_start_matches(['&', '\'']).trim_start_matches("a ");
    let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
    text[..end.unwrap_or(text.len())].to_owned()
}

#[test]
fn every_future_is_dropped_at_every_poll() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut futures = BTreeSet::new();
    futures_of(&root.join("core/src"), &mut futures);
    futures_of(&root.join("std-backend/src"), &mut futures);
    futures_of(&root.join("wasi-backend/src"), &mut futures);
    assert!(futures.len() > 100, "the sources are written otherwise: {futures:?}");

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
