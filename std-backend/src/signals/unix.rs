//! The handler that Unix calls.
//!
//! By `sigaction` itself and not by the crate signal-hook, whose handler stays
//! installed for good: a program that has left its loop must find the default
//! disposition again, and so must the next loop.
//!
//! ```text
//!                  first Installed              last one dropped
//!  as it was ──────────────────────▶ ours ────────────────────────▶ as it was
//! ```
//!
//! One function handles all signals. A loop's callback comes first, then, for
//! SIGINT, a runner that watches for Ctrl-C. When there is neither, the signal
//! came while the last one left, or in a forked child, and does what it does by
//! default.
//!
//! # Invariants
//!
//! * **Signal Safe**: what runs in the handler calls only what POSIX allows
//!   there.

use super::delivery::deliver;
use super::signal::Signal;
use crate::interrupt::{Press, pressed};
use std::io;
use std::mem::zeroed;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicI32, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Whose handlers these are; a forked child has another number.
static PROCESS: AtomicI32 = AtomicI32::new(0);

/// How often each signal was installed, and what it did before.
static INSTALLED: Mutex<Vec<Installation>> = Mutex::new(Vec::new());

struct Installation {
    number: i32,
    count: usize,
    before: libc::sigaction,
}

fn installations() -> MutexGuard<'static, Vec<Installation>> {
    // It is whole between any two statements.
    let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
    let process = process();
    if PROCESS.swap(process, SeqCst) != process {
        // The first time, or in a forked child: the parent's are not ours,
        // though the system has kept them.
        installed.clear();
    }
    installed
}

fn process() -> i32 {
    // SAFETY: it only returns a number; Signal Safe.
    unsafe { libc::getpid() }
}

/// Our handler has a signal, as long as this lives.
pub(crate) struct Installed(i32);

impl Installed {
    /// Has our handler called for `signal`.
    pub(crate) fn install(signal: Signal) -> io::Result<Installed> {
        let number = signal.as_raw();
        let mut installations = installations();
        if let Some(ours) = installations.iter_mut().find(|ours| ours.number == number) {
            ours.count += 1;
            return Ok(Installed(number));
        }
        let mut before = action_now(number)?;
        set_action(number, &handling())?;
        if is_ours(&before) {
            // Inherited from a parent, in which it was something else before.
            before = by_default();
        }
        installations.push(Installation { number, count: 1, before });
        Ok(Installed(number))
    }

    /// As [`install`](Self::install), where nobody handles or ignores it.
    pub(crate) fn install_if_default(signal: Signal) -> Option<Installed> {
        let now = action_now(signal.as_raw()).ok()?;
        if now.sa_sigaction != libc::SIG_DFL {
            return None;
        }
        Installed::install(signal).ok()
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        let mut installations = installations();
        let Some(at) = installations.iter().position(|ours| ours.number == self.0) else {
            return;
        };
        installations[at].count -= 1;
        if installations[at].count > 0 {
            return;
        }
        let ours = installations.swap_remove(at);
        // Whoever has put a handler over ours keeps it.
        if action_now(self.0).is_ok_and(|now| is_ours(&now)) {
            // It was what the system had before, so it takes it.
            let _ = set_action(self.0, &ours.before);
        }
    }
}

fn handler() -> libc::sighandler_t {
    on_signal as *const () as libc::sighandler_t
}

fn is_ours(action: &libc::sigaction) -> bool {
    action.sa_sigaction == handler()
}

/// What signal `number` does now.
fn action_now(number: i32) -> io::Result<libc::sigaction> {
    // SAFETY: all zero is a `sigaction`, and with a null pointer it is only read.
    unsafe {
        let mut now: libc::sigaction = zeroed();
        match libc::sigaction(number, null(), &mut now) {
            0 => Ok(now),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

/// `handler` is `SIG_DFL` or ours.
fn action(handler: libc::sighandler_t) -> libc::sigaction {
    // SAFETY: all zero is a `sigaction`, and the mask is part of it.
    // Interrupted system calls are begun again: libraries that we do not know
    // may not expect EINTR; the loop's own wait ends by its wake-up.
    unsafe {
        let mut action: libc::sigaction = zeroed();
        action.sa_sigaction = handler;
        action.sa_flags = libc::SA_RESTART as _;
        libc::sigemptyset(&mut action.sa_mask);
        action
    }
}

fn by_default() -> libc::sigaction {
    action(libc::SIG_DFL)
}

fn handling() -> libc::sigaction {
    action(handler())
}

/// Has the system do as `action` says, which is one of the above or came from it.
fn set_action(number: i32, action: &libc::sigaction) -> io::Result<()> {
    // SAFETY: the handler is SIG_DFL, one that was installed before, or
    // `on_signal`, which is Signal Safe.
    match unsafe { libc::sigaction(number, action, null_mut()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

extern "C" fn on_signal(number: libc::c_int) {
    // SAFETY: it is where this thread's errno is, which what was interrupted
    // may be about to read.
    unsafe {
        let before = errno().read();
        if !is_dealt_with(number) {
            do_by_default(number);
        }
        errno().write(before);
    }
}

fn is_dealt_with(number: i32) -> bool {
    if PROCESS.load(SeqCst) != process() {
        return false;
    }
    deliver(number) || (number == libc::SIGINT && pressed() == Press::First)
}

/// Does what signal `number` does by default; from inside of a handler, as it
/// returns.
pub(crate) fn do_by_default(number: i32) {
    let _ = set_action(number, &by_default());
    // SAFETY: Signal Safe; it has no pointers.
    unsafe { libc::raise(number) };
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
