//! What is said at the end.

use crate::download::Fetched;
use crate::failure::Failure;
use crate::progress::amount;
use molen::Duration;
use std::io::{self, Write};

/// What became of a URL.
pub struct Outcome {
    pub result: std::result::Result<Fetched, Failure>,
    pub took: Duration,
}

/// What became of all of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Result {
    AllFetched,
    SomeFailed,
}

/// Who is told about URLs that were fetched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Told {
    /// Standard output.
    Out,
    /// Standard error, as the bodies are on standard output.
    Errors,
    /// Nobody.
    Nobody,
}

/// Prints a line for each URL that has an outcome, and one for all.
///
/// ```text
/// status       bytes     time  url
///    200       1 256  0.021 s  http://example.org/
///      -           -  0.003 s  http://localhost:1/: cannot connect to localhost:1: …
/// ```
///
/// # Errors
///
/// Nobody reads standard output any more.
pub fn print(
    urls: &[String],
    outcomes: &[Option<Outcome>],
    took: Duration,
    told: Told,
) -> io::Result<Result> {
    let (mut table, mut errors) = (String::new(), String::new());
    let (mut fetched, mut bytes) = (0, 0);
    for (url, outcome) in urls.iter().zip(outcomes) {
        let Some(Outcome { result, took }) = outcome else { continue };
        let took = took.as_secs_f64();
        match result {
            Ok(found) => {
                fetched += 1;
                bytes += found.bytes;
                let hops = match found.redirects {
                    0 => String::new(),
                    1 => " (1 redirect)".to_owned(),
                    several => format!(" ({several} redirects)"),
                };
                let Fetched { status, bytes, .. } = found;
                table += &format!("{status:>6} {bytes:>11} {took:>6.3} s  {url}{hops}\n");
            }
            Err(failure) => {
                let status = match failure {
                    Failure::Status { code, .. } | Failure::NoLocation(code) => code.to_string(),
                    _ => "-".to_owned(),
                };
                table += &format!("{status:>6} {:>11} {took:>6.3} s  {url}\n", "-");
                errors += &format!("fetch: {url}: {failure}\n");
            }
        }
    }
    let told_of = outcomes.iter().flatten().count();
    let rate = amount((bytes as f64 / took.as_secs_f64().max(1e-6)) as u64);
    let all = format!(
        "{fetched} of {} URLs, {} in {:.3} s, {rate}/s\n",
        urls.len(),
        amount(bytes),
        took.as_secs_f64(),
    );
    let header = format!("{:>6} {:>11} {:>8}  url\n", "status", "bytes", "time");
    match told {
        Told::Out => io::stdout().write_all(format!("{header}{table}{all}").as_bytes())?,
        Told::Errors => io::stderr().write_all(format!("{header}{table}{all}").as_bytes())?,
        Told::Nobody => {}
    }
    io::stderr().write_all(errors.as_bytes())?;
    let every_one = fetched == urls.len() && told_of == urls.len();
    Ok(if every_one { Result::AllFetched } else { Result::SomeFailed })
}
