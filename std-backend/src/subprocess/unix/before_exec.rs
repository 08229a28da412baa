//! What a child does between its birth and the program.
//!
//! # Invariants
//!
//! * **Signal Safe**: what runs there may run in the middle of anything: it makes
//!   system calls that are safe in a handler of signals, and neither allocates nor
//!   takes a lock. An error is made of its number alone.

use std::io;
use std::os::fd::RawFd;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Has the child lead a session of its own, and its group.
pub(in crate::subprocess) fn lead_session(command: &mut Command) {
    let lead = || {
        // SAFETY: none has pointers. Signal Safe. Who leads a group cannot begin a
        // session: if it was made to lead one, it goes back to ours first.
        match unsafe {
            libc::setpgid(0, libc::getpgid(libc::getppid()));
            libc::setsid()
        } {
            -1 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        }
    };
    // SAFETY: Signal Safe.
    unsafe { command.pre_exec(lead) };
}

/// Has the program inherit the descriptor of this number, which is open then.
pub(in crate::subprocess) fn inherit(command: &mut Command, descriptor: RawFd) {
    let inherit = move || {
        // SAFETY: it has no pointers. Signal Safe. Close-on-exec is the only flag
        // that there is.
        match unsafe { libc::fcntl(descriptor, libc::F_SETFD, 0) } {
            -1 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        }
    };
    // SAFETY: Signal Safe.
    unsafe { command.pre_exec(inherit) };
}
