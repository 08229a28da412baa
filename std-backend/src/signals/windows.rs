//! The console's Ctrl-C and Ctrl-Break.
//!
//! Windows calls the handlers of a process on a thread made for that, the
//! one added last first, until one says that it has dealt with it. The last of
//! them, the system's, ends the process. So there is no disposition to look at:
//! handlers that the program adds later go before ours.

use super::delivery::deliver;
use super::signal::Signal;
use crate::interrupt::{Press, pressed};
use std::io;
use windows_sys::Win32::Foundation::{FALSE, TRUE};
use windows_sys::Win32::System::Console::{CTRL_BREAK_EVENT, CTRL_C_EVENT, SetConsoleCtrlHandler};
use windows_sys::core::BOOL;

/// Our handler is one of the process's. Added once for each of these: it then
/// is called again for what it has not dealt with, which changes nothing.
pub(crate) struct Installed;

impl Installed {
    /// Adds the handler, for Ctrl-C or Ctrl-Break: it is asked for both.
    pub(crate) fn install(_signal: Signal) -> io::Result<Installed> {
        // SAFETY: the handler is a static function of the type asked for.
        match unsafe { SetConsoleCtrlHandler(Some(on_event), TRUE) } {
            FALSE => Err(io::Error::last_os_error()),
            _ => Ok(Installed),
        }
    }

    /// As [`install`](Self::install).
    pub(crate) fn install_if_default(ctrl_c: Signal) -> Option<Installed> {
        Installed::install(ctrl_c).ok()
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        // SAFETY: as above. It fails only if somebody else has removed it.
        unsafe { SetConsoleCtrlHandler(Some(on_event), FALSE) };
    }
}

unsafe extern "system" fn on_event(event: u32) -> BOOL {
    let dealt_with = match event {
        CTRL_C_EVENT => deliver(Signal::INT.as_raw()) || pressed() == Press::First,
        CTRL_BREAK_EVENT => deliver(Signal::BREAK.as_raw()),
        _ => false,
    };
    if dealt_with { TRUE } else { FALSE }
}
