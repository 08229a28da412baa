//! Running cases and reporting them, one line each, in a form that programs
//! read as well.

use crate::case::{Case, Failure, Outcome};
use crate::{CASES, fixture};
use core::fmt::{self, Write};

/// How many cases ended how.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Count {
    /// The behaviour was observed.
    pub passed: u32,
    /// It was not.
    pub failed: u32,
    /// There is no such behaviour here.
    pub unsupported: u32,
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Count { passed, failed, unsupported } = self;
        write!(f, "cases: {passed} passed, {failed} failed, {unsupported} unsupported")
    }
}

/// Runs a case on a fixture that is as new.
pub fn call(case: &Case) -> Outcome {
    fixture::reset();
    (case.run)()
}

/// Whether `filter` asks for `case`: its number, or a part of its name.
fn asks_for(filter: &str, case: &Case) -> bool {
    match filter.parse::<u16>() {
        Ok(number) => number == case.number,
        Err(_) => case.name.contains(filter),
    }
}

/// The cases that `filters` ask for; all of them if there are no filters.
fn selected<'a, F>(filters: F) -> impl Iterator<Item = &'static Case>
where
    F: Iterator<Item = &'a str> + Clone,
{
    let wanted = move |case: &&'static Case| {
        filters.clone().next().is_none() || filters.clone().any(|filter| asks_for(filter, case))
    };
    CASES.iter().flat_map(|section| section.iter()).filter(wanted)
}

/// Writes the number and name of each case that `filters` ask for.
///
/// # Errors
///
/// Those of `out`.
pub fn list<'a, F>(out: &mut dyn Write, filters: F) -> fmt::Result
where
    F: Iterator<Item = &'a str> + Clone,
{
    for case in selected(filters) {
        writeln!(out, "case {} {}", case.number, case.name)?;
    }
    Ok(())
}

/// Runs each case that `filters` ask for by `call`, and reports to `out`.
///
/// # Errors
///
/// Those of `out`.
pub fn run<'a, F>(
    out: &mut dyn Write,
    filters: F,
    call: &dyn Fn(&Case) -> Outcome,
) -> Result<Count, fmt::Error>
where
    F: Iterator<Item = &'a str> + Clone,
{
    let mut count = Count::default();
    for case in selected(filters) {
        write!(out, "case {} {} ... ", case.number, case.name)?;
        match call(case) {
            Ok(()) => {
                count.passed += 1;
                writeln!(out, "ok")?;
            }
            Err(reason @ Failure::Unsupported(_)) => {
                count.unsupported += 1;
                writeln!(out, "unsupported: {reason}")?;
            }
            Err(failure @ Failure::Failed { .. }) => {
                count.failed += 1;
                writeln!(out, "FAILED: {failure}")?;
            }
        }
    }
    writeln!(out, "{count}")?;
    Ok(count)
}
