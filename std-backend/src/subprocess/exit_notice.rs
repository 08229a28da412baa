//! A descriptor that becomes readable when a child has ended.
//!
//! ```text
//!  Linux:       the child's pidfd
//!  elsewhere:   a pipe ◀── closed by ── a thread that waits for the child,
//!                                       but leaves it to be reaped
//! ```
//!
//! Linux has pidfds since 5.3, but a filter of system calls may not let them
//! through; then the thread waits there too.

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use std::io;
use std::os::fd::OwnedFd;
use std::thread;

/// The thread that waits needs next to nothing.
const STACK: usize = 64 << 10;

/// What becomes readable when the child `pid`, which nobody has reaped, ends.
pub(super) fn exit_notice(pid: Pid) -> io::Result<ExitNotice> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Ok(pidfd) = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) {
        return Ok(ExitNotice { descriptor: pidfd, is_pidfd: true });
    }
    by_thread(pid)
}

/// The descriptor.
pub(super) struct ExitNotice {
    pub(super) descriptor: OwnedFd,
    /// Whether signals can be sent by it.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(super) is_pidfd: bool,
}

fn by_thread(pid: Pid) -> io::Result<ExitNotice> {
    let (reader, writer) = io::pipe()?;
    let wait = move || {
        // It stays a zombie, so that its number is nobody else's until the
        // loop has reaped it. An error means that there is nothing to wait for.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(pid), options) {}
        drop(writer);
    };
    let name = format!("molen-wait-{}", pid.as_raw_nonzero());
    thread::Builder::new().name(name).stack_size(STACK).spawn(wait)?;
    Ok(ExitNotice {
        descriptor: reader.into(),
        #[cfg(any(target_os = "linux", target_os = "android"))]
        is_pidfd: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use std::process::{Command, Stdio};

    fn is_readable(notice: &ExitNotice, seconds: i64) -> bool {
        let mut asked = [PollFd::new(&notice.descriptor, PollFlags::IN)];
        let patience = Timespec { tv_sec: seconds, tv_nsec: 0 };
        poll(&mut asked, Some(&patience)).unwrap() > 0
    }

    #[test]
    fn both_tell_of_the_end_and_leave_the_child_to_be_reaped() {
        for notice_of in [exit_notice, by_thread] {
            let mut child =
                Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
            let notice = notice_of(Pid::from_child(&child)).unwrap();
            assert!(!is_readable(&notice, 0));
            drop(child.stdin.take());
            assert!(is_readable(&notice, 60), "nobody was told");
            assert!(child.try_wait().unwrap().unwrap().success());
        }
    }
}
