//! A descriptor that becomes readable when a child has ended.
//!
//! ```text
//!  Linux:            the child's pidfd
//!  macOS, the BSDs:  a kqueue with one filter, for the child's end
//!  elsewhere:        a pipe ◀── closed by ── a thread that waits for the child,
//!                                            but leaves it to be reaped
//! ```
//!
//! Linux has pidfds since 5.3, but a filter of system calls may not let them
//! through; a kqueue takes no filter for a child that has ended already. Then
//! the thread waits there too.

use crate::reader_writer::{SelectorEventLoop, WatchRefused};
use crate::subprocess::exit::Watch;
use crate::subprocess::process_error::SpawnRefused;
use molen_core::get_running_loop;
use molen_core::io::source::SourceError;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::process::Child;
use std::thread;

/// The thread that waits needs next to nothing.
const STACK: usize = 64 << 10;

/// A child's end is noticed, until this is ended or the loop is closed.
pub(in crate::subprocess) struct ExitNotice {
    descriptor: OwnedFd,
    #[cfg(any(target_os = "linux", target_os = "android"))]
    is_pidfd: bool,
}

impl ExitNotice {
    /// Has the running loop tell `watch` when `child`, which nobody has reaped, ends.
    pub(in crate::subprocess) fn begin(
        child: &Child,
        watch: Watch,
    ) -> Result<ExitNotice, SpawnRefused> {
        let event_loop =
            get_running_loop().map_err(|_none| SpawnRefused::Loop(SourceError::NoRunningLoop))?;
        let notice = ExitNotice::of(Pid::from_child(child)).map_err(SpawnRefused::Os)?;
        let number = notice.descriptor.as_raw_fd();
        event_loop.add_reader(&number, move || watch.child_ended()).map_err(|error| match error
            .cause
        {
            WatchRefused::Os(error) => SpawnRefused::Os(error),
            WatchRefused::Loop(error) => SpawnRefused::Loop(error),
            // Whose number the system has just given out, nobody uses.
            WatchRefused::OwnedBySource => SpawnRefused::Loop(SourceError::Closed),
        })?;
        Ok(notice)
    }

    /// Ends it, on its loop.
    pub(in crate::subprocess) fn end(self) {
        if let Ok(event_loop) = get_running_loop() {
            // It is watched, and by nobody else.
            let _ = event_loop.remove_reader(&self.descriptor.as_raw_fd());
        }
    }

    /// By which signals can be sent.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(super) fn pidfd(&self) -> Option<std::os::fd::BorrowedFd<'_>> {
        use std::os::fd::AsFd;
        self.is_pidfd.then(|| self.descriptor.as_fd())
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn of(pid: Pid) -> io::Result<ExitNotice> {
        match rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) {
            Ok(pidfd) => Ok(ExitNotice { descriptor: pidfd, is_pidfd: true }),
            Err(_filtered) => {
                Ok(ExitNotice { descriptor: closed_by_thread(pid)?, is_pidfd: false })
            }
        }
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    fn of(pid: Pid) -> io::Result<ExitNotice> {
        #[cfg(any(target_vendor = "apple", target_os = "freebsd"))]
        if let Ok(descriptor) = kqueue_for(pid) {
            return Ok(ExitNotice { descriptor });
        }
        Ok(ExitNotice { descriptor: closed_by_thread(pid)? })
    }
}

/// A kqueue of its own, which the loop's kqueue can wait for.
#[cfg(any(target_vendor = "apple", target_os = "freebsd"))]
fn kqueue_for(pid: Pid) -> io::Result<OwnedFd> {
    use rustix::event::kqueue::{Event, EventFilter, EventFlags, ProcessEvents, kevent, kqueue};
    let queue = kqueue()?;
    let filter = EventFilter::Proc { pid, flags: ProcessEvents::EXIT };
    let change = Event::new(filter, EventFlags::ADD, core::ptr::null_mut());
    let mut none: [core::mem::MaybeUninit<Event>; 0] = [];
    // SAFETY: the filter is a process's, and names no descriptor that must stay open.
    unsafe { kevent(&queue, &[change], &mut none[..], None) }?;
    Ok(queue)
}

fn closed_by_thread(pid: Pid) -> io::Result<OwnedFd> {
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
    Ok(reader.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use std::process::{Command, Stdio};

    fn is_readable(notice: &OwnedFd, seconds: i64) -> bool {
        let mut asked = [PollFd::new(notice, PollFlags::IN)];
        let patience = Timespec { tv_sec: seconds, tv_nsec: 0 };
        poll(&mut asked, Some(&patience)).unwrap() > 0
    }

    #[test]
    fn both_tell_of_the_end_and_leave_the_child_to_be_reaped() {
        let best = |pid| ExitNotice::of(pid).map(|notice| notice.descriptor);
        for notice_of in [best, closed_by_thread] {
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
