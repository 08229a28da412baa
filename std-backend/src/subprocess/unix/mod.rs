//! Children of Unix.

mod before_exec;
mod exit_notice;

pub(super) use before_exec::{inherit, lead_session};
pub(super) use exit_notice::ExitNotice;

use super::group::Group;
use crate::signals::Signal;
use molen_core::net::SignalRefusal;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use std::ffi::OsStr;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus};

/// The exit code in the place of one that somebody else has taken.
///
/// asyncio: the same.
pub(super) const STOLEN: i32 = 255;

/// The status of [`STOLEN`].
pub(super) fn stolen() -> ExitStatus {
    ExitStatus::from_raw(STOLEN << 8)
}

/// The shell, running `script`.
pub(super) fn shell(script: &OsStr) -> Command {
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(script);
    command
}

/// Has the child lead a process group of its own.
pub(super) fn lead_group(command: &mut Command) {
    command.process_group(0);
}

/// What of a command this system cannot do.
pub(super) fn lacks(_group: Group, _session: bool) -> Option<io::Error> {
    None
}

/// Reaps a child if it has ended; before that, what is left of its group if
/// that ends with it.
pub(super) fn reap(child: &mut Child, group: Group) -> io::Result<Option<ExitStatus>> {
    if group == Group::EndsWithLeader {
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        // An error, of which `try_wait` will tell: the number may be another's.
        if let Ok(Some(_ended)) = waitid(WaitId::Pid(Pid::from_child(child)), look) {
            // Nobody may be left.
            let _ = signal_group(child, Signal::KILL);
        }
    }
    child.try_wait()
}

/// Sends a signal to the group of a child that leads one, and is not reaped.
pub(super) fn signal_group(child: &Child, signal: Signal) -> io::Result<()> {
    // SAFETY: it has no pointers. Not reaped, so the number is the child's, and
    // the group's that it leads.
    match unsafe { libc::kill(-child.id().cast_signed(), signal.as_raw()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// An end in one number: the exit code, or the signal that ended it, below zero.
///
/// asyncio: `returncode`.
pub fn returncode(status: ExitStatus) -> i32 {
    match (status.code(), status.signal()) {
        (Some(code), _) => code,
        (None, Some(signal)) => -signal,
        // Ended by neither: the system has no such end.
        (None, None) => status.into_raw(),
    }
}

/// Sends a child that is not reaped a signal. The system answers ESRCH when
/// somebody else has.
pub(super) fn send_signal(
    child: &mut Child,
    notice: Option<&ExitNotice>,
    signal: Signal,
) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Some(pidfd) = notice.and_then(ExitNotice::pidfd) {
        return send_by_pidfd(pidfd, signal);
    }
    let _ = notice;
    // SAFETY: it has no pointers. Not reaped, so the number is the child's.
    match unsafe { libc::kill(child.id().cast_signed(), signal.as_raw()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// By its descriptor: right also when somebody else has reaped the child, and
/// its number is another process's.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn send_by_pidfd(pidfd: std::os::fd::BorrowedFd<'_>, signal: Signal) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    // SAFETY: the descriptor is open, and no information goes with the signal.
    let sent = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            pidfd.as_raw_fd(),
            signal.as_raw(),
            core::ptr::null::<libc::siginfo_t>(),
            0,
        )
    };
    if sent == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// What the system says of a process that has ended.
pub(super) fn gone() -> io::Error {
    io::Error::from_raw_os_error(libc::ESRCH)
}

/// Whether `error` says that there is no such process.
pub(super) fn is_gone(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ESRCH)
}

/// Why a signal was not sent, in the core's words.
pub(super) fn refusal(error: &io::Error) -> SignalRefusal {
    if is_gone(error) {
        return SignalRefusal::NoSuchProcess;
    }
    SignalRefusal::Source(crate::source_error::source_error(error))
}
