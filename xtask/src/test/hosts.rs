//! One suite on many hosts: what the scripted preview-1 host's program prints, as one run.
//!
//! The program runs the suite on an honest host and then once under each lie of a real one, each
//! run after a line `host: <name>`. Merged, a case has passed if it passed on the honest host and
//! failed under no lie; a lie may make it unsupported (a host that has no sockets, say).

use super::protocol::{Case, Run, Verdict, parse_run};

/// The line that begins a run.
const BEGIN: &str = "host: ";

/// Reads the runs and merges them.
pub fn parse_hosts(output: &str) -> Run {
    let mut runs = Vec::new();
    for line in output.lines() {
        if let Some(name) = line.strip_prefix(BEGIN) {
            runs.push((name.to_owned(), String::new()));
        } else if let Some((_, text)) = runs.last_mut() {
            text.push_str(line);
            text.push('\n');
        }
    }
    let mut runs = runs.into_iter().map(|(name, text)| (name, parse_run(&text), text));
    let Some((_, mut merged, text)) = runs.next() else {
        return Run { faults: vec!["no host ran the suite".to_owned()], ..Run::default() };
    };
    add_ending(&mut merged, &text);
    for (lie, mut run, text) in runs {
        add_ending(&mut run, &text);
        merged.faults.extend(run.faults.iter().map(|fault| format!("under {lie}: {fault}")));
        for (number, case) in &mut merged.cases {
            let found = run.cases.get(number);
            // A run that broke off has a fault already; the cases that it did not reach add none.
            if found.is_some() || run.faults.is_empty() {
                worsen(case, found, &lie);
            }
        }
    }
    merged
}

/// How the host ended the suite explains a missing closing line.
fn add_ending(run: &mut Run, text: &str) {
    let ended = text.lines().rev().find_map(|line| line.strip_prefix("host ended: "));
    if let (Some(fault), Some(ended)) = (run.faults.first_mut(), ended) {
        fault.push_str(&format!(" ({ended})"));
    }
}

/// A case that fails under a lie has failed; the first reason is kept.
fn worsen(case: &mut Case, found: Option<&Case>, lie: &str) {
    if matches!(case.verdict, Verdict::Failed(_)) {
        return;
    }
    match found.map(|found| &found.verdict) {
        Some(Verdict::Passed | Verdict::Unsupported(_)) => {}
        Some(Verdict::Failed(why)) => case.verdict = Verdict::Failed(format!("under {lie}: {why}")),
        None => case.verdict = Verdict::Failed(format!("under {lie} it was not run")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HONEST: &str = "host: honest\ncase 1 a ... ok\ncase 2 b ... ok\n\
        cases: 2 passed, 0 failed, 0 unsupported\n\nhost ended: exited with status 0\n";

    #[test]
    fn a_case_that_fails_under_a_lie_has_failed() {
        let run = parse_hosts(&format!(
            "{HONEST}host: Late\ncase 1 a ... FAILED: late\ncase 2 b ... unsupported: no sockets\n\
             cases: 0 passed, 1 failed, 1 unsupported\n\nhost ended: exited with status 1\n"
        ));
        assert_eq!(run.faults, Vec::<String>::new());
        assert_eq!(run.cases[&1].verdict, Verdict::Failed("under Late: late".into()));
        assert_eq!(run.cases[&2].verdict, Verdict::Passed);
    }

    #[test]
    fn a_suite_that_hangs_under_a_lie_is_one_fault() {
        let run = parse_hosts(&format!(
            "{HONEST}host: Mute\ncase 1 a ... ok\n\nhost ended: hung: no event\n"
        ));
        assert_eq!(run.faults.len(), 1);
        assert!(run.faults[0].contains("under Mute") && run.faults[0].contains("hung: no event"));
        assert_eq!(run.cases[&2].verdict, Verdict::Passed);
    }

    #[test]
    fn a_case_left_out_under_a_lie_and_no_host_at_all_are_failures() {
        let run = parse_hosts(&format!(
            "{HONEST}host: Odd\ncase 1 a ... ok\ncases: 1 passed, 0 failed, 0 unsupported\n"
        ));
        assert_eq!(run.cases[&2].verdict, Verdict::Failed("under Odd it was not run".into()));
        assert_eq!(parse_hosts("").faults.len(), 1);
    }
}
