//! Asking by a signal.
//!
//! The signal is SIGQUIT, which a terminal sends at Ctrl-\ : it is what the
//! virtual machines of Java and Go show their threads at, programs do
//! not use it for anything else (as they do SIGUSR1), and by default it ends a
//! process, so nobody sends it to a program that goes on working by mistake.

use super::{Question, ServeError, loops};
use signal_hook::consts::SIGQUIT;
use signal_hook::iterator::Signals;
use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Whether the handler is there.
static HANDLED: Mutex<bool> = Mutex::new(false);

/// Has SIGQUIT (Ctrl-\, `kill -QUIT PID`) write the trees of tasks of the loop
/// that runs on this thread to standard error, and no longer end the process.
/// Another call, also on another thread, adds its loop.
///
/// CPython: `faulthandler.register`, for threads.
///
/// # Errors
///
/// [`ServeError`] when no loop runs here, or the operating system refuses.
pub fn dump_on_quit() -> Result<(), ServeError> {
    loops::add_running()?;
    let mut handled = HANDLED.lock().unwrap_or_else(PoisonError::into_inner);
    if *handled {
        return Ok(());
    }
    let mut signals =
        Signals::new([SIGQUIT]).map_err(ServeError::making("handle the signal SIGQUIT"))?;
    thread::Builder::new()
        .name("molen-quit".into())
        .spawn(move || {
            for _signal in signals.forever() {
                // Where errors cannot be written, they cannot be written.
                let _ = std::io::stderr().write_all(loops::answer(Question::Tree).as_bytes());
            }
        })
        .map_err(ServeError::making("start a thread"))?;
    *handled = true;
    Ok(())
}
