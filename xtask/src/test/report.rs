//! The final table: behaviour cases × platforms, then the reasons, then one line of totals.

use std::collections::{BTreeMap, BTreeSet};

use super::house::HouseRow;
use super::protocol::{CaseNumber, Run, Tally, Verdict};
use crate::table::Table;

/// One platform's part of the report.
#[derive(Debug)]
pub struct PlatformRun {
    /// The platform's name.
    pub name: &'static str,
    /// Platforms of one suite must report the same cases.
    pub suite: &'static str,
    /// What its runner said.
    pub run: Run,
}

/// Everything that was run.
#[derive(Debug, Default)]
pub struct Report {
    /// The house rows.
    pub house: Vec<HouseRow>,
    /// The platforms, in the order of the columns.
    pub platforms: Vec<PlatformRun>,
}

impl Report {
    /// Makes a case that only some platforms of a suite report a fault of the others: what a
    /// platform cannot do must be declared. A platform that did not come to its end is passed
    /// over, since it has a fault already.
    pub fn require_same_cases(&mut self) {
        let mut names: BTreeMap<&str, BTreeMap<CaseNumber, String>> = BTreeMap::new();
        for platform in &self.platforms {
            let known = names.entry(platform.suite).or_default();
            for (number, case) in &platform.run.cases {
                known.entry(*number).or_insert_with(|| case.name.clone());
            }
        }
        for platform in &mut self.platforms {
            if !platform.run.faults.is_empty() {
                continue;
            }
            for (number, name) in &names[platform.suite] {
                match platform.run.cases.get(number) {
                    None => platform.run.faults.push(format!(
                        "case {number} ({name}) is neither run nor declared unsupported"
                    )),
                    Some(case) if case.name != *name => platform.run.faults.push(format!(
                        "case {number} is called {:?} here and {name:?} elsewhere",
                        case.name
                    )),
                    Some(_) => {}
                }
            }
        }
    }

    /// All counts: house rows, cases, and one failure for each fault of a run.
    pub fn totals(&self) -> Tally {
        let mut totals = Tally::default();
        for row in &self.house {
            totals.passed += row.passed;
            totals.failed += row.failed;
            totals.unsupported += row.skipped;
        }
        for platform in &self.platforms {
            platform.run.cases.values().for_each(|case| totals.add(&case.verdict));
            totals.failed += platform.run.faults.len();
        }
        totals
    }

    /// The whole report as text; its last line is the totals, alone on its line.
    pub fn render(&self) -> String {
        let mut text = String::new();
        let suites: BTreeSet<&str> = self.platforms.iter().map(|platform| platform.suite).collect();
        for suite in suites {
            text.push_str(&format!("\n{suite}\n\n{}", self.case_table(suite).render()));
        }
        text.push_str(&self.unsupported());
        text.push_str(&format!("\nall together\n\n{}", self.summary_table().render()));
        // After everything else: of a long output the end is what is kept and read.
        text.push_str(&self.failures());
        let totals = self.totals();
        text.push_str(&format!("\n{} passed, {} failed", totals.passed, totals.failed));
        if totals.unsupported > 0 {
            text.push_str(&format!(", {} skipped", totals.unsupported));
        }
        text.push('\n');
        text
    }

    fn case_table(&self, suite: &str) -> Table {
        let columns: Vec<&PlatformRun> =
            self.platforms.iter().filter(|platform| platform.suite == suite).collect();
        let mut head = vec!["case".to_owned(), "behaviour".to_owned()];
        head.extend(columns.iter().map(|platform| platform.name.to_owned()));
        let mut table = Table::new(head, usize::MAX);
        let mut cases: BTreeMap<CaseNumber, &str> = BTreeMap::new();
        for platform in &columns {
            for (number, case) in &platform.run.cases {
                cases.entry(*number).or_insert(&case.name);
            }
        }
        for (number, name) in cases {
            let mut row = vec![number.to_string(), name.to_owned()];
            row.extend(columns.iter().map(|platform| {
                let cell = match platform.run.cases.get(&number).map(|case| &case.verdict) {
                    Some(Verdict::Passed) => "ok",
                    Some(Verdict::Failed(_)) => "FAILED",
                    Some(Verdict::Unsupported(_)) => "unsupported",
                    None => "MISSING",
                };
                cell.to_owned()
            }));
            table.row(row);
        }
        table
    }

    /// What failed and why, for each house row, case and run; empty if nothing did.
    fn failures(&self) -> String {
        let mut text = String::new();
        for row in &self.house {
            for why in &row.why {
                text.push_str(&format!("  {}: {why}\n", row.name));
            }
        }
        for platform in &self.platforms {
            for (number, case) in &platform.run.cases {
                if let Verdict::Failed(why) = &case.verdict {
                    let (platform, name) = (platform.name, &case.name);
                    text.push_str(&format!("  {platform} case {number} ({name}): {why}\n"));
                }
            }
            for fault in &platform.run.faults {
                text.push_str(&format!("  {}: {fault}\n", platform.name));
            }
        }
        if text.is_empty() { text } else { format!("\nfailed\n\n{text}") }
    }

