//! Children of Windows.

mod exit_notice;

pub(super) use exit_notice::ExitNotice;

use super::group::Group;
use crate::signals::Signal;
use molen_core::Unsupported;
use molen_core::io::source::SourceError;
use molen_core::net::SignalRefusal;
use std::ffi::OsStr;
use std::io;
use std::os::windows::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus};
use windows_sys::Win32::Foundation::FALSE;
use windows_sys::Win32::System::Console::{
    CTRL_BREAK_EVENT, CTRL_C_EVENT, GenerateConsoleCtrlEvent,
};
use windows_sys::Win32::System::Threading::CREATE_NEW_PROCESS_GROUP;

/// The exit code in the place of one that cannot be had.
pub(super) const STOLEN: i32 = 255;

/// The status of [`STOLEN`].
pub(super) fn stolen() -> ExitStatus {
    ExitStatus::from_raw(STOLEN.cast_unsigned())
}

/// The shell, running `script`.
pub(super) fn shell(script: &OsStr) -> Command {
    let mut command = Command::new("cmd");
    // /d: no commands from the registry first; /s: the outermost quotes, and no
    // others, are taken off.
    let mut line = std::ffi::OsString::from("\"");
    line.push(script);
    line.push("\"");
    command.args(["/d", "/s", "/c"]).raw_arg(line);
    command
}

/// Has the child lead a process group of its own.
pub(super) fn lead_group(command: &mut Command) {
    command.creation_flags(CREATE_NEW_PROCESS_GROUP);
}

/// There are no sessions to lead.
pub(super) fn lead_session(_command: &mut Command) {}

/// What of a command this system cannot do.
pub(super) fn lacks(group: Group, session: bool) -> Option<io::Error> {
    let lacking = |operation, reason| {
        let lacking = Unsupported { operation, platform: "Windows", reason };
        Some(io::Error::new(io::ErrorKind::Unsupported, lacking))
    };
    if session {
        return lacking("starting a program in a session of its own", "it has no such sessions");
    }
    if group == Group::EndsWithLeader {
        let reason = "its groups are known to consoles alone";
        return lacking("ending a program's group with it", reason);
    }
    None
}

/// Reaps a child if it has ended.
pub(super) fn reap(child: &mut Child, _group: Group) -> io::Result<Option<ExitStatus>> {
    child.try_wait()
}

/// Sends the console's event that a group can be sent.
pub(super) fn signal_group(child: &Child, signal: Signal) -> io::Result<()> {
    match signal {
        Signal::BREAK => send_event(CTRL_BREAK_EVENT, child.id()),
        _ => Err(io::Error::new(io::ErrorKind::Unsupported, NO_SUCH_GROUP_SIGNAL)),
    }
}

const NO_SUCH_GROUP_SIGNAL: Unsupported = Unsupported {
    operation: "sending a group of processes a signal other than Ctrl-Break",
    platform: "Windows",
    reason: "its groups are known to consoles alone",
};

/// An end in one number: the exit code.
///
/// asyncio: `returncode`.
pub fn returncode(status: ExitStatus) -> i32 {
    // Here everything ends with one.
    status.code().unwrap_or(STOLEN)
}

/// What the system says of a process that has ended.
pub(super) fn gone() -> io::Error {
    io::ErrorKind::NotFound.into()
}

/// Whether `error` says that there is no such process.
pub(super) fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

/// Why a signal was not sent, in the core's words.
pub(super) fn refusal(error: &io::Error) -> SignalRefusal {
    if is_gone(error) {
        return SignalRefusal::NoSuchProcess;
    }
    let lacking = error.get_ref().and_then(|cause| cause.downcast_ref::<Unsupported>());
    if let Some(lacking) = lacking {
        return SignalRefusal::Source(SourceError::Unsupported(*lacking));
    }
    SignalRefusal::Source(crate::source_error::source_error(error))
}

const NO_SUCH_SIGNAL: Unsupported = Unsupported {
    operation: "sending a signal other than Ctrl-C, Ctrl-Break and an end",
    platform: "Windows",
    reason: "it has no signals",
};

/// Sends a child what there is of signals.
pub(super) fn send_signal(
    child: &mut Child,
    _notice: Option<&ExitNotice>,
    signal: Signal,
) -> io::Result<()> {
    match signal {
        Signal::TERM | Signal::KILL => child.kill(),
        // The system sends it to no group but the console's whole.
        Signal::INT => send_event(CTRL_C_EVENT, 0),
        Signal::BREAK => send_event(CTRL_BREAK_EVENT, child.id()),
        _ => Err(io::Error::new(io::ErrorKind::Unsupported, NO_SUCH_SIGNAL)),
    }
}

fn send_event(event: u32, group: u32) -> io::Result<()> {
    // SAFETY: it has no pointers.
    match unsafe { GenerateConsoleCtrlEvent(event, group) } {
        FALSE => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}
