//! Runs the cases on a microcontroller without an operating system and without
//! an allocator. Output, arguments and exit status go through semihosting; the
//! arguments are numbers or parts of names of cases, and `--list` lists.
//!
//! The cases bring their own clock and selector, so nothing of the board is
//! used but its processor and memory.

#![no_std]
#![no_main]

use core::fmt;
use molen_conformance::Case;
use semihosting::experimental::env;
use semihosting::io::{self, Write as _};
use semihosting::process;

#[cfg(target_arch = "arm")]
use cortex_m_rt::entry;
#[cfg(target_arch = "riscv32")]
use riscv_rt::entry;

// Linked in for their critical sections.
#[cfg(target_arch = "arm")]
use cortex_m as _;
#[cfg(target_arch = "riscv32")]
use riscv as _;

/// The most filters that the command line may have, and its most bytes.
const FILTERS: usize = 32;
const BYTES: usize = 1024;

/// The host's standard output, a line at a time: each call of the host costs
/// more than running a case.
struct Output {
    to: io::Stdout,
    line: [u8; 256],
    length: usize,
}

impl Output {
    fn flush(&mut self) -> fmt::Result {
        let length = core::mem::take(&mut self.length);
        self.to.write_all(&self.line[..length]).map_err(|_| fmt::Error)
    }
}

impl fmt::Write for Output {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            if self.length == self.line.len() {
                self.flush()?;
            }
            self.line[self.length] = byte;
            self.length += 1;
            if byte == b'\n' {
                self.flush()?;
            }
        }
        // A case that hangs or faults must have been named before.
        if text.ends_with("... ") { self.flush() } else { Ok(()) }
    }
}

/// Why the cases could not be run.
enum Trouble {
    /// The host's, about its standard output or the command line.
    Host(io::Error),
    /// Writing stopped.
    Output,
    /// The command line has more filters than there is room for.
    TooManyFilters,
    /// The command line is not text.
    NotText,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Host(error) => write!(f, "the semihosting host failed: {error:?}"),
            Trouble::Output => f.write_str("writing the report to the semihosting host failed"),
            Trouble::TooManyFilters => {
                write!(f, "the command line has more than {FILTERS} filters")
            }
            Trouble::NotText => f.write_str("the command line is not UTF-8"),
        }
    }
}

/// Does what the command line says; how many cases failed.
fn run() -> Result<u32, Trouble> {
    let arguments = env::args::<BYTES>().map_err(Trouble::Host)?;
    let mut filters = [""; FILTERS];
    let (mut count, mut list) = (0, false);
    for word in (&arguments).skip(1) {
        match word.map_err(|_| Trouble::NotText)? {
            "--list" => list = true,
            word => {
                *filters.get_mut(count).ok_or(Trouble::TooManyFilters)? = word;
                count += 1;
            }
        }
    }
    let filters = filters[..count].iter().copied();
    let mut out = Output { to: io::stdout().map_err(Trouble::Host)?, line: [0; 256], length: 0 };
    if list {
        molen_conformance::list(&mut out, filters).map_err(|_| Trouble::Output)?;
        return Ok(0);
    }
    let call = |case: &Case| molen_conformance::call(case);
    let counted = molen_conformance::run(&mut out, filters, &call).map_err(|_| Trouble::Output)?;
    Ok(counted.failed)
}

#[entry]
fn main() -> ! {
    match run() {
        Ok(0) => process::exit(0),
        Ok(_) => process::exit(1),
        Err(trouble) => {
            semihosting::eprintln!("running the conformance cases: {trouble}");
            process::exit(2)
        }
    }
}
