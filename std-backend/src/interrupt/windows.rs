//! The end of a process by the console's Ctrl-C.

use std::io::Write;
use windows_sys::Win32::Foundation::STATUS_CONTROL_C_EXIT;

/// Ends the process as Ctrl-C does by default. What is buffered for the
/// standard output is written first.
///
/// For a `main` whose `run` was interrupted; `#[molen::main]` calls it.
pub fn end_process() -> ! {
    // Who reads it may be gone as well.
    let _ = std::io::stdout().flush();
    std::process::exit(STATUS_CONTROL_C_EXIT)
}
