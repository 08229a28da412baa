//! Runs the cases where there is a standard library: natively and as a WASI
//! module. Arguments are numbers or parts of names of cases; `--list` lists.

use molen_conformance::{Case, Outcome};
use std::io::Write as _;
use std::process::ExitCode;

/// The standard output; each line is out before the next case begins.
struct Stdout;

impl std::fmt::Write for Stdout {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|_| std::fmt::Error)
    }
}

/// Where panics unwind, one in a case fails that case alone.
#[cfg(panic = "unwind")]
fn call(case: &Case) -> Outcome {
    use molen_conformance::Failure;
    std::panic::catch_unwind(|| molen_conformance::call(case)).unwrap_or_else(|_| {
        Err(Failure::said("the case panicked; the panic's own message is above"))
    })
}

#[cfg(not(panic = "unwind"))]
fn call(case: &Case) -> Outcome {
    molen_conformance::call(case)
}

/// What the arguments say; those meant for other test harnesses are ignored.
pub fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    #[cfg(any(unix, windows))]
    if let [child, name, number @ ..] = arguments.as_slice()
        && child == "child"
    {
        let number = number.first().and_then(|number| number.parse().ok());
        return molen_conformance::child(name, number).unwrap_or(99).into();
    }
    let filters = arguments.iter().map(String::as_str).filter(|word| !word.starts_with('-'));
    if arguments.iter().any(|argument| argument == "--list") {
        return match molen_conformance::list(&mut Stdout, filters) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        };
    }
    match molen_conformance::run(&mut Stdout, filters, &call) {
        Ok(count) if count.failed == 0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}
