//! SIGINT.
//!
//! By `sigaction` itself and not by the crate signal-hook, whose handler
//! stays installed for good: a program that has left its loop must find the
//! default disposition again, and so must the next runner.
//!
//! # Invariants
//!
//! * **Signal Safe**: what runs in the handler calls only what POSIX allows
//!   there.

use super::press::{Press, pressed};
use std::io::Write;
use std::mem::zeroed;
use std::ptr::{null, null_mut};

/// SIGINT as it was.
pub(super) struct Installed;

impl Installed {
    /// Installs the handler where the disposition is the default one.
    pub(super) fn install() -> Option<Installed> {
        if disposition()? != libc::SIG_DFL {
            return None;
        }
        set_disposition(on_signal as *const () as libc::sighandler_t).then_some(Installed)
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        // Whoever has put a handler over ours keeps it.
        if disposition() == Some(on_signal as *const () as libc::sighandler_t) {
            set_disposition(libc::SIG_DFL);
        }
    }
}

/// What SIGINT does now.
fn disposition() -> Option<libc::sighandler_t> {
    // SAFETY: all zero is a `sigaction`, and with a null pointer it is only read.
    unsafe {
        let mut now: libc::sigaction = zeroed();
        (libc::sigaction(libc::SIGINT, null(), &mut now) == 0).then_some(now.sa_sigaction)
    }
}

fn set_disposition(handler: libc::sighandler_t) -> bool {
    // SAFETY: the handler is SIG_DFL or `on_signal`, which is Signal Safe.
    // Interrupted system calls are begun again: libraries that we do not know
    // may not expect EINTR; the loop's own wait ends by its wake-up.
    unsafe {
        let mut action: libc::sigaction = zeroed();
        action.sa_sigaction = handler;
        action.sa_flags = libc::SA_RESTART as _;
        libc::sigemptyset(&mut action.sa_mask);
        libc::sigaction(libc::SIGINT, &action, null_mut()) == 0
    }
}

extern "C" fn on_signal(_signal: libc::c_int) {
    // SAFETY: it is where this thread's errno is, which what was interrupted
    // may be about to read.
    unsafe {
        let before = errno().read();
        if pressed() == Press::Again {
            end_by_signal();
        }
        errno().write(before);
    }
}

/// Ends the process by SIGINT; from inside of a handler, as it returns.
fn end_by_signal() {
    set_disposition(libc::SIG_DFL);
    // SAFETY: Signal Safe; it has no pointers.
    unsafe { libc::raise(libc::SIGINT) };
}

/// Where this thread's errno is.
fn errno() -> *mut libc::c_int {
    // SAFETY: each only returns a pointer.
    unsafe {
        #[cfg(any(target_os = "linux", target_os = "dragonfly"))]
        return libc::__errno_location();
        #[cfg(any(target_os = "android", target_os = "netbsd", target_os = "openbsd"))]
        return libc::__errno();
        #[cfg(any(target_vendor = "apple", target_os = "freebsd"))]
        return libc::__error();
        #[cfg(any(target_os = "solaris", target_os = "illumos"))]
        return libc::___errno();
    }
}

/// Ends the process as Ctrl-C does by default: by SIGINT, so that a shell sees
/// it and ends its script too. What is buffered for the standard output is
/// written first.
///
/// For a `main` whose `run` was interrupted; `#[molen::main]` calls it.
pub fn end_process() -> ! {
    // Who reads it may be gone as well.
    let _ = std::io::stdout().flush();
    end_by_signal();
    // SIGINT is blocked in this thread: what a shell makes of it.
    std::process::exit(128 + libc::SIGINT)
}
