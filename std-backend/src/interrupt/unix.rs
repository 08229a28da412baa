//! The end of a process by SIGINT.

use crate::signals::Signal;
use crate::signals::system::do_by_default;
use std::io::Write;

/// Ends the process as Ctrl-C does by default: by SIGINT, so that a shell sees
/// it and ends its script too. What is buffered for the standard output is
/// written first.
///
/// For a `main` whose `run` was interrupted; `#[molen::main]` calls it.
pub fn end_process() -> ! {
    // Who reads it may be gone as well.
    let _ = std::io::stdout().flush();
    do_by_default(Signal::INT.as_raw());
    // SIGINT is blocked in this thread: what a shell makes of it.
    std::process::exit(128 + Signal::INT.as_raw())
}
