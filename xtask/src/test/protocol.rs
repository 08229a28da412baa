//! What a conformance runner says, on every platform:
//!
//! ```text
//! case <number> <name> ... ok
//! case <number> <name> ... FAILED: <why>
//! case <number> <name> ... unsupported: <reason>
//! cases: <p> passed, <f> failed, <u> unsupported
//! ```
//!
//! Other lines are a case's own output and are passed over. The last of these four is the proof
//! that the runner came to its end: a run without it crashed or hung, whatever its exit status.

use std::collections::BTreeMap;

/// The number by which a case is cited, as in behaviours.md.
pub type CaseNumber = u32;

/// What came of one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// As it must be.
    Passed,
    /// Not as it must be; with the reason.
    Failed(String),
    /// The platform cannot do it; with the reason.
    Unsupported(String),
}

/// One case as a platform reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// Its name.
    pub name: String,
    /// What came of it.
    pub verdict: Verdict,
}

/// One run of a runner.
#[derive(Debug, Default)]
pub struct Run {
    /// The cases by number.
    pub cases: BTreeMap<CaseNumber, Case>,
    /// What is wrong with the run as a whole.
    pub faults: Vec<String>,
}

/// The three counts of the closing line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Cases that passed.
    pub passed: usize,
    /// Cases that failed.
    pub failed: usize,
    /// Cases that the platform does not support.
    pub unsupported: usize,
}

impl Tally {
    /// Counts one more.
    pub fn add(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Passed => self.passed += 1,
            Verdict::Failed(_) => self.failed += 1,
            Verdict::Unsupported(_) => self.unsupported += 1,
        }
    }
}

/// What stands between a case's name and its verdict.
const DOTS: &str = " ... ";

/// Reads one line as a case.
pub fn parse_case(line: &str) -> Option<(CaseNumber, Case)> {
    let (number, rest) = line.trim().strip_prefix("case ")?.split_once(' ')?;
    // Names and reasons may have the dots too, so the first ones that a verdict follows count.
    let (name, verdict) = rest
        .match_indices(DOTS)
        .find_map(|(at, _)| Some((&rest[..at], parse_verdict(&rest[at + DOTS.len()..])?)))?;
    Some((number.parse().ok()?, Case { name: name.to_owned(), verdict }))
}

fn parse_verdict(text: &str) -> Option<Verdict> {
    let reason = |text: &str| text.trim().to_owned();
    match text.trim() {
        "ok" => Some(Verdict::Passed),
        text => {
            text.strip_prefix("FAILED:").map(|why| Verdict::Failed(reason(why))).or_else(|| {
                text.strip_prefix("unsupported:").map(|why| Verdict::Unsupported(reason(why)))
            })
        }
    }
}

/// Reads the closing line.
fn parse_tally(line: &str) -> Option<Tally> {
    let mut parts = line.trim().strip_prefix("cases: ")?.split(", ");
    let mut count = |what: &str| parts.next()?.strip_suffix(what)?.trim().parse().ok();
    Some(Tally {
        passed: count("passed")?,
        failed: count("failed")?,
        unsupported: count("unsupported")?,
    })
}

/// Reads all that a runner said, and holds its closing line against its cases.
pub fn parse_run(output: &str) -> Run {
    let mut run = Run::default();
    let mut closing = None;
    for line in output.lines() {
        if let Some((number, case)) = parse_case(line) {
            if closing.take().is_some() {
                run.faults.push(format!("case {number} was reported after the closing line"));
            }
            if let Verdict::Unsupported(reason) = &case.verdict
                && reason.is_empty()
            {
                run.faults.push(format!("case {number} is unsupported without a reason"));
            }
            if run.cases.insert(number, case).is_some() {
                run.faults.push(format!("case {number} was reported twice"));
            }
        } else if let Some(tally) = parse_tally(line) {
            closing = Some(tally);
        }
    }
    let mut counted = Tally::default();
    run.cases.values().for_each(|case| counted.add(&case.verdict));
    match closing {
        None => {
            run.faults.push("the closing line is missing: the runner crashed or hung".to_owned())
        }
        Some(said) if said != counted => {
            run.faults
                .push(format!("the closing line says {said:?}, and the cases are {counted:?}"));
        }
        Some(_) => {}
    }
    run
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "a case's own line\ncase 3 call_soon from a callback ... ok\n\
        case 7 poll ... between batches ... FAILED: expected [a, b], got [b ... a]\n\
        case 113 add_signal_handler ... unsupported: no signals on bare metal\n\
        cases: 1 passed, 1 failed, 1 unsupported\n";

    #[test]
    fn a_complete_run_has_its_cases_and_no_fault() {
        let run = parse_run(GOOD);
        assert_eq!(run.faults, Vec::<String>::new());
        assert_eq!(run.cases.len(), 3);
        assert_eq!(
            run.cases[&3],
            Case { name: "call_soon from a callback".into(), verdict: Verdict::Passed }
        );
        assert!(matches!(&run.cases[&7].verdict, Verdict::Failed(why) if why.contains("got")));
        assert_eq!(
            run.cases[&113].verdict,
            Verdict::Unsupported("no signals on bare metal".into())
        );
    }

    #[test]
    fn a_run_that_stops_midway_is_a_fault() {
        let run = parse_run("case 1 a ... ok\ncase 2 b ...");
        assert_eq!(run.cases.len(), 1);
        assert!(run.faults[0].contains("closing line is missing"), "{:?}", run.faults);
    }

    #[test]
    fn counts_that_do_not_agree_and_cases_reported_twice_are_faults() {
        assert_eq!(
            parse_run("case 1 a ... ok\ncases: 2 passed, 0 failed, 0 unsupported").faults.len(),
            1
        );
        let twice =
            parse_run("case 1 a ... ok\ncase 1 a ... ok\ncases: 1 passed, 0 failed, 0 unsupported");
        assert_eq!(twice.faults, ["case 1 was reported twice"]);
        let silent =
            parse_run("case 1 a ... unsupported: \ncases: 0 passed, 0 failed, 1 unsupported");
        assert_eq!(silent.faults.len(), 1);
    }
}
