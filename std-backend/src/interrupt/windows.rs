//! The console's Ctrl-C.
//!
//! Windows calls the handlers of a process on a thread made for that, the
//! one added last first, until one says that it has dealt with it. The last of
//! them, the system's, ends the process. So there is no disposition to look at:
//! handlers that the program adds later go before ours.

use super::press::{Press, pressed};
use std::io::Write;
use windows_sys::Win32::Foundation::{FALSE, STATUS_CONTROL_C_EXIT, TRUE};
use windows_sys::Win32::System::Console::{CTRL_C_EVENT, SetConsoleCtrlHandler};
use windows_sys::core::BOOL;

/// Our handler is one of the process's.
pub(super) struct Installed;

impl Installed {
    /// Adds the handler.
    pub(super) fn install() -> Option<Installed> {
        // SAFETY: the handler is a static function of the type asked for.
        let added = unsafe { SetConsoleCtrlHandler(Some(on_event), TRUE) };
        (added != FALSE).then_some(Installed)
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        // SAFETY: as above. It fails only if somebody else has removed it.
        unsafe { SetConsoleCtrlHandler(Some(on_event), FALSE) };
    }
}

unsafe extern "system" fn on_event(event: u32) -> BOOL {
    if event == CTRL_C_EVENT && pressed() == Press::First { TRUE } else { FALSE }
}

/// Ends the process as Ctrl-C does by default. What is buffered for the
/// standard output is written first.
///
/// For a `main` whose `run` was interrupted; `#[molen::main]` calls it.
pub fn end_process() -> ! {
    // Who reads it may be gone as well.
    let _ = std::io::stdout().flush();
    std::process::exit(STATUS_CONTROL_C_EXIT)
}