    /// What this machine and the platforms cannot do. Many cases lack the same thing on the same
    /// platform, so there is one line for each reason.
    fn unsupported(&self) -> String {
        let mut reasons: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
        for platform in &self.platforms {
            for (number, case) in &platform.run.cases {
                if let Verdict::Unsupported(reason) = &case.verdict {
                    reasons.entry((platform.name, reason)).or_default().push(number.to_string());
                }
            }
        }
        let mut text = String::new();
        for row in &self.house {
            if let Some(reason) = &row.lacking {
                text.push_str(&format!("  {}: {reason}\n", row.name));
            }
        }
        for ((platform, reason), numbers) in &reasons {
            text.push_str(&format!("  {platform} {}: {reason}\n", numbers.join(", ")));
        }
        if text.is_empty() { text } else { format!("\nunsupported\n\n{text}") }
    }

    fn summary_table(&self) -> Table {
        let mut table = Table::new(["", "passed", "failed", "unsupported"], 1);
        for row in &self.house {
            let counts = [row.passed, row.failed, row.skipped].map(|count| count.to_string());
            table.row(std::iter::once(row.name.clone()).chain(counts));
        }
        for platform in &self.platforms {
            let mut tally = Tally::default();
            platform.run.cases.values().for_each(|case| tally.add(&case.verdict));
            let counts =
                [tally.passed, tally.failed + platform.run.faults.len(), tally.unsupported];
            let name = format!("{} ({})", platform.name, platform.suite);
            table.row(std::iter::once(name).chain(counts.map(|count| count.to_string())));
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::protocol::parse_run;

    fn platform(name: &'static str, output: &str) -> PlatformRun {
        PlatformRun { name, suite: "behaviours", run: parse_run(output) }
    }

    #[test]
    fn the_last_line_is_the_totals_alone() {
        let report = Report {
            house: Vec::new(),
            platforms: vec![platform(
                "native",
                "case 1 a ... ok\ncase 2 b ... unsupported: no x\ncases: 1 passed, 0 failed, 1 unsupported",
            )],
        };
        assert_eq!(report.render().lines().last(), Some("1 passed, 0 failed, 1 skipped"));
    }

    #[test]
    fn what_this_machine_cannot_run_is_skipped_and_told() {
        let lacking = HouseRow::lacking("half-open peers", "no network".to_owned());
        let report = Report { house: vec![lacking], platforms: Vec::new() };
        let text = report.render();
        assert!(text.contains("\nunsupported\n\n  half-open peers: no network\n"), "{text}");
        assert_eq!(text.lines().last(), Some("0 passed, 0 failed, 1 skipped"));
    }

    #[test]
    fn what_failed_stands_right_above_the_totals() {
        let report = Report {
            house: Vec::new(),
            platforms: vec![platform(
                "native",
                "case 1 a ... FAILED: got b\ncase 2 b ... unsupported: no x\ncases: 0 passed, 1 failed, 1 unsupported",
            )],
        };
        let text = report.render();
        assert!(
            text.ends_with(
                "\nfailed\n\n  native case 1 (a): got b\n\n0 passed, 1 failed, 1 skipped\n"
            ),
            "{text}"
        );
    }

    #[test]
    fn a_case_that_one_platform_keeps_silent_about_is_a_failure() {
        let mut report = Report {
            house: Vec::new(),
            platforms: vec![
                platform(
                    "native",
                    "case 1 a ... ok\ncase 2 b ... ok\ncases: 2 passed, 0 failed, 0 unsupported",
                ),
                platform("wasip1", "case 1 a ... ok\ncases: 1 passed, 0 failed, 0 unsupported"),
            ],
        };
        report.require_same_cases();
        assert_eq!(report.totals(), Tally { passed: 3, failed: 1, unsupported: 0 });
        let text = report.render();
        assert!(
            text.contains("MISSING") && text.contains("wasip1: case 2 (b) is neither run"),
            "{text}"
        );
    }

    #[test]
    fn a_crashed_run_is_one_failure_and_not_one_for_each_case_it_did_not_reach() {
        let mut report = Report {
            house: Vec::new(),
            platforms: vec![
                platform(
                    "native",
                    "case 1 a ... ok\ncase 2 b ... ok\ncases: 2 passed, 0 failed, 0 unsupported",
                ),
                platform("riscv32", "case 1 a ... ok\n"),
            ],
        };
        report.require_same_cases();
        assert_eq!(report.totals(), Tally { passed: 3, failed: 1, unsupported: 0 });
    }
}
